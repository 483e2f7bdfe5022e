SELECT time, level, n / sum(n) OVER (PARTITION BY time) AS part
FROM
(
    SELECT {bucket} AS time, level, sum(invoices) AS n
    FROM invoice_counts_by_day
    WHERE seller = {seller:String} AND {days} AND {segment}
    GROUP BY time, level
)
ORDER BY time, level
LIMIT {limit:UInt32}
