SELECT
    {bucket} AS time,
    sum(confirmed) AS confirmed_loss,
    sum(open_expected) AS open_loss,
    sum(paid) AS recovered,
    recovered - sum(goodwill_cost) - sum(cost) AS net
FROM
(
    {money}
)
WHERE direction = 'customer_favour'
GROUP BY time
ORDER BY time
LIMIT {limit:UInt32}
