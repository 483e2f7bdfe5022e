SELECT
    countIf(draft) AS drafts_held,
    countIf(draft AND NOT issued) AS drafts_prevented,
    sumIf(stake, draft AND NOT issued) AS loss_prevented,
    drafts_prevented / nullIf(drafts_prevented + countIf(NOT draft), 0) AS caught_before_issue
FROM
(
    SELECT
        true AS draft,
        invoice_id IN (SELECT invoice_id FROM invoice_findings WHERE seller = {seller:String} AND suspect
            AND cohort_day >= toDate({from:DateTime64(3, 'UTC')}, 'UTC')) AS issued,
        greatest(if(direction = 'seller_favour', -1, 1) * loss_point, toDecimal64(0, 4)) AS stake
    FROM
    (
        SELECT invoice_id, revision, direction, loss_point
        FROM flagged_invoices
        WHERE seller = {seller:String} AND currency = {currency:String} AND {days}
            AND stage = 'pre_issue' AND suspect AND NOT canary
        ORDER BY source_offset DESC
        LIMIT 1 BY invoice_id, revision
    )
    UNION ALL
    SELECT false, true, toDecimal64(0, 4)
    FROM invoice_findings
    WHERE seller = {seller:String} AND currency = {currency:String} AND {days} AND state = 'confirmed' AND judged_by != 'audit'
)
LIMIT {limit:UInt32}
