SELECT predicted_cause, true_cause, count() AS invoices
FROM invoice_findings
WHERE seller = {seller:String} AND {days} AND {segment} AND {causes}
    AND state = 'confirmed' AND suspect AND true_cause != ''
GROUP BY predicted_cause, true_cause
ORDER BY predicted_cause, true_cause
LIMIT {limit:UInt32}
