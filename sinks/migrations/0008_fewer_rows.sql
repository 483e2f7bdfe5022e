-- The same answers from fewer rows: boards ask them of one seller, of 10 million invoices.

-- Both sides are added up, not joined, so that a condition on seller or month reaches both.
CREATE OR REPLACE VIEW error_rate_by_month AS
WITH {wilson}
SELECT
    seller,
    cohort_month,
    sum(n) AS invoices,
    sum(flagged) AS suspects,
    sum(is_undecided) AS undecided,
    least(sum(is_confirmed), invoices) AS confirmed,
    confirmed / invoices AS confirmed_rate,
    wilson_low(confirmed, invoices) AS confirmed_rate_low,
    wilson_high(confirmed, invoices) AS confirmed_rate_high,
    sum(p) AS expected_errors,
    toFloat64(expected_errors) / invoices AS live_error_rate,
    sum(is_true_positive) AS true_positives,
    invoices - suspects AS unflagged,
    sum(is_audited) AS audited,
    sum(is_audited_wrong) AS audited_wrong,
    if(audited = 0, NULL, (true_positives + unflagged * audited_wrong / audited) / invoices) AS true_rate,
    (true_positives + unflagged * wilson_low(audited_wrong, audited)) / invoices AS true_rate_low,
    least(1, (true_positives + unflagged * wilson_high(audited_wrong, audited)) / invoices) AS true_rate_high
FROM
(
    SELECT
        seller, toStartOfMonth(cohort_day) AS cohort_month, invoices AS n, suspects AS flagged, expected_errors AS p,
        0 AS is_confirmed, 0 AS is_true_positive, 0 AS is_undecided, 0 AS is_audited, 0 AS is_audited_wrong
    FROM invoice_counts_by_day
    UNION ALL
    SELECT
        seller, toStartOfMonth(cohort_day), 0, 0, 0,
        state = 'confirmed' AND judged_by != 'audit', state = 'confirmed' AND suspect, suspect AND state = 'open',
        audited AND state IN ('confirmed', 'refuted'), audited AND state = 'confirmed'
    FROM invoice_findings
)
GROUP BY seller, cohort_month
HAVING invoices > 0
COMMENT 'K1, K1b, K1c: how many invoices are wrong? Per month of issue: confirmed (a lower bound), true (with the audit of unflagged invoices) and live (sum of p_error), with 95 % Wilson bounds';

-- Every step of every recovery has to be sorted to know which count: that is kept.
-- Only what was done for a case that is kept counts: canaries are in no view.
CREATE MATERIALIZED VIEW IF NOT EXISTS recovery_plans
REFRESH EVERY 1 MINUTE DEPENDS ON case_current
ENGINE = MergeTree
ORDER BY (seller, currency, option, case_id, recovery_id)
AS SELECT
    c.seller AS seller, currency, option, plans.case_id AS case_id, recovery_id, was_offered, was_accepted, asked, plan_paid, cost,
    now64(3, 'UTC') AS refreshed_at
FROM
(
    SELECT
        case_id, currency, option, recovery_id,
        CAST(max(event = 'offered'), 'Bool') AS was_offered,
        CAST(max(event = 'accepted'), 'Bool') AS was_accepted,
        argMaxIf(amount, place, event = 'offered') AS asked,
        sumIf(amount, event = 'paid') AS plan_paid,
        if(option = 'goodwill' AND max(event IN ('accepted', 'paid')),
            argMaxIf(ifNull(goodwill_cost, 0), place, goodwill_cost IS NOT NULL), 0) AS cost
    FROM recovery_steps
    GROUP BY case_id, currency, option, recovery_id
) AS plans
INNER JOIN (SELECT case_id, seller FROM case_current) AS c ON plans.case_id = c.case_id
COMMENT 'What came of each way that was tried? One row per case, currency, way and recovery: asked, accepted, paid, cost of the gesture, as of refreshed_at, a minute ago at most';

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
    sum(cost) AS goodwill
FROM recovery_plans
GROUP BY seller, option, currency
COMMENT 'K4: which way of getting the money back works? Acceptance with 95 % Wilson bounds, paid rate and its uplift against immediate payment, in currency; no uplift before each of the two was offered 20 times';

-- All rows of a kept view are of one refresh: one tells when.
CREATE OR REPLACE VIEW kept_answers AS
SELECT 'case_current' AS view, assumeNotNull((SELECT count() FROM case_current)) AS row_count, maxOrNull(refreshed_at) AS refreshed_at, dateDiff('second', refreshed_at, now64(3)) AS seconds_old
FROM (SELECT refreshed_at FROM case_current LIMIT 1)
UNION ALL
SELECT 'judged_unflagged', assumeNotNull((SELECT count() FROM judged_unflagged)), maxOrNull(refreshed_at) AS at, dateDiff('second', at, now64(3))
FROM (SELECT refreshed_at FROM judged_unflagged LIMIT 1)
UNION ALL
SELECT 'invoice_findings', assumeNotNull((SELECT count() FROM invoice_findings)), maxOrNull(refreshed_at) AS at, dateDiff('second', at, now64(3))
FROM (SELECT refreshed_at FROM invoice_findings LIMIT 1)
UNION ALL
SELECT 'recovery_plans', assumeNotNull((SELECT count() FROM recovery_plans)), maxOrNull(refreshed_at) AS at, dateDiff('second', at, now64(3))
FROM (SELECT refreshed_at FROM recovery_plans LIMIT 1)
COMMENT 'How old are the answers of the boards? Seconds since each kept view was worked out; more than 120, or 1200 of judged_unflagged: look at system.view_refreshes';
