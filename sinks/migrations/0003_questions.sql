-- Views named for the question they answer. They read the append-only logs of
-- 0002 and count each event once, so repeats change nothing and no query needs
-- FINAL. Money is per currency: never add up rows of two currencies.

CREATE OR REPLACE VIEW case_current AS
WITH
    actions AS
    (
        SELECT
            case_id,
            max(c.seq) AS last_seq,
            argMax(c.dedup_key, c.seq) AS dedup_key,
            argMax(c.action, c.seq) AS action,
            argMax(c.kind, c.seq) AS kind,
            argMax(c.severity, c.seq) AS severity,
            argMax(c.origin, c.seq) AS origin,
            argMax(c.seller, c.seq) AS seller,
            argMax(c.stage, c.seq) AS stage,
            argMax(c.invoice_id, c.seq) AS invoice_id,
            argMax(c.invoice_number, c.seq) AS invoice_number,
            argMax(c.customer_ref, c.seq) AS customer_ref,
            argMax(c.incident_id, c.seq) AS incident_id,
            argMax(c.customer_type, c.seq) AS customer_type,
            argMax(c.product_family, c.seq) AS product_family,
            argMax(c.issued_at, c.seq) AS issued_at,
            argMax(c.received_at, c.seq) AS received_at,
            argMin(c.detected_at, c.seq) AS detected_at,
            argMax(tuple(c.respond_by), c.seq).1 AS respond_by,
            argMax(tuple(c.escalate_at), c.seq).1 AS escalate_at,
            argMax(c.currency, c.seq) AS currency,
            argMax(c.amount_basis, c.seq) AS amount_basis,
            argMax(c.billed, c.seq) AS billed,
            argMax(c.expected, c.seq) AS expected,
            argMax(c.loss_point, c.seq) AS loss_point,
            argMax(c.loss_low, c.seq) AS loss_low,
            argMax(c.loss_high, c.seq) AS loss_high,
            argMax(c.direction, c.seq) AS direction,
            argMax(c.p_error, c.seq) AS p_error,
            argMax(c.decision, c.seq) AS decision,
            argMax(c.handling_cost, c.seq) AS planned_handling_cost,
            argMax(c.causes, c.seq) AS causes,
            argMax(c.rules, c.seq) AS rules,
            argMax(c.owner_team, c.seq) AS owner_team
        FROM cases AS c
        WHERE c.parse_error = ''
        GROUP BY case_id
    ),
    events AS
    (
        SELECT
            case_id,
            argMaxIf(e.status, (e.at, e.event_id), e.status != '') AS status,
            argMaxIf(e.outcome, (e.at, e.event_id), e.outcome != '') AS outcome,
            argMaxIf(e.true_cause, (e.at, e.event_id), e.true_cause != '') AS true_cause,
            argMaxIf(tuple(e.confirmed_loss), (e.at, e.event_id), e.confirmed_loss IS NOT NULL).1 AS confirmed_loss,
            argMaxIf(tuple(e.satisfaction), (e.at, e.event_id), e.satisfaction IS NOT NULL).1 AS satisfaction,
            minOrNullIf(e.at, e.status = 'acknowledged') AS acknowledged_at,
            minOrNullIf(e.at, e.outcome != '') AS decided_at,
            maxOrNullIf(e.at, e.status = 'closed') AS closed_at,
            sumOrNull(e.handling_cost) AS handling_cost
        FROM (SELECT * FROM case_events WHERE parse_error = '' LIMIT 1 BY event_id) AS e
        GROUP BY case_id
    ),
    money AS
    (
        SELECT
            case_id,
            sumIf(r.amount, r.event = 'paid') AS paid,
            sum(ifNull(r.goodwill_cost, 0)) AS goodwill_cost,
            maxOrNullIf(r.at, r.event = 'paid') AS last_paid_at
        FROM (SELECT * FROM recoveries WHERE parse_error = '' LIMIT 1 BY event_id) AS r
        GROUP BY case_id
    )
SELECT
    actions.case_id AS case_id,
    actions.* EXCEPT (case_id),
    status,
    outcome,
    CAST(status = 'reopened' OR (action != 'resolve' AND status != 'closed'), 'Bool') AS is_open,
    if(true_cause != '', true_cause, if(empty(causes), 'unknown', causes[1])) AS cause,
    true_cause,
    confirmed_loss,
    satisfaction,
    acknowledged_at,
    decided_at,
    closed_at,
    handling_cost,
    paid,
    goodwill_cost,
    last_paid_at
