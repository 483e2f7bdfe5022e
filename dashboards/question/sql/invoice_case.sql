SELECT
    case_id AS case, severity, if(is_open, 'open', 'closed') AS state, status, outcome, cause, owner_team AS team, detected_at,
    respond_by, acknowledged_at, decided_at, abs(loss_point) AS stake, amount_due, paid, expected_recovery, net_value,
    settled_by, limitation_date, incident_id AS incident,
    summary_en, summary_fr
FROM case_current
WHERE {this_invoice} AND kind = 'invoice'
ORDER BY revision DESC
LIMIT {limit:UInt32}
