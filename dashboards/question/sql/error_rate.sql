WITH {wilson}
SELECT
    {bucket} AS time,
    least(sum(k), invoices) / invoices AS confirmed_rate,
    wilson_low(least(sum(k), invoices), invoices) AS confirmed_rate_low,
    wilson_high(least(sum(k), invoices), invoices) AS confirmed_rate_high,
    sum(p) / invoices AS live_rate,
    sum(s) / invoices AS suspect_rate,
    sum(n) AS invoices,
    0.03 AS claim
FROM
(
    SELECT cohort_day, sum(c.invoices) AS n, sum(c.suspects) AS s, toFloat64(sum(c.expected_errors)) AS p, 0 AS k
    FROM invoice_counts_by_day AS c
    WHERE seller = {seller:String} AND {days} AND {segment}
    GROUP BY cohort_day
    UNION ALL
    SELECT cohort_day, 0, 0, 0, count()
    FROM invoice_findings
    WHERE seller = {seller:String} AND {days} AND {segment} AND state = 'confirmed' AND judged_by != 'audit'
    GROUP BY cohort_day
)
GROUP BY time
HAVING invoices > 0
ORDER BY time
LIMIT {limit:UInt32}
