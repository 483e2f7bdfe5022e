SELECT DISTINCT seller FROM invoice_counts_by_day ORDER BY seller LIMIT {limit:UInt32}
