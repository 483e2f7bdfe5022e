SELECT {bucket} AS time, cause, sum(is_confirmed) AS confirmed_errors
FROM
(
    {money}
)
GROUP BY time, cause
HAVING confirmed_errors > 0
ORDER BY time, cause
LIMIT {limit:UInt32}
