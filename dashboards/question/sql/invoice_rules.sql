SELECT rule
FROM
(
    SELECT rules
    FROM scored_invoices
    WHERE {this_invoice}
    ORDER BY revision DESC, source_offset DESC
    LIMIT 1
)
ARRAY JOIN rules AS rule
LIMIT {limit:UInt32}
