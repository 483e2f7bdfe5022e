groupArrayIf((invoice_id, revision, customer_ref, p_error, decision, direction, `causes.code`[1], billed,
            loss_low, loss_point, loss_high, incident_id, case_id, source_offset), suspect OR canary)
