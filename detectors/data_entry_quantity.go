package detectors

import (
	"math"

	"recoup/detectors/history"
	"recoup/invoice"
)

// A quantity that was typed wrong (A8). A warehouse's count proves it; the
// customer's own habit only suggests it.
const (
	quantityAgain    = 0.50 // of the proof is left on what may be a second invoice for the same goods
	quantitySlipP    = 0.20 // a slip of what the customer took last time
	quantityUnusualP = 0.06 // far from what it usually takes
	leastQuantityP   = 0.05 // below it nothing is said
	farQuantity      = 3    // standard deviations that are far
)

// detectQuantityDelivered asks which line's quantity, typed right, makes the units
// billed the units the warehouse counted. Where lines are missing too, it is not
// the quantity that is wrong.
func detectQuantityDelivered(s *Subject) (Finding, bool) {
	e := s.ev
	if e.short == 0 || e.x[fLinesOff] != 0 {
		return Finding{}, false
	}
	billed := unitsOf(s.Invoice)
	counted := s.say("the warehouse counted %v units in delivery %s, the invoice bills %v",
		addFixed(billed, e.short), s.Invoice.DeliveryRef, billed)
	r := s.repair()
	if e.shortAt < 0 {
		return s.deliveredUnits(billed, counted)
	}
	l := &s.Invoice.Lines[e.shortAt]
	meant := addFixed(l.Quantity.Value, e.short)
	r.line(e.shortAt, meant, l.UnitPrice.Value, l.DiscountRate.Value)
	explained := s.say("%s: with %v instead of %v they agree", s.lineName(e.shortAt), meant, l.Quantity.Value)
	if slip := slipOf(meant, l.Quantity.Value, 0); slip != noSlip {
		explained += s.say("; %v is %v %s", l.Quantity.Value, meant,
			slip.inWords(int64(meant), int64(l.Quantity.Value)))
	}
	f := Finding{Code: CauseDataEntry, Kind: "quantity_delivered", P: e.proves(proofDelivered),
		Evidence: s.list(counted, explained)}
	if e.x[fNear2] > 0 && e.x[fAlike2] >= 0.75 {
		f.P *= quantityAgain
	}
	return f.repairedBy(&r)
}

// deliveredUnits bills the units counted at what a unit costs on average.
func (s *Subject) deliveredUnits(billed invoice.Fixed, counted string) (Finding, bool) {
	r := s.repair()
	if billed <= 0 {
		return Finding{}, false
	}
	net, ok := r.net.MulRate(int64(addFixed(billed, s.ev.short)), int64(billed))
	if !ok {
		return Finding{}, false
	}
	f := Finding{Code: CauseDataEntry, Kind: "quantity_delivered", P: s.ev.proves(proofDelivered), Repaired: s.Pays(net),
		estimated: true, Evidence: s.list(counted, "no line alone explains it; repaired at the average price of a unit")}
	return f, true
}

// detectQuantitySlip finds a quantity that is a slip of what this customer took
// last time.
func detectQuantitySlip(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fQuantitySlip] == 0 || e.counted() {
		return Finding{}, false
	}
	at, best := -1, 0.0
	for i := range e.lines {
		le, l := &e.lines[i], &e.facts.Lines[i]
		if le.quantitySlip == noSlip || l.OfPair == nil {
			continue
		}
		held := float64(l.OfPair.Same) / float64(max(1, l.OfPair.Lines-1))
		fresh := 1 - min(1, float64(l.OfProduct.Sold(l.Quantity))/3)
		if p := quantitySlipP * held * fresh; p > best {
			at, best = i, p
		}
	}
	if best < leastQuantityP {
		return Finding{}, false
	}
	l, le := &s.Invoice.Lines[at], &e.lines[at]
	r := s.repair()
	r.line(at, le.quantityMeant, l.UnitPrice.Value, l.DiscountRate.Value)
	f := Finding{Code: CauseDataEntry, Kind: "quantity_slip", P: best, Evidence: s.list(s.say(
		"%s: quantity %v is %v %s; this customer took %v last time", s.lineName(at), l.Quantity.Value, le.quantityMeant,
		le.quantitySlip.inWords(int64(le.quantityMeant), int64(l.Quantity.Value)), le.quantityMeant))}
	return f.repairedBy(&r)
}

