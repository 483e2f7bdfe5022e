-- Two lines of each of those invoices.
INSERT INTO invoice_lines (seller, invoice_id, revision, stage, invoice_type, currency, issued_at, inserted_at, cohort_day, customer_type,
    product_family, customer_ref, canary, line_index, line_id, product_id, description, quantity, unit, unit_price, line_net, source_topic,
    source_partition, source_offset)
SELECT seller, invoice_id, revision, stage, invoice_type, currency, issued_at, inserted_at, cohort_day, customer_type, product_family,
    customer_ref, canary, line, toString(line), concat(product_family, '-', toString(cityHash64(invoice_id, line) % 20)), 'monthly fee',
    1, 'month', net_amount / 2, net_amount / 2, source_topic, source_partition, source_offset
FROM scored_invoices
ARRAY JOIN [0, 1] AS line
WHERE source_offset >= intDiv({first:UInt64}, 8) AND source_offset < intDiv({first:UInt64} + {count:UInt64}, 8)
