WITH {wilson}
SELECT
    countIf(due) AS cases,
    countIf(in_time) / nullIf(cases, 0) AS answered_in_24h,
    wilson_low(countIf(in_time), cases) AS answered_in_24h_low,
    wilson_high(countIf(in_time), cases) AS answered_in_24h_high,
    quantileExactIfOrNull(0.5)(decided_hours, decided) AS decided_hours_p50,
    quantileExactIfOrNull(0.9)(decided_hours, decided) AS decided_hours_p90
FROM
(
    SELECT
        acknowledged_at IS NOT NULL OR (detected_at < now64(3) - INTERVAL 24 HOUR AND NOT (is_open AND {bundled})) AS due,
        ifNull(acknowledged_at <= detected_at + INTERVAL 24 HOUR, false) AS in_time,
        decided_at IS NOT NULL AS decided,
        dateDiff('second', detected_at, ifNull(decided_at, detected_at)) / 3600 AS decided_hours
    FROM case_current
    WHERE seller = {seller:String} AND {days} AND {segment} AND {causes}
)
LIMIT {limit:UInt32}
