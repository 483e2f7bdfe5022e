SELECT
    detected_at AS detected,
    severity,
    kind,
    invoice_id AS invoice,
    cause,
    customer_type,
    product_family,
    abs(loss_point) AS stake,
    p_error,
    owner_team AS team,
    respond_by,
    multiIf(acknowledged_at IS NOT NULL, 'answered', respond_by < now64(3), 'overdue', 'waiting') AS answer,
    case_id AS case
FROM case_current
WHERE {waiting} AND currency IN ({currency:String}, 'XXX', '') AND {segment} AND {causes}
ORDER BY answer = 'overdue' DESC, net_value DESC, detected_at
LIMIT {limit:UInt32}
