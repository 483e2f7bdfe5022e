SELECT cohort_month AS month, estimate, recall, recall_low, recall_high, caught, looked_at
FROM recall
WHERE seller = {seller:String} AND {months}
ORDER BY month DESC, estimate
LIMIT {limit:UInt32}
