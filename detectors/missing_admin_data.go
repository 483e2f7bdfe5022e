package detectors

// absent is a part of an invoice that is missing where it usually is filled.
type absent struct {
	kind  string
	what  string  // in words
	of    feature // share of the invoices that have it
	proof proof
	whose string  // invoices of whom
	least float32 // share from which it is said
}

// absences are the parts looked at, the ones easiest to prove first.
var absences = [...]absent{
	{"customer", "customer", fNoCustomer, proofNoCustomer, "the seller's", 0.9},
	{"delivery", "delivery reference", fNoDelivery, proofNoDelivery, "the seller's such", 0.9},
	{"customer_type", "customer type", fNoType, proofNoType, "the seller's", 0.9},
	{"product_family", "product family", fNoFamily, proofNoFamily, "the seller's", 0.9},
	{"purchase_order", "purchase order", fNoOrderNumber, proofNoOrder, "this customer's", 0.8},
	{"vat_id", "VAT number of the customer", fNoVAT, proofNoVAT, "this customer's", 0.8},
}

// absentFeatures are the features of absences.
var absentFeatures = func() (list []feature) {
	for i := range absences {
		list = append(list, absences[i].of)
	}
	return list
}()

// detectMissingAdminData finds what an invoice must say and does not: the
// customer pays late, or cannot be told. The amount is right. What is missing is
// measured by habit; an invoice without delivery and shipment was never delivered.
func detectMissingAdminData(s *Subject) (Finding, bool) {
	x := &s.ev.x
	for i := range absences {
		a := &absences[i]
		p := s.ev.proves(a.proof)
		if (p == 0 && x[a.of] < a.least) || (a.of == fNoDelivery && x[fNoShipped] > 0.9) {
			continue
		}
		if p == 0 {
			p = missingP(float64(x[a.of]))
		}
		return Finding{Code: CauseMissingAdminData, Kind: a.kind, P: p, Repaired: s.pays.billed(s.Invoice),
			Evidence: s.list(s.say("there is no %s; %s of %s invoices have one", a.what, share(x[a.of]), a.whose))}, true
	}
	return Finding{}, false
}

// missingP is the probability of an error where something is missing that a share
// of the invoices has: errors of this kind are two in a thousand invoices, of
// which the habit leaves the part that has none.
func missingP(habit float64) float64 {
	const odds = 0.002
	return min(0.45, odds/(odds+(1-habit)))
}
