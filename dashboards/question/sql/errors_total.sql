WITH {wilson}
SELECT
    sum(n) AS invoices,
    sum(s) AS suspects,
    sum(open) AS undecided,
    least(sum(k), invoices) AS confirmed,
    if(invoices = 0, NULL, confirmed / invoices) AS confirmed_rate,
    wilson_low(confirmed, invoices) AS confirmed_rate_low,
    wilson_high(confirmed, invoices) AS confirmed_rate_high,
    if(invoices = 0, NULL, sum(p) / invoices) AS live_rate,
    sum(looked_at) AS audited,
    sum(found_wrong) AS audited_wrong,
    if(audited = 0 OR invoices = 0, NULL, (sum(tp) + (invoices - suspects) * audited_wrong / audited) / invoices) AS true_rate,
    if(audited = 0 OR invoices = 0, NULL,
        (sum(tp) + (invoices - suspects) * wilson_low(audited_wrong, audited)) / invoices) AS true_rate_low,
    if(audited = 0 OR invoices = 0, NULL,
        least(1, (sum(tp) + (invoices - suspects) * wilson_high(audited_wrong, audited)) / invoices)) AS true_rate_high
FROM
(
    SELECT
        sum(c.invoices) AS n, sum(c.suspects) AS s, toFloat64(sum(c.expected_errors)) AS p,
        0 AS open, 0 AS k, 0 AS tp, 0 AS looked_at, 0 AS found_wrong
    FROM invoice_counts_by_day AS c
    WHERE seller = {seller:String} AND {days} AND {segment}
    UNION ALL
    SELECT
        0, 0, 0, countIf(suspect AND state = 'open'), countIf(state = 'confirmed' AND judged_by != 'audit'),
        countIf(state = 'confirmed' AND suspect),
        countIf(f.audited AND state IN ('confirmed', 'refuted')), countIf(f.audited AND state = 'confirmed')
    FROM invoice_findings AS f
    WHERE seller = {seller:String} AND {days} AND {segment}
)
LIMIT {limit:UInt32}
