package detectors

import (
	"math"

	"recoup/invoice"
)

// Prices of another customer type, contract or version of the price list, as
// billing has them when it reads old or foreign customer data (A11).
const (
	priceScaleP  = 0.90 // most prices are the usual ones times one factor
	priceTierP   = 0.40 // most are prices of larger quantities or other types
	leastPricesP = 0.05 // below it nothing is said
	mostPricesP  = 0.84 // prices alone are no proof
)

// detectPriceScale asks: which factor, taken out of all prices, makes them usual?
// Lines whose usual price is not known are billed at theirs over the factor.
func detectPriceScale(s *Subject) (Finding, bool) {
	e := s.ev
	if e.scale == 0 {
		return Finding{}, false
	}
	shared, known, off := 0, 0, 0
	for i := range e.lines {
		le := &e.lines[i]
		if !le.known {
			continue
		}
		known++
		if e.sharesScale(i) {
			shared++
		}
		if le.off > 0.4 {
			off++
		}
	}
	share := float64(shared) / float64(known)
	p := priceScaleP * share * float64(off) / float64(known) * (1 - 1/float64(shared)) * e.notBulk()
	p = min(p, mostPricesP)
	if p < leastPricesP {
		return Finding{}, false
	}
	r := s.repair()
	s.billUnscaled(&r)
	f := Finding{Code: CauseCRMSync, Kind: "price_scale", P: p, Evidence: s.list(s.say(
		"%d of %d known prices are the usual ones times %.3f", shared, known, math.Exp(e.scale)))}
	return f.repairedBy(&r)
}

// billUnscaled takes the factor out of all prices but those that are usual without
// it. Those that share it are billed at their usual prices exactly.
func (s *Subject) billUnscaled(r *repair) {
	e := s.ev
	for i := range e.lines {
		le, l := &e.lines[i], &s.Invoice.Lines[i]
		switch {
		case l.UnitPrice.Value <= 0 || (le.known && math.Abs(le.log) < 0.01):
		case e.sharesScale(i):
			s.billAt(r, i, le.expected)
		default:
			s.billAt(r, i, over(l.UnitPrice.Value, e.scale))
		}
	}
}

// notBulk is how far prices below the usual are not explained by quantities above
// it: large orders are given prices of their own.
func (e *evidence) notBulk() float64 {
	below, bulk := 0, 0
	for i := range e.lines {
		l := &e.facts.Lines[i]
		if le := &e.lines[i]; !le.known || le.off < 0.4 || le.log >= -0.01 {
			continue
		}
		below++
		m := &l.OfProduct.Log
		if float64(l.LogQuantity) > float64(m.Mean)+1.5*math.Sqrt(float64(m.Variance)) {
			bulk++
		}
	}
	if below == 0 {
		return 1
	}
	return 1 - 0.8*float64(bulk)/float64(below)
}

// over takes a factor, given by its logarithm, out of a price and rounds to cents.
func over(price invoice.Fixed, scale float64) invoice.Fixed {
	v := float64(price) / math.Exp(scale)
	if !(v < math.MaxInt64/2) {
		return price
	}
	return max(1, invoice.Fixed(math.Round(v/float64(cent)))) * cent
}

// detectPriceTier asks: do known prices of other quantities or customer types
// stand where this customer's should? Each line has its own factor then.
func detectPriceTier(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fOff] < 0.4 || e.scale != 0 {
		return Finding{}, false
	}
	known, below, above := 0.0, 0, 0
	stable := 0.0
	for i := range e.lines {
		le := &e.lines[i]
		if !le.known {
			continue
		}
		known++
		switch {
		case le.off < 0.4:
		case le.log < -0.01:
			below++
			stable += le.stable
		case le.log > 0.01:
			above++
			stable += le.stable
		}
	}
	n := max(below, above)
	if n == 0 || (n == 1 && known > 1) {
		return Finding{}, false // one price of several is not the customer's data
	}
	one := float64(n) / float64(below+above)
	p := priceTierP * float64(n) / known * one * stable / float64(below+above) * (1 - 0.7/float64(n)) * e.notBulk()
	if p < leastPricesP {
		return Finding{}, false
	}
	r := s.repair()
	said := 0
	f := Finding{Code: CauseCRMSync, Kind: "price_tier", P: p}
	for i := range e.lines {
		le := &e.lines[i]
		if !le.known || le.off < 0.4 || math.Abs(le.log) <= 0.01 {
			continue
		}
		s.billAt(&r, i, le.expected)
		if said++; said <= 3 {
			f.Evidence = append(f.Evidence, s.say("%s: unit price %s, usual for this quantity %s",
				s.lineName(i), s.price(s.Invoice.Lines[i].UnitPrice.Value), s.price(le.expected)))
		}
	}
	words := "its only known price is not this customer's usual one"
	if known > 1 {
		words = s.say("%d of %.0f known prices are not this customer's usual ones", said, known)
	}
	f.Evidence = append(f.Evidence, words)
	return f.repairedBy(&r)
}
