WITH {wilson}
SELECT
    customer_type, product_family,
    {verdicts}
FROM case_current
WHERE {alerts}
GROUP BY customer_type, product_family
ORDER BY alerts DESC, customer_type, product_family
LIMIT {limit:UInt32}
