SELECT
    min(detected_at) AS time,
    concat('Model ', model_version) AS title,
    concat('settings ', config_hash) AS text,
    concat('Modèle ', model_version) AS title_fr,
    concat('réglages ', config_hash) AS text_fr,
    'change,model' AS tags
FROM case_current
WHERE seller = {seller:String} AND kind = 'invoice' AND origin = 'detector' AND model_version != ''
GROUP BY model_version, config_hash
HAVING time BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
ORDER BY time DESC
LIMIT {limit:UInt32}
