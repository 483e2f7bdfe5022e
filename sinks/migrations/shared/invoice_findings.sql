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
            customer_ref, suspect AS flagged, p_error, decision, direction,
            if(empty(`causes.code`), 'unknown', `causes.code`[1]) AS predicted_cause, billed,
            [loss_low, loss_point, loss_high] AS losses, incident_id AS named_incident, '' AS member_of,
            '' AS own_origin, false AS own_open, '' AS own_outcome, '' AS own_cause,
            CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS own_decided_at, '' AS own_direction, 0 AS own_audited,
            CAST(NULL, 'Nullable(Decimal(19, 4))') AS own_loss, CAST(NULL, 'Nullable(Decimal(19, 4))') AS own_correct,
            CAST(NULL, 'Nullable(Decimal(19, 4))') AS own_due,
            none AS own_paid, none AS own_goodwill, none AS own_cost, none AS own_planned
        FROM scored_invoices
        PREWHERE suspect OR invoice_id IN
            (
                SELECT invoice_id FROM case_events WHERE invoice_id != '' AND outcome != '' AND origin != 'detector'
                UNION DISTINCT
                SELECT invoice_id FROM cases WHERE kind = 'invoice' AND origin != 'detector'
            )
        WHERE NOT canary AND stage = 'issued' AND invoice_type = 'invoice'
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
    HAVING max(place) >= -1
) AS f
LEFT JOIN incidents AS i ON f.incident = i.alias
