SELECT kind, owner_team AS team, open_cases, age_hours_p50, age_hours_p90, oldest, past_respond_by, past_respond_by_share
FROM case_backlog
WHERE seller = {seller:String}
ORDER BY open_cases DESC, kind, team
LIMIT {limit:UInt32}
