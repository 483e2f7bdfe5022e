package detectors

import (
	"math"

	"recoup/invoice"
)

// A unit price that was typed wrong (A8). Priors are the precision of each finding
// on usual sellers, alone, for a product whose price never changes; they fall with
// the third power of the share of its lines whose price was known: at 0.7, one of
// six commas that seem to have moved did.
const (
	priceCommaP   = 0.90 // the comma of a known price moved
	priceDigitP   = 0.48 // a digit of it is missing, or two are swapped
	priceExtraP   = 0.15 // it has a digit too many: most often a dearer price
	priceUnusualP = 0.10 // no slip explains it
	leastPriceP   = 0.05 // below it nothing is said
)

// detectPriceSlip asks: which digits, typed right, make the price one that was
// paid before? Two lines may carry the same slip; a factor that most prices share
// is no slip of the keys.
func detectPriceSlip(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fSlip] == 0 && e.x[fSlipDigit] == 0 {
		return Finding{}, false
	}
	at, best := -1, 0.0
	for i := range e.lines {
		if p := e.priceSlipP(i); p > best {
			at, best = i, p
		}
	}
	if best < leastPriceP {
		return Finding{}, false
	}
	le := &e.lines[at]
	f := Finding{Code: CauseDataEntry, Kind: "price_digit", P: best}
	if le.slip <= slipThousand {
		f.Kind = "price_comma"
	}
	r := s.repair()
	for i := range e.lines {
		if p := e.priceSlipP(i); i == at || (p >= best/2 && p >= leastPriceP) {
			s.billAt(&r, i, e.lines[i].meant)
			f.Evidence = append(f.Evidence, s.slipInWords(i))
		}
	}
	return f.repairedBy(&r)
}

// slipInWords says which known price line i's is a slip of.
func (s *Subject) slipInWords(i int) string {
	le, is := &s.ev.lines[i], s.Invoice.Lines[i].UnitPrice.Value
	return s.say("%s: %s is %s %s; %s is a known price of it", s.lineName(i), s.price(is), s.price(le.meant),
		le.slip.inWords(int64(le.meant), int64(is)), s.price(le.meant))
}

// priceSlipP is how far the price of line i is proved to be a slip of a known one.
func (e *evidence) priceSlipP(i int) float64 {
	le := &e.lines[i]
	p := 0.0
	switch {
	case le.slip == noSlip || le.slip == slipOtherDigit || e.sharesScale(i):
		return 0
	case le.slip <= slipThousand:
		p = priceCommaP
	case le.slip == slipExtra:
		p = priceExtraP
	default:
		p = priceDigitP
	}
	return p * le.steady() * le.off * le.off
}

// steady is how much an unusual price of this product means: most products have
// one price, others have ever new ones.
func (le *lineEvidence) steady() float64 { return le.stable * le.stable * le.stable }

// sharesScale tells whether the price of line i is off by the factor that most
// prices share.
func (e *evidence) sharesScale(i int) bool {
	le := &e.lines[i]
	slack := 0.012 + 0.6*float64(cent)/float64(max(1, le.expected))
	return e.scale != 0 && le.known && math.Abs(le.log-e.scale) < slack
}

// detectPrice finds the one price that nobody paid before and that no slip
// explains; the rest of the invoice is usual.
func detectPrice(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fWorst] == 0 || e.scale != 0 {
		return Finding{}, false
	}
	at, worst, off := -1, 0.0, 0
	for i := range e.lines {
		le := &e.lines[i]
		if le.off > 0.5 {
			off++
		}
		if w := le.stable * le.off * min(1, math.Abs(le.log)); le.slip == noSlip && w > worst {
			at, worst = i, w
		}
	}
	if at < 0 || off > 2 {
		return Finding{}, false
	}
	le := &e.lines[at]
	p := priceUnusualP * le.steady() * le.off
	if p < leastPriceP || le.expected <= 0 {
		return Finding{}, false
	}
	r := s.repair()
	s.billAt(&r, at, le.expected)
	f := Finding{Code: CauseDataEntry, Kind: "price", P: p, Evidence: s.list(s.say(
		"%s: unit price %s was never paid before, usual %s", s.lineName(at),
		s.price(s.Invoice.Lines[at].UnitPrice.Value), s.price(le.expected)))}
	return f.repairedBy(&r)
}

// billAt bills line i at another unit price.
func (s *Subject) billAt(r *repair, i int, price invoice.Fixed) {
	l := &s.Invoice.Lines[i]
	r.line(i, l.Quantity.Value, price, l.DiscountRate.Value)
}

// repairedBy completes a finding with what the repair comes to; there is none when
// that is beyond the limits of an amount.
func (f *Finding) repairedBy(r *repair) (Finding, bool) {
	paid, ok := r.pays()
	f.Repaired = paid
	return *f, ok
}

// lineName names a line in evidence.
func (s *Subject) lineName(i int) string {
	if product := s.Invoice.Lines[i].ProductID; product != "" {
		return s.say("line %d (%s)", i+1, product)
	}
	return s.say("line %d", i+1)
}
