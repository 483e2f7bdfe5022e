package detectors

import (
	"math"
	"slices"

	"recoup/detectors/history"
	"recoup/invoice"
)

const cent = invoice.One / 100

// prices compares unit prices with every price the product was met at, and with
// what this customer paid last.
func (e *evidence) prices() {
	f := &e.facts
	var t priceTally
	var ends, endLines float64
	for i := range f.Lines {
		l, le := &f.Lines[i], &e.lines[i]
		if !l.Priced || l.Product == 0 {
			continue
		}
		value := float64(l.Quantity) * fixedFloat(l.Price)
		e.liken(l)
		t.money += value
		if l.OfProduct == nil || l.OfProduct.Lines == 0 {
			t.unknown++
			continue
		}
		e.price(i)
		if !le.known {
			t.unknown++
			continue
		}
		t.add(l, le, value)
		if le.off == 0 {
			if p := history.Find(&l.OfProduct.List, l.Price); p != nil && p.Types&l.Types == 0 && !le.revised {
				t.typeOff++
			}
			continue
		}
		if g := f.Known.Seller; g != nil && le.off > 0.5 {
			ends += history.EndRare(g.Ends[:], l.End)
			endLines++
		}
		e.worstPrice(l, le, value)
	}
	if endLines > 0 {
		e.set(fEnds, ends/endLines)
	}
	t.tell(e)
	f.OffPrice = e.x[fOff]
	if c := f.Known.Customer; c != nil && c.OffPrice.N > 0 {
		e.set(fOffHabit, float64(c.OffPrice.Mean))
	}
	if t.moved > 0 {
		e.scaled()
	}
}

// due is what a value comes to at the expected price.
func (le *lineEvidence) due(value float64) float64 {
	if le.log == 0 {
		return value
	}
	return value * math.Exp(-le.log)
}

// priceTally adds up what the lines' prices show.
type priceTally struct {
	known, unknown            float64 // lines, by whether their product is known
	moved                     float64 // of the known, not at the expected price
	off, breaks, below, above float64 // of the known: unknown price, price break not reached, against the expected
	pairs, pairOff, pairBelow float64 // lines the customer bought before; at another, at a lower price
	typeOff                   float64 // lines at a price that this customer type never paid
	money, offMoney           float64 // value of all lines, and of those with an unknown price
	billed, due               float64 // value of known lines, and at the expected price
}

// add counts a line whose product is known.
func (t *priceTally) add(l *history.Line, le *lineEvidence, value float64) {
	t.known++
	t.off += le.off
	t.offMoney += le.off * value
	if le.log != 0 {
		t.moved++
	}
	if le.stable > 0.3 {
		t.billed += value
		t.due += le.due(value)
		switch {
		case le.log < -0.01:
			t.below++
		case le.log > 0.01:
			t.above++
		}
	}
	if le.off == 0.6 {
		t.breaks++
	}
	if l.OfPair != nil && l.OfPair.Price > 0 {
		t.pairs++
		if le.revised {
			return
		}
		if l.OfPair.Price != l.Price {
			t.pairOff++
		}
		if l.Price < l.OfPair.Price {
			t.pairBelow++
		}
	}
}

// tell sets the features.
func (t *priceTally) tell(e *evidence) {
	if n := t.known + t.unknown; n > 0 {
		e.set(fNew, t.unknown/n)
	}
	if t.known > 0 {
		e.set(fOff, t.off/t.known)
		if t.off > 0 {
			e.set(fOffCount, math.Log1p(t.off))
		}
		e.set(fKnownLines, logCount(int(t.known)))
		e.set(fBreak, t.breaks/t.known)
		e.set(fBelow, t.below/t.known)
		e.set(fAbove, t.above/t.known)
		e.set(fTypeOff, t.typeOff/t.known)
	}
	if t.due > 0 && t.billed != t.due {
		e.set(fLevel, max(-3, min(3, math.Log(t.billed/t.due))))
	}
	if t.money > 0 {
		e.set(fOffMoney, t.offMoney/t.money)
	}
	if t.pairs > 0 {
		e.set(fPairOff, t.pairOff/t.pairs)
		e.set(fPairBelow, t.pairBelow/t.pairs)
	}
}

