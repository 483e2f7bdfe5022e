-- Where everything stands: the views that the questions of 0006 rest on. They
-- count each event once and sort by the time an event tells, so a repeat, another
-- order or a late event changes nothing. The rules are those of the case stage.

-- The order of steps settles what happened at one instant.
CREATE OR REPLACE VIEW case_events_once AS
SELECT *, indexOf(['opened', 'acknowledged', 'verified', 'decided', 'closed', 'reopened'], status) AS step
FROM case_events
WHERE parse_error = ''
ORDER BY at, step, recorded_at, source_partition, source_offset
LIMIT 1 BY event_id
COMMENT 'What did people do? Every event of case_events once, however often it came';

CREATE OR REPLACE VIEW recoveries_once AS
SELECT
    *,
    indexOf(['offered', 'accepted', 'refused', 'scheduled', 'paid', 'failed', 'completed', 'cancelled', 'written_off'],
        event) AS step
FROM recoveries
WHERE parse_error = ''
ORDER BY at, step, recorded_at, source_partition, source_offset
LIMIT 1 BY event_id
COMMENT 'What was offered, promised and paid? Every step of recoveries once, however often it came';

CREATE OR REPLACE VIEW disputes_once AS
SELECT *
FROM disputes
WHERE parse_error = ''
ORDER BY at, recorded_at, source_partition, source_offset
LIMIT 1 BY event_id
COMMENT 'What did customers find? Every dispute once, however often it came';

-- A case that was reopened has no outcome until it is decided again. An amount in
-- another currency than the first one named does not count.
CREATE OR REPLACE VIEW case_verdicts AS
SELECT
    e.case_id AS case_id,
    argMinIf(e.invoice_id, e.place, e.invoice_id != '') AS told_invoice_id,
    argMinIf(e.origin, e.place, e.origin != '') AS told_origin,
    max(if(e.stands AND e.step < 6, e.step, 0)) AS reached,
    multiIf(reached > 0, ['opened', 'acknowledged', 'verified', 'decided', 'closed'][reached],
        max(e.step) = 6, 'reopened', '') AS status,
    argMaxIf(e.outcome, e.place, e.outcome != '' AND e.stands) AS outcome,
    minOrNullIf(e.at, e.outcome != '' AND e.stands) AS decided_at,
    maxOrNullIf(e.at, e.status = 'closed' AND e.stands) AS closed_at,
    minOrNullIf(e.at, e.step > 1) AS acknowledged_at,
    minOrNull(e.customer_contacted_at) AS contacted_at,
    argMaxIf(e.true_cause, e.place, e.true_cause != '') AS true_cause,
    argMaxIf(e.direction, e.place, e.direction != '') AS direction,
    argMaxIf(tuple(e.dunning_hold), e.place, e.dunning_hold IS NOT NULL).1 AS dunning_hold,
    argMaxIf(tuple(e.satisfaction), e.place, e.satisfaction IS NOT NULL).1 AS satisfaction,
    argMaxIf(e.corrective_action, e.place, e.corrective_action != '') AS corrective_action,
    maxIf(e.at, e.corrective_action != '') AS corrected_at,
    argMaxIf(e.decided_by_role, e.place, e.decided_by_role != '') AS decided_by_role,
    sumOrNull(e.handling_minutes) AS handling_minutes,
    any(e.case_currency) AS currency,
    argMaxIf(tuple(e.correct_amount), e.place, e.correct_amount IS NOT NULL AND e.currency = e.case_currency).1
        AS correct_amount,
    argMaxIf(tuple(e.confirmed_loss), e.place, e.confirmed_loss IS NOT NULL AND e.currency = e.case_currency).1
        AS confirmed_loss,
    sumOrNullIf(e.handling_cost, e.currency = e.case_currency) AS handling_cost,
    max(e.origin = 'audit_sample' AND e.outcome != '' AND e.stands) AS audited
FROM
(
    SELECT
        *,
        (at, step, event_id) AS place,
        place >= max(if(status = 'reopened', place, (toDateTime64(0, 3, 'UTC'), toUInt64(0), '')))
            OVER (PARTITION BY case_id) AS stands,
        argMinIf(currency, place, currency != '') OVER (PARTITION BY case_id) AS case_currency
    FROM case_events_once
    WHERE case_id != ''
) AS e
GROUP BY case_id
COMMENT 'What did people say of each case? One row per case_id that has events, with or without a case';

-- The cost of a gesture counts once, when it was accepted.
CREATE OR REPLACE VIEW case_money AS
SELECT
    case_id,
    currency,
    sum(plan_paid) AS paid,
    sumIf(ifNull(cost, 0), agreed) AS goodwill_cost,
    sum(plan_written_off) AS written_off,
    max(plan_last_paid_at) AS last_paid_at,
    max(plan_completed_at) AS completed_at,
    max(plan_written_off_at) AS written_off_at,
    argMax(accepted_option, accepted_place) AS settled_by,
    arraySort(arrayFlatten(groupArray(plan_payments))) AS payments
FROM
(
    SELECT
        case_id,
        currency,
        recovery_id,
        max(event IN ('accepted', 'paid')) AS agreed,
        argMaxIf(tuple(goodwill_cost), (at, step, event_id), option = 'goodwill' AND goodwill_cost IS NOT NULL).1 AS cost,
        sumIf(amount, event = 'paid') AS plan_paid,
        sumIf(amount, event = 'written_off') AS plan_written_off,
        maxOrNullIf(at, event = 'paid') AS plan_last_paid_at,
        minOrNullIf(at, event = 'completed') AS plan_completed_at,
        maxOrNullIf(at, event = 'written_off') AS plan_written_off_at,
        argMaxIf(option, (at, step, event_id), event = 'accepted') AS accepted_option,
        maxIf((at, step, event_id), event = 'accepted') AS accepted_place,
        groupArrayIf((at, event_id, amount), event = 'paid') AS plan_payments
    FROM recoveries_once
    GROUP BY case_id, currency, recovery_id
)
GROUP BY case_id, currency
COMMENT 'What came back for each case, and what did it cost? One row per case_id and currency';

CREATE OR REPLACE VIEW case_current AS
{case_current}
COMMENT 'What is the state of each case? One row per case: its last action, what people did with it and what was paid';

-- What scoring said comes from the newest row of the invoice, else from its case.
-- Money at stake is what the losing side loses, never below 0. An invoice without a
-- case, such as an audited one, finds its verdict by the id its case would have:
-- the name-based UUID (version 5, RFC 9562) of the dedup key. An incident whose loss
-- was told as one sum stands for the losses of its members.
CREATE OR REPLACE VIEW invoice_findings AS
{invoice_findings}
COMMENT 'Which invoices were found or judged wrong, and what became of them? Each invoice once, whether it has a case, belongs to an incident or was audited';
