WITH {wilson}
SELECT
    predicted_cause AS cause,
    count() AS alerts,
    countIf(outcome = 'confirmed_error') AS right,
    countIf(outcome IN ('not_an_error', 'expected_change')) AS wrong,
    countIf(outcome = 'undetermined') / alerts AS undetermined_share,
    countIf(outcome = '') AS undecided,
    if(right + wrong = 0, NULL, right / (right + wrong)) AS precision,
    wilson_low(right, right + wrong) AS precision_low,
    wilson_high(right, right + wrong) AS precision_high
FROM case_current
WHERE seller = {seller:String} AND {days} AND {segment} AND {causes}
    AND kind IN ('invoice', 'incident') AND origin = 'detector'
GROUP BY cause
ORDER BY alerts DESC, cause
LIMIT {limit:UInt32}
