WITH {wilson}
SELECT
    {bucket} AS time,
    sumIf(n, suspect) / sent AS found_share,
    wilson_low(sumIf(n, suspect), sent) AS found_share_low,
    wilson_high(sumIf(n, suspect), sent) AS found_share_high,
    sum(n) AS sent
FROM
(
    SELECT cohort_day, suspect, count() AS n
    FROM scored_invoices
    WHERE canary AND seller = {seller:String} AND {days}
    GROUP BY cohort_day, suspect
)
GROUP BY time
ORDER BY time
LIMIT {limit:UInt32}
