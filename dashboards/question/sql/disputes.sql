SELECT
    reason,
    count() AS disputed,
    countIf(invoice_id IN (SELECT invoice_id FROM invoice_findings WHERE seller = {seller:String} AND state = 'confirmed')) AS confirmed
FROM disputes_once
WHERE seller = {seller:String} AND at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
    AND invoice_id NOT IN (SELECT invoice_id FROM flagged_invoices WHERE seller = {seller:String} AND canary)
GROUP BY reason
ORDER BY disputed DESC, reason
LIMIT {limit:UInt32}
