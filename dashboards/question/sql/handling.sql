SELECT
    sum(h.handling) AS total_handling,
    sum(h.recovered) AS total_recovered,
    if(total_recovered = 0, NULL, toFloat64(total_handling) / toFloat64(total_recovered)) AS cost_per_recovered,
    sum(h.single_cases) AS cases,
    if(cases = 0, NULL, sum(h.below_break_even) / cases) AS below_break_even_share,
    any(h.break_even) AS break_even_loss,
    (
        SELECT sum(saved)
        FROM saved_by_bundling
        WHERE seller = {seller:String} AND currency = {currency:String} AND {days}
    ) AS saved
FROM handling_cost AS h
WHERE seller = {seller:String} AND currency = {currency:String} AND {months}
LIMIT {limit:UInt32}
