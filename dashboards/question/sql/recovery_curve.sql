SELECT hours, 1 - share_waiting AS back, still_waiting
FROM recovery_curve
WHERE seller = {seller:String} AND currency = {currency:String}
ORDER BY hours
LIMIT {limit:UInt32}
