-- One view per question of a board, named for it; K1 to K17 are the KPIs of
-- docs/DATA.md. All rest on 0005 and on scored_invoices, so they are right under
-- redelivery. An audit is a sample: what it finds stands for the unflagged in K1b and
-- K8, and in no other figure. Canaries, drafts and, in rates, credit notes are left out; cohorts
-- are by day of issue; money is per currency and direction, never netted.
-- The 95 % Wilson bounds of k in n are put in from shared/wilson.sql.

CREATE OR REPLACE VIEW invoice_counts_by_day AS
SELECT
    seller, cohort_day, currency, customer_type, product_family, level,
    sum(n) AS invoices,
    sumIf(n, suspect) AS suspects,
    sum(p) AS expected_errors
FROM
(
    SELECT
        seller, cohort_day, currency, customer_type, product_family, level, suspect,
        count() AS n, sum(toDecimal64(p_error, 9)) AS p
    FROM scored_invoices
    WHERE NOT canary AND stage = 'issued' AND invoice_type = 'invoice'
    GROUP BY seller, cohort_day, currency, customer_type, product_family, level, suspect
)
GROUP BY seller, cohort_day, currency, customer_type, product_family, level
COMMENT 'How many invoices were scored? Per day of issue, segment and baseline level, read from the roll-up inside scored_invoices';

CREATE OR REPLACE VIEW error_rate_by_day AS
WITH
    {wilson},
    scored AS
    (
        SELECT
            seller, cohort_day, currency, customer_type, product_family,
            sum(invoices) AS invoices, sum(suspects) AS suspects, sum(expected_errors) AS expected_errors
        FROM invoice_counts_by_day
        GROUP BY seller, cohort_day, currency, customer_type, product_family
    ),
    found AS
    (
        SELECT
            seller, cohort_day, currency, customer_type, product_family,
            countIf(state = 'confirmed' AND judged_by != 'audit') AS all_confirmed
        FROM invoice_findings
        GROUP BY seller, cohort_day, currency, customer_type, product_family
    )
SELECT
    seller, cohort_day, currency, customer_type, product_family,
    invoices,
    suspects,
    suspects / invoices AS suspect_rate,
    expected_errors,
    toFloat64(expected_errors) / invoices AS live_error_rate,
    least(all_confirmed, invoices) AS confirmed,
    confirmed / invoices AS confirmed_rate,
    wilson_low(confirmed, invoices) AS confirmed_rate_low,
    wilson_high(confirmed, invoices) AS confirmed_rate_high
FROM scored
LEFT JOIN found USING (seller, cohort_day, currency, customer_type, product_family)
COMMENT 'K1, K1c: how many invoices are wrong? Per day of issue and segment: suspected, expected (sum of p_error) and confirmed, with 95 % Wilson bounds';

-- What audits found among the unflagged stands for all unflagged of the cohort.
CREATE OR REPLACE VIEW error_rate_by_month AS
WITH
    {wilson},
    scored AS
    (
        SELECT
            seller, toStartOfMonth(cohort_day) AS cohort_month,
            sum(invoices) AS invoices, sum(suspects) AS suspects, sum(expected_errors) AS expected_errors
        FROM invoice_counts_by_day
        GROUP BY seller, cohort_month
    ),
    found AS
    (
        SELECT
            seller, toStartOfMonth(cohort_day) AS cohort_month,
            countIf(state = 'confirmed' AND judged_by != 'audit') AS all_confirmed,
            countIf(state = 'confirmed' AND suspect) AS true_positives,
            countIf(suspect AND state = 'open') AS undecided,
            countIf(audited AND state IN ('confirmed', 'refuted')) AS looked_at,
            countIf(audited AND state = 'confirmed') AS found_wrong
        FROM invoice_findings
        GROUP BY seller, cohort_month
    )
SELECT
    seller,
    cohort_month,
    invoices,
    suspects,
    undecided,
    least(all_confirmed, invoices) AS confirmed,
    confirmed / invoices AS confirmed_rate,
    wilson_low(confirmed, invoices) AS confirmed_rate_low,
    wilson_high(confirmed, invoices) AS confirmed_rate_high,
    expected_errors,
    toFloat64(expected_errors) / invoices AS live_error_rate,
    true_positives,
    invoices - suspects AS unflagged,
    looked_at AS audited,
    found_wrong AS audited_wrong,
    if(audited = 0, NULL, (true_positives + unflagged * audited_wrong / audited) / invoices) AS true_rate,
    (true_positives + unflagged * wilson_low(audited_wrong, audited)) / invoices AS true_rate_low,
    least(1, (true_positives + unflagged * wilson_high(audited_wrong, audited)) / invoices) AS true_rate_high
