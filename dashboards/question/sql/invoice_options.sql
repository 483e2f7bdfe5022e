SELECT
    place,
    JSONExtractString(offer, 'option') AS option,
    toDecimal64OrNull(JSONExtractString(offer, 'amount'), 4) AS amount,
    currency,
    if(ifNull(amount, 0) = 0, 0, greatest(length(JSONExtractArrayRaw(offer, 'schedule')), 1)) AS payments,
    toDecimal64OrZero(JSONExtractString(offer, 'goodwill_cost'), 4) AS goodwill,
    JSONExtract(offer, 'acceptance', 'p', 'Nullable(Float64)') AS acceptance,
    JSONExtract(offer, 'acceptance', 'low', 'Nullable(Float64)') AS acceptance_low,
    JSONExtract(offer, 'acceptance', 'high', 'Nullable(Float64)') AS acceptance_high,
    toDecimal64OrNull(JSONExtractString(offer, 'expected_net'), 4) AS expected_net
FROM
(
    SELECT currency, JSONExtractArrayRaw(raw, 'recovery_options') AS offers
    FROM cases
    WHERE seller = {seller:String} AND {its_cases} AND parse_error = '' AND notEmpty(recovery_options)
    ORDER BY recorded_at DESC, seq DESC
    LIMIT 1
)
ARRAY JOIN offers AS offer, arrayEnumerate(offers) AS place
ORDER BY place
LIMIT {limit:UInt32}
