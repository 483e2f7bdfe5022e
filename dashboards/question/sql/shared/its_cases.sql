case_id IN (SELECT case_id FROM case_current WHERE {this_invoice} AND kind = 'invoice')
