SELECT currency
FROM invoice_counts_by_day
WHERE seller = {seller:String} AND currency != ''
GROUP BY currency
ORDER BY sum(invoices) DESC, currency
LIMIT {limit:UInt32}
