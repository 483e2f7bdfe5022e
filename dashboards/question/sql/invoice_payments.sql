SELECT at, option, event, amount, currency, instalment, instalments, due_date, channel
FROM recoveries_once
WHERE case_id IN (SELECT case_id FROM case_current WHERE {this_invoice})
ORDER BY at, step
LIMIT {limit:UInt32}
