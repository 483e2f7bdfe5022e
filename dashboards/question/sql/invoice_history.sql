WITH
    (
        SELECT (any(customer_ref), any(customer_type), any(currency), any(cohort_day))
        FROM (SELECT * FROM scored_invoices WHERE {this_invoice} ORDER BY revision DESC, source_offset DESC LIMIT 1)
    ) AS it
SELECT issued_at AS time, billed, expected, expected_low, expected_high, if(invoice_id = {invoice_id:String}, billed, NULL) AS this
FROM
(
    SELECT issued_at, invoice_id, billed, expected, expected_low, expected_high
    FROM scored_invoices
    WHERE seller = {seller:String} AND cohort_day BETWEEN it.4 - 90 AND it.4 + 30
        AND customer_ref = it.1 AND customer_type = it.2 AND currency = it.3
        AND (customer_ref NOT IN ('', 'anonymous') OR invoice_id = {invoice_id:String})
        AND NOT canary AND stage = 'issued' AND invoice_type = 'invoice' AND level != 'none'
    ORDER BY issued_at DESC
    LIMIT {limit:UInt32}
)
ORDER BY time
