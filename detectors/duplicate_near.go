package detectors

import (
	"bytes"
	"fmt"

	"recoup/detectors/history"
)

// detectNearDuplicate finds goods that are billed again under another number, and
// another delivery if any: the same order, content or period, nearly the same
// content, or a delivery that the warehouse knows nothing of. Customers who buy
// the same again by habit are no duplicates; nor is a reissue, which names the
// invoice it replaces.
func detectNearDuplicate(s *Subject) (Finding, bool) {
	e, inv := s.ev, s.Invoice
	if e.twin == nil && e.x[fNotCounted] == 0 || e.x[fDelivery2] > 0 || inv.PrecedingID != "" {
		return Finding{}, false
	}
	kind, p := e.repeats()
	uncounted := e.proves(proofNotCounted)
	if p == 0 && uncounted == 0 {
		return Finding{}, false
	}
	f := Finding{Code: CauseDuplicate, Kind: kind, P: max(p, uncounted), Repaired: 0}
	if p > 0 && e.x[fNoDelivery] > 0.9 {
		f.P = billedByHandP
	}
	if uncounted > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("the warehouse has not counted delivery %s, which is said to have left",
			inv.DeliveryRef))
	}
	if p == 0 {
		f.Kind = "not_delivered"
		return f, true
	}
	f.Evidence = append(f.Evidence, s.twinInWords())
	if e.x[fRepeatHabit] > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s of this customer's invoices repeat an earlier one",
			share(e.x[fRepeatHabit])))
	}
	return f, true
}

// billedByHandP is the probability of an error where what an invoice repeats had a
// delivery and it has none, though everybody has: more than that it was forgotten.
const billedByHandP = 0.93

const (
	// repeatsByHabit is the share of a customer's invoices that bill the same products
	// again from which that is its habit.
	repeatsByHabit = 0.1
	// billedAgain is how long after the first invoice the same goods are usually
	// billed by mistake, in minutes; later it rather is the next month's bill.
	billedAgain = 12 * 24 * 60
)

// repeats tells in what way the invoice repeats an earlier one, the most certain
// first; "" in none. The probabilities are the share of wrong invoices where it
// does in the retail and grocery corpora, taken low.
func (e *evidence) repeats() (kind string, p float64) {
	x, lines := &e.x, e.facts.Print.Lines
	if e.twin == nil {
		return "", 0
	}
	if p := e.proves(proofOrder); p > habitualP {
		return "order", p
	}
	if e.facts.Known.Customer == nil || !e.namesProducts() {
		return "", 0 // counter sales look alike
	}
	soon := e.facts.Print.Minute-e.twin.Minute < billedAgain && (e.twin.Period == 0 || x[fPeriod2] > 0)
	usual := x[fRepeatHabit] >= repeatsByHabit || !soon
	switch {
	case x[fOrder2] > 0 && (x[fProducts2] > 0 || x[fAlike2] >= 0.5):
		return "order", 0.2
	case x[fPeriod2] > 0 && x[fContent2] > 0 && x[fRepeatHabit] < repeatsByHabit:
		return "period", 0.85
	case x[fPeriod2] > 0 && x[fProducts2] > 0 && x[fRepeatHabit] < repeatsByHabit:
		return "period", 0.45
	case x[fContent2] > 0 && lines > 1 && !usual:
		return "content", 0.55
	case x[fProducts2] > 0 && lines > 2 && !usual:
		return "near", 0.4
	case x[fAlike2] >= 0.5 && x[fNear2] > 0 && lines > 3 && soon:
		return "near", 0.15
	}
	return "", 0
}

// namesProducts tells whether every line says what it bills: without that,
// invoices of one amount look the same.
func (e *evidence) namesProducts() bool {
	for i := range e.facts.Lines {
		if e.facts.Lines[i].Product == 0 {
			return false
		}
	}
	return len(e.facts.Lines) > 0
}

// twinInWords says which earlier invoice is meant and what the two have in common.
func (s *Subject) twinInWords() string {
	e := s.ev
	t := e.twin
	common := "most products"
	switch {
	case t.Content == e.facts.Print.Content:
		common = "products, quantities and amounts"
	case t.Goods == e.facts.Print.Goods:
		common = "products and quantities"
	case t.Products == e.facts.Print.Products:
		common = "products"
	}
	if e.x[fOrder2] > 0 {
		common += " and order"
	}
	if e.x[fPeriod2] > 0 {
		common += " and billed period"
	}
	hours := e.facts.Print.Minute - t.Minute
	return fmt.Sprintf("invoice %s of %d h before, over %s, has the same %s", idOf(t), hours/60, s.Money(t.Net), common)
}

// idOf returns the beginning of the number of a remembered invoice.
func idOf(p *history.Print) string { return string(bytes.TrimRight(p.ID[:], "\x00")) }
