SELECT count() AS incidents, sum(members_without_case) AS spared_cases, sum(b.saved) AS money_saved
FROM saved_by_bundling AS b
WHERE seller = {seller:String} AND currency = {currency:String} AND {days}
LIMIT {limit:UInt32}
