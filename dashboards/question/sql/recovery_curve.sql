SELECT upto AS hours, 1 - min(share_waiting) AS back, min(waiting) AS still_waiting
FROM
(
    SELECT if(hours < 168, ceil(hours), 24 * ceil(hours / 24)) AS upto, share_waiting, still_waiting AS waiting
    FROM recovery_curve
    WHERE seller = {seller:String} AND currency = {currency:String}
)
GROUP BY upto
ORDER BY hours
LIMIT {limit:UInt32}