FROM scored
LEFT JOIN found USING (seller, cohort_month)
COMMENT 'K1, K1b, K1c: how many invoices are wrong? Per month of issue: confirmed (a lower bound), true (with the audit of unflagged invoices) and live (sum of p_error), with 95 % Wilson bounds';

CREATE OR REPLACE VIEW calibration AS
WITH {wilson}
SELECT
    seller,
    suspect,
    least(9, toUInt8(floor(p_error * 10))) AS p_decile,
    count() AS decided,
    avg(p_error) AS mean_p_error,
    countIf(state = 'confirmed') AS confirmed,
    confirmed / decided AS confirmed_rate,
    wilson_low(confirmed, decided) AS confirmed_rate_low,
    wilson_high(confirmed, decided) AS confirmed_rate_high,
    avg(pow(p_error - (state = 'confirmed'), 2)) AS brier
FROM invoice_findings
WHERE state IN ('confirmed', 'refuted') AND (suspect OR audited)
GROUP BY seller, suspect, p_decile
COMMENT 'K1c: is p_error to be believed? Per tenth of it: what was expected and what was confirmed, and the Brier score; unflagged invoices are those that were audited';

CREATE OR REPLACE VIEW confirmed_losses AS
SELECT seller, currency, cohort_day, direction, cause, case_id, invoice_id, incident_id, judged_by, confirmed_loss AS loss
FROM invoice_findings
WHERE state = 'confirmed' AND judged_by != 'audit'
UNION ALL
SELECT seller, currency, cohort_day, direction, cause, case_id, '', case_id, 'incident', toDecimal128(assumeNotNull(amount_due), 4)
FROM case_current
WHERE kind = 'incident' AND outcome = 'confirmed_error' AND amount_due IS NOT NULL
COMMENT 'K2: which losses were confirmed? One row per confirmed invoice, and one per incident whose loss was told as one sum, which stands for its members; add them up freely within a currency and direction';

-- The cohort of a case about one invoice is that of the invoice.
CREATE OR REPLACE VIEW case_money_by_cohort AS
SELECT
    case_id, seller, 'invoice' AS kind, currency, cohort_day, direction, stake, incident_id, outcome,
    planned_handling_cost, cost, paid, goodwill_cost
FROM invoice_findings
WHERE has_case
UNION ALL
SELECT
    case_id, seller, kind, currency, cohort_day, direction,
    greatest(toDecimal128(if(direction = 'seller_favour', -loss_point, loss_point), 4), toDecimal128(0, 4)), case_id, outcome,
    toDecimal128(planned_handling_cost, 4), cost, paid, goodwill_cost
FROM case_current
WHERE kind != 'invoice'
COMMENT 'K3: what came back for each case, and what did it cost? One row per case, in the cohort of its invoice';

CREATE OR REPLACE VIEW loss_by_cohort AS
SELECT
    seller,
    currency,
    toStartOfMonth(day) AS cohort_month,
    direction,
    sum(n_found) AS findings,
    sum(n_cases) AS cases,
    sum(n_confirmed) AS confirmed,
    sum(n_by_incident) AS confirmed_by_incident,
    sum(loss) AS confirmed_loss,
    sum(low) AS open_loss_low,
    sum(point) AS open_loss_estimate,
    sum(high) AS open_loss_high,
    sum(cash) AS recovered,
    sum(gesture) AS goodwill,
    sum(work) AS handling,
    recovered - goodwill - handling AS net_recovered
FROM
(
    WITH toDecimal128(p_error, 9) * (state = 'open') AS weight
    SELECT
        seller, currency, cohort_day AS day, direction, 1 AS n_found, has_case AS n_cases, state = 'confirmed' AND judged_by != 'audit' AS n_confirmed,
        n_confirmed AND judged_by = 'incident' AS n_by_incident,
        if(n_confirmed, confirmed_loss, toDecimal128(0, 4)) AS loss, toDecimal128(weight * stake_low, 4) AS low,
        toDecimal128(weight * stake, 4) AS point, toDecimal128(weight * stake_high, 4) AS high,
        paid AS cash, goodwill_cost AS gesture, cost AS work
    FROM invoice_findings
    UNION ALL
    SELECT
        seller, currency, cohort_day, direction, 0, 1, 0, 0,
        if(kind = 'incident', toDecimal128(ifNull(amount_due, 0), 4), 0), 0, 0, 0,
        paid, goodwill_cost, cost
    FROM case_current
    WHERE kind != 'invoice'
)
GROUP BY seller, currency, cohort_month, direction
COMMENT 'K2, K3: how much money was lost and how much came back? Per month of issue and direction, in currency: confirmed, expected of what is open (p_error times what is at stake), recovered in cash, less gestures and handling';

