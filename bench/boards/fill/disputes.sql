-- Of suspects one in 50, of the others one in 2,000.
INSERT INTO disputes (event_id, seller, invoice_id, reason, at, recorded_at, source_topic, source_partition, source_offset)
SELECT concat('dispute-', invoice_id), seller, invoice_id, ['wrong_amount', 'price', 'duplicate', 'other'][cityHash64(invoice_id) % 4 + 1],
    issued_at + INTERVAL 5 DAY AS told_at, told_at, 'recoup.disputes', source_partition, source_offset
FROM scored_invoices
WHERE NOT canary AND stage = 'issued' AND cityHash64(invoice_id, 'dispute') % if(suspect, 50, 2000) = 0 AND issued_at < now() - INTERVAL 5 DAY
