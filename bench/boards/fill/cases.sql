INSERT INTO cases (case_id, dedup_key, seq, action, kind, severity, origin, seller, stage, invoice_id, customer_ref, incident_id,
    customer_type, product_family, level, n, cv, issued_at, received_at, detected_at, respond_by, escalate_at, limitation_date, currency,
    amount_basis, billed, expected, expected_low, expected_high, deviation_pct, loss_point, loss_low, loss_high, direction, p_error,
    decision, handling_cost, expected_recovery, net_value, causes, cause_kinds, cause_p, rules, owner_team, recovery_options, summary_en,
    summary_fr, resolved_by, resolved_at, model_version, config_hash, recorded_at, source_topic, source_partition, source_offset, raw)
WITH arrayFilter(step -> step.3 IS NOT NULL, [(1, 'open', toNullable(detected_at)), (2, 'update', acknowledged_at), (3, 'resolve', closed_at)])
    AS steps
SELECT case_id, concat(seller, '|invoice|', invoice_id, '|r0'), step.1, step.2, 'invoice', ['warning', 'info'][cityHash64(case_id) % 2 + 1],
    if(cityHash64(case_id, 'origin') % 50 = 0, 'customer_dispute', 'detector'), seller, stage, invoice_id, customer_ref, incident_id,
    customer_type, product_family, level, n, cv, issued_at, received_at, detected_at, detected_at + INTERVAL 24 HOUR,
    detected_at + INTERVAL 12 HOUR, cohort_day + 365, currency, amount_basis, billed, expected, expected_low, expected_high, deviation_pct,
    loss_point, loss_low, loss_high, direction, p_error, decision, 18.5, abs(loss_point) * 0.6, abs(loss_point) * 0.6 - 18.5, `causes.code`,
    `causes.kind`, `causes.p`, rules, ['sales', 'billing', 'claims'][cityHash64(case_id) % 3 + 1], ['immediate_payment', 'instalments'],
    'Billed 30 % off the usual amount', 'Facturé à 30 % du montant habituel', if(step.1 = 3, 'outcome', ''),
    if(step.1 = 3, closed_at, NULL), model_version, config_hash, step.3, 'recoup.cases', source_partition, source_offset * 4 + step.1,
    concat('{"recovery_options":[{"option":"immediate_payment","amount":"', toString(abs(loss_point)), '","acceptance":{"p":0.6,"low":0.4,',
        '"high":0.8},"expected_net":"', toString(abs(loss_point)), '"},{"option":"instalments","amount":"', toString(abs(loss_point)),
        '","schedule":[{},{},{}]}],"rest":"', repeat(hex(cityHash64(case_id)), 250), '"}')
FROM told
ARRAY JOIN steps AS step
