SELECT reason, field, stage, records, last_at, example
FROM dead_letter_reasons
ORDER BY records DESC, reason, field
LIMIT {limit:UInt32}
