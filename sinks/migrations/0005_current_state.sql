-- Where everything stands: the views that the questions of 0006 rest on. They
-- count each event once and sort by the time an event tells, so a repeat, another
-- order or a late event changes nothing. The rules are those of the case stage.

CREATE OR REPLACE VIEW flagged_invoices AS
SELECT
    seller, cohort_day, currency, customer_type, product_family, level, stage, invoice_type, canary, suspect,
    fact.1 AS invoice_id,
    fact.2 AS revision,
    fact.3 AS customer_ref,
    fact.4 AS p_error,
    fact.5 AS decision,
    fact.6 AS direction,
    if(fact.7 = '', 'unknown', fact.7) AS predicted_cause,
    fact.8 AS billed,
    fact.9 AS loss_low,
    fact.10 AS loss_point,
    fact.11 AS loss_high,
    fact.12 AS incident_id,
    fact.13 AS case_id,
    fact.14 AS source_offset
FROM
(
    SELECT
        seller, cohort_day, currency, customer_type, product_family, level, stage, invoice_type, canary, suspect,
        {facts} AS facts
    FROM scored_invoices
    GROUP BY seller, cohort_day, currency, customer_type, product_family, level, stage, invoice_type, canary, suspect
)
ARRAY JOIN facts AS fact
COMMENT 'What did scoring say of suspects? One row per record of a suspect or a canary, also of drafts (stage pre_issue), read from the roll-up inside scored_invoices';

-- The order of steps settles what happened at one instant. What lies behind the day
-- after its record had not come yet: it counts as the end of that day, so that one
-- wrong year is not the last word for ever.
CREATE OR REPLACE VIEW case_events_once AS
SELECT
    * REPLACE (least(at, toDateTime64(toStartOfDay(recorded_at) + INTERVAL 2 DAY, 3, 'UTC')) AS at),
    c.at AS told_at,
    indexOf(['opened', 'acknowledged', 'verified', 'decided', 'closed', 'reopened'], status) AS step
FROM case_events AS c
WHERE parse_error = ''
ORDER BY least(c.at, toDateTime64(toStartOfDay(recorded_at) + INTERVAL 2 DAY, 3, 'UTC')), told_at, step, recorded_at,
    source_partition, source_offset
LIMIT 1 BY event_id
COMMENT 'What did people do? Every event of case_events once, however often it came; told_at is the time it told, at the one that counts';

CREATE OR REPLACE VIEW recoveries_once AS
SELECT
    * REPLACE (least(at, toDateTime64(toStartOfDay(recorded_at) + INTERVAL 2 DAY, 3, 'UTC')) AS at),
    c.at AS told_at,
    indexOf(['offered', 'accepted', 'refused', 'scheduled', 'paid', 'failed', 'completed', 'cancelled', 'written_off'],
        event) AS step
FROM recoveries AS c
WHERE parse_error = ''
ORDER BY least(c.at, toDateTime64(toStartOfDay(recorded_at) + INTERVAL 2 DAY, 3, 'UTC')), told_at, step, recorded_at,
    source_partition, source_offset
LIMIT 1 BY event_id
COMMENT 'What was offered, promised and paid? Every step of recoveries once, however often it came; told_at is the time it told, at the one that counts';

-- A formal notice counts after an amicable option was offered and then refused or
-- failed; money that an earlier one brought is money all the same.
CREATE OR REPLACE VIEW recovery_steps AS
SELECT * EXCEPT (was_offered, amicable_failed)
FROM
(
    SELECT
        *,
        max(event IN ('refused', 'failed') AND was_offered AND option IN ('immediate_payment', 'instalments',
            'offset_next_order', 'goodwill')) OVER (PARTITION BY case_id, currency ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS amicable_failed
    FROM
    (
        SELECT
            *,
            (at, told_at, step, event_id) AS place,
            max(event = 'offered') OVER (PARTITION BY case_id, currency, recovery_id, option ORDER BY place
                ROWS UNBOUNDED PRECEDING) AS was_offered
        FROM recoveries_once
    )
)
WHERE option != 'formal_notice' OR event = 'paid' OR amicable_failed
COMMENT 'Which steps of recoveries count? Those of recoveries_once without formal notices that came too early';

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
        (at, told_at, step, event_id) AS place,
        place >= max(if(status = 'reopened', place, (toDateTime64(0, 3, 'UTC'), toDateTime64(0, 3, 'UTC'), toUInt64(0), '')))
            OVER (PARTITION BY case_id) AS stands,
        argMinIf(currency, place, currency != '') OVER (PARTITION BY case_id) AS case_currency
    FROM case_events_once
    WHERE case_id != ''
) AS e
GROUP BY case_id
COMMENT 'What did people say of each case? One row per case_id that has events, with or without a case';

