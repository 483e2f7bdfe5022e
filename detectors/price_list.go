package detectors

import (
	"fmt"
	"math"

	"recoup/invoice"
)

// Prices that are not those of the list or of the negotiation (E1).
const (
	listPriceP   = 0.85 // a reference says another price
	listSlippedP = 0.30 // the same, and a slip of the keys explains it
	newPriceP    = 0.20 // several invoices bring a price nobody paid before
	leastListP   = 0.05 // below it nothing is said
)

// detectListPrice compares unit prices with the price list or what was negotiated.
func detectListPrice(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fOff] == 0 || !e.refs.Has(invoice.PriceReference) {
		return Finding{}, false
	}
	r := s.repair()
	f := Finding{Code: CausePriceList, Kind: "listed", P: listPriceP}
	slips := 0
	for i := range e.lines {
		l, le := &e.facts.Lines[i], &e.lines[i]
		if !le.known || le.off != 1 {
			continue
		}
		listed, ok := e.listed(i)
		if !ok || listed == l.Price {
			continue
		}
		if le.slip != noSlip && le.slip < slipOtherDigit {
			slips++
		}
		s.billAt(&r, i, listed)
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s: unit price %s, the price list says %s",
			s.lineName(i), s.price(l.Price), s.price(listed)))
	}
	switch {
	case len(f.Evidence) == 0:
		return Finding{}, false
	case slips == len(f.Evidence):
		f.P = listSlippedP
	}
	return f.repairedBy(&r)
}

// stalePriceP is the probability of an error where an invoice bills by a price list
// that hardly any other names any more, at prices that have moved since.
const stalePriceP = 0.93

// detectStaleList finds a bill by the price list before the one in force.
func detectStaleList(s *Subject) (Finding, bool) {
	e := s.ev
	if !e.staleList() {
		return Finding{}, false
	}
	r := s.repair()
	f := Finding{Code: CauseCRMSync, Kind: "stale_list", P: stalePriceP}
	for i := range e.lines {
		le := &e.lines[i]
		if !le.known || le.listed {
			continue
		}
		now := e.movedTo(i)
		if now == 0 {
			continue
		}
		s.billAt(&r, i, now)
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s: unit price %v, the present list has %v",
			s.lineName(i), e.facts.Lines[i].Price, now))
	}
	if len(f.Evidence) == 0 {
		return Finding{}, false
	}
	f.Evidence = append(f.Evidence, fmt.Sprintf("price list %s is named, which hardly any invoice does any more",
		s.Invoice.PriceListVersion))
	return f.repairedBy(&r)
}

// detectNewPrice finds a price that nobody paid before and that other suspects
// bring too: a price list that changed, or a wrong one in use. Until it is known
// which, what was paid before is taken for right.
func detectNewPrice(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fWorst] == 0 || e.x[fAgree] == 0 {
		return Finding{}, false
	}
	r := s.repair()
	f := Finding{Code: CausePriceList, Kind: "new_price", Evidence: s.list()}
	for i := range e.lines {
		l, le := &e.facts.Lines[i], &e.lines[i]
		if !le.agreed {
			continue
		}
		n := l.OfProduct.Agree(l.Price, &e.facts)
		if n == 0 {
			continue
		}
		f.P = max(f.P, newPriceP*le.stable*math.Sqrt(float64(min(n, 4))/4))
		s.billAt(&r, i, le.expected)
		others := "1 other suspect line"
		if n > 1 {
			others = s.say("%d other suspect lines", n)
		}
		f.Evidence = append(f.Evidence, s.say("%s: unit price %s, usual %s, as on %s", s.lineName(i),
			s.price(l.Price), s.price(le.expected), others))
	}
	if f.P < leastListP {
		return Finding{}, false
	}
	return f.repairedBy(&r)
}
