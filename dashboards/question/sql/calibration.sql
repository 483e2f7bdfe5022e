WITH {wilson}
SELECT
    concat(toString(10 * tenth), '–', toString(10 * tenth + 10), ' %') AS p_error_tenth,
    avg(p_error) AS expected_share,
    countIf(state = 'confirmed') / decided AS confirmed_share,
    wilson_low(countIf(state = 'confirmed'), decided) AS confirmed_share_low,
    wilson_high(countIf(state = 'confirmed'), decided) AS confirmed_share_high,
    count() AS decided,
    avg(pow(p_error - (state = 'confirmed'), 2)) AS brier
FROM
(
    SELECT p_error, state, least(9, toUInt8(floor(p_error * 10))) AS tenth
    FROM invoice_findings
    WHERE seller = {seller:String} AND {days} AND {segment} AND state IN ('confirmed', 'refuted') AND (suspect OR audited)
)
GROUP BY tenth
ORDER BY tenth
LIMIT {limit:UInt32}
