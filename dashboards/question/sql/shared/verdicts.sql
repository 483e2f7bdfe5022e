count() AS alerts,
    countIf(outcome = 'confirmed_error') AS confirmed,
    countIf(outcome IN ('not_an_error', 'expected_change')) AS refuted,
    countIf(outcome = 'undetermined') / alerts AS undetermined_share,
    countIf(outcome = '') AS undecided,
    if(confirmed + refuted = 0, NULL, confirmed / (confirmed + refuted)) AS precision,
    wilson_low(confirmed, confirmed + refuted) AS precision_low,
    wilson_high(confirmed, confirmed + refuted) AS precision_high
