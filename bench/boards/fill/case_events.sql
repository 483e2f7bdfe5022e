INSERT INTO case_events (event_id, case_id, invoice_id, origin, status, outcome, true_cause, confirmed_loss, currency, direction, at,
    handling_cost, satisfaction, corrective_action, decided_by_role, recorded_at, source_topic, source_partition, source_offset)
WITH
    cityHash64(case_id) AS h,
    arrayFilter(step -> step.3 IS NOT NULL, [(1, 'acknowledged', acknowledged_at), (2, 'decided', decided_at), (3, 'closed', closed_at)])
        AS steps,
    step.1 = 2 AND outcome = 'confirmed_error' AS confirms
SELECT concat(case_id, '-', toString(step.1)), case_id, '', 'detector', step.2, if(step.1 = 2, outcome, ''),
    if(confirms, `causes.code`[if(h % 4 = 0, 2, 1)], ''), if(confirms, abs(loss_point), NULL), currency, if(confirms, direction, ''),
    assumeNotNull(step.3) AS at, if(step.1 = 2, 15 + h % 20, NULL), if(step.1 = 3 AND h % 3 = 0, 1 + h % 5, NULL),
    if(confirms AND h % 97 = 0, 'price corrected', ''), if(step.1 = 2, 'agent', ''), at, 'recoup.case-events', source_partition,
    source_offset * 4 + step.1
FROM told
ARRAY JOIN steps AS step
UNION ALL
-- An audit of one unflagged invoice in 2,000; 1 % of them are wrong.
SELECT concat('audit-', invoice_id), case_of(seller, invoice_id), invoice_id, 'audit_sample', 'decided',
    if(cityHash64(invoice_id, 'audit') % 100 = 0, 'confirmed_error', 'not_an_error'), '', NULL, currency, '', received_at + INTERVAL 1 DAY,
    NULL, NULL, '', 'auditor', received_at + INTERVAL 1 DAY, 'recoup.case-events', source_partition, source_offset * 4
FROM scored_invoices
WHERE NOT suspect AND NOT canary AND stage = 'issued' AND invoice_type = 'invoice' AND cityHash64(invoice_id, 'sample') % 2000 = 0
    AND received_at < now() - INTERVAL 1 DAY
