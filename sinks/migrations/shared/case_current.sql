WITH
    latest AS
    (
        SELECT * EXCEPT (detected_at)
        FROM cases
        WHERE parse_error = ''
        ORDER BY seq DESC, recorded_at DESC, source_partition DESC, source_offset DESC
        LIMIT 1 BY case_id
    ),
    began AS
    (
        SELECT case_id, argMin(detected_at, seq) AS detected_at
        FROM cases
        WHERE parse_error = ''
        GROUP BY case_id
    ),
    told AS
    (
        SELECT
            l.case_id AS case_id,
            l.* EXCEPT (case_id, seq, handling_cost, currency, direction, dunning_hold, raw, parse_error, recorded_at,
                inserted_at, source_topic, source_incarnation, source_partition, source_offset),
            l.seq AS last_seq,
            l.handling_cost AS planned_handling_cost,
            began.detected_at AS detected_at,
            if(l.currency IN ('', 'XXX') AND v.currency != '', v.currency, l.currency) AS currency,
            v.currency IN ('', currency) AS same_currency,
            if(l.issued_at > l.received_at + INTERVAL 24 HOUR, toDate(l.received_at), toDate(l.issued_at)) AS issue_day,
            multiIf(l.kind = 'invoice', issue_day, l.incident_since IS NOT NULL, toDate(assumeNotNull(l.incident_since)),
                toDate(began.detected_at)) AS cohort_day,
            v.status AS status,
            v.outcome AS outcome,
            v.true_cause AS true_cause,
            v.acknowledged_at AS acknowledged_at,
            v.decided_at AS decided_at,
            v.closed_at AS closed_at,
            v.contacted_at AS contacted_at,
            v.satisfaction AS satisfaction,
            v.corrective_action AS corrective_action,
            v.corrected_at AS corrected_at,
            v.handling_minutes AS handling_minutes,
            v.audited AS audited,
            ifNull(v.dunning_hold, l.dunning_hold) AS dunning_hold,
            if(same_currency, v.confirmed_loss, NULL) AS confirmed_loss,
            if(same_currency, v.correct_amount, NULL) AS correct_amount,
            if(same_currency, v.handling_cost, NULL) AS handling_cost,
            multiIf(v.direction NOT IN ('', 'none'), v.direction, confirmed_loss > 0, 'customer_favour',
                confirmed_loss < 0, 'seller_favour', l.direction = '', 'none', l.direction) AS direction
        FROM latest AS l
        INNER JOIN began ON l.case_id = began.case_id
        LEFT JOIN case_verdicts AS v ON l.case_id = v.case_id
    )
SELECT
    t.case_id AS case_id,
    t.* EXCEPT (case_id, same_currency, issue_day),
    CAST(status = 'reopened' OR (action != 'resolve' AND status != 'closed'), 'Bool') AS is_open,
    if(empty(causes), 'unknown', causes[1]) AS predicted_cause,
    if(true_cause != '', true_cause, predicted_cause) AS cause,
    m.paid AS paid,
    m.goodwill_cost AS goodwill_cost,
    m.written_off AS written_off,
    m.settled_by AS settled_by,
    m.last_paid_at AS last_paid_at,
    ifNull(handling_cost, if(outcome = 'confirmed_error', planned_handling_cost, 0)) AS cost,
    if(outcome = 'confirmed_error', coalesce(abs(confirmed_loss),
        if(billed != 0, abs(correct_amount - billed), NULL), if(kind = 'invoice', abs(loss_point), NULL)), NULL) AS amount_due,
    arrayFirstIndex(sum -> sum >= amount_due, arrayCumSum(arrayMap(p -> p.3, m.payments))) AS last_payment,
    multiIf(paid = 0, NULL, amount_due > 0 AND last_payment > 0, m.payments[last_payment].1, m.completed_at)
        AS recovered_at,
    multiIf(recovered_at IS NOT NULL, recovered_at, NOT is_open, coalesce(closed_at, m.written_off_at, resolved_at), NULL)
        AS over_at
FROM told AS t
LEFT JOIN case_money AS m ON t.case_id = m.case_id AND t.currency = m.currency