FROM actions
LEFT JOIN events ON actions.case_id = events.case_id
LEFT JOIN money ON actions.case_id = money.case_id
COMMENT 'What is the state of each case? One row per case: its last action, what people did with it and what was paid';

CREATE OR REPLACE VIEW error_rate_by_day AS
WITH
    ((k, n) -> (k / n + 1.920729 / n - 1.959964 * sqrt((k / n * (1 - k / n) + 0.960365 / n) / n)) / (1 + 3.841459 / n)) AS wilson_low,
    ((k, n) -> (k / n + 1.920729 / n + 1.959964 * sqrt((k / n * (1 - k / n) + 0.960365 / n) / n)) / (1 + 3.841459 / n)) AS wilson_high,
    scored AS
    (
        SELECT
            seller, cohort_day, currency, customer_type, product_family,
            count() AS invoices,
            countIf(suspect) AS suspects,
            sum(p_error) AS expected_errors
        FROM scored_invoices
        WHERE NOT canary AND stage = 'issued' AND invoice_type = 'invoice'
        GROUP BY seller, cohort_day, currency, customer_type, product_family
    ),
    decided AS
    (
        SELECT
            seller, toDate(issued_at) AS cohort_day, currency, customer_type, product_family,
            countIf(outcome = 'confirmed_error') AS confirmed
        FROM case_current
        WHERE kind = 'invoice'
        GROUP BY seller, cohort_day, currency, customer_type, product_family
    )
SELECT
    seller, cohort_day, currency, customer_type, product_family,
    invoices,
    suspects,
    suspects / invoices AS suspect_rate,
    expected_errors / invoices AS live_error_rate,
    confirmed,
    confirmed / invoices AS confirmed_rate,
    greatest(0, wilson_low(confirmed, invoices)) AS confirmed_rate_low,
    least(1, wilson_high(confirmed, invoices)) AS confirmed_rate_high
FROM scored
LEFT JOIN decided USING (seller, cohort_day, currency, customer_type, product_family)
COMMENT 'How many invoices are wrong? Per day of issue and segment: suspected, expected (sum of p_error) and confirmed, with 95 % Wilson bounds';

-- The band of a loss in its direction: low, point, high, none below 0. What the
-- customers lose is negative in the rows, so its low and high change places.
CREATE OR REPLACE VIEW loss_by_cohort AS
WITH
    arraySort(arrayMap(amount -> greatest(0, if(direction = 'seller_favour', -1, 1) * toFloat64(amount)),
        [loss_low, loss_point, loss_high])) AS band
SELECT
    seller,
    currency,
    toStartOfMonth(issued_at) AS cohort_month,
    direction,
    count() AS cases,
    countIf(outcome = 'confirmed_error') AS confirmed,
    sumIf(ifNull(confirmed_loss, 0), outcome = 'confirmed_error') AS confirmed_loss_sum,
    sumIf(p_error * band[1], outcome = '') AS open_loss_low,
    sumIf(p_error * band[2], outcome = '') AS open_loss_estimate,
    sumIf(p_error * band[3], outcome = '') AS open_loss_high,
    sum(paid) AS recovered,
    sum(goodwill_cost) AS goodwill,
    sum(ifNull(handling_cost, if(outcome = 'confirmed_error', planned_handling_cost, 0))) AS handling,
    recovered - goodwill - handling AS net_recovered
FROM case_current
WHERE kind = 'invoice'
GROUP BY seller, currency, cohort_month, direction
COMMENT 'How much money was lost and how much came back? Per month of issue and direction, in currency; the directions are never netted';

CREATE OR REPLACE VIEW recovery_by_option AS
WITH
    ((k, n) -> (k / n + 1.920729 / n - 1.959964 * sqrt((k / n * (1 - k / n) + 0.960365 / n) / n)) / (1 + 3.841459 / n)) AS wilson_low,
    ((k, n) -> (k / n + 1.920729 / n + 1.959964 * sqrt((k / n * (1 - k / n) + 0.960365 / n) / n)) / (1 + 3.841459 / n)) AS wilson_high
SELECT
    option,
    currency,
    uniqExactIf(recovery_id, event = 'offered') AS offered,
    uniqExactIf(recovery_id, event = 'accepted') AS accepted,
    if(offered = 0, 0, accepted / offered) AS acceptance,
    if(offered = 0, 0, greatest(0, wilson_low(accepted, offered))) AS acceptance_low,
    if(offered = 0, 0, least(1, wilson_high(accepted, offered))) AS acceptance_high,
    sumIf(amount, event = 'offered') AS offered_amount,
    sumIf(amount, event = 'paid') AS paid_amount,
    if(offered_amount = 0, 0, toFloat64(paid_amount) / toFloat64(offered_amount)) AS paid_rate,
    sum(ifNull(goodwill_cost, 0)) AS goodwill
