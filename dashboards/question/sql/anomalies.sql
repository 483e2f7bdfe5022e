SELECT toDateTime(cohort_month, 'UTC') AS time, type, per_10000
FROM anomalies_by_type
WHERE seller = {seller:String} AND {months}
ORDER BY time, type
LIMIT {limit:UInt32}
