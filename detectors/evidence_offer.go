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
	same, n, usual := 0, 0, 0
	first, several := 0, false // line at the top rate, and whether others are other goods
	for i := range e.inv.Lines {
		switch rate := e.inv.Lines[i].DiscountRate.Value; {
		case rate <= 0:
			continue
		case rate > top:
			top, same, first = rate, 1, i
		case rate == top:
			same++
			several = several || !sameGoods(&e.facts.Lines[first], &e.facts.Lines[i])
		}
		n++
		if e.offered(i) {
			usual++
		}
	}
	if n == 0 {
		return
	}
	if !e.explained && same == n && (usual < n || !e.codesSayNothing()) && (several || n == len(e.inv.Lines)) &&
		top >= flatLeast && top%(invoice.One/100) == 0 {
		e.set(fFlat, fixedFloat(top))
	}
	e.netOffers()
}

// sameGoods tells whether two lines are goods of one description and price, as the
// flavours of a product are: an offer is for all of them.
func sameGoods(a, b *history.Line) bool { return a.Price == b.Price && a.Like != 0 && a.Like == b.Like }

// offered tells whether what is taken off line i is on offer, as far as the history
// tells, or was given on its product before.
func (e *evidence) offered(i int) bool {
	l := &e.facts.Lines[i]
	return e.lines[i].netMet || e.onOffer(l) || l.OfProduct != nil &&
		l.OfProduct.Gave(e.inv.Lines[i].DiscountRate.Value) > 0 && e.codesSayNothing()
}

// onOffer tells whether other customers get goods of a line's description and price
// for as much just now, or every second unit is free, as is the seller's habit. A code
// that stands for one rate, or for a customer's, tells by itself what is usual.
func (e *evidence) onOffer(l *history.Line) bool {
	if l.OfDeal == nil && !l.Half {
		return false
	}
	return e.codesSayNothing() && (l.OfDeal != nil || e.halves())
}

// codesSayNothing tells whether the discounts stand under codes that neither the seller
// nor the customer often has at one rate, as that of a loyalty card. A code of one rate
// tells by itself; discounts without one may be what a customer agreed.
func (e *evidence) codesSayNothing() bool {
	const tells, most, own = 20, 0.25, 0.5 // invoices with a code; share of its usual rate, of the customer's one
	often := func(t *history.Terms, least int, share float64) bool {
		if t == nil {
			return true
		}
		usual, n := t.Rates.Share(t.Rates.Usual())
		return n < least || usual > share
	}
	for i := range e.facts.Codes {
		if c := &e.facts.Codes[i]; often(c.OfSeller, tells, most) || often(c.OfCustomer, 2, own) {
			return false
		}
	}
	return len(e.facts.Codes) > 0
}

// halves tells whether the seller halves prices of even quantities: buy one, get one free.
func (e *evidence) halves() bool {
	g := e.facts.Known.Seller
	return g != nil && g.Halves.All >= halvesLeast && g.Halves.Of() >= halvesEven
}

const (
	halvesLeast = 50  // lines at half price that tell
	halvesEven  = 0.8 // share of even quantities among them: by chance it is half
)

// metOffers are the offers of an invoice that were counted. What is taken off all
// flavours of a product is one offer, however many lines it is on.
type metOffers struct {
	lines [16]*history.Line
	n     int
}

// again tells whether a line has the offer of another that was counted, and counts it
// if not; of the first offers only, as invoices may have any number of them.
func (c *metOffers) again(l *history.Line) bool {
	for _, o := range c.lines[:c.n] {
		if sameGoods(o, l) && o.NetPrice == l.NetPrice {
			return true
		}
	}
	if c.n < len(c.lines) {
		c.lines[c.n] = l
		c.n++
	}
	return false
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
		if le.again {
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
