SELECT step, way, sum(n) AS invoices, sum(m) AS amount
FROM
(
    SELECT arrayJoin(arrayFilter(s -> s.1 != '',
        [('1 detected', 'all', 1, toFloat64(stake)),
         (if(has_case OR incident_case_id != '', '2 case', ''), 'all', 1, toFloat64(stake)),
         (if(has_case AND c.settled_by != '', '3 agreed', ''), c.settled_by, 1, toFloat64(stake)),
         (if(has_case AND f.paid > 0, '4 paid', ''), if(c.settled_by = '', 'no_option', c.settled_by), 1, toFloat64(f.paid))]
        )) AS stage,
        stage.1 AS step, stage.2 AS way, stage.3 AS n, stage.4 AS m
    FROM
    (
        SELECT case_id, has_case, incident_case_id, stake, paid
        FROM invoice_findings
        WHERE seller = {seller:String} AND currency = {currency:String} AND {days} AND {segment} AND {causes}
            AND direction = 'customer_favour' AND state NOT IN ('refuted', 'duplicate') AND judged_by != 'audit'
    ) AS f
    LEFT JOIN (SELECT case_id, settled_by FROM case_current WHERE seller = {seller:String}) AS c ON f.case_id = c.case_id
)
GROUP BY step, way
ORDER BY step, amount DESC
LIMIT {limit:UInt32}