// price compares line i, whose product is known.
func (e *evidence) price(i int) {
	l, le := &e.facts.Lines[i], &e.lines[i]
	p := l.OfProduct
	q := float64(l.Quantity)
	le.stable = p.Known.Of()
	point := history.Find(&p.List, l.Price)
	switch {
	case l.OfPair != nil && l.OfPair.Price == l.Price && l.OfPair.Held > 0:
	case point != nil && point.Count >= 2 && point.Allows(q):
	case l.OfPair != nil && l.OfPair.Price == l.Price:
		le.off = 0.3
	case point != nil && point.Allows(q):
		le.off = 0.5
	case point != nil:
		le.off = 0.6
	default:
		le.off = 1
	}
	best := history.Best(&p.List, q)
	if best == nil {
		best = history.Best(&p.List, math.Inf(1))
	}
	if best == nil {
		return
	}
	le.known = true
	le.expected = best.Price
	if l.OfPair != nil && l.OfPair.Price > 0 && l.OfPair.Lines >= 1 {
		if old := history.Find(&p.List, l.OfPair.Price); old != nil && old.Count >= 2 {
			le.expected = l.OfPair.Price
		}
	}
	if listed, ok := e.listed(i); ok {
		le.listed = true
		le.expected, le.stable, le.off = listed, 0.99, 0
		if listed != l.Price {
			le.off = 1
		}
	}
	if l.Price != le.expected {
		le.log = math.Log(float64(l.Price) / float64(le.expected))
	}
	if le.log != 0 && e.revise(l, le) || le.off == 0 {
		return
	}
	if le.off == 1 && !le.listed && e.agreed(i) {
		le.off, le.agreed = 0.5, true // as one met once
		return
	}
	e.slipped(l, le)
}

// agreed tells whether the new price of line i is hardly one invoice's error: other
// customers' suspects have it, or other goods on the invoice, near the line, that cost
// the same as the line's and now cost its new price, too.
func (e *evidence) agreed(i int) bool {
	const near = 8 // lines before and behind
	lines := e.facts.Lines
	l := &lines[i]
	if l.OfProduct.Agree(l.Price, &e.facts) > 0 {
		return true
	}
	usual := usualPrice(l)
	for k := max(0, i-near); k < min(len(lines), i+near+1); k++ {
		s := &lines[k]
		if s.Price == l.Price && s.Product != l.Product && s.OfProduct != nil && usual != 0 && usualPrice(s) == usual &&
			history.Find(&s.OfProduct.List, s.Price) == nil {
			return true
		}
	}
	return false
}

// usualPrice is the price that a line's quantity usually has, 0 where none is known.
func usualPrice(l *history.Line) invoice.Fixed {
	if best := history.Best(&l.OfProduct.List, float64(l.Quantity)); best != nil {
		return best.Price
	}
	return 0
}

// slipped looks for a known price of which the line's is a slip.
func (e *evidence) slipped(l *history.Line, le *lineEvidence) {
	try := func(meant invoice.Fixed, most slip) {
		s := slipOf(meant, l.Price, cent)
		if s == noSlip || s > most || (le.slip != noSlip && s >= le.slip) {
			return
		}
		le.slip, le.meant = s, meant
	}
	if l.OfPair != nil && l.OfPair.Price > 0 {
		try(l.OfPair.Price, slipOtherDigit)
	}
	try(le.expected, slipOtherDigit)
	for i := range l.OfProduct.List {
		if p := &l.OfProduct.List[i]; p.Count >= 2 {
			try(p.Price, slipThousand)
		}
	}
}

// worstPrice keeps the figures of the line whose price is most unusual.
func (e *evidence) worstPrice(l *history.Line, le *lineEvidence, value float64) {
	near := nearest(&l.OfProduct.List, l.Price, float64(l.Quantity))
	w := le.stable * le.off * min(3, math.Abs(near))
	if worst := e.x[fWorst]; e.raise(fWorst, w) {
		e.set(fSecond, float64(worst))
		e.set(fWorstLog, max(-5, min(5, near)))
		e.set(fWorstStable, le.stable)
		e.set(fWorstPair, 0)
		e.set(fAgree, logCount(l.OfProduct.Agree(l.Price, &e.facts)))
		if l.OfPair != nil && l.OfPair.Price > 0 {
			e.set(fWorstPair, 1+logCount(int(l.OfPair.Lines)))
		}
		if net := math.Abs(float64(e.inv.NetAmount)) / float64(invoice.Unit); net > 0 {
			e.set(fWorstMoney, min(5, math.Abs(value-value*math.Exp(-le.log))/net))
		}
	} else {
		e.raise(fSecond, w)
	}
	switch {
	case le.slip == noSlip:
	case le.slip <= slipThousand:
		e.raise(fSlip, le.stable*le.off)
		if le.meant == le.expected {
			e.raise(fSlipNear, le.stable*le.off)
		}
	case le.slip < slipOtherDigit:
		e.raise(fSlipDigit, le.stable*le.off)
	}
}

