SELECT product_family
FROM invoice_counts_by_day
WHERE seller = {seller:String} AND product_family != ''
GROUP BY product_family
ORDER BY sum(invoices) DESC, product_family
LIMIT {limit:UInt32}
