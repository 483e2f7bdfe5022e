-- What scoring said of every invoice, and the lines behind it.
-- A row comes from one source record: (source_topic, source_incarnation,
-- source_partition, source_offset) is unique. The deduplication window makes a
-- repeated insert of one token store nothing.

CREATE TABLE IF NOT EXISTS scored_invoices
(
    seller LowCardinality(String) COMMENT 'Company that bills',
    invoice_id String COMMENT 'Technical identity within the seller' CODEC(ZSTD(1)),
    revision Int64 COMMENT '0 for the first form of the invoice, counts up with every change' CODEC(ZSTD(1)),
    stage LowCardinality(String) COMMENT 'issued, or pre_issue: asked about before it is sent',
    invoice_type LowCardinality(String) COMMENT 'invoice, credit_note or correction; the latter two are never suspect',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the row; never add up rows of two currencies',
    issued_at DateTime64(3, 'UTC') COMMENT 'When the billing system issued the invoice, UTC' CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the record, UTC' CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC' CODEC(Delta, ZSTD(1)),
    cohort_day Date COMMENT 'Day the invoice counts for, UTC: that of issued_at, or of received_at when issued_at is more than 24 h after it or before 1970',

    customer_type LowCardinality(String) COMMENT 'Segment margin: kind of customer',
    product_family LowCardinality(String) COMMENT 'Segment margin: family of products',
    customer_ref String COMMENT 'Pseudonym of the customer, or anonymous' CODEC(ZSTD(1)),
    canary Bool COMMENT 'Made by recoup itself to prove that it sees; leave out of every figure',

    event_id String COMMENT 'Unique per emitted event' CODEC(ZSTD(1)),
    invoice_number String COMMENT 'What the customer reads' CODEC(ZSTD(1)),
    preceding_invoice_number String COMMENT 'What a credit note or correction corrects' CODEC(ZSTD(1)),
    source_system LowCardinality(String) COMMENT 'System that made the invoice',
    source_release LowCardinality(String) COMMENT 'Release of that system',
    batch_id LowCardinality(String) COMMENT 'Billing run',
    entry_channel LowCardinality(String) COMMENT 'manual, import, api or recurring',
    operator_ref LowCardinality(String) COMMENT 'Pseudonym of the operator',
    sales_point LowCardinality(String) COMMENT 'Shop or branch',
    country LowCardinality(String) COMMENT 'ISO 3166 code',
    due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Payment due, UTC',
    period_start Nullable(DateTime64(3, 'UTC')) COMMENT 'Start of the billing period, UTC',
    period_end Nullable(DateTime64(3, 'UTC')) COMMENT 'End of the billing period, UTC',
    shipped_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Shipment, UTC',

    net_amount Decimal(19, 4) COMMENT 'Before tax, in currency; the amount the 15 % rule compares' CODEC(ZSTD(1)),
    gross_amount Nullable(Decimal(19, 4)) COMMENT 'After tax, in currency; NULL when not given' CODEC(ZSTD(1)),
    tax_amount Nullable(Decimal(19, 4)) COMMENT 'Tax, in currency' CODEC(ZSTD(1)),
    discount_amount Nullable(Decimal(19, 4)) COMMENT 'Taken off the sum of the lines, positive, in currency' CODEC(ZSTD(1)),
    prepaid_amount Nullable(Decimal(19, 4)) COMMENT 'Already paid, in currency' CODEC(ZSTD(1)),
    tax_rate Nullable(Decimal(19, 8)) COMMENT 'Fraction: 0.175 is 17.5 %' CODEC(ZSTD(1)),

    delivery_ref String COMMENT 'Delivery the invoice is for' CODEC(ZSTD(1)),
    contract_ref String COMMENT 'Contract the invoice is for' CODEC(ZSTD(1)),
    order_ref String COMMENT 'Order the invoice is for' CODEC(ZSTD(1)),
    price_list_version LowCardinality(String) COMMENT 'Price list the invoice was made with',
    promo_codes Array(LowCardinality(String)) COMMENT 'Promotions applied to the whole invoice',
    legal_fields_present Array(LowCardinality(String)) COMMENT 'Administrative fields that are filled',
    crm_plan LowCardinality(String) COMMENT 'Plan the customer system held when the invoice was made',
    crm_discount_rate Nullable(Decimal(19, 8)) COMMENT 'Discount the customer system held, a fraction' CODEC(ZSTD(1)),
    crm_contract_version LowCardinality(String) COMMENT 'Contract version the customer system held',
    crm_synced_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the customer system was last synchronised, UTC',
    line_count UInt32 COMMENT 'Number of lines, which stand in invoice_lines' CODEC(ZSTD(1)),
    traceparent String COMMENT 'W3C trace context of the source record' CODEC(ZSTD(1)),

    suspect Bool COMMENT 'p_error reached the suspect threshold',
    p_error Float64 COMMENT 'Probability of an error, 0 to 1; every invoice has one',
    decision LowCardinality(String) COMMENT 'none, open_case, bundle, log_only or hold',
    direction LowCardinality(String) COMMENT 'none, customer_favour (billed too little) or seller_favour (billed too much)',
    rules Array(LowCardinality(String)) COMMENT 'Codes of what fired; deviation:* is the 15 % rule',
    amount_basis LowCardinality(String) COMMENT 'gross or net: what billed, expected and loss mean',
    billed Decimal(19, 4) COMMENT 'What the customer was asked to pay, in currency' CODEC(ZSTD(1)),
    expected Decimal(19, 4) COMMENT 'What the invoice should have been, in currency; 0 when level is none' CODEC(ZSTD(1)),
    expected_low Decimal(19, 4) COMMENT 'Lower end of the 95 % band, in currency' CODEC(ZSTD(1)),
    expected_high Decimal(19, 4) COMMENT 'Upper end of the 95 % band, in currency' CODEC(ZSTD(1)),
    level LowCardinality(String) COMMENT 'Baseline behind expected, narrowest first: customer_product, customer, type_product, customer_type, product_family, seller, none',
    n Int64 COMMENT 'Invoices behind expected' CODEC(ZSTD(1)),
    cv Float64 COMMENT 'Coefficient of variation of that baseline' CODEC(ZSTD(1)),
    deviation_pct Float64 COMMENT '(billed - expected) / expected in per cent; 0 when level is none' CODEC(ZSTD(1)),
    loss_point Decimal(19, 4) COMMENT 'Money at stake, in currency: positive when billed too little' CODEC(ZSTD(1)),
    loss_low Decimal(19, 4) COMMENT 'Lower end of the loss, in currency' CODEC(ZSTD(1)),
    loss_high Decimal(19, 4) COMMENT 'Upper end of the loss, in currency' CODEC(ZSTD(1)),
    `causes.code` Array(LowCardinality(String)) COMMENT 'Causes, most probable first; the causes.* arrays have one length',
    `causes.kind` Array(LowCardinality(String)) COMMENT 'The error within the cause',
    `causes.p` Array(Float64) COMMENT 'Probability of the cause, 0 to 1',
    `causes.evidence` Array(Array(String)) COMMENT 'Sentences that support the cause',
    `causes.repaired_amount` Array(Decimal(19, 4)) COMMENT 'What the customer should have paid if this is the cause, in currency',
    taught Bool COMMENT 'The amount went into the baselines',
    late_by_ms Int64 COMMENT 'How far behind the newest invoice of its seller and partition it was issued, ms' CODEC(ZSTD(1)),
    incident_id String COMMENT 'Incident the invoice belongs to, else empty' CODEC(ZSTD(1)),
    case_id String COMMENT 'Case opened for the invoice, else empty' CODEC(ZSTD(1)),
    model_version LowCardinality(String) COMMENT 'Model that gave p_error',
    config_hash LowCardinality(String) COMMENT 'Hash of the scoring settings',
    reference_as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest reference event known when scoring, UTC',
    feedback_as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest outcome known when scoring, UTC',

    source_topic LowCardinality(String) COMMENT 'Topic of the source record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first' CODEC(ZSTD(1)),
    source_partition UInt32 COMMENT 'Partition of the source record' CODEC(ZSTD(1)),
    source_offset Int64 COMMENT 'Offset of the source record' CODEC(Delta, ZSTD(1)),
    owner_epoch Int64 COMMENT 'Epoch of the process that stored the row: offset of its ownership record in recoup.suspects' CODEC(ZSTD(1)),

    INDEX invoice_id_bloom invoice_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX customer_ref_bloom customer_ref TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX case_id_bloom case_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX incident_id_bloom incident_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_day)