// nearest returns the logarithm of the price over the nearest price that the
// quantity allows, or that any does.
func nearest(points *[history.Points]history.Point, price invoice.Fixed, quantity float64) float64 {
	best, found := math.Inf(1), false
	for i := range points {
		p := &points[i]
		if p.Count == 0 {
			break
		}
		if p.Price <= 0 || p.Price == price {
			continue
		}
		allowed := p.Allows(quantity) && p.Count >= 2
		if found && !allowed {
			continue
		}
		r := math.Log(float64(price) / float64(p.Price))
		if math.Abs(r) < math.Abs(best) || (allowed && !found) {
			best = r
		}
		found = found || allowed
	}
	if math.IsInf(best, 1) {
		return 0
	}
	return best
}

// scaled looks for one factor that most prices share: another price tier.
func (e *evidence) scaled() {
	var logs [64]float64
	n := 0
	for i := range e.lines {
		le := &e.lines[i]
		if le.known && le.stable > 0.3 && n < len(logs) {
			logs[n] = le.log
			n++
		}
	}
	if n < 2 {
		return
	}
	slices.Sort(logs[:n])
	median := logs[n/2]
	if math.Abs(median) < 0.01 {
		return
	}
	near := 0
	for i, j := 0, 0; i < len(e.lines) && j < n; i++ {
		le := &e.lines[i]
		if !le.known || le.stable <= 0.3 {
			continue
		}
		j++
		slack := 0.012 + 0.6*float64(cent)/float64(max(1, le.expected))
		if math.Abs(le.log-median) < slack {
			near++
		}
	}
	share := float64(near) / float64(n)
	if near < 2 {
		return
	}
	e.set(fScale, math.Abs(median)*share)
	e.set(fScaleSign, median)
	e.set(fScaleShare, share)
	e.set(fScaleLines, logCount(near))
	if share >= 0.5 {
		e.scale = median
	}
}

// quantities compares quantities with what the customer, or anybody, usually buys.
func (e *evidence) quantities() {
	f := &e.facts
	net := math.Abs(float64(e.inv.NetAmount)) / float64(invoice.Unit)
	fresh, known := 0.0, 0.0
	for i := range f.Lines {
		l, le := &f.Lines[i], &e.lines[i]
		if l.OfProduct == nil || l.OfProduct.Log.N < 5 || l.Quantity <= 0 {
			continue
		}
		known++
		sold := l.OfProduct.Sold(l.Quantity)
		if sold == 0 {
			fresh++
		}
		z, _ := e.quantityZ(i)
		money := 0.0
		if net > 0 {
			money = min(1, float64(l.Quantity)*fixedFloat(l.NetPrice)/net)
		}
		if e.raise(fQuantity, min(8, z)) {
			e.set(fQuantityMoney, money)
		}
		if l.OfPair != nil && l.OfPair.Lines > 0 && float32(l.OfPair.Last) != l.Quantity && !e.lastsLonger(l) {
			meant := invoice.Fixed(math.Round(float64(l.OfPair.Last))) * invoice.One
			if s := slipOf(meant, e.inv.Lines[i].Quantity.Value, 0); s != noSlip && s != slipOtherDigit {
				le.quantitySlip, le.quantityMeant = s, meant
				e.raise(fQuantitySlip, (0.5+0.5*float64(l.OfPair.Same)/float64(l.OfPair.Lines))*(1-min(1, float64(sold)/3)))
			}
		}
	}
	if known > 0 {
		e.set(fQuantityNew, fresh/known)
	}
}

// liken compares the price of a hardly known product with that of goods of the
// same description.
func (e *evidence) liken(l *history.Line) {
	if l.OfLike == nil || l.OfLike.Price.N < 4 {
		return
	}
	z := func(m *history.Moments, x float32) float64 {
		return float64(x-m.Mean) / (math.Sqrt(float64(m.Variance)) + 0.15)
	}
	if d := z(&l.OfLike.Price, l.LogPrice); e.raise(fLike, min(8, math.Abs(d))) {
		e.set(fLikeSign, max(-8, min(8, d)))
	}
	e.raise(fLikeNet, min(8, -z(&l.OfLike.Net, l.LogNet)))
}