// counted tells that the warehouse's count settles the quantities.
func (e *evidence) counted() bool { return e.x[fDelivered] > 0 }

// detectQuantity finds a quantity far from what the customer, or else anybody,
// usually takes.
func detectQuantity(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fQuantity] < farQuantity || e.counted() {
		return Finding{}, false
	}
	at, worst, usual := -1, float64(farQuantity), 0.0
	for i := range e.lines {
		if z, mean := e.quantityZ(i); z > worst && e.lines[i].quantitySlip == noSlip {
			at, worst, usual = i, z, mean
		}
	}
	if at < 0 {
		return Finding{}, false
	}
	l := &s.Invoice.Lines[at]
	meant := invoice.Fixed(max(1, math.Round(math.Exp(usual)))) * invoice.One
	p := quantityUnusualP * float64(e.x[fQuantityMoney]) * min(2, worst/farQuantity)
	if p < leastQuantityP || meant == l.Quantity.Value {
		return Finding{}, false
	}
	r := s.repair()
	r.line(at, meant, l.UnitPrice.Value, l.DiscountRate.Value)
	f := Finding{Code: CauseDataEntry, Kind: "quantity", P: p, Evidence: s.list(s.say(
		"%s: quantity %v, usual about %v", s.lineName(at), l.Quantity.Value, meant))}
	return f.repairedBy(&r)
}

// quantityZ is how many standard deviations the quantity of line i lies from the
// usual one, whose logarithm is mean; 0 for one that was sold before. Where periods
// are billed, a fee is expected for as long as they last, and no less: that may be
// what explains any other quantity.
func (e *evidence) quantityZ(i int) (z, mean float64) {
	l := &e.facts.Lines[i]
	if l.OfProduct == nil || l.OfProduct.Log.N < 5 || l.Quantity <= 0 {
		return 0, 0
	}
	m := &l.OfProduct.Log
	if l.OfPair != nil && l.OfPair.Log.N >= 2 {
		m = &l.OfPair.Log
	}
	mean, spread, fee := float64(m.Mean), math.Sqrt(float64(m.Variance))+0.3, e.fee(l.OfPair)
	longer := e.longer()
	if l.OfProduct.Sold(l.Quantity) >= 2 && !(fee && longer != 0) {
		return 0, 0
	}
	if fee {
		spread = math.Sqrt(float64(m.Variance)) + 0.1
	}
	off := float64(l.LogQuantity - m.Mean)
	if fee || math.Abs(off-longer) < math.Abs(off) {
		off, mean = off-longer, mean+longer
	}
	return math.Abs(off) / spread, mean
}

// fee tells whether a customer is billed the same quantity of a product period by
// period.
func (e *evidence) fee(pair *history.Pair) bool {
	return e.facts.Print.Period != 0 && pair != nil && pair.Lines >= 5 && 10*pair.Same >= 8*(pair.Lines-1)
}

// lastsLonger tells whether a quantity differs from the customer's last one as the
// billed periods do.
func (e *evidence) lastsLonger(l *history.Line) bool {
	by := e.longer()
	return by != 0 && math.Abs(float64(l.LogQuantity)-float64(logOf(float64(l.OfPair.Last)))-by) < 0.1
}

// longer is the logarithm of the billed period's length over that of the customer's
// newest invoice, 0 where one is not known or months differ as months do.
func (e *evidence) longer() float64 {
	prints, newest := e.facts.Known.Prints, -1
	if prints == nil || e.facts.Print.Period == 0 {
		return 0
	}
	for i := range prints.Items {
		p := &prints.Items[i]
		if p.Period != 0 && (newest < 0 || p.Minute > prints.Items[newest].Minute) {
			newest = i
		}
	}
	if newest < 0 {
		return 0
	}
	by := math.Log(float64(e.facts.Print.Days()) / float64(prints.Items[newest].Days()))
	if math.Abs(by) < 0.15 {
		return 0
	}
	return by
}
