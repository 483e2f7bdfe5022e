SELECT view, row_count, refreshed_at, seconds_old
FROM kept_answers
ORDER BY view
LIMIT {limit:UInt32}
