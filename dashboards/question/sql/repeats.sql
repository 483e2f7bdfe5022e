SELECT cause, actions_30, repeat_rate_30, actions_60, repeat_rate_60, actions_90, repeat_rate_90,
    0.45 AS claim_analysis, 0.3 AS claim_validation, 0.2 AS claim_procedures
FROM repeat_rate
WHERE seller = {seller:String} AND {causes}
ORDER BY actions_30 DESC, cause
LIMIT {limit:UInt32}