-- Only what was done for a case that is kept counts: canaries are in no view.
CREATE OR REPLACE VIEW recovery_by_option AS
WITH {wilson}
SELECT
    seller,
    option,
    currency,
    countIf(was_offered) AS offered,
    countIf(was_offered AND was_accepted) AS accepted,
    if(offered = 0, 0, accepted / offered) AS acceptance,
    wilson_low(accepted, offered) AS acceptance_low,
    wilson_high(accepted, offered) AS acceptance_high,
    sum(asked) AS offered_amount,
    sum(plan_paid) AS paid_amount,
    if(offered_amount = 0, 0, toFloat64(paid_amount) / toFloat64(offered_amount)) AS paid_rate,
    max(if(option = 'immediate_payment', paid_rate, 0)) OVER (PARTITION BY seller, currency) AS immediate_paid_rate,
    max(if(option = 'immediate_payment', offered, 0)) OVER (PARTITION BY seller, currency) AS immediate_offered,
    if(immediate_paid_rate = 0 OR least(offered, immediate_offered) < 20, NULL, paid_rate / immediate_paid_rate - 1) AS uplift,
    sumIf(cost, was_agreed) AS goodwill
FROM
(
    SELECT
        case_id, currency, option, recovery_id,
        max(event = 'offered') AS was_offered,
        max(event = 'accepted') AS was_accepted,
        max(event IN ('accepted', 'paid')) AS was_agreed,
        argMaxIf(amount, place, event = 'offered') AS asked,
        sumIf(amount, event = 'paid') AS plan_paid,
        if(option = 'goodwill', argMaxIf(ifNull(goodwill_cost, 0), place, goodwill_cost IS NOT NULL), 0) AS cost
    FROM recovery_steps
    GROUP BY case_id, currency, option, recovery_id
) AS plans
INNER JOIN (SELECT case_id, seller FROM case_current) AS c ON plans.case_id = c.case_id
GROUP BY seller, option, currency
COMMENT 'K4: which way of getting the money back works? Acceptance with 95 % Wilson bounds, paid rate and its uplift against immediate payment, in currency; no uplift before each of the two was offered 20 times';

CREATE OR REPLACE VIEW time_to_detect AS
SELECT
    seller,
    toStartOfMonth(cohort_day) AS cohort_month,
    count() AS cases,
    quantilesExact(0.5, 0.95, 0.99)(dateDiff('millisecond', received_at, detected_at) / 1000) AS after_receipt,
    quantilesExact(0.5, 0.95, 0.99)(dateDiff('millisecond', issued_at, detected_at) / 1000) AS after_issue,
    after_receipt[1] AS seconds_after_receipt_p50,
    after_receipt[2] AS seconds_after_receipt_p95,
    after_receipt[3] AS seconds_after_receipt_p99,
    after_issue[1] AS seconds_after_issue_p50,
    after_issue[2] AS seconds_after_issue_p95,
    after_issue[3] AS seconds_after_issue_p99
FROM case_current
WHERE kind = 'invoice' AND origin = 'detector'
GROUP BY seller, cohort_month
COMMENT 'K5: how fast are errors detected? Seconds from the receipt of the invoice (ours) and from its issue (with what lies before us)';

CREATE OR REPLACE VIEW time_to_respond AS
SELECT
    seller,
    kind,
    owner_team,
    toStartOfMonth(cohort_day) AS cohort_month,
    count() AS cases,
    countIf(acknowledged_at IS NOT NULL) AS acknowledged,
    countIf(acknowledged_at <= detected_at + INTERVAL 24 HOUR) AS acknowledged_in_24h,
    acknowledged_in_24h / cases AS share_in_24h,
    quantilesExactIf(0.5, 0.9)(dateDiff('second', detected_at, assumeNotNull(acknowledged_at)) / 3600, acknowledged_at IS NOT NULL)
        AS acknowledge_hours,
    acknowledge_hours[1] AS acknowledge_hours_p50,
    acknowledge_hours[2] AS acknowledge_hours_p90,
    countIf(decided_at IS NOT NULL) AS decided,
    quantilesExactIf(0.5, 0.9)(dateDiff('second', detected_at, assumeNotNull(decided_at)) / 3600, decided_at IS NOT NULL)
        AS decide_hours,
    decide_hours[1] AS decide_hours_p50,
    decide_hours[2] AS decide_hours_p90
FROM case_current
GROUP BY seller, kind, owner_team, cohort_month
COMMENT 'K6: how fast are cases answered and decided? Quantiles leave out cases that are not there yet';

-- Kaplan-Meier: a case that is not paid yet counts as not paid until now, one that
-- was closed or written off as not paid until then.
CREATE OR REPLACE VIEW recovery_curve AS
SELECT
    seller,
    currency,
    hours,
    cases,
    sum(recovered_now) OVER before AS recovered,
    still_waiting,
    exp(sum(log(1 - recovered_now / still_waiting)) OVER before) AS share_waiting,
    first_alert
