WITH {wilson}
SELECT
    multiIf(kind = 'incident', 'incident', level = 'none' OR level = '', 'no expectation', cv < 0.05, '< 5 %', cv < 0.1, '5–10 %', cv < 0.25, '10–25 %',
        cv < 0.5, '25–50 %', cv < 1, '50–100 %', '> 100 %') AS spread,
    {verdicts}
FROM case_current
WHERE {alerts}
GROUP BY spread
ORDER BY min(if(level = 'none' OR level = '', 1e9, cv)), spread
LIMIT {limit:UInt32}
