SELECT
    i.since AS since,
    i.severity AS severity,
    i.dimension AS dimension,
    i.value AS shared,
    if(i.is_open, 'open', if(i.outcome = '', 'closed', i.outcome)) AS state,
    i.members AS members,
    i.members_with_case AS with_case,
    i.stake_customer_favour AS stake_too_little,
    i.stake_seller_favour AS stake_too_much,
    if(i.incident_id IN (SELECT case_id FROM case_current WHERE seller = {seller:String} AND kind = 'incident'
        AND currency = {currency:String}), i.loss_per_hour, NULL) AS loss_per_hour,
    i.incident_id AS incident
FROM incident_current AS i
WHERE i.seller = {seller:String} AND i.currency IN ({currency:String}, '')
    AND (i.is_open OR ifNull(i.since, now()) BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')})
ORDER BY i.is_open DESC, since DESC
LIMIT {limit:UInt32}
