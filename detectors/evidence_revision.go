package detectors

import (
	"math"

	"recoup/detectors/history"
	"recoup/invoice"
)

// A new price list moves the prices of all customers, each product's by one factor
// or so. From how many other customers on, and within how many hours, that is
// known: two where the invoices name a list that is in force anew, more otherwise,
// as an outage lasts some hours.
const (
	shiftedBy     = 5      // customers, of a product by itself
	shiftedIn     = 3 * 24 // hours
	shiftedAll    = 5      // customers whose whole invoices moved
	shiftedAllIn  = 24     // hours
	shiftUnproved = 0.15   // most that a price of a new list moves, where nobody else's of the product did
)

// revise takes the price of a line whose product is known for the expected one
// where a new price list explains it.
func (e *evidence) revise(l *history.Line, le *lineEvidence) bool {
	c := e.facts.Known.Conduct
	if c == nil || le.listed {
		return false
	}
	p, known := l.OfProduct, int32(math.MinInt32)
	if l.OfPair != nil {
		known = l.OfPair.Hour
	}
	fresh := c.Prices.Fresh(e.facts.Version, known)
	customers, hours := p.Shift.Of()
	alone := customers >= shiftedBy && hours >= shiftedIn
	all, within := c.Shift.Of()
	moving := all >= shiftedAll && within >= shiftedAllIn && known < c.Shift.Since
	if customers > 0 && known < p.Shift.Since+1 && (fresh || moving || alone) {
		if from := e.movedFrom(l, le); from > 0 {
			e.revised(l, le, from)
			return true
		}
	}
	if (fresh || moving) && customers < 2 && math.Abs(le.log) <= shiftUnproved &&
		(!moving || (le.log > 0) == (c.Shift.Log > 0)) {
		e.revised(l, le, le.expected)
		return true
	}
	return false
}

// movedFrom returns the known price that this customer type paid and that, moved as
// the product's prices move, is the line's; 0 without one.
func (e *evidence) movedFrom(l *history.Line, le *lineEvidence) invoice.Fixed {
	p := l.OfProduct
	if p.Shift.By(le.expected, l.Price) {
		return le.expected
	}
	for i := range p.List {
		if old := &p.List[i]; old.Count >= 2 && old.Types&l.Types != 0 && p.Shift.By(old.Price, l.Price) {
			return old.Price
		}
	}
	return 0
}

func (e *evidence) revised(l *history.Line, le *lineEvidence, from invoice.Fixed) {
	le.shift = math.Log(float64(l.Price) / float64(from))
	le.revised, le.expected, le.log, le.off = true, l.Price, 0, 0
}

// movedTo returns the known price that line i's has moved to, 0 where none has.
func (e *evidence) movedTo(i int) invoice.Fixed {
	l := &e.facts.Lines[i]
	p := l.OfProduct
	if customers, _ := p.Shift.Of(); customers < 2 {
		return 0
	}
	for k := range p.List {
		if now := &p.List[k]; now.Count >= 2 && now.Types&l.Types != 0 && p.Shift.By(l.Price, now.Price) {
			return now.Price
		}
	}
	return 0
}

// staleList tells whether the invoice names a price list that hardly any other does
// any more.
func (e *evidence) staleList() bool {
	c := e.facts.Known.Conduct
	return c != nil && c.Prices.Stale(e.facts.Version)
}
