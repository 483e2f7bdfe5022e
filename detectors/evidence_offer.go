package detectors

import (
	"math"
	"slices"

	"recoup/detectors/history"
	"recoup/invoice"
)

// offers looks at all discounts of an invoice together. Shops give each product an
// offer of its own, to everybody and for days; what somebody keyed in or a program
// added is one rate on all lines, the same on top of each, or ten times the usual.
func (e *evidence) offers() {
	if e.x[fRate] == 0 {
		return
	}
	var top invoice.Fixed
	same, n := 0, 0
	for i := range e.inv.Lines {
		switch rate := e.inv.Lines[i].DiscountRate.Value; {
		case rate <= 0:
			continue
		case rate > top:
			top, same = rate, 1
		case rate == top:
			same++
		}
		n++
	}
	if n == 0 {
		return
	}
	if !e.explained && same == n && (n > 1 || len(e.inv.Lines) == 1) && top >= flatLeast && top%(invoice.One/100) == 0 {
		e.set(fFlat, fixedFloat(top))
	}
	e.netOffers()
}

// flatLeast is the discount from which one on all lines is worth a look.
const flatLeast = invoice.One * 3 / 10

// flatDiscount tells whether everything is discounted by one rate that neither
// this customer nor, up to one line in fifty, anybody gets.
func (e *evidence) flatDiscount() bool {
	if e.x[fFlat] == 0 || e.x[fRateRare] < 4 {
		return false
	}
	for i := range e.facts.Codes {
		c := &e.facts.Codes[i]
		for _, t := range [...]*history.Terms{c.OfCustomer, c.OfSeller} {
			if t != nil && t.Rates.Usual() == c.Rate {
				return false
			}
		}
	}
	return e.x[fAllowedOff] > 0 || !e.refs.HasPromotions(e.inv.Seller, e.inv.IssuedAt)
}

// netOffers compares the net prices of discounted lines with the offers that their
// products are known for.
func (e *evidence) netOffers() {
	var gaps [64]float64
	known, off, n := 0.0, 0.0, 0
	for i := range e.facts.Lines {
		l, le := &e.facts.Lines[i], &e.lines[i]
		if l.Rate <= 0 || !l.Priced || l.NetPrice <= 0 || l.OfProduct == nil || l.OfProduct.Lines < 2 {
			continue
		}
		stable := l.OfProduct.NetKnown.Of()
		known += stable
		rate := e.inv.Lines[i].DiscountRate.Value
		if le.netMet {
			continue
		}
		if l.OfProduct.Gave(rate) == 0 && l.OfProduct.Gave(rate/10) > 1 {
			e.set(fTenfold, 1)
		}
		off += stable
		if rate >= invoice.One/10 && e.metAtRate(i, rate/10) {
			e.raise(fTenth, stable)
		}
		if p := newest(&l.OfProduct.Net); stable > 0.3 && p != nil && n < len(gaps) {
			gaps[n] = math.Log(float64(p.Price) / float64(l.NetPrice))
			n++
		}
	}
	if known == 0 {
		return
	}
	e.set(fNetOff, off/known)
	e.set(fNetOffCount, math.Log1p(off))
	if n < 2 {
		return
	}
	slices.Sort(gaps[:n])
	median, near := gaps[n/2], 0
	for _, gap := range gaps[:n] {
		if math.Abs(gap-median) < 0.03 {
			near++
		}
	}
	e.set(fNetScale, max(-3, min(3, median)))
	e.set(fNetScaleShare, float64(near)/float64(n))
	e.set(fNetScaleLines, logCount(near))
}

// newest returns the net price met last, of those met twice if there are any.
func newest(points *[history.Points]history.Point) (last *history.Point) {
	for i := range points {
		p := &points[i]
		if p.Count == 0 || p.Price <= 0 {
			continue
		}
		if last == nil || (p.Count > 1) != (last.Count > 1) && p.Count > 1 ||
			(p.Count > 1) == (last.Count > 1) && p.Hour > last.Hour {
			last = p
		}
	}
	return last
}

// metAtRate tells whether line i at another discount has a net price that was met
// before.
func (e *evidence) metAtRate(i int, rate invoice.Fixed) bool {
	l, line := e.facts.Lines[i], &e.inv.Lines[i]
	net, ok := invoice.LineNet(line.Quantity.Value, line.UnitPrice.Value, rate)
	if !ok {
		return false
	}
	l.NetPrice = perUnit(net, line.Quantity.Value)
	_, met := netPrices(&l)
	return met
}
