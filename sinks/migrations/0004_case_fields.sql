-- What analysts need of a case beyond 0002, what an invoice adds to an incident,
-- and the counts behind every error rate. Rows stored before have the defaults.

ALTER TABLE cases
    ADD COLUMN IF NOT EXISTS revision Int64 COMMENT 'Revision of the invoice' AFTER invoice_id,
    ADD COLUMN IF NOT EXISTS expected_low Decimal(19, 4) COMMENT 'Lower end of the 95 % band, in currency' AFTER expected,
    ADD COLUMN IF NOT EXISTS expected_high Decimal(19, 4) COMMENT 'Upper end of the 95 % band, in currency' AFTER expected_low,
    ADD COLUMN IF NOT EXISTS deviation_pct Float64 COMMENT '(billed - expected) / expected in per cent; 0 when level is none' AFTER expected_high,
    ADD COLUMN IF NOT EXISTS level LowCardinality(String) COMMENT 'Baseline behind expected; none: no usable history' AFTER product_family,
    ADD COLUMN IF NOT EXISTS n Int64 COMMENT 'Invoices behind expected' AFTER level,
    ADD COLUMN IF NOT EXISTS cv Float64 COMMENT 'Coefficient of variation of that baseline' AFTER n,
    ADD COLUMN IF NOT EXISTS p_dispute Nullable(Float64) COMMENT 'Probability that the customer disputes the invoice, 0 to 1' AFTER p_error,
    ADD COLUMN IF NOT EXISTS expected_recovery Nullable(Decimal(19, 4)) COMMENT 'What is likely to come back, in currency' AFTER handling_cost,
    ADD COLUMN IF NOT EXISTS net_value Nullable(Decimal(19, 4)) COMMENT 'expected_recovery less handling_cost, in currency' AFTER expected_recovery,
    ADD COLUMN IF NOT EXISTS cause_kinds Array(LowCardinality(String)) COMMENT 'The error within each of causes' AFTER causes,
    ADD COLUMN IF NOT EXISTS cause_p Array(Float64) COMMENT 'Probability of each of causes, 0 to 1' AFTER cause_kinds,
    ADD COLUMN IF NOT EXISTS recovery_options Array(LowCardinality(String)) COMMENT 'Ways to get the money back, best first' AFTER owner_team,
    ADD COLUMN IF NOT EXISTS best_amount Nullable(Decimal(19, 4)) COMMENT 'What the customer pays by the first of recovery_options, in currency' AFTER recovery_options,
    ADD COLUMN IF NOT EXISTS best_p_accept Nullable(Float64) COMMENT 'Probability that the customer accepts it, 0 to 1' AFTER best_amount,
    ADD COLUMN IF NOT EXISTS best_expected_net Nullable(Decimal(19, 4)) COMMENT 'What it is expected to bring after its cost, in currency' AFTER best_p_accept,
    ADD COLUMN IF NOT EXISTS limitation_date Nullable(Date) COMMENT 'Last day on which the money can be claimed' AFTER escalate_at,
    ADD COLUMN IF NOT EXISTS dunning_hold Bool COMMENT 'The claim is disputed: no reminders, no interest' AFTER limitation_date,
    ADD COLUMN IF NOT EXISTS summary_en String COMMENT 'What is wrong, in English' CODEC(ZSTD(1)) AFTER owner_team,
    ADD COLUMN IF NOT EXISTS summary_fr String COMMENT 'What is wrong, in French' CODEC(ZSTD(1)) AFTER summary_en,
    ADD COLUMN IF NOT EXISTS flags Array(LowCardinality(String)) COMMENT 'Codes of events that did not fit the ones before' AFTER summary_fr,
    ADD COLUMN IF NOT EXISTS resolved_by LowCardinality(String) COMMENT 'Why recoup resolved it: outcome, credit_note, correction …; empty before' AFTER flags,
    ADD COLUMN IF NOT EXISTS resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was resolved, UTC' AFTER resolved_by,
    ADD COLUMN IF NOT EXISTS resolving_document String COMMENT 'Credit note or correction that resolved it' CODEC(ZSTD(1)) AFTER resolved_at,
    ADD COLUMN IF NOT EXISTS incident_dimension LowCardinality(String) COMMENT 'Of an incident: what its members share, such as release or batch' AFTER incident_id,
    ADD COLUMN IF NOT EXISTS incident_value String COMMENT 'Of an incident: the release, the batch … they share' CODEC(ZSTD(1)) AFTER incident_dimension,
    ADD COLUMN IF NOT EXISTS incident_finding LowCardinality(String) COMMENT 'Of an incident: the most frequent cause:kind of its members' AFTER incident_value,
    ADD COLUMN IF NOT EXISTS incident_since Nullable(DateTime64(3, 'UTC')) COMMENT 'Of an incident: when its earliest member was issued, UTC' AFTER incident_finding,
    ADD COLUMN IF NOT EXISTS incident_members Int64 COMMENT 'Of an incident: invoices' AFTER incident_since,
    ADD COLUMN IF NOT EXISTS incident_expected Float64 COMMENT 'Of an incident: suspects of these causes that as many invoices usually have' AFTER incident_members,
    ADD COLUMN IF NOT EXISTS incident_fits Int64 COMMENT 'Of an incident: members that the repair of incident_finding makes usual again' AFTER incident_expected,
    ADD COLUMN IF NOT EXISTS incident_loss_per_hour Nullable(Decimal(19, 4)) COMMENT 'Of an incident: loss at the pace of the last hour, in currency' AFTER incident_fits,
    ADD COLUMN IF NOT EXISTS incident_aliases Array(String) COMMENT 'Of an incident: other ids its members may carry' CODEC(ZSTD(1)) AFTER incident_loss_per_hour,
    ADD COLUMN IF NOT EXISTS invoice_incarnation Int64 COMMENT 'Incarnation of the topic of the invoice record' AFTER invoice_topic,
    ADD COLUMN IF NOT EXISTS model_version LowCardinality(String) COMMENT 'Model that gave p_error' AFTER invoice_offset,
    ADD COLUMN IF NOT EXISTS config_hash LowCardinality(String) COMMENT 'Hash of the scoring settings' AFTER model_version;

