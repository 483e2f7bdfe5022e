package detectors

import (
	"recoup/invoice"
)

// What billing took for true of a customer against what the customer system holds
// or what always was so (A11).
const (
	typeReferenceP = 0.85 // customer type differs from the reference
	typeChangedP   = 0.75 // it differs from all invoices before, of which there are few
	crmDiffersP    = 0.60 // plan, contract version or rate read are not the reference's
	crmBilledP     = 0.95 // the rate read is not the reference's, and it is billed
	leastTypeRare  = 0.60 // share of the past that had another type
)

// detectCustomerType finds an invoice under another customer type. With the type
// come its prices: where these are not the customer's, they are repaired too.
func detectCustomerType(s *Subject) (Finding, bool) {
	e, inv := s.ev, s.Invoice
	if inv.CustomerType == "" {
		return Finding{}, false
	}
	f := Finding{Code: CauseCRMSync, Kind: "customer_type"}
	if e.refs.Has(invoice.CustomerReference) {
		c, ok := e.refs.Customer(inv.Seller, inv.CustomerRef, inv.IssuedAt)
		if ok && c.Type == inv.CustomerType {
			return Finding{}, false
		}
		if ok && c.Type != "" {
			f.P = typeReferenceP
			f.Evidence = s.list(s.say("billed as customer type %s; the customer system says %s",
				inv.CustomerType, c.Type))
		}
	}
	if f.P == 0 && e.x[fTypeRare] >= leastTypeRare {
		habit := &e.facts.Known.Customer.Type
		f.P = max(e.proves(proofType), typeChangedP*float64(e.x[fTypeRare]))
		f.Evidence = s.list(s.say("billed as customer type %s%s", inv.CustomerType,
			asOn(habit, e.facts.Type, "this customer's", "")))
	}
	if f.P == 0 {
		return Finding{}, false
	}
	r := s.repair()
	was := r.net
	if e.scale != 0 {
		s.billUnscaled(&r)
	} else {
		for i := range e.lines {
			if le := &e.lines[i]; le.known && le.off > 0.4 {
				s.billAt(&r, i, le.expected)
			}
		}
	}
	if r.net != was {
		f.Evidence = append(f.Evidence, "its prices are not those of its usual type either")
	}
	return f.repairedBy(&r)
}

// detectCRMFields compares what billing read from the customer system, as the
// invoice carries it, with what that system says of the customer.
func detectCRMFields(s *Subject) (Finding, bool) {
	e, inv := s.ev, s.Invoice
	crm := &inv.CRM
	if crm.Plan == "" && crm.ContractVersion == "" && !crm.DiscountRate.Set {
		return Finding{}, false
	}
	c, ok := e.refs.Customer(inv.Seller, inv.CustomerRef, inv.IssuedAt)
	if !ok {
		return Finding{}, false
	}
	f := Finding{Code: CauseCRMSync, Kind: "crm_record", P: crmDiffersP}
	differs := func(what, read, is string) {
		if read != "" && is != "" && read != is {
			f.Evidence = append(f.Evidence, s.say("billing read %s %s, the customer system says %s", what, read, is))
		}
	}
	differs("plan", crm.Plan, c.Plan)
	differs("contract version", crm.ContractVersion, c.ContractVersion)
	r := s.repair()
	if read, is := crm.DiscountRate, c.ContractDiscountRate; read.Set && is.Set && !near(read.Value, is.Value) {
		differs("discount rate", percent(read.Value).String(), percent(is.Value).String())
		for i := range inv.Lines {
			if l := &inv.Lines[i]; near(l.DiscountRate.Value, read.Value) && l.UnitPrice.Value > 0 {
				r.line(i, l.Quantity.Value, l.UnitPrice.Value, is.Value)
				f.P = crmBilledP
			}
		}
	}
	if len(f.Evidence) == 0 {
		return Finding{}, false
	}
	return f.repairedBy(&r)
}