FROM
(
    SELECT
        seller,
        currency,
        hours,
        sum(is_recovered) AS recovered_now,
        sum(count()) OVER (PARTITION BY seller, currency) AS cases,
        sum(count()) OVER (PARTITION BY seller, currency ORDER BY hours DESC ROWS UNBOUNDED PRECEDING) AS still_waiting,
        min(min(detected_at)) OVER (PARTITION BY seller, currency) AS first_alert
    FROM
    (
        SELECT
            seller,
            currency,
            recovered_at IS NOT NULL AS is_recovered,
            greatest(0, dateDiff('second', detected_at, ifNull(over_at, now64(3)))) / 3600 AS hours,
            detected_at
        FROM case_current
        WHERE kind IN ('invoice', 'incident') AND direction = 'customer_favour' AND outcome IN ('', 'confirmed_error')
            AND (paid > 0 OR kind = 'incident' OR incident_id = '') AND (outcome != '' OR is_open)
    )
    GROUP BY seller, currency, hours
)
WHERE recovered_now > 0
WINDOW before AS (PARTITION BY seller, currency ORDER BY hours ROWS UNBOUNDED PRECEDING)
COMMENT 'K6: which share of the money waits how long? Kaplan-Meier curve of the hours from alert to last cent; cases that still wait are censored';

CREATE OR REPLACE VIEW time_to_recover AS
SELECT
    seller,
    currency,
    any(cases) AS alerts,
    max(recovered) AS paid_back,
    minOrNullIf(hours, share_waiting <= 0.5 + 1e-9) AS median_hours,
    if(any(first_alert) > now() - INTERVAL 30 DAY, NULL, 1 - ifNull(minOrNullIf(share_waiting, hours <= 30 * 24), 1)) AS share_in_30_days,
    if(any(first_alert) > now() - INTERVAL 90 DAY, NULL, 1 - ifNull(minOrNullIf(share_waiting, hours <= 90 * 24), 1)) AS share_in_90_days
FROM recovery_curve
GROUP BY seller, currency
COMMENT 'K6: how long until the last cent is back? Kaplan-Meier median of the hours since the alert, NULL while more than half still waits; shares are NULL before the oldest alert is 30 or 90 days old';

CREATE OR REPLACE VIEW alert_precision AS
WITH {wilson}
SELECT
    seller,
    kind,
    cause,
    customer_type,
    product_family,
    p_decile,
    count() AS alerts,
    countIf(outcome = 'confirmed_error') AS confirmed,
    countIf(outcome IN ('not_an_error', 'expected_change')) AS refuted,
    countIf(outcome = 'undetermined') AS undetermined,
    undetermined / alerts AS undetermined_share,
    countIf(outcome = '') AS undecided,
    if(confirmed + refuted = 0, 0, confirmed / (confirmed + refuted)) AS precision,
    wilson_low(confirmed, confirmed + refuted) AS precision_low,
    wilson_high(confirmed, confirmed + refuted) AS precision_high
FROM
(
    SELECT
        seller, 'invoice' AS kind, predicted_cause AS cause, customer_type, product_family,
        least(9, toUInt8(floor(p_error * 10))) AS p_decile,
        if(judged_by = 'case', outcome, '') AS outcome
    FROM invoice_findings
    WHERE has_case AND origin = 'detector'
    UNION ALL
    SELECT seller, 'incident', predicted_cause, '', '', 9, outcome
    FROM case_current
    WHERE kind = 'incident' AND origin = 'detector'
)
GROUP BY seller, kind, cause, customer_type, product_family, p_decile
COMMENT 'K7: how often is an alert right? Per predicted cause, segment and tenth of p_error; one incident is one alert; add up confirmed and refuted before dividing';

CREATE OR REPLACE VIEW recall AS
WITH {wilson}
SELECT
    seller,
    cohort_month,
    'audit' AS estimate,
    true_positives AS caught,
    audited AS looked_at,
    if(audited = 0 OR true_positives + audited_wrong = 0, NULL,
        true_positives / (true_positives + unflagged * audited_wrong / audited)) AS recall,
    if(true_positives = 0, 0, true_positives / (true_positives + unflagged * wilson_high(audited_wrong, audited))) AS recall_low,
    if(true_positives = 0, 1, true_positives / (true_positives + unflagged * wilson_low(audited_wrong, audited))) AS recall_high
FROM error_rate_by_month
UNION ALL
SELECT
    seller, cohort_month, 'canary', flagged, sent,
    flagged / sent, wilson_low(flagged, sent), wilson_high(flagged, sent)
