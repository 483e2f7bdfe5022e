package detectors

import (
	"math"

	"recoup/detectors/history"
	"recoup/invoice"
)

// misprints looks at every line whose product is known.
func (e *evidence) misprints() {
	for i := range e.lines {
		if e.lines[i].known {
			e.misprint(i)
			e.miscount(i)
		}
	}
}

// misprint compares two explanations of a price that was never met: a slip of the
// keys from a known price, or a new price of a product that had others before.
func (e *evidence) misprint(i int) {
	l, le := &e.facts.Lines[i], &e.lines[i]
	if le.off != 1 && le.off != 0.5 || le.agreed {
		return
	}
	e.outOfRange(l)
	slipped := 0.0
	all := 0.0
	for k := range l.OfProduct.List {
		p := &l.OfProduct.List[k]
		if p.Count == 0 || p.Price == l.Price {
			continue
		}
		all += float64(p.Count)
		if s := slipOf(p.Price, l.Price, cent); s != noSlip {
			odds := float64(p.Count) * slipShare(s, p.Price/cent)
			if l.Rate > 0 && e.metAtPrice(i, p.Price) {
				odds *= netAgrees
			}
			slipped += odds
		}
	}
	if slipped == 0 {
		return
	}
	fresh := (1 - le.stable) * e.freshPrice(l)
	if l.Rate > 0 && le.netMet {
		fresh *= netAgrees
	}
	e.raise(fSlipOdds, max(0, min(12, math.Log(slipped/all/fresh))))
}

// miscount compares two explanations of a quantity that was never sold: a slip of
// the keys from a usual one, or a customer who wants another. Price breaks tell
// them apart: who buys ten times as much pays less for it.
func (e *evidence) miscount(i int) {
	l := &e.facts.Lines[i]
	p := l.OfProduct
	if l.Quantity <= 0 || p.Log.N < 5 || p.Sold(l.Quantity) > 1 {
		return
	}
	billed := e.inv.Lines[i].Quantity.Value
	cheaper := p.Cheaper(l.Price, float64(l.Quantity))
	slipped, all := 0.0, 0.0
	for k := range p.Counts {
		c := &p.Counts[k]
		if c.Count == 0 || c.Value == l.Quantity || c.Value <= 0 {
			continue
		}
		all += float64(c.Count)
		meant := invoice.Fixed(math.Round(float64(c.Value))) * invoice.One
		if s := slipOf(meant, billed, 0); s != noSlip && meant > 0 {
			odds := float64(c.Count) * slipShare(s, meant/invoice.One)
			if cheaper && !p.Cheaper(l.Price, float64(c.Value)) {
				odds *= breakAgrees
			}
			slipped += odds
		}
	}
	if slipped == 0 {
		return
	}
	m := &p.Log
	if l.OfPair != nil && l.OfPair.Log.N >= 2 {
		m = &l.OfPair.Log
	}
	spread := math.Sqrt(float64(m.Variance)) + 0.3
	z := float64(l.LogQuantity-m.Mean) / spread
	fresh := max(0.02, 1-all/float64(p.Lines)) / (math.Pi * spread * (1 + z*z)) / max(1, float64(l.Quantity))
	e.raise(fQuantityOdds, max(0, min(12, math.Log(slipped/all/fresh))))
}

// breakAgrees is how much likelier a slip is where the price is not the one that so
// much would cost, but the one of the usual quantity.
const breakAgrees = 5

// netAgrees is how much likelier one explanation is when the discount on the line
// gives a net price that was met before, and with the other explanation does not.
const netAgrees = 12

// slipShare is how likely a slip of the keys makes just this number of a price.
func slipShare(s slip, meant invoice.Fixed) float64 {
	digits := 1.0
	for c := meant; c >= 10; c /= 10 {
		digits++
	}
	switch s {
	case slipTen:
		return 0.2
	case slipHundred:
		return 0.1
	case slipThousand:
		return 0.01
	case slipMissing:
		return 0.2 / digits
	case slipSwapped:
		return 0.15 / digits
	case slipExtra:
		return 0.01 / digits
	}
	return 0.01 / digits
}

// freshPrice is how likely a new price is just this number: most are near a known
// one, and have the last two digits that the seller's prices have.
func (e *evidence) freshPrice(l *history.Line) float64 {
	const usual = 0.1
	z := nearest(&l.OfProduct.List, l.Price, float64(l.Quantity)) / usual
	cents := math.Max(1, float64(l.Price/cent))
	p := 1 / (math.Pi * usual * (1 + z*z)) / cents
	if g := e.facts.Known.Seller; g != nil {
		p *= float64(len(g.Ends)) * math.Exp(-history.EndRare(g.Ends[:], l.End))
	}
	return p
}

// metAtPrice tells whether line i, with the discount it has, comes to a known net
// price at another unit price.
func (e *evidence) metAtPrice(i int, price invoice.Fixed) bool {
	l, line := e.facts.Lines[i], &e.inv.Lines[i]
	net, ok := invoice.LineNet(line.Quantity.Value, price, line.DiscountRate.Value)
	if !ok {
		return false
	}
	l.NetPrice = perUnit(net, line.Quantity.Value)
	_, met := netPrices(&l)
	return met
}

// outOfRange notes how far a price lies beyond all known ones of its product. Of
// goods sold by weight every price is new, but few are ten times as high.
func (e *evidence) outOfRange(l *history.Line) {
	var least, most invoice.Fixed
	n := 0
	for k := range l.OfProduct.List {
		if p := &l.OfProduct.List[k]; p.Count > 0 {
			if n == 0 || p.Price < least {
				least = p.Price
			}
			most = max(most, p.Price)
			n++
		}
	}
	if n < 4 || least <= 0 {
		return
	}
	spread := math.Log(float64(most)/float64(least)) + 0.3
	off := 0.0
	switch {
	case l.Price < least:
		off = -math.Log(float64(least) / float64(l.Price))
	case l.Price > most:
		off = math.Log(float64(l.Price) / float64(most))
	}
	if e.raise(fRange, min(6, math.Abs(off)/spread)) {
		e.set(fRangeSign, max(-6, min(6, off)))
	}
}
