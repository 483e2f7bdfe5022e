SELECT reason AS code, field, stage AS step_code, records, last_at, example
FROM dead_letter_reasons
ORDER BY records DESC, reason, field
LIMIT {limit:UInt32}
