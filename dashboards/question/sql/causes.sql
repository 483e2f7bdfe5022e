SELECT
    cause,
    sum(is_confirmed) AS confirmed_errors,
    confirmed_errors / sum(confirmed_errors) OVER () AS part,
    sum(confirmed_errors) OVER (ORDER BY confirmed_errors DESC, cause ROWS UNBOUNDED PRECEDING)
        / sum(confirmed_errors) OVER () AS cumulative,
    sumIf(confirmed, direction != 'seller_favour') AS loss_customer_favour,
    sumIf(confirmed, direction = 'seller_favour') AS loss_seller_favour,
    sum(paid) AS recovered
FROM
(
    {money}
)
GROUP BY cause
HAVING confirmed_errors > 0
ORDER BY confirmed_errors DESC, cause
LIMIT {limit:UInt32}
