SELECT
    sum(p.held) AS drafts_held,
    sum(p.prevented) AS drafts_prevented,
    sum(p.prevented_loss) AS loss_prevented,
    if(drafts_prevented + sum(p.issued_wrong) = 0, NULL,
        drafts_prevented / (drafts_prevented + sum(p.issued_wrong))) AS caught_before_issue
FROM prevented_before_issue AS p
WHERE seller = {seller:String} AND currency = {currency:String} AND {months}
LIMIT {limit:UInt32}