PRIMARY KEY (seller, cohort_day, customer_type, product_family)
ORDER BY (seller, cohort_day, customer_type, product_family, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1
COMMENT 'One row per invoice record: what recoup says of it and everything to derive that again';

CREATE TABLE IF NOT EXISTS invoice_lines
(
    seller LowCardinality(String) COMMENT 'Company that bills',
    invoice_id String COMMENT 'Invoice the line stands on' CODEC(ZSTD(1)),
    revision Int64 COMMENT 'Revision of the invoice' CODEC(ZSTD(1)),
    stage LowCardinality(String) COMMENT 'issued or pre_issue',
    invoice_type LowCardinality(String) COMMENT 'invoice, credit_note or correction',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the row',
    issued_at DateTime64(3, 'UTC') COMMENT 'When the invoice was issued, UTC' CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the row was stored, server clock, UTC' CODEC(Delta, ZSTD(1)),
    cohort_day Date COMMENT 'Day the invoice counts for, as in scored_invoices',
    customer_type LowCardinality(String) COMMENT 'Kind of customer',
    product_family LowCardinality(String) COMMENT 'Family of the product of the line; that of the invoice when the line names none',
    customer_ref String COMMENT 'Pseudonym of the customer, or anonymous' CODEC(ZSTD(1)),
    canary Bool COMMENT 'Made by recoup itself; leave out of every figure',

    line_index UInt32 COMMENT 'Place on the invoice, from 0' CODEC(ZSTD(1)),
    line_id String COMMENT 'Identity of the line within its invoice' CODEC(ZSTD(1)),
    product_id String COMMENT 'Product sold' CODEC(ZSTD(1)),
    description String COMMENT 'Text of the line, cut to 200 characters' CODEC(ZSTD(1)),
    quantity Nullable(Decimal(19, 8)) COMMENT 'In unit; negative on returns' CODEC(ZSTD(1)),
    unit LowCardinality(String) COMMENT 'Unit of quantity',
    unit_price Nullable(Decimal(19, 8)) COMMENT 'Currency units per unit' CODEC(ZSTD(1)),
    list_unit_price Nullable(Decimal(19, 8)) COMMENT 'Currency units per unit before any discount' CODEC(ZSTD(1)),
    discount_rate Nullable(Decimal(19, 8)) COMMENT 'Discount of the line, a fraction' CODEC(ZSTD(1)),
    discount_amount Nullable(Decimal(19, 4)) COMMENT 'Discount of the line, in currency' CODEC(ZSTD(1)),
    line_net Nullable(Decimal(19, 4)) COMMENT 'Net amount of the line after its discount, in currency' CODEC(ZSTD(1)),
    tax_rate Nullable(Decimal(19, 8)) COMMENT 'Fraction: 0.175 is 17.5 %' CODEC(ZSTD(1)),
    promo_codes Array(LowCardinality(String)) COMMENT 'Promotions applied to the line',
    order_line_ref String COMMENT 'Order line the line is for' CODEC(ZSTD(1)),
    delivery_ref String COMMENT 'Delivery the line is for' CODEC(ZSTD(1)),

    source_topic LowCardinality(String) COMMENT 'Topic of the source record',
    source_incarnation Int64 COMMENT 'Raised when the topic was recreated; 0 at first' CODEC(ZSTD(1)),
    source_partition UInt32 COMMENT 'Partition of the source record' CODEC(ZSTD(1)),
    source_offset Int64 COMMENT 'Offset of the source record' CODEC(Delta, ZSTD(1)),
    owner_epoch Int64 COMMENT 'Epoch of the process that stored the row: offset of its ownership record in recoup.suspects' CODEC(ZSTD(1)),

    INDEX invoice_id_bloom invoice_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX product_id_bloom product_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX source_offset_range source_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_day)
PRIMARY KEY (seller, cohort_day, product_family, product_id)
ORDER BY (seller, cohort_day, product_family, product_id, source_partition, source_offset, line_index)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1
COMMENT 'The lines of every invoice of scored_invoices, for price and product analysis';
