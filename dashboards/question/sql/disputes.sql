SELECT d.reason AS reason, sum(d.disputes) AS disputed, sum(d.justified) AS confirmed
FROM disputes_by_reason AS d
WHERE seller = {seller:String}
    AND month BETWEEN toStartOfMonth(toDate({from:DateTime64(3, 'UTC')}, 'UTC')) AND toDate({to:DateTime64(3, 'UTC')}, 'UTC')
GROUP BY reason
ORDER BY disputed DESC, reason
LIMIT {limit:UInt32}