-- The cost of a gesture counts once, when it was accepted. An agreement stands until
-- its option is refused, fails, is cancelled or written off.
CREATE OR REPLACE VIEW case_money AS
WITH
    argMax(option, accepted_place) AS accepted_last,
    max(accepted_place) AS agreed_place
SELECT
    case_id,
    currency,
    sum(plan_paid) AS paid,
    sumIf(greatest(ifNull(cost, 0), 0), agreed) AS goodwill_cost,
    sum(plan_written_off) AS written_off,
    max(plan_last_paid_at) AS last_paid_at,
    max(plan_completed_at) AS completed_at,
    max(plan_written_off_at) AS written_off_at,
    if(agreed_place.4 = '' OR arrayExists(end -> end.1 = accepted_last AND end.2 > agreed_place,
        groupArray((option, ended_place))), '', accepted_last) AS settled_by,
    arraySort(arrayFlatten(groupArray(plan_payments))) AS payments
FROM
(
    SELECT
        case_id,
        currency,
        recovery_id,
        option,
        max(event IN ('accepted', 'paid')) AS agreed,
        argMaxIf(tuple(goodwill_cost), place, option = 'goodwill' AND goodwill_cost IS NOT NULL).1 AS cost,
        sumIf(amount, event = 'paid') AS plan_paid,
        sumIf(amount, event = 'written_off') AS plan_written_off,
        maxOrNullIf(at, event = 'paid') AS plan_last_paid_at,
        minOrNullIf(at, event = 'completed') AS plan_completed_at,
        maxOrNullIf(at, event = 'written_off') AS plan_written_off_at,
        maxIf(place, event = 'accepted') AS accepted_place,
        maxIf(place, event IN ('refused', 'failed', 'cancelled', 'written_off')) AS ended_place,
        groupArrayIf((at, event_id, amount), event = 'paid') AS plan_payments
    FROM recovery_steps
    GROUP BY case_id, currency, recovery_id, option
)
GROUP BY case_id, currency
COMMENT 'What came back for each case, and what did it cost? One row per case_id and currency';

-- What people said of cases and invoices is worked out from all their events, which
-- takes seconds where there are many. So the server keeps the answer and works it out
-- anew every minute, whole: it heals by itself whatever came late, twice or was
-- removed. case_now and invoice_findings_now work it out when asked; case_current and
-- invoice_findings, and with them the views of 0006, read what is kept, not older than
-- refreshed_at says.
CREATE OR REPLACE VIEW case_now AS
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
COMMENT 'What is the state of each case, now? As case_current, worked out when asked';

-- A case that somebody opened for a canary is not kept.
DROP VIEW IF EXISTS case_current;

CREATE MATERIALIZED VIEW IF NOT EXISTS case_current
REFRESH EVERY 1 MINUTE
ENGINE = MergeTree
ORDER BY (seller, kind, case_id)
AS SELECT *, now64(3, 'UTC') AS refreshed_at
FROM case_now
WHERE kind != 'invoice'
    OR (seller, invoice_id, revision) NOT IN (SELECT seller, invoice_id, revision FROM flagged_invoices WHERE canary)
COMMENT 'What is the state of each case? One row per case: its last action, what people did with it and what was paid, as of refreshed_at, a minute ago at most';

-- An invoice that was not flagged and that people judged, or disputed, is found among
-- all invoices: that takes longer, so it is asked less often.
DROP VIEW IF EXISTS judged_unflagged;

CREATE MATERIALIZED VIEW IF NOT EXISTS judged_unflagged
REFRESH EVERY 10 MINUTE
ENGINE = MergeTree
ORDER BY (seller, cohort_day, invoice_id)
AS SELECT
    seller, cohort_day, currency, customer_type, product_family, invoice_id, revision, customer_ref, p_error, decision,
    direction, if(empty(`causes.code`), 'unknown', `causes.code`[1]) AS predicted_cause, billed,
    loss_low, loss_point, loss_high, incident_id, case_id, source_offset, now64(3, 'UTC') AS refreshed_at
FROM scored_invoices
PREWHERE NOT suspect AND invoice_id IN
    (
        SELECT invoice_id FROM case_events WHERE invoice_id != '' AND outcome != '' AND origin != 'detector'
        UNION DISTINCT
        SELECT invoice_id FROM cases WHERE kind = 'invoice' AND origin != 'detector'
    )
WHERE NOT canary AND stage = 'issued' AND invoice_type = 'invoice'
COMMENT 'What did scoring say of unflagged invoices that were audited or disputed? One row per record, as of refreshed_at, ten minutes ago at most';

