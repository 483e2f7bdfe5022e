SELECT c.customers AS customers, c.touched AS touched, c.touched_again AS touched_again, c.share AS part,
    c.share_low AS part_low, c.share_high AS part_high, 0.25 AS claim
FROM customers_touched AS c
WHERE seller = {seller:String}
LIMIT {limit:UInt32}