FROM
(
    SELECT seller, toStartOfMonth(cohort_day) AS cohort_month, sumIf(n, suspect) AS flagged, sum(n) AS sent
    FROM
    (
        SELECT seller, cohort_day, suspect, count() AS n
        FROM scored_invoices
        WHERE canary
        GROUP BY seller, cohort_day, suspect
    )
    GROUP BY seller, cohort_month
)
UNION ALL
SELECT
    seller, cohort_month, 'disputes', flagged, disputed,
    flagged / disputed, wilson_low(flagged, disputed), wilson_high(flagged, disputed)
FROM
(
    SELECT seller, toStartOfMonth(cohort_day) AS cohort_month, countIf(suspect) AS flagged, count() AS disputed
    FROM invoice_findings
    WHERE state = 'confirmed' AND (seller, invoice_id) IN (SELECT seller, invoice_id FROM disputes WHERE parse_error = '')
    GROUP BY seller, cohort_month
)
COMMENT 'K8: which share of the errors does recoup catch? Per month of issue, estimated three ways: from the audit of unflagged invoices, from canaries, and from confirmed disputes, with 95 % bounds';

CREATE OR REPLACE VIEW cause_pareto AS
SELECT
    seller,
    currency,
    cause,
    confirmed,
    loss_customer_favour,
    loss_seller_favour,
    confirmed / sum(confirmed) OVER (PARTITION BY seller, currency) AS share,
    sum(confirmed) OVER (PARTITION BY seller, currency ORDER BY confirmed DESC, cause ROWS UNBOUNDED PRECEDING)
        / sum(confirmed) OVER (PARTITION BY seller, currency) AS cumulative_share
FROM
(
    SELECT
        seller,
        currency,
        cause,
        countIf(invoice_id != '') AS confirmed,
        sumIf(loss, direction != 'seller_favour') AS loss_customer_favour,
        sumIf(loss, direction = 'seller_favour') AS loss_seller_favour
    FROM confirmed_losses
    GROUP BY seller, currency, cause
)
COMMENT 'K9: which causes are behind the confirmed errors? Number, loss of either side in currency, share and cumulative share per cause';

CREATE OR REPLACE VIEW cause_confusion AS
SELECT
    seller,
    predicted_cause,
    true_cause,
    count() AS invoices,
    invoices / sum(invoices) OVER (PARTITION BY seller, predicted_cause) AS share_of_predicted
FROM invoice_findings
WHERE state = 'confirmed' AND suspect AND true_cause != ''
GROUP BY seller, predicted_cause, true_cause
COMMENT 'K9: is the cause right? Confirmed errors by the cause that recoup named first and the one a person confirmed';

CREATE OR REPLACE VIEW repeats_after_action AS
SELECT
    a.seller AS seller,
    a.cause AS cause,
    a.case_id AS case_id,
    a.corrected_at AS corrected_at,
    a.corrective_action AS corrective_action,
    dateDiff('day', corrected_at, now64(3)) AS days_watched,
    sum(ifNull(e.n, 0) * (e.cohort_day < toDate(corrected_at) AND e.cohort_day >= toDate(corrected_at) - 30)) AS errors_30_days_before,
    sum(ifNull(e.n, 0) * (e.cohort_day > toDate(corrected_at) AND e.cohort_day <= toDate(corrected_at) + 30)) AS errors_30_days_after,
    sum(ifNull(e.n, 0) * (e.cohort_day > toDate(corrected_at) AND e.cohort_day <= toDate(corrected_at) + 60)) AS errors_60_days_after,
    sum(ifNull(e.n, 0) * (e.cohort_day > toDate(corrected_at) AND e.cohort_day <= toDate(corrected_at) + 90)) AS errors_90_days_after
FROM
(
    SELECT seller, cause, case_id, corrected_at, corrective_action
    FROM case_current
    WHERE corrective_action != '' AND outcome = 'confirmed_error'
) AS a
LEFT JOIN
(
    SELECT seller, cause, cohort_day, count() AS n
    FROM invoice_findings
    WHERE state = 'confirmed' AND judged_by != 'audit'
    GROUP BY seller, cause, cohort_day
) AS e ON a.seller = e.seller AND a.cause = e.cause
GROUP BY seller, cause, case_id, corrected_at, corrective_action
COMMENT 'K9: did the corrective action help? Per action: confirmed errors of the same seller and cause, issued in the 30 days before and the 30, 60 and 90 days after its day; an error counts with each action on its cause, so do not add up actions';

