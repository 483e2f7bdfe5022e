INSERT INTO incident_members (incident_id, seller, invoice_id, revision, customer_ref, case_id, finding, decision, issued_at, currency,
    loss_point, loss_low, loss_high, at, recorded_at, source_topic, source_partition, source_offset)
SELECT incident_id, seller, invoice_id, revision, customer_ref, case_id, 'billing_system:found', decision, issued_at, currency, loss_point,
    loss_low, loss_high, received_at + INTERVAL 1 HOUR, received_at + INTERVAL 1 HOUR, 'recoup.incident-members', source_partition, source_offset
FROM scored_invoices
WHERE incident_id != ''
