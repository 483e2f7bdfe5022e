SELECT cohort_month AS month, type, per_10000
FROM anomalies_by_type
WHERE seller = {seller:String} AND {months}
ORDER BY month DESC, per_10000 DESC, type
LIMIT {limit:UInt32}