FROM (SELECT * FROM recoveries WHERE parse_error = '' LIMIT 1 BY event_id)
GROUP BY option, currency
COMMENT 'Which way of getting the money back works? Acceptance with 95 % Wilson bounds and paid rate per option, in currency';

CREATE OR REPLACE VIEW alert_precision AS
WITH
    ((k, n) -> (k / n + 1.920729 / n - 1.959964 * sqrt((k / n * (1 - k / n) + 0.960365 / n) / n)) / (1 + 3.841459 / n)) AS wilson_low,
    ((k, n) -> (k / n + 1.920729 / n + 1.959964 * sqrt((k / n * (1 - k / n) + 0.960365 / n) / n)) / (1 + 3.841459 / n)) AS wilson_high
SELECT
    seller,
    cause,
    customer_type,
    product_family,
    least(9, toUInt8(floor(p_error * 10))) AS p_decile,
    count() AS cases,
    countIf(outcome = 'confirmed_error') AS confirmed,
    countIf(outcome IN ('not_an_error', 'expected_change')) AS refuted,
    countIf(outcome = 'undetermined') AS undetermined,
    countIf(outcome = '') AS undecided,
    if(confirmed + refuted = 0, 0, confirmed / (confirmed + refuted)) AS precision,
    if(confirmed + refuted = 0, 0, greatest(0, wilson_low(confirmed, confirmed + refuted))) AS precision_low,
    if(confirmed + refuted = 0, 1, least(1, wilson_high(confirmed, confirmed + refuted))) AS precision_high
FROM case_current
WHERE kind = 'invoice' AND origin = 'detector'
GROUP BY seller, cause, customer_type, product_family, p_decile
COMMENT 'How often is an alert right? Per cause, segment and tenth of p_error; add up confirmed and refuted before dividing';

CREATE OR REPLACE VIEW time_to_respond AS
SELECT
    seller,
    toDate(detected_at) AS detected_day,
    owner_team,
    count() AS cases,
    quantiles(0.5, 0.95, 0.99)(dateDiff('millisecond', received_at, detected_at) / 1000) AS detect_seconds_p50_p95_p99,
    countIf(acknowledged_at IS NOT NULL) AS acknowledged,
    countIf(acknowledged_at <= detected_at + INTERVAL 24 HOUR) AS acknowledged_in_24h,
    acknowledged_in_24h / cases AS share_in_24h,
    quantilesIf(0.5, 0.9)(dateDiff('second', detected_at, ifNull(acknowledged_at, detected_at)) / 3600, acknowledged_at IS NOT NULL) AS acknowledge_hours_p50_p90,
    quantilesIf(0.5, 0.9)(dateDiff('second', detected_at, ifNull(decided_at, detected_at)) / 3600, decided_at IS NOT NULL) AS decide_hours_p50_p90,
    quantilesIf(0.5, 0.9)(dateDiff('second', detected_at, ifNull(last_paid_at, detected_at)) / 3600, last_paid_at IS NOT NULL) AS recover_hours_p50_p90,
    countIf(is_open) AS open_cases,
    countIf(is_open AND respond_by < now64(3)) AS overdue
FROM case_current
GROUP BY seller, detected_day, owner_team
COMMENT 'How fast are errors detected, answered and recovered? Quantiles leave out cases that are not there yet';

CREATE OR REPLACE VIEW cause_pareto AS
SELECT
    seller,
    currency,
    cause,
    confirmed,
    loss,
    confirmed / sum(confirmed) OVER (PARTITION BY seller, currency) AS share,
    sum(confirmed) OVER (PARTITION BY seller, currency ORDER BY confirmed DESC, cause ROWS UNBOUNDED PRECEDING)
        / sum(confirmed) OVER (PARTITION BY seller, currency) AS cumulative_share
FROM
(
    SELECT
        seller,
        currency,
        cause,
        count() AS confirmed,
        sum(ifNull(confirmed_loss, abs(loss_point))) AS loss
    FROM case_current
    WHERE outcome = 'confirmed_error' AND kind = 'invoice'
    GROUP BY seller, currency, cause
)
COMMENT 'Which causes are behind the confirmed errors? Number, loss in currency, share and cumulative share per cause';
