-- Those of the last week are open.
INSERT INTO cases (case_id, dedup_key, seq, action, kind, severity, origin, seller, incident_id, incident_dimension, incident_value,
    incident_finding, incident_since, incident_members, incident_loss_per_hour, detected_at, respond_by, currency, loss_point, direction,
    p_error, decision, handling_cost, causes, owner_team, resolved_by, resolved_at, recorded_at, source_topic, source_offset)
SELECT incident_id, incident_id, step, if(step = 1, 'open', 'resolve'), 'incident', 'error', 'detector', any(seller), incident_id, 'batch',
    incident_id, 'billing_system:found', min(issued_at) AS since, count(), sum(loss_point) / 36, since + INTERVAL 1 HOUR,
    since + INTERVAL 25 HOUR, topK(1)(currency)[1], sum(loss_point), 'customer_favour', 0.95, 'open_case', 120, ['billing_system'], 'billing',
    if(step = 2, 'quiet', ''), if(step = 2, since + INTERVAL 40 HOUR, NULL), since + toIntervalHour(step * 20), 'recoup.cases', step
FROM scored_invoices
ARRAY JOIN [1, 2] AS step
WHERE incident_id != '' AND (step = 1 OR cohort_day < today() - 7)
GROUP BY incident_id, step
