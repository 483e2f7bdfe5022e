SELECT
    option, offered, accepted, acceptance, acceptance_low, acceptance_high, offered_amount, paid_amount, paid_rate,
    uplift, goodwill,
    transform(option, ['immediate_payment', 'instalments', 'goodwill'], ['45 %', '+20 %', '40 %'], '') AS claim
FROM recovery_by_option
WHERE seller = {seller:String} AND currency = {currency:String}
ORDER BY paid_amount DESC, option
LIMIT {limit:UInt32}
