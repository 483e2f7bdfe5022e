SELECT cause
FROM invoice_findings
WHERE seller = {seller:String}
GROUP BY cause
ORDER BY count() DESC, cause
LIMIT {limit:UInt32}
