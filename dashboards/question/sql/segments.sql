WITH {wilson}
SELECT
    customer_type,
    product_family,
    sum(n) AS invoices,
    sum(s) / nullIf(invoices, 0) AS suspect_rate,
    least(sum(k), invoices) / nullIf(invoices, 0) AS confirmed_rate,
    wilson_low(least(sum(k), invoices), invoices) AS confirmed_rate_low,
    wilson_high(least(sum(k), invoices), invoices) AS confirmed_rate_high,
    sum(p) / nullIf(invoices, 0) AS live_rate,
    sum(unknown) / nullIf(invoices, 0) AS without_expectation,
    sum(loss) AS confirmed_loss
FROM
(
    SELECT
        customer_type, product_family, sum(c.invoices) AS n, sum(c.suspects) AS s, toFloat64(sum(c.expected_errors)) AS p,
        0 AS k, sumIf(c.invoices, level = 'none') AS unknown, toDecimal128(0, 4) AS loss
    FROM invoice_counts_by_day AS c
    WHERE seller = {seller:String} AND currency = {currency:String} AND {days} AND {segment}
    GROUP BY customer_type, product_family
    UNION ALL
    SELECT customer_type, product_family, 0, 0, 0, count(), 0, sum(f.confirmed_loss)
    FROM invoice_findings AS f
    WHERE seller = {seller:String} AND currency = {currency:String} AND {days} AND {segment}
        AND state = 'confirmed' AND judged_by != 'audit'
    GROUP BY customer_type, product_family
)
GROUP BY customer_type, product_family
ORDER BY confirmed_loss DESC, invoices DESC, customer_type, product_family
LIMIT {limit:UInt32}
