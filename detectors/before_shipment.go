package detectors

import (
	"math"
)

// detectBeforeShipment finds invoices for goods that have not left: shipped later
// than issued, or not at all. Customers who are billed first by habit, or who
// prepay by reference, are no errors.
func detectBeforeShipment(s *Subject) (Finding, bool) {
	inv, x := s.Invoice, &s.ev.x
	f := Finding{Code: CauseBeforeShipment, Repaired: s.pays.billed(inv)}
	switch {
	case inv.PrepaidAmount.Value != 0 || x[fPrepays] > 0:
		return Finding{}, false
	case x[fNoShipped] > 0.9:
		f.Kind, f.P = "not_shipped", max(s.ev.proves(proofNoShipped), 0.3)
		f.Evidence = s.list(s.say("no shipment is known, as it is for %s of the seller's invoices to such customers",
			share(x[fNoShipped])))
		if x[fNotCounted] > 0 && inv.DeliveryRef != "" {
			f.Evidence = append(f.Evidence, s.say("the warehouse has not counted delivery %s", inv.DeliveryRef))
		}
	case x[fEarly] > 0 && x[fEarlyHabit] > 0 && x[fEarlyHabit] < earlyUsual:
		f.Kind, f.P = "shipped_later", earlyP(float64(x[fEarlyHabit]))
		days := inv.ShippedAt.Sub(inv.IssuedAt).Hours() / 24
		f.Evidence = s.list(s.say("the goods leave %.1f days after the invoice, which is so for %s of this "+
			"customer's invoices", days, share(x[fEarlyHabit])))
	default:
		return Finding{}, false
	}
	return f, true
}

// earlyUsual is the share of a customer's invoices from which being billed first
// is its habit.
const earlyUsual = 0.3

// earlyP is the probability of an error when goods leave after the invoice: by the
// odds of errors of this kind, one in a thousand invoices, against what the
// customer's habit explains.
func earlyP(habit float64) float64 {
	const odds = 0.001
	return math.Min(0.85, math.Max(0.05, odds/(odds+habit*habit)))
}
