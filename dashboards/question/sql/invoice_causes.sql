SELECT code AS cause, concat(code, ':', kind) AS finding, p AS probability, repaired AS repaired_amount, arrayStringConcat(evidence, '\n') AS why
FROM
(
    SELECT `causes.code` AS codes, `causes.kind` AS kinds, `causes.p` AS ps, `causes.repaired_amount` AS amounts,
        `causes.evidence` AS evidences
    FROM scored_invoices
    WHERE {this_invoice}
    ORDER BY revision DESC, source_offset DESC
    LIMIT 1
)
ARRAY JOIN codes AS code, kinds AS kind, ps AS p, amounts AS repaired, evidences AS evidence
ORDER BY probability DESC, cause
LIMIT {limit:UInt32}
