(kind = 'invoice' AND incident_id IN (
        SELECT case_id FROM case_current WHERE seller = {seller:String} AND kind = 'incident' AND is_open))
