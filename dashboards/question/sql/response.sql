SELECT time, hours[1] AS answered_hours_p50, hours[2] AS answered_hours_p90, 24. AS due
FROM
(
    SELECT
        {bucket} AS time,
        quantilesExact(0.5, 0.9)(dateDiff('second', detected_at, assumeNotNull(acknowledged_at)) / 3600) AS hours
    FROM case_current
    WHERE seller = {seller:String} AND {days} AND {segment} AND {causes} AND acknowledged_at IS NOT NULL
    GROUP BY time
)
ORDER BY time
LIMIT {limit:UInt32}
