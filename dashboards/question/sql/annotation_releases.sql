SELECT
    first_issued_at AS time,
    concat('Release ', source_system, ' ', source_release) AS title,
    concat('first of ', toString(invoices), ' invoices') AS text,
    concat('Version ', source_system, ' ', source_release) AS title_fr,
    concat('première de ', toString(invoices), ' factures') AS text_fr,
    'change,release' AS tags
FROM release_spans
WHERE seller = {seller:String} AND first_issued_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
ORDER BY time
LIMIT {limit:UInt32}
