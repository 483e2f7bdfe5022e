INSERT INTO dead_letters (topic, `partition`, `offset`, value, value_bytes, stage, reason, field, message, received_at, at, recorded_at,
    source_topic, source_partition, source_offset)
SELECT 'billing.invoices', number % 8, number, '{}', 2, 'decode', ['field', 'json', 'schema'][number % 3 + 1], 'net', 'no number',
    now64(3) - toIntervalMinute(number) AS then, then, then, 'recoup.dead-letter', number % 8, number
FROM numbers(2000)
