-- What people said of cases and invoices is worked out from all their events, which
-- takes seconds where there are many. So the server keeps the answer and works it out
-- anew every minute, whole: it heals by itself whatever came late, twice or was
-- removed. case_now and invoice_findings_now work it out when asked; case_current and
-- invoice_findings, and with them the views of 0006, read what is kept, not older than
-- refreshed_at says.

CREATE OR REPLACE VIEW case_now AS
{case_current}
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
    OR (seller, invoice_id, revision) NOT IN (SELECT seller, invoice_id, revision FROM scored_invoices WHERE canary)
COMMENT 'What is the state of each case? One row per case: its last action, what people did with it and what was paid, as of refreshed_at, a minute ago at most';

-- Its cases are those that are kept, so the two agree.
CREATE OR REPLACE VIEW invoice_findings_now AS
{invoice_findings}
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
SELECT 'invoice_findings', count(), maxOrNull(refreshed_at) AS at, dateDiff('second', at, now64(3))
FROM invoice_findings
COMMENT 'How old are the answers of the boards? Seconds since each kept view was worked out; more than 120: look at system.view_refreshes';

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
    if(immediate_paid_rate = 0, NULL, paid_rate / immediate_paid_rate - 1) AS uplift,
    sumIf(cost, was_agreed) AS goodwill
FROM
(
    SELECT
        case_id, currency, option, recovery_id,
        max(event = 'offered') AS was_offered,
        max(event = 'accepted') AS was_accepted,
        max(event IN ('accepted', 'paid')) AS was_agreed,
        argMaxIf(amount, (at, step, event_id), event = 'offered') AS asked,
        sumIf(amount, event = 'paid') AS plan_paid,
        if(option = 'goodwill', argMaxIf(ifNull(goodwill_cost, 0), (at, step, event_id), goodwill_cost IS NOT NULL), 0) AS cost
    FROM recoveries_once
    GROUP BY case_id, currency, option, recovery_id
) AS plans
INNER JOIN (SELECT case_id, seller FROM case_current) AS c ON plans.case_id = c.case_id
GROUP BY seller, option, currency
COMMENT 'K4: which way of getting the money back works? Acceptance with 95 % Wilson bounds, paid rate and its uplift against immediate payment, in currency';

CREATE OR REPLACE VIEW disputes_by_reason AS
SELECT
    seller,
    toStartOfMonth(at) AS month,
    reason,
    count() AS disputes,
    countIf((seller, invoice_id) IN (SELECT seller, invoice_id FROM invoice_findings WHERE state = 'confirmed')) AS justified
FROM disputes_once
WHERE (seller, invoice_id) NOT IN (SELECT seller, invoice_id FROM scored_invoices WHERE canary)
GROUP BY seller, month, reason
COMMENT 'What do customers dispute? Disputes by reason and month, and how many of them were confirmed errors';
