SELECT
    cohort_day AS day, invoice_id AS invoice, customer_ref AS customer, customer_type, product_family, cause, p_error,
    direction, stake, stake_low, stake_high, decision, state
FROM invoice_findings
WHERE seller = {seller:String} AND currency = {currency:String} AND {days} AND {segment} AND {causes} AND suspect
ORDER BY stake DESC, invoice_id
LIMIT {limit:UInt32}
