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

// expect fills the expectation into v, from the narrowest source that supports
// one: what its lines come to at the prices that this customer, or anybody, pays;
// what the customer usually pays; the narrowest baseline with MinN invoices, else
// the one with the most, else none. Where the amounts of a segment hardly vary,
// they say more than prices: a quantity may be wrong at the right price.
func (e *Engine) expect(v *Verdict) {
	kind, known := e.expectedFrom()
	var x Expectation
	ok := false
	if st := &e.cur.stats[kind]; !known || st.n < e.settings.MinN || st.cv > e.settings.MaxCV {
		x, ok = e.expectLines()
	}
	if !ok { // it gives way to a segment that is narrower
		x, ok = e.expectCustomer(kind, known)
	}
	if !ok && !known {
		return
	}
	if !ok {
		x = e.expectSegment(kind)
	}
	v.Expected, v.ExpectedLow, v.ExpectedHigh = x.Point, x.Low, x.High
	v.Level, v.N, v.CV = x.Level, x.N, x.CV
	if x.Point != 0 {
		pct := 100 * difference(v.Billed, x.Point) / math.Abs(float64(x.Point))
		v.DeviationPct = math.Round(pct*1e4) / 1e4
	}
}

const (
	// knownValue is how much of the value of its lines must be at known prices for
	// an invoice to be expected from them.
	knownValue = 0.8
	// unstable is how far off a price is expected that was never met before.
	unstable = 0.3
)

// expectLines expects each line at the price that is usual for its product and
// quantity, at the quantities and discounts that the invoice has.
func (e *Engine) expectLines() (x Expectation, ok bool) {
	ev := &e.cur.ev
	var net invoice.Amount
	var value, known, ofCustomer, variance float64
	x.N = math.MaxInt64
	for i := range ev.inv.Lines {
		l, le, f := &ev.inv.Lines[i], &ev.lines[i], &ev.facts.Lines[i]
		due := l.Net.Value
		if le.known {
			if le.worthKnown && le.expected == l.UnitPrice.Value && !l.DiscountAmount.Set {
				due = le.worth
			} else if due, ok = invoice.LineNet(l.Quantity.Value, le.expected, l.DiscountRate.Value); !ok {
				return x, false
			}
			n := int64(f.OfProduct.Lines)
			if f.OfPair != nil && f.OfPair.Price == le.expected {
				ofCustomer += float64(due)
				n = int64(f.OfPair.Lines)
			}
			known += float64(due)
			x.N = min(x.N, n)
			sd := float64(due) * unstable * (1 - le.stable)
			variance += sd * sd
		}
		value += float64(due)
		if net, ok = net.Add(due); !ok {
			return x, false
		}
	}
	if value <= 0 || known < knownValue*value {
		return x, false
	}
	if net, ok = net.Sub(ev.inv.DiscountAmount.Value); !ok {
		return x, false
	}
	x.CV = math.Sqrt(variance) / value
	x.Level = LevelTypeProduct
	if ofCustomer > value/2 {
		x.Level = LevelCustomerProduct
	}
	return e.banded(x, net), true
}

const (
	// fewestOfCustomer is from how many invoices on a customer's own amounts count.
	fewestOfCustomer = 8
	// usualSpread is the variance of a customer's amounts that is expected before
	// they are known, as a share of the mean, and counts like one invoice.
	usualSpread = 0.5
)

// expectCustomer expects what the customer usually pays in the invoice's currency,
// where that is narrower than the segment.
func (e *Engine) expectCustomer(kind segmentKind, known bool) (x Expectation, ok bool) {
	c := e.cur.ev.facts.Known.Customer
	if c == nil {
		return x, false
	}
	usual := c.NetIn(e.cur.ev.facts.Currency)
	if usual.N < fewestOfCustomer {
		return x, false
	}
	n := float64(usual.N)
	x.CV = math.Sqrt(float64(usual.Variance) + usualSpread*usualSpread/n)
	if known && e.cur.stats[kind].n >= e.settings.MinN && e.cur.stats[kind].cv <= x.CV {
		return x, false
	}
	net := math.Round(math.Exp(float64(usual.Mean)) * float64(invoice.Unit))
	if !(net < float64(mostAmount)/2) {
		return x, false
	}
	x.Level, x.N = LevelCustomer, int64(usual.N)
	return e.banded(x, invoice.Amount(net)), true
}

// banded adds point and band around a net amount.
func (e *Engine) banded(x Expectation, net invoice.Amount) Expectation {
	pays := &e.cur.subject.pays
	width := math.Round(bandWidth * x.CV * math.Abs(float64(net)))
	x.Point, x.Low, x.High = pays.of(net), pays.of(max(0, addFloat(net, -width))), pays.of(addFloat(net, width))
	if x.Low > x.High {
		x.Low, x.High = x.High, x.Low
	}
	return x
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

// expectSegment expects the mean of a baseline, which is of net amounts. A band
// around a positive mean does not go below 0; with fewer than MinN invoices it is
// a wide one.
func (e *Engine) expectSegment(kind segmentKind) Expectation {
	st, pays := &e.cur.stats[kind], &e.cur.subject.pays
	sd := st.sd
	if st.n < e.settings.MinN {
		sd = max(sd, e.settings.likelySpread(st.n, st.cv)*math.Abs(float64(st.mean)))
	}
	width := math.Round(bandWidth * sd)
	low, high := addFloat(st.mean, -width), addFloat(st.mean, width)
	if st.mean > 0 {
		low = max(low, 0)
	}
	x := Expectation{Point: pays.of(st.mean), Low: pays.of(low), High: pays.of(high), Level: segmentLevels[kind],
		N: st.n, CV: st.cv}
	if x.Low > x.High { // a ratio below 0 turns the band round
		x.Low, x.High = x.High, x.Low
	}
	return x
}
