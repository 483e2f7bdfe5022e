SELECT
    issued_at, revision, stage, invoice_type, customer_ref AS customer, customer_type, product_family, currency, amount_basis,
    billed, expected, expected_low, expected_high, deviation_pct / 100 AS deviation, level, n, cv,
    p_error, if(suspect, 'suspect', 'usual') AS verdict, decision, direction, loss_point AS loss, loss_low, loss_high,
    if(arrayExists(rule -> startsWith(rule, 'deviation:'), rules), 'fires', 'quiet') AS rule_15, case_id AS case, incident_id AS incident, model_version
FROM scored_invoices
WHERE {this_invoice}
ORDER BY revision DESC, source_offset DESC
LIMIT {limit:UInt32}