CREATE OR REPLACE VIEW repeat_rate AS
SELECT
    seller,
    cause,
    countIf(days_watched >= 30) AS actions_30,
    countIf(days_watched >= 30 AND errors_30_days_after > 0) AS repeated_30,
    if(actions_30 = 0, NULL, repeated_30 / actions_30) AS repeat_rate_30,
    countIf(days_watched >= 60) AS actions_60,
    countIf(days_watched >= 60 AND errors_60_days_after > 0) AS repeated_60,
    if(actions_60 = 0, NULL, repeated_60 / actions_60) AS repeat_rate_60,
    countIf(days_watched >= 90) AS actions_90,
    countIf(days_watched >= 90 AND errors_90_days_after > 0) AS repeated_90,
    if(actions_90 = 0, NULL, repeated_90 / actions_90) AS repeat_rate_90
FROM repeats_after_action
GROUP BY seller, cause
COMMENT 'K9: how often does an error return after a corrective action? Share of actions followed by the same cause within 30, 60 and 90 days, of those watched that long';

CREATE OR REPLACE VIEW usual_handling_cost AS
SELECT seller, currency, quantileExact(0.5)(planned_handling_cost) AS usual_cost
FROM case_current
WHERE kind = 'invoice' AND planned_handling_cost > 0
GROUP BY seller, currency
COMMENT 'K10: what does working one case usually cost? Median of the planned cost of single cases, in currency';

-- Break-even: the loss whose expected recovery pays for its handling.
CREATE OR REPLACE VIEW handling_cost AS
SELECT
    m.seller AS seller,
    m.currency AS currency,
    toStartOfMonth(m.cohort_day) AS cohort_month,
    count() AS cases,
    sum(m.cost) AS handling,
    sum(m.paid) AS recovered,
    if(recovered = 0, NULL, toFloat64(handling) / toFloat64(recovered)) AS cost_per_recovered,
    any(r.paid_rate) AS paid_rate,
    any(u.usual_cost) AS usual_cost,
    if(paid_rate = 0, NULL, toFloat64(usual_cost) / paid_rate) AS break_even,
    countIf(m.kind = 'invoice') AS single_cases,
    countIf(m.kind = 'invoice' AND toFloat64(m.stake) < if(r.paid_rate = 0, 0, toFloat64(u.usual_cost) / r.paid_rate)) AS below_break_even,
    if(single_cases = 0, NULL, below_break_even / single_cases) AS below_break_even_share
FROM case_money_by_cohort AS m
LEFT JOIN
(
    SELECT seller, currency, if(sum(offered_amount) = 0, 0, toFloat64(sum(paid_amount)) / toFloat64(sum(offered_amount))) AS paid_rate
    FROM recovery_by_option
    GROUP BY seller, currency
) AS r ON m.seller = r.seller AND m.currency = r.currency
LEFT JOIN usual_handling_cost AS u ON m.seller = u.seller AND m.currency = u.currency
GROUP BY seller, currency, cohort_month
COMMENT 'K10: what does handling cost? Per month of issue, in currency: what was noted, else the planned cost of each confirmed error; cost per recovered unit; single cases below break-even (usual cost / paid rate)';

CREATE OR REPLACE VIEW saved_by_bundling AS
SELECT
    f.seller AS seller,
    i.case_id AS incident_id,
    i.currency AS currency,
    any(i.day) AS cohort_day,
    countIf(f.has_case) AS members_with_case,
    countIf(NOT f.has_case) AS members_without_case,
    any(u.usual_cost) AS usual_cost,
    any(i.incident_cost) AS incident_cost,
    members_without_case * usual_cost - incident_cost AS saved
FROM
(
    SELECT case_id, seller, currency, cohort_day AS day, cost AS incident_cost
    FROM case_current
    WHERE kind = 'incident'
) AS i
INNER JOIN invoice_findings AS f ON i.case_id = f.incident_case_id
LEFT JOIN usual_handling_cost AS u ON i.seller = u.seller AND i.currency = u.currency
GROUP BY seller, incident_id, currency
COMMENT 'K10: what did one case instead of many save? Per incident, in currency: the usual cost of each member that needed no case of its own, less the cost of the incident; below 0 it did not pay';

CREATE OR REPLACE VIEW customer_found_first AS
WITH {wilson}
SELECT
    seller,
    toStartOfMonth(cohort_day) AS cohort_month,
    countIf(state = 'confirmed' AND judged_by != 'audit') AS all_confirmed,
    countIf(state = 'confirmed' AND origin = 'customer_dispute') AS by_customer,
    if(all_confirmed = 0, 0, by_customer / all_confirmed) AS share,
    wilson_low(by_customer, all_confirmed) AS share_low,
    wilson_high(by_customer, all_confirmed) AS share_high
FROM invoice_findings
GROUP BY seller, cohort_month
COMMENT 'K11: how many confirmed errors did the customer find first? Per month of issue; aim at 0';

