SELECT
    direction,
    sum(findings) AS found,
    sum(is_confirmed) AS confirmed_errors,
    sum(confirmed) AS confirmed_loss,
    sum(open_expected) AS open_loss,
    sum(open_low) AS open_loss_low,
    sum(open_high) AS open_loss_high,
    sum(paid) AS recovered,
    sum(goodwill_cost) AS goodwill,
    sum(cost) AS handling,
    recovered - goodwill - handling AS net
FROM
(
    {money}
)
GROUP BY direction
ORDER BY direction
LIMIT {limit:UInt32}
