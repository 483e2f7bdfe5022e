-- One row per invoice that was found or judged wrong, and one per case of many.
    SELECT
        cohort_day, direction, cause, 1 AS findings, has_case AS cases,
        state = 'confirmed' AND judged_by != 'audit' AS is_confirmed,
        if(is_confirmed, confirmed_loss, toDecimal128(0, 4)) AS confirmed,
        toFloat64(stake_low) * p_error * (state = 'open') AS open_low,
        toFloat64(stake) * p_error * (state = 'open') AS open_expected,
        toFloat64(stake_high) * p_error * (state = 'open') AS open_high,
        paid, goodwill_cost, cost
    FROM invoice_findings
    WHERE seller = {seller:String} AND currency = {currency:String} AND {days} AND {segment} AND {causes}
    UNION ALL
    SELECT
        cohort_day, direction, cause, 0, 1, 0,
        if(kind = 'incident', toDecimal128(ifNull(amount_due, 0), 4), toDecimal128(0, 4)), 0, 0, 0,
        paid, goodwill_cost, cost
    FROM case_current
    WHERE kind != 'invoice' AND seller = {seller:String} AND currency = {currency:String} AND {days} AND {segment} AND {causes}