-- A draft that was held and then issued all the same, still suspect, was not prevented.
CREATE OR REPLACE VIEW prevented_before_issue AS
WITH
    toDecimal128(0, 4) AS none,
    drafts AS
    (
        SELECT seller, invoice_id, revision, currency, cohort_day, direction, loss_point
        FROM flagged_invoices
        WHERE stage = 'pre_issue' AND suspect AND NOT canary
        ORDER BY source_offset DESC
        LIMIT 1 BY seller, invoice_id, revision
    )
SELECT
    seller,
    currency,
    toStartOfMonth(day) AS cohort_month,
    side AS direction,
    sum(is_held) AS held,
    sum(is_prevented) AS prevented,
    sum(kept) AS prevented_loss,
    sum(is_issued_wrong) AS issued_wrong,
    if(prevented + issued_wrong = 0, NULL, prevented / (prevented + issued_wrong)) AS caught_before_issue
FROM
(
    SELECT
        seller, currency, cohort_day AS day, direction AS side, 1 AS is_held,
        (seller, invoice_id) NOT IN (
            SELECT seller, invoice_id FROM flagged_invoices WHERE stage = 'issued' AND suspect AND NOT canary) AS is_prevented,
        if(is_prevented, greatest(toDecimal128(if(side = 'seller_favour', -loss_point, loss_point), 4), none), none) AS kept,
        0 AS is_issued_wrong
    FROM drafts
    UNION ALL
    SELECT seller, currency, cohort_day, direction, 0, 0, none, 1
    FROM invoice_findings
    WHERE state = 'confirmed' AND judged_by != 'audit'
)
GROUP BY seller, currency, cohort_month, direction
COMMENT 'K12: what was stopped before it was sent? Drafts that were held and not issued as suspect after all, their loss in currency, and their share of these and the confirmed errors that were issued';

CREATE OR REPLACE VIEW customers_touched AS
WITH
    {wilson},
    toStartOfMonth(today()) - INTERVAL 11 MONTH AS since,
    billed AS
    (
        SELECT seller, {customers} AS billed_customers
        FROM scored_invoices
        WHERE toStartOfMonth(cohort_day) >= since AND NOT canary AND stage = 'issued' AND invoice_type = 'invoice'
        GROUP BY seller
    ),
    found AS
    (
        SELECT seller, count() AS with_errors, countIf(errors > 1) AS with_several
        FROM
        (
            SELECT seller, customer_ref, count() AS errors
            FROM invoice_findings
            WHERE state = 'confirmed' AND judged_by != 'audit' AND cohort_day >= since
                AND customer_ref NOT IN ('', 'anonymous')
            GROUP BY seller, customer_ref
        )
        GROUP BY seller
    )
SELECT
    seller,
    greatest(billed_customers, with_errors) AS customers,
    with_errors AS touched,
    with_several AS touched_again,
    touched / customers AS share,
    wilson_low(touched, customers) AS share_low,
    wilson_high(touched, customers) AS share_high
FROM billed
LEFT JOIN found USING (seller)
WHERE billed_customers > 0
COMMENT 'K13: how many customers met an error? Customers with a confirmed error among those billed in this month and the 11 before it, with 95 % Wilson bounds; customers is exact up to 32,000, then within 0.5 %';

-- Cases that joined an open incident are worked there.
CREATE OR REPLACE VIEW case_backlog AS
SELECT
    seller,
    kind,
    owner_team,
    count() AS open_cases,
    quantilesExact(0.5, 0.9)(dateDiff('second', detected_at, now64(3)) / 3600) AS age_hours,
    age_hours[1] AS age_hours_p50,
    age_hours[2] AS age_hours_p90,
    min(detected_at) AS oldest,
    countIf(respond_by < now64(3) AND acknowledged_at IS NULL) AS past_respond_by,
    past_respond_by / open_cases AS past_respond_by_share
FROM case_current
WHERE is_open AND NOT (kind = 'invoice' AND incident_id IN (SELECT case_id FROM case_current WHERE kind = 'incident' AND is_open))
GROUP BY seller, kind, owner_team
COMMENT 'K14: what is waiting? Open cases, their age, and those nobody answered by respond_by';

CREATE OR REPLACE VIEW satisfaction_by_option AS
SELECT
    seller,
    if(settled_by = '', 'none', settled_by) AS option,
    count() AS answers,
    avg(assumeNotNull(satisfaction)) AS mean,
    countIf(satisfaction >= 4) AS satisfied
FROM case_current
WHERE satisfaction IS NOT NULL
GROUP BY seller, option
COMMENT 'K15: how satisfied are customers afterwards? Mean of 1 to 5, by the option they accepted last';

