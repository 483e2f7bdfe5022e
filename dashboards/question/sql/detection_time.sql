SELECT
    toDateTime(cohort_month, 'UTC') AS time, seconds_after_receipt_p50, seconds_after_receipt_p95, seconds_after_receipt_p99,
    seconds_after_issue_p50, seconds_after_issue_p95, seconds_after_issue_p99
FROM time_to_detect
WHERE seller = {seller:String} AND {months}
ORDER BY time
LIMIT {limit:UInt32}
