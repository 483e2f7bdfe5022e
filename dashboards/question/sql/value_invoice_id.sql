SELECT invoice_id
FROM invoice_findings
WHERE seller = {seller:String} AND {days}
ORDER BY has_case DESC, stake DESC, invoice_id
LIMIT {limit:UInt32}
