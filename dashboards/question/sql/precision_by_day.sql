WITH {wilson}
SELECT
    {bucket} AS time,
    {verdicts}
FROM case_current
WHERE {alerts}
GROUP BY time
ORDER BY time
LIMIT {limit:UInt32}
