SELECT alerts, paid_back, median_hours, share_in_30_days, share_in_90_days
FROM time_to_recover
WHERE seller = {seller:String} AND currency = {currency:String}
LIMIT {limit:UInt32}
