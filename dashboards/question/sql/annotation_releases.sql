SELECT
    first_issued_at AS time,
    concat('Release ', source_system, ' ', source_release) AS title,
    concat('first of ', toString(invoices), ' invoices') AS text,
    concat('Version ', source_system, ' ', source_release) AS title_fr,
    concat('première de ', toString(invoices), ' factures') AS text_fr,
    'change,release' AS tags
FROM (
    SELECT *, min(first_issued_at) OVER (PARTITION BY source_system) AS system_began
    FROM release_spans
    WHERE seller = {seller:String}
)
WHERE source_release != '' AND first_issued_at > system_began
    AND first_issued_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
ORDER BY time DESC
LIMIT {limit:UInt32}