-- What scoring said comes from the newest row of the invoice, else from its case.
-- Money at stake is what the losing side loses, never below 0. An invoice without a
-- case, such as an audited one, finds its verdict by the id its case would have:
-- the name-based UUID (version 5, RFC 9562) of the dedup key. An incident whose loss
-- was told as one sum stands for the losses of its members.
-- Its cases are those that are kept, so the two agree.
CREATE OR REPLACE VIEW invoice_findings_now AS
WITH
    (part -> if(lengthUTF8(part) > 64 OR position(part, '|') > 0,
        concat('h', lower(leftPad(hex(xxHash64(part)), 16, '0'))), part)) AS key_part,
    (name -> lower(hex(SHA1(concat(unhex('9b10a2719ecb552caf1ec0dad2ccee14'), name))))) AS digest,
    (h -> concat(substring(h, 1, 8), '-', substring(h, 9, 4), '-5', substring(h, 14, 3), '-',
        substring('89ab89ab89ab89ab', position('0123456789abcdef', substring(h, 17, 1)), 1), substring(h, 18, 3), '-',
        substring(h, 21, 12))) AS uuid,
    toDecimal128(0, 4) AS none,
    incidents AS
    (
        SELECT
            case_id, outcome, true_cause, decided_at, is_open, currency, direction, confirmed_loss IS NOT NULL AS one_sum,
            arrayJoin(arrayConcat([case_id], incident_aliases)) AS alias
        FROM case_current
        WHERE kind = 'incident'
        LIMIT 1 BY alias
    )
SELECT
    f.seller AS seller,
    f.invoice_id AS invoice_id,
    f.revision AS revision,
    f.day AS cohort_day,
    f.unit AS currency,
    f.kind_of_customer AS customer_type,
    f.family AS product_family,
    f.customer AS customer_ref,
    f.is_suspect AS suspect,
    CAST(f.cased, 'Bool') AS has_case,
    f.id AS case_id,
    f.found_by AS origin,
    f.is_audited AS audited,
    f.probability AS p_error,
    f.alone AS decision,
    f.side AS direction,
    f.first_cause AS predicted_cause,
    i.case_id AS incident_case_id,
    if(incident_case_id != '', incident_case_id, f.incident) AS incident_id,
    multiIf(f.verdict != '', f.verdict, i.outcome = 'duplicate_case', '', i.outcome) AS outcome,
    multiIf(outcome = '', 'nobody', f.verdict = '', 'incident', has_case, 'case', 'audit') AS judged_by,
    if(f.verdict != '', f.verdict_at, i.decided_at) AS decided_at,
    if(f.verdict != '', f.verdict_cause, i.true_cause) AS true_cause,
    if(true_cause != '', true_cause, predicted_cause) AS cause,
    multiIf(outcome = 'confirmed_error', 'confirmed', outcome IN ('not_an_error', 'expected_change'), 'refuted',
        outcome = 'undetermined', 'undetermined', outcome = 'duplicate_case', 'duplicate',
        (has_case AND NOT f.still_open) OR (incident_case_id != '' AND NOT i.is_open), 'closed', 'open') AS state,
    f.band[1] AS stake_low,
    f.band[2] AS stake,
    f.band[3] AS stake_high,
    multiIf(state != 'confirmed' OR (i.one_sum AND i.currency = f.unit AND i.direction = f.side), none,
        judged_by = 'incident', stake, toDecimal128(f.due, 4)) AS confirmed_loss,
    f.paid_in AS paid,
    f.gestures AS goodwill_cost,
    f.work AS cost,
    f.planned AS planned_handling_cost
