WITH {wilson}
SELECT
    predicted_cause AS cause,
    {verdicts}
FROM case_current
WHERE {alerts}
GROUP BY cause
ORDER BY alerts DESC, cause
LIMIT {limit:UInt32}
