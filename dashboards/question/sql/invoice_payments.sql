SELECT at, option, event, amount, currency, instalment, instalments, due_date, channel
FROM (SELECT * FROM recoveries WHERE {its_cases} AND parse_error = '' ORDER BY at, recorded_at LIMIT 1 BY event_id)
ORDER BY at, event
LIMIT {limit:UInt32}