ALTER TABLE incident_members
    ADD COLUMN IF NOT EXISTS case_id String COMMENT 'Its own case, opened before the incident; else empty' CODEC(ZSTD(1)) AFTER customer_ref,
    ADD COLUMN IF NOT EXISTS finding LowCardinality(String) COMMENT 'cause:kind of its first cause' AFTER case_id,
    ADD COLUMN IF NOT EXISTS decision LowCardinality(String) COMMENT 'What was decided about it alone' AFTER finding,
    ADD COLUMN IF NOT EXISTS issued_at DateTime64(3, 'UTC') COMMENT 'When the invoice was issued, UTC' AFTER decision,
    ADD COLUMN IF NOT EXISTS loss_low Decimal(19, 4) COMMENT 'Lower end of the loss, in currency' AFTER loss_point,
    ADD COLUMN IF NOT EXISTS loss_high Decimal(19, 4) COMMENT 'Upper end of the loss, in currency' AFTER loss_low;

-- Roll-ups stand in every part of scored_invoices, so they cannot differ from the
-- rows: they come and go with them, also when a row is deleted. A query that asks
-- for the same expressions reads a roll-up in place of the rows.
ALTER TABLE scored_invoices MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';

-- By day and segment: how many invoices, the sum of p_error (as a decimal, so that it
-- does not depend on the order), and the facts of each suspect and each canary.
ALTER TABLE scored_invoices ADD PROJECTION IF NOT EXISTS invoice_counts
(
    SELECT
        seller, cohort_day, currency, customer_type, product_family, level, stage, invoice_type, canary, suspect,
        count(),
        sum(toDecimal64(p_error, 9)),
        {facts}
    GROUP BY
        seller, cohort_day, currency, customer_type, product_family, level, stage, invoice_type, canary, suspect
);

-- By month: how many invoices each combination of rules has, and their customers.
ALTER TABLE scored_invoices ADD PROJECTION IF NOT EXISTS invoice_months
(
    SELECT
        seller, toStartOfMonth(cohort_day), stage, invoice_type, canary, suspect, rules,
        count(),
        {customers}
    GROUP BY
        seller, toStartOfMonth(cohort_day), stage, invoice_type, canary, suspect, rules
);

-- By hour of arrival: the last invoice of each source, and how long it took to its row.
ALTER TABLE scored_invoices ADD PROJECTION IF NOT EXISTS source_hours
(
    SELECT
        seller, source_system, toStartOfHour(received_at),
        countIf(NOT canary),
        maxIf(received_at, NOT canary),
        maxIf(received_at, canary),
        {seconds_to_row}
    GROUP BY
        seller, source_system, toStartOfHour(received_at)
);

ALTER TABLE scored_invoices MATERIALIZE PROJECTION invoice_counts;

ALTER TABLE scored_invoices MATERIALIZE PROJECTION invoice_months;

ALTER TABLE scored_invoices MATERIALIZE PROJECTION source_hours;
