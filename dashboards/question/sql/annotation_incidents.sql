SELECT
    assumeNotNull(incident_since) AS time,
    if(is_open, now64(3), coalesce(resolved_at, closed_at, detected_at)) AS timeEnd,
    'Incident' AS title,
    summary_en AS text,
    'Incident' AS title_fr,
    summary_fr AS text_fr,
    concat('incident,', severity) AS tags
FROM case_current
WHERE seller = {seller:String} AND kind = 'incident' AND incident_since IS NOT NULL
    AND incident_since <= {to:DateTime64(3, 'UTC')} AND timeEnd >= {from:DateTime64(3, 'UTC')}
ORDER BY time DESC
LIMIT {limit:UInt32}
