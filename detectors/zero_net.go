package detectors

import (
	"recoup/detectors/history"
	"recoup/invoice"
)

// detectZeroNet finds invoices over nothing that have lines: a total that was
// lost on the way, lines that lost their prices with it, or line amounts that
// were lost under prices that stand. Free goods are usual: their discount comes to
// the sum of the lines, or their lines still show the price that was waived.
func detectZeroNet(s *Subject) (Finding, bool) {
	if s.ev.x[fZero] == 0 {
		return Finding{}, false
	}
	f := Finding{Code: CauseBillingSystem, Kind: "zero_net", P: s.ev.proves(proofZero)}
	n := len(s.Invoice.Lines)
	switch {
	case f.P == 0:
		return Finding{}, false
	case s.ev.sumKnown && s.ev.sum != 0:
		f.Repaired = s.Pays(s.ev.sum)
		f.Evidence = s.list(s.say("the net amount is 0, but %s", linesInWords(s, s.ev.sum)))
	case pricesLost(s.Invoice):
		f.Repaired, f.estimated = max(s.Expected, 0), true
		if usual, ok := s.ev.usualValue(); ok {
			f.Repaired = s.Pays(usual)
		}
		f.Evidence = s.list(s.say("the net amount is 0, and so is the unit price of all of its %d lines", n))
	default:
		due, _ := linesDue(s.Invoice)
		f.Repaired = s.Pays(due)
		f.Evidence = s.list(s.say(
			"the net amount is 0, and so are all of its %d lines, but their quantities × prices come to %s", n, s.Money(due)))
	}
	return f, true
}

// zeroIsLost tells whether the lines of an invoice over nothing come to something,
// or lost their prices. One line at a price that was waived is no proof; that all
// of several were, with a price each, is.
func zeroIsLost(e *evidence) bool {
	if e.sumKnown && e.sum != 0 || pricesLost(e.inv) {
		return true
	}
	due, ok := linesDue(e.inv)
	return ok && len(e.inv.Lines) > 1 && due > 0 && e.inv.DiscountAmount.Value == 0
}

// linesDue returns what quantities and prices of all lines come to; ok is false
// when some line does not say.
func linesDue(inv *invoice.Invoice) (due invoice.Amount, ok bool) {
	for i := range inv.Lines {
		l, ok := lineDue(&inv.Lines[i])
		if !ok {
			return 0, false
		}
		if due, ok = due.Add(l); !ok {
			return 0, false
		}
	}
	return due, len(inv.Lines) > 0
}

// pricesLost tells whether something was delivered and nothing of it has a price.
func pricesLost(inv *invoice.Invoice) bool {
	for i := range inv.Lines {
		l := &inv.Lines[i]
		if !l.UnitPrice.Set || l.UnitPrice.Value != 0 || !l.Quantity.Set || l.Quantity.Value <= 0 ||
			l.Net.Value != 0 {
			return false
		}
	}
	return len(inv.Lines) > 0
}

// usualValue returns what the lines come to at what their products usually do, the
// customer's own last prices first; ok is false when none of them is known. Lines
// that are not known count as the mean of the others.
func (e *evidence) usualValue() (net invoice.Amount, ok bool) {
	var known int64
	for i := range e.facts.Lines {
		value, found := e.usualLine(i)
		if !found {
			continue
		}
		known++
		if net, ok = net.Add(value); !ok {
			return 0, false
		}
	}
	if known == 0 {
		return 0, false
	}
	return net.MulRate(int64(len(e.facts.Lines)), known)
}

// usualLine returns what the goods of one line usually come to.
func (e *evidence) usualLine(i int) (invoice.Amount, bool) {
	l := &e.facts.Lines[i]
	price := invoice.Fixed(0)
	switch {
	case l.OfPair != nil && l.OfPair.Net > 0:
		price = l.OfPair.Net
	case l.OfProduct != nil:
		if p := history.Best(&l.OfProduct.Net, float64(l.Quantity)); p != nil {
			price = p.Price
		}
	}
	if price <= 0 {
		return 0, false
	}
	return invoice.LineNet(e.inv.Lines[i].Quantity.Value, price, 0)
}
