SELECT
    time,
    after_receipt[1] AS seconds_after_receipt_p50, after_receipt[2] AS seconds_after_receipt_p95,
    after_receipt[3] AS seconds_after_receipt_p99,
    after_issue[1] AS seconds_after_issue_p50, after_issue[2] AS seconds_after_issue_p95,
    after_issue[3] AS seconds_after_issue_p99
FROM
(
    SELECT
        {bucket} AS time,
        quantilesExact(0.5, 0.95, 0.99)(dateDiff('millisecond', received_at, detected_at) / 1000) AS after_receipt,
        quantilesExact(0.5, 0.95, 0.99)(dateDiff('millisecond', issued_at, detected_at) / 1000) AS after_issue
    FROM case_current
    WHERE seller = {seller:String} AND {days} AND {segment} AND kind = 'invoice' AND origin = 'detector'
    GROUP BY time
)
ORDER BY time
LIMIT {limit:UInt32}
