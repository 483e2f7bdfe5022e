-- Append-only logs of what the topics carried, one row per record, repeats and
-- all: the views of 0003 count each event once. raw is the record as it came.
-- They have no PARTITION BY: an insert must make one part, because the copy goes
-- on after the highest offset it finds, and parts of one insert are not stored
-- together.

CREATE TABLE IF NOT EXISTS cases
(
    case_id String COMMENT 'Name-based UUID of dedup_key' CODEC(ZSTD(1)),
    dedup_key String COMMENT 'One case per invoice, incident, rate or blind spot' CODEC(ZSTD(1)),
    seq Int64 COMMENT 'Rises by one per action; the highest is the current state' CODEC(ZSTD(1)),
    action LowCardinality(String) COMMENT 'open, update or resolve',
    kind LowCardinality(String) COMMENT 'invoice, incident, rate or blind',
    severity LowCardinality(String) COMMENT 'critical, error, warning or info',
    origin LowCardinality(String) COMMENT 'detector, customer_dispute, audit_sample or internal',
    seller LowCardinality(String) COMMENT 'Company that bills',
    stage LowCardinality(String) COMMENT 'issued or pre_issue',
    invoice_id String COMMENT 'Invoice of a single case' CODEC(ZSTD(1)),
    invoice_number String COMMENT 'What the customer reads' CODEC(ZSTD(1)),
    customer_ref String COMMENT 'Pseudonym of the customer' CODEC(ZSTD(1)),
    incident_id String COMMENT 'Incident the case is or belongs to' CODEC(ZSTD(1)),
    customer_type LowCardinality(String) COMMENT 'Segment margin: kind of customer',
    product_family LowCardinality(String) COMMENT 'Segment margin: family of products',
    issued_at DateTime64(3, 'UTC') COMMENT 'When the invoice was issued, UTC; 1970 when the case is about no single invoice',
    received_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the invoice, UTC; 1970 when the case is about no single invoice',
    detected_at DateTime64(3, 'UTC') COMMENT 'When recoup decided, UTC',
    respond_by Nullable(DateTime64(3, 'UTC')) COMMENT 'Answer due, UTC',
    escalate_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Escalation without an answer, UTC',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the row',
    amount_basis LowCardinality(String) COMMENT 'gross or net: what the amounts mean',
    billed Decimal(19, 4) COMMENT 'What the customer was asked to pay, in currency',
    expected Decimal(19, 4) COMMENT 'What it should have been, in currency',
    loss_point Decimal(19, 4) COMMENT 'Money at stake, in currency: positive when billed too little',
    loss_low Decimal(19, 4) COMMENT 'Lower end of the loss, in currency',
    loss_high Decimal(19, 4) COMMENT 'Upper end of the loss, in currency',
    direction LowCardinality(String) COMMENT 'none, customer_favour or seller_favour',
    p_error Float64 COMMENT 'Probability of an error, 0 to 1',
    decision LowCardinality(String) COMMENT 'What the economics say: open_case, bundle, log_only or hold',
    handling_cost Decimal(19, 4) COMMENT 'Expected cost of handling, in currency',
    causes Array(LowCardinality(String)) COMMENT 'Cause codes, most probable first',
    rules Array(LowCardinality(String)) COMMENT 'Codes of what fired',
    owner_team LowCardinality(String) COMMENT 'Team that works the case',
    invoice_topic LowCardinality(String) COMMENT 'Topic of the invoice record',
    invoice_partition UInt32 COMMENT 'Partition of the invoice record',
    invoice_offset Int64 COMMENT 'Offset of the invoice record',
    raw String COMMENT 'The record as it came, JSON' CODEC(ZSTD(3)),
    parse_error String COMMENT 'Why raw could not be read; then only raw and the columns below are filled',
    recorded_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of this record, UTC',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC',
    source_topic LowCardinality(String) COMMENT 'Topic of this record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first',
    source_partition UInt32 COMMENT 'Partition of this record',
    source_offset Int64 COMMENT 'Offset of this record' CODEC(Delta, ZSTD(1)),
    INDEX case_id_bloom case_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX invoice_id_bloom invoice_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (seller, case_id, seq, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Log of recoup.cases: every action on every case; see case_current for the state';

CREATE TABLE IF NOT EXISTS case_events
(
    event_id String COMMENT 'Unique per event; a repeat carries the same' CODEC(ZSTD(1)),
    case_id String COMMENT 'Case the event is about' CODEC(ZSTD(1)),
    invoice_id String COMMENT 'Invoice the event is about' CODEC(ZSTD(1)),
    origin LowCardinality(String) COMMENT 'detector, customer_dispute, audit_sample or internal',
    status LowCardinality(String) COMMENT 'opened, acknowledged, verified, decided, closed or reopened',
    outcome LowCardinality(String) COMMENT 'confirmed_error, not_an_error, expected_change, duplicate_case, undetermined; empty before a decision',
    true_cause LowCardinality(String) COMMENT 'Cause a person confirmed',
    correct_amount Nullable(Decimal(19, 4)) COMMENT 'What the customer should have paid, in currency',
    confirmed_loss Nullable(Decimal(19, 4)) COMMENT 'Loss a person confirmed, in currency',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the row',
    direction LowCardinality(String) COMMENT 'customer_favour or seller_favour',
    invoice_is_wrong Nullable(Bool) COMMENT 'Verified: the invoice is wrong',
    invoice_was_sent Nullable(Bool) COMMENT 'Verified: the invoice reached the customer',
    due_date_passed Nullable(Bool) COMMENT 'Verified: the due date has passed',
    at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC',
    customer_contacted_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the customer was contacted, UTC',
    dunning_hold Nullable(Bool) COMMENT 'Reminders are stopped',
    payment_term_restart_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the payment term starts again, UTC',
    handling_minutes Nullable(Float64) COMMENT 'Time spent, minutes',
    handling_cost Nullable(Decimal(19, 4)) COMMENT 'Cost of handling, in currency',
    satisfaction Nullable(Float64) COMMENT 'Answer of the customer after closure, 1 to 5',
    corrective_action String COMMENT 'What was changed so that it does not happen again',
    decided_by_role LowCardinality(String) COMMENT 'Role of the person who decided',
    hold_batch_id LowCardinality(String) COMMENT 'Billing run that is held or released',
    hold_state LowCardinality(String) COMMENT 'held or released',
    raw String COMMENT 'The record as it came, JSON' CODEC(ZSTD(3)),
    parse_error String COMMENT 'Why raw could not be read; then only raw and the columns below are filled',
    recorded_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of this record, UTC',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC',
    source_topic LowCardinality(String) COMMENT 'Topic of this record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first',
    source_partition UInt32 COMMENT 'Partition of this record',
    source_offset Int64 COMMENT 'Offset of this record' CODEC(Delta, ZSTD(1)),
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (case_id, at, event_id, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Log of recoup.case-events: what people did with the cases';

CREATE TABLE IF NOT EXISTS recoveries
(
    event_id String COMMENT 'Unique per event; a repeat carries the same' CODEC(ZSTD(1)),
    recovery_id String COMMENT 'One recovery of one case' CODEC(ZSTD(1)),
    case_id String COMMENT 'Case the money belongs to' CODEC(ZSTD(1)),
    option LowCardinality(String) COMMENT 'immediate_payment, instalments, offset_next_order, goodwill, write_off or formal_notice',
    event LowCardinality(String) COMMENT 'offered, accepted, refused, scheduled, paid, failed, completed, cancelled or written_off',
    amount Decimal(19, 4) COMMENT 'Amount of the event, in currency',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the row',
    instalment Int64 COMMENT 'Number of the instalment, from 1; 0 when there are none',
    instalments Int64 COMMENT 'Number of instalments; 0 when there are none',
    due_date Nullable(DateTime64(3, 'UTC')) COMMENT 'When the amount is due, UTC',
    goodwill_cost Nullable(Decimal(19, 4)) COMMENT 'Cost of a rebate given, in currency',
    channel LowCardinality(String) COMMENT 'How the customer was reached',
    at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC',
    raw String COMMENT 'The record as it came, JSON' CODEC(ZSTD(3)),
    parse_error String COMMENT 'Why raw could not be read; then only raw and the columns below are filled',
    recorded_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of this record, UTC',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC',
    source_topic LowCardinality(String) COMMENT 'Topic of this record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first',
    source_partition UInt32 COMMENT 'Partition of this record',
    source_offset Int64 COMMENT 'Offset of this record' CODEC(Delta, ZSTD(1)),
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (case_id, recovery_id, at, event_id, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Log of recoup.recoveries: offers, promises and payments';

CREATE TABLE IF NOT EXISTS disputes
(
    event_id String COMMENT 'Unique per event; a repeat carries the same' CODEC(ZSTD(1)),
    seller LowCardinality(String) COMMENT 'Company that bills',
    invoice_id String COMMENT 'Invoice the customer disputes' CODEC(ZSTD(1)),
    reason LowCardinality(String) COMMENT 'wrong_amount, price, duplicate, not_delivered, quality, missing_document or other',
    at DateTime64(3, 'UTC') COMMENT 'When the customer disputed it, UTC',
    raw String COMMENT 'The record as it came, JSON' CODEC(ZSTD(3)),
    parse_error String COMMENT 'Why raw could not be read; then only raw and the columns below are filled',
    recorded_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of this record, UTC',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC',
    source_topic LowCardinality(String) COMMENT 'Topic of this record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first',
    source_partition UInt32 COMMENT 'Partition of this record',
    source_offset Int64 COMMENT 'Offset of this record' CODEC(Delta, ZSTD(1)),
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (seller, invoice_id, at, event_id, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Log of recoup.disputes: what customers found first';

CREATE TABLE IF NOT EXISTS dead_letters
(
    topic LowCardinality(String) COMMENT 'Topic of the record that could not be scored',
    incarnation Int64 COMMENT 'Incarnation of that topic',
    `partition` UInt32 COMMENT 'Partition of that record',
    `offset` Int64 COMMENT 'Offset of that record; with topic, incarnation and partition it tells repeats',
    key String COMMENT 'Original key, bytes' CODEC(ZSTD(3)),
    value String COMMENT 'Original value, bytes; only its start when cut' CODEC(ZSTD(3)),
    value_bytes Int64 COMMENT 'Length of the original value, bytes',
    cut Bool COMMENT 'value is only the start of the original',
    stage LowCardinality(String) COMMENT 'Where it failed',
    reason LowCardinality(String) COMMENT 'Stable code of the reason',
    field String COMMENT 'Path of the field within the record, may be empty',
    message String COMMENT 'The reason for a person',
    received_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the original, UTC',
    at DateTime64(3, 'UTC') COMMENT 'When it was parked, UTC',
    raw String COMMENT 'The record as it came when it could not be read, else empty: value has the original' CODEC(ZSTD(3)),
    parse_error String COMMENT 'Why raw could not be read; then only raw and the columns below are filled',
    recorded_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of this record, UTC',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC',
    source_topic LowCardinality(String) COMMENT 'Topic of this record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first',
    source_partition UInt32 COMMENT 'Partition of this record',
    source_offset Int64 COMMENT 'Offset of this record' CODEC(Delta, ZSTD(1)),
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (topic, incarnation, `partition`, `offset`, source_partition, source_offset)
TTL toDateTime(recorded_at) + INTERVAL 14 DAY
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Log of recoup.dead-letter: records that could not be scored; kept 14 days, at least once each';

CREATE TABLE IF NOT EXISTS incident_members
(
    incident_id String COMMENT 'Incident' CODEC(ZSTD(1)),
    seller LowCardinality(String) COMMENT 'Company that bills',
    invoice_id String COMMENT 'Invoice that belongs to the incident' CODEC(ZSTD(1)),
    revision Int64 COMMENT 'Revision of the invoice',
    customer_ref String COMMENT 'Pseudonym of the customer' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the row',
    loss_point Decimal(19, 4) COMMENT 'Loss of this invoice, in currency',
    at DateTime64(3, 'UTC') COMMENT 'When it joined the incident, UTC',
    raw String COMMENT 'The record as it came, JSON' CODEC(ZSTD(3)),
    parse_error String COMMENT 'Why raw could not be read; then only raw and the columns below are filled',
    recorded_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of this record, UTC',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC',
    source_topic LowCardinality(String) COMMENT 'Topic of this record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first',
    source_partition UInt32 COMMENT 'Partition of this record',
    source_offset Int64 COMMENT 'Offset of this record' CODEC(Delta, ZSTD(1)),
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (incident_id, seller, invoice_id, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Log of which invoice belongs to which incident';