FROM
(
    SELECT
        id,
        argMax(seller, place) AS seller,
        argMax(invoice_id, place) AS invoice_id,
        argMax(revision, place) AS revision,
        argMax(cohort_day, place) AS day,
        argMax(currency, place) AS unit,
        argMax(customer_type, place) AS kind_of_customer,
        argMax(product_family, place) AS family,
        argMax(customer_ref, place) AS customer,
        CAST(argMax(flagged, place), 'Bool') AS is_suspect,
        argMax(p_error, place) AS probability,
        argMax(decision, place) AS alone,
        argMax(predicted_cause, place) AS first_cause,
        max(place = -1) AS cased,
        max(own_origin) AS own,
        if(own = '', 'detector', own) AS found_by,
        CAST(max(own_audited) AND NOT is_suspect, 'Bool') AS is_audited,
        max(own_open) AS still_open,
        max(own_outcome) AS verdict,
        max(own_cause) AS verdict_cause,
        max(own_decided_at) AS verdict_at,
        max(own_direction) AS told_side,
        if(told_side IN ('', 'none'), argMax(direction, place), told_side) AS side,
        argMax(losses, place) AS loss,
        coalesce(max(abs(own_loss)), abs(max(own_correct) - argMax(billed, place)), max(own_due), abs(loss[2])) AS due,
        max(named_incident) AS named,
        if(named != '', named, max(member_of)) AS incident,
        arraySort(arrayMap(amount -> greatest(if(side = 'seller_favour', -amount, amount), none), loss)) AS band,
        max(own_paid) AS paid_in,
        max(own_goodwill) AS gestures,
        max(own_cost) AS work,
        max(own_planned) AS planned
    FROM
    (
        SELECT
            if(case_id != '', case_id, uuid(digest(concat(key_part(seller), '|invoice|', key_part(invoice_id), '|r',
                toString(revision))))) AS id,
            source_offset AS place, seller, invoice_id, revision, cohort_day, currency, customer_type, product_family,
            customer_ref, flagged, p_error, decision, direction, predicted_cause, billed,
            [loss_low, loss_point, loss_high] AS losses, incident_id AS named_incident, '' AS member_of,
            '' AS own_origin, false AS own_open, '' AS own_outcome, '' AS own_cause,
            CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS own_decided_at, '' AS own_direction, 0 AS own_audited,
            CAST(NULL, 'Nullable(Decimal(19, 4))') AS own_loss, CAST(NULL, 'Nullable(Decimal(19, 4))') AS own_correct,
            CAST(NULL, 'Nullable(Decimal(19, 4))') AS own_due,
            none AS own_paid, none AS own_goodwill, none AS own_cost, none AS own_planned
        FROM
        (
            SELECT * EXCEPT (level, stage, invoice_type, canary, suspect), true AS flagged
            FROM flagged_invoices
            WHERE suspect AND NOT canary AND stage = 'issued' AND invoice_type = 'invoice'
            UNION ALL
            SELECT * EXCEPT refreshed_at, false AS flagged
            FROM judged_unflagged
        )
        UNION ALL
        SELECT
            case_id, -1, seller, invoice_id, revision, cohort_day, currency, customer_type, product_family,
            customer_ref, origin = 'detector', p_error, decision, direction,
            predicted_cause, billed,
            [loss_low, loss_point, loss_high], incident_id, '',
            origin, is_open, outcome, true_cause,
            decided_at, direction, audited,
            confirmed_loss, correct_amount,
            amount_due,
            paid, goodwill_cost, cost, planned_handling_cost
        FROM case_current
        WHERE kind = 'invoice'
        UNION ALL
        SELECT
            case_id, -2, '', '', 0, toDate(0), currency, '', '',
            '', 0, 0, '', direction,
            'unknown', 0,
            [none, none, none], '', '',
            told_origin, false, outcome, true_cause,
            decided_at, direction, audited,
            confirmed_loss, correct_amount,
            NULL,
            none, none, none, none
        FROM case_verdicts
        WHERE case_id NOT IN (SELECT case_id FROM cases WHERE parse_error = '')
        UNION ALL
        SELECT
            uuid(digest(concat(key_part(seller), '|invoice|', key_part(invoice_id), '|r', toString(revision)))),
            -3, '', '', 0, toDate(0), '', '', '',
            '', 0, 0, '', '',
            '', 0,
            [none, none, none], '', argMin(incident_id, (at, incident_id)),
            '', false, '', '',
            NULL, '', 0,
            NULL, NULL,
            NULL,
            none, none, none, none
        FROM incident_members
        WHERE parse_error = ''
        GROUP BY seller, invoice_id, revision
    )
    GROUP BY id
    HAVING cased OR is_suspect OR (max(place) >= 0 AND verdict != '')
) AS f
LEFT JOIN incidents AS i ON f.incident = i.alias
COMMENT 'Which invoices were found or judged wrong, and what became of them? As invoice_findings, worked out when asked from the cases of case_current';

DROP VIEW IF EXISTS invoice_findings;

CREATE MATERIALIZED VIEW IF NOT EXISTS invoice_findings
REFRESH EVERY 1 MINUTE DEPENDS ON case_current
ENGINE = MergeTree
ORDER BY (seller, cohort_day, invoice_id)
AS SELECT *, now64(3, 'UTC') AS refreshed_at FROM invoice_findings_now
COMMENT 'Which invoices were found or judged wrong, and what became of them? Each invoice once, whether it has a case, belongs to an incident or was audited, as of refreshed_at, a minute ago at most';

CREATE OR REPLACE VIEW kept_answers AS
SELECT 'case_current' AS view, count() AS row_count, maxOrNull(refreshed_at) AS refreshed_at, dateDiff('second', refreshed_at, now64(3)) AS seconds_old
FROM case_current
UNION ALL
SELECT 'judged_unflagged', count(), maxOrNull(refreshed_at) AS at, dateDiff('second', at, now64(3))
FROM judged_unflagged
UNION ALL
SELECT 'invoice_findings', count(), maxOrNull(refreshed_at) AS at, dateDiff('second', at, now64(3))
FROM invoice_findings
COMMENT 'How old are the answers of the boards? Seconds since each kept view was worked out; more than 120, or 1200 of judged_unflagged: look at system.view_refreshes';
