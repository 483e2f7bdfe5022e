WITH dateDiff('second', detected_at, now64(3)) / 3600 AS hours
SELECT
    multiIf(hours < 4, '< 4 h', hours < 24, '4–24 h', hours < 72, '1–3 d', hours < 168, '3–7 d', hours < 720, '7–30 d',
        '> 30 d') AS age,
    countIf(acknowledged_at IS NOT NULL) AS answered,
    countIf(acknowledged_at IS NULL) AS waiting,
    countIf(acknowledged_at IS NULL AND respond_by < now64(3)) AS past_respond_by,
    sumIf(abs(loss_point), currency = {currency:String}) AS stake
FROM case_current
WHERE {waiting} AND {segment} AND {causes}
GROUP BY age
ORDER BY max(hours)
LIMIT {limit:UInt32}
