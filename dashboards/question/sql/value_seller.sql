SELECT seller FROM scored_invoices WHERE NOT canary GROUP BY seller ORDER BY seller LIMIT {limit:UInt32}