CREATE OR REPLACE VIEW anomalies_by_type AS
SELECT
    seller,
    cohort_month,
    type,
    sum(n) AS invoices,
    sumIf(n, suspect) AS suspects,
    any(all_invoices) AS scored,
    10000 * invoices / scored AS per_10000
FROM
(
    SELECT
        seller, cohort_month, suspect, n,
        arrayFilter(name -> name != 'deviation', arrayDistinct(arrayMap(rule -> splitByChar(':', toString(rule))[1], rules))) AS types,
        sum(n) OVER (PARTITION BY seller, cohort_month) AS all_invoices
    FROM
    (
        SELECT seller, toStartOfMonth(cohort_day) AS cohort_month, suspect, rules, count() AS n
        FROM scored_invoices
        WHERE NOT canary AND stage = 'issued' AND invoice_type = 'invoice'
        GROUP BY seller, cohort_month, suspect, rules
    )
)
ARRAY JOIN types AS type
GROUP BY seller, cohort_month, type
COMMENT 'K16: which anomalies occur how often? Invoices with a rule of each type (duplicate, price_list, before_shipment, missing_admin_data …; not deviation, which is the 15 % rule) per 10,000 invoices';

CREATE OR REPLACE VIEW baseline_levels AS
SELECT
    seller,
    cohort_day,
    level,
    sum(invoices) AS scored,
    scored / sum(scored) OVER (PARTITION BY seller, cohort_day) AS share
FROM invoice_counts_by_day
GROUP BY seller, cohort_day, level
COMMENT 'K17: how sharp are the expectations? Share of invoices at each baseline level, per day of issue; none is no expectation';

CREATE OR REPLACE VIEW source_silence AS
SELECT
    seller,
    source_system,
    maxIf(received_at, NOT canary) AS last_invoice_at,
    dateDiff('second', last_invoice_at, now64(3)) AS seconds_silent,
    maxIf(received_at, canary) AS last_canary_at,
    countIf(NOT canary) AS invoices,
    {seconds_to_row} AS seconds_to_row,
    seconds_to_row[1] AS seconds_to_row_p50,
    seconds_to_row[2] AS seconds_to_row_p99
FROM scored_invoices
WHERE toStartOfHour(received_at) > now() - INTERVAL 7 DAY
GROUP BY seller, source_system
HAVING countIf(NOT canary) > 0
COMMENT 'K17: does every source speak? Seconds since its last invoice, and from receipt to row (to 0.4 %), of what came in the last 7 days';

CREATE OR REPLACE VIEW dead_letter_reasons AS
SELECT
    topic,
    stage,
    reason,
    field,
    count() AS records,
    max(at) AS last_at,
    any(message) AS example
FROM
(
    SELECT * FROM dead_letters
    WHERE parse_error = ''
    ORDER BY at, source_partition, source_offset
    LIMIT 1 BY topic, incarnation, `partition`, `offset`
)
GROUP BY topic, stage, reason, field
COMMENT 'K17: what could not be read, and why? Records of the last 14 days, each once';

CREATE OR REPLACE VIEW incident_current AS
SELECT
    i.seller AS seller,
    i.case_id AS incident_id,
    any(i.incident_dimension) AS dimension,
    any(i.incident_value) AS value,
    any(i.incident_finding) AS finding,
    any(i.severity) AS severity,
    any(i.is_open) AS is_open,
    any(i.outcome) AS outcome,
    any(i.incident_since) AS since,
    any(i.incident_members) AS members_told,
    countIf(f.invoice_id != '') AS members,
    countIf(f.has_case) AS members_with_case,
    f.currency AS currency,
    sumIf(f.stake, f.direction != 'seller_favour') AS stake_customer_favour,
    sumIf(f.stake, f.direction = 'seller_favour') AS stake_seller_favour,
    any(i.incident_loss_per_hour) AS loss_per_hour
FROM (SELECT * FROM case_current WHERE kind = 'incident') AS i
LEFT JOIN invoice_findings AS f ON i.case_id = f.incident_case_id
GROUP BY seller, incident_id, currency
COMMENT 'Which incidents are there? Per incident and currency: what its members share, how many there are, with and without a case, and what is at stake on either side';

CREATE OR REPLACE VIEW disputes_by_reason AS
SELECT
    seller,
    toStartOfMonth(at) AS month,
    reason,
    count() AS disputes,
    countIf((seller, invoice_id) IN (SELECT seller, invoice_id FROM invoice_findings WHERE state = 'confirmed')) AS justified
FROM disputes_once
WHERE (seller, invoice_id) NOT IN (SELECT seller, invoice_id FROM flagged_invoices WHERE canary)
GROUP BY seller, month, reason
COMMENT 'What do customers dispute? Disputes by reason and month, and how many of them were confirmed errors';
