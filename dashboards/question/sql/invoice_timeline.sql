SELECT at, what, detail, cause, note, amount
FROM
(
    SELECT if(action = 'open', detected_at, recorded_at) AS at, concat('case ', action) AS what,
        toString(if(action = 'resolve', resolved_by, severity)) AS detail, '' AS cause, '' AS note,
        CAST(NULL, 'Nullable(Decimal(19, 4))') AS amount
    FROM (SELECT * FROM cases WHERE seller = {seller:String} AND {its_cases} AND parse_error = '' LIMIT 1 BY case_id, seq)
    UNION ALL
    SELECT at, status, toString(outcome), toString(true_cause),
        arrayStringConcat(arrayFilter(w -> w != '', [corrective_action, toString(decided_by_role)]), ', '),
        coalesce(confirmed_loss, correct_amount)
    FROM (SELECT * FROM case_events WHERE {its_cases} AND parse_error = '' ORDER BY at, recorded_at LIMIT 1 BY event_id)
    UNION ALL
    SELECT at, toString(event), toString(option), '', '', amount
    FROM (SELECT * FROM recoveries WHERE {its_cases} AND parse_error = '' ORDER BY at, recorded_at LIMIT 1 BY event_id)
)
ORDER BY at, what
LIMIT {limit:UInt32}
