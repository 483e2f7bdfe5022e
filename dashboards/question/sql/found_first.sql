WITH {wilson}
SELECT
    countIf(state = 'confirmed' AND judged_by != 'audit') AS confirmed,
    countIf(state = 'confirmed' AND origin = 'customer_dispute') AS by_customer,
    if(confirmed = 0, NULL, by_customer / confirmed) AS part,
    wilson_low(by_customer, confirmed) AS part_low,
    wilson_high(by_customer, confirmed) AS part_high
FROM invoice_findings
WHERE seller = {seller:String} AND {days} AND {segment}
LIMIT {limit:UInt32}
