SELECT
    option, offered, accepted, acceptance, acceptance_low, acceptance_high, offered_amount, paid_amount, paid_rate,
    uplift, goodwill
FROM recovery_by_option
WHERE seller = {seller:String} AND currency = {currency:String}
ORDER BY paid_amount DESC, option
LIMIT {limit:UInt32}
