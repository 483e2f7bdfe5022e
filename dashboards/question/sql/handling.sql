WITH
    (
        SELECT toFloat64(sum(paid_amount)) / nullIf(toFloat64(sum(offered_amount)), 0)
        FROM recovery_by_option
        WHERE seller = {seller:String} AND currency = {currency:String}
    ) AS paid_rate,
    (
        SELECT toFloat64(any(usual_cost)) FROM usual_handling_cost WHERE seller = {seller:String} AND currency = {currency:String}
    ) AS usual_cost
SELECT
    sum(m.cost) AS handling,
    sum(m.paid) AS recovered,
    toFloat64(handling) / nullIf(toFloat64(recovered), 0) AS cost_per_recovered,
    countIf(m.kind = 'invoice') AS cases,
    usual_cost / nullIf(paid_rate, 0) AS break_even_loss,
    countIf(m.kind = 'invoice' AND toFloat64(m.stake) < ifNull(break_even_loss, 0)) / nullIf(cases, 0) AS below_break_even_share
FROM case_money_by_cohort AS m
WHERE seller = {seller:String} AND currency = {currency:String} AND {days}
LIMIT {limit:UInt32}
