SELECT
    line_index + 1 AS line, product_id AS product, description, quantity, unit, unit_price, list_unit_price, discount_rate,
    line_net
FROM invoice_lines
WHERE {this_invoice}
ORDER BY revision DESC, source_offset DESC, line_index
LIMIT 1 BY revision, line_index
LIMIT {limit:UInt32}
