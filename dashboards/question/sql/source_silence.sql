SELECT source_system, last_invoice_at, seconds_silent, invoices, seconds_to_row_p50, seconds_to_row_p99
FROM source_silence
WHERE seller = {seller:String}
ORDER BY seconds_silent DESC
LIMIT {limit:UInt32}
