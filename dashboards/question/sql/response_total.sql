WITH {wilson}
SELECT
    count() AS cases,
    countIf(acknowledged_at <= detected_at + INTERVAL 24 HOUR) / nullIf(cases, 0) AS answered_in_24h,
    wilson_low(countIf(acknowledged_at <= detected_at + INTERVAL 24 HOUR), cases) AS answered_in_24h_low,
    wilson_high(countIf(acknowledged_at <= detected_at + INTERVAL 24 HOUR), cases) AS answered_in_24h_high,
    quantileExactIfOrNull(0.5)(dateDiff('second', detected_at, assumeNotNull(decided_at)) / 3600, decided_at IS NOT NULL)
        AS decided_hours_p50,
    quantileExactIfOrNull(0.9)(dateDiff('second', detected_at, assumeNotNull(decided_at)) / 3600, decided_at IS NOT NULL)
        AS decided_hours_p90
FROM case_current
WHERE seller = {seller:String} AND {days} AND {segment} AND {causes}
LIMIT {limit:UInt32}
