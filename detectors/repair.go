package detectors

import "recoup/invoice"

// repair bills lines of an invoice as they should have been, one change after the
// other. It is exact: line amounts are recomputed and rounded as this invoice's
// are, discounts stay what they are.
type repair struct {
	s   *Subject
	net invoice.Amount // of the whole invoice
	ok  bool           // no amount went beyond its limits
	fit bool           // line amounts are whole coins
}

// repair begins with the invoice as its lines stand; where they do not say what
// they come to, with its net amount.
func (s *Subject) repair() repair {
	r := repair{s: s, net: s.Invoice.NetAmount, ok: true, fit: true}
	if sum, ok := linesLessDiscount(s.Invoice); ok {
		r.net = sum
	}
	for i := range s.Invoice.Lines {
		if s.Invoice.Lines[i].Net.Value%s.pays.coin != 0 {
			r.fit = false
		}
	}
	return r
}

// line bills line i for another quantity, unit price or discount rate. Each line
// may be changed once.
func (r *repair) line(i int, quantity, price, rate invoice.Fixed) {
	l := r.s.Invoice.Lines[i]
	l.Quantity = invoice.OptionalFixed{Value: quantity, Set: true}
	l.UnitPrice = invoice.OptionalFixed{Value: price, Set: true}
	if rate != l.DiscountRate.Value {
		l.DiscountRate = invoice.OptionalFixed{Value: rate, Set: true}
	}
	net, ok := lineDue(&l)
	r.ok = r.ok && ok
	r.lineNet(i, net)
}

// lineNet bills line i with another amount.
func (r *repair) lineNet(i int, net invoice.Amount) {
	l := &r.s.Invoice.Lines[i]
	is := l.Net.Value
	if !l.Net.Set {
		due, ok := lineDue(l)
		is, r.ok = due, r.ok && ok
	}
	if r.fit {
		net = r.s.pays.coins(net)
	}
	r.add(sub(net, is))
}

// add bills so much more on top, or less.
func (r *repair) add(net invoice.Amount) {
	sum, ok := r.net.Add(net)
	r.net, r.ok = sum, r.ok && ok
}

// pays returns what the customer should have paid; ok is false when some amount
// went beyond its limits.
func (r *repair) pays() (paid invoice.Amount, ok bool) { return r.s.Pays(r.net), r.ok }

// withLine returns what the customer should have paid if line i alone is billed
// for another quantity, unit price or discount rate.
func (s *Subject) withLine(i int, quantity, price, rate invoice.Fixed) (paid invoice.Amount, ok bool) {
	r := s.repair()
	r.line(i, quantity, price, rate)
	return r.pays()
}
