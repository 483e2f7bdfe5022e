SELECT customer_type
FROM invoice_counts_by_day
WHERE seller = {seller:String} AND customer_type != ''
GROUP BY customer_type
ORDER BY sum(invoices) DESC, customer_type
LIMIT {limit:UInt32}
