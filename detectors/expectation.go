package detectors

import (
	"math"

	"recoup/invoice"
)

// bandWidth is the half width of the 95 % band in standard deviations.
const bandWidth = 1.96

// Expectation is what an invoice should have been, in what its customer pays.
type Expectation struct {
	Point, Low, High invoice.Amount // Low to High is the 95 % band
	Level            Level          // of the baseline it was taken from
	N                int64          // invoices behind it
	CV               float64        // their coefficient of variation
}

// expect fills the expectation into v: the narrowest baseline with MinN
// invoices, else the one with the most, else none.
func (e *Engine) expect(v *Verdict) {
	kind, ok := e.expectedFrom()
	if !ok {
		return
	}
	x := expectationOf(&e.cur.stats[kind], segmentLevels[kind], &e.cur.subject.pays)
	v.Expected, v.ExpectedLow, v.ExpectedHigh = x.Point, x.Low, x.High
	v.Level, v.N, v.CV = x.Level, x.N, x.CV
	if x.Point != 0 {
		pct := 100 * difference(v.Billed, x.Point) / math.Abs(float64(x.Point))
		v.DeviationPct = math.Round(pct*1e4) / 1e4
	}
}

// expectedFrom picks the baseline of the expectation.
func (e *Engine) expectedFrom() (best segmentKind, ok bool) {
	var most int64
	for _, kind := range narrowestFirst {
		n := e.cur.stats[kind].n
		if n >= e.settings.MinN {
			return kind, true
		}
		if n > most {
			best, most = kind, n
		}
	}
	return best, most > 0
}

// expectation returns the baseline of the expectation; there must be one.
func (e *Engine) expectation() *stats {
	kind, _ := e.expectedFrom()
	return &e.cur.stats[kind]
}

// expectationOf turns a baseline of net amounts into what the customer pays. A
// band around a positive mean does not go below 0.
func expectationOf(st *stats, level Level, pays *payable) Expectation {
	width := math.Round(bandWidth * st.sd)
	low, high := addFloat(st.mean, -width), addFloat(st.mean, width)
	if st.mean > 0 {
		low = max(low, 0)
	}
	x := Expectation{Point: pays.of(st.mean), Low: pays.of(low), High: pays.of(high), Level: level, N: st.n, CV: st.cv}
	if x.Low > x.High { // a ratio below 0 turns the band round
		x.Low, x.High = x.High, x.Low
	}
	return x
}
