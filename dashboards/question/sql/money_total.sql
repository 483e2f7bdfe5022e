SELECT
    sumIf(open_expected, direction = 'customer_favour') AS open_loss,
    sumIf(open_low, direction = 'customer_favour') AS open_loss_low,
    sumIf(open_high, direction = 'customer_favour') AS open_loss_high,
    sumIf(confirmed, direction = 'customer_favour') AS confirmed_loss,
    sum(paid) AS recovered,
    recovered - sum(goodwill_cost) - sum(cost) AS net
FROM
(
    {money}
)
LIMIT {limit:UInt32}
