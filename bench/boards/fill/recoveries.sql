INSERT INTO recoveries (event_id, recovery_id, case_id, option, event, amount, currency, instalment, instalments, goodwill_cost, channel, at,
    recorded_at, source_topic, source_partition, source_offset)
WITH
    cityHash64(case_id, 'recovery') AS h,
    ['immediate_payment', 'instalments', 'offset_next_order', 'goodwill'][h % 4 + 1] AS way,
    assumeNotNull(decided_at) AS since,
    arrayFilter(step -> step.3 < now64(3), [(1, 'offered', since + INTERVAL 2 HOUR), (2, if(h % 10 < 6, 'accepted', 'refused'), since + INTERVAL 3 DAY),
        (3, if(h % 10 < 6, 'paid', ''), since + toIntervalDay(4 + h % 25))]) AS steps
SELECT concat(case_id, '-r', toString(step.1)), concat(case_id, '-r'), case_id, way, step.2, abs(loss_point), currency, 0, 0,
    if(way = 'goodwill' AND step.1 = 2, 5, NULL), 'mail', step.3, step.3, 'recoup.recoveries', source_partition, source_offset * 4 + step.1
FROM told
ARRAY JOIN steps AS step
WHERE decided_at IS NOT NULL AND outcome = 'confirmed_error' AND direction = 'customer_favour' AND step.2 != ''
