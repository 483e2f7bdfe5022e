package detectors

import (
	"math"

	"recoup/detectors/history"
	"recoup/invoice"
)

// discounts compares the lines' discounts and net prices with the usual.
func (e *evidence) discounts() {
	f := &e.facts
	highest, bare := 0.0, 0.0
	fresh, known := 0.0, 0.0
	most := 0
	var offers metOffers
	for i := range f.Lines {
		l := &f.Lines[i]
		line := &e.inv.Lines[i]
		rate := float64(l.Rate)
		highest = max(highest, rate)
		most = max(most, len(line.PromoCodes))
		if n := len(line.PromoCodes); n > 1 && line.PromoCodes[n-1] == line.PromoCodes[n-2] {
			e.flag(fCodeTwice, true)
		}
		if l.Discounted && len(line.PromoCodes) == 0 && len(e.inv.PromoCodes) == 0 {
			bare = 1
		}
		if l.OfProduct == nil || !l.Priced || l.NetPrice <= 0 || l.OfProduct.Lines < 2 {
			continue
		}
		lowest, met := e.netPricesOf(i)
		met = met || e.lines[i].announced || e.codeExplains(i) || e.onOffer(l)
		e.lines[i].netMet = met
		if !met && l.Discounted && e.codesSayNothing() {
			if e.lines[i].again = offers.again(l); e.lines[i].again {
				continue
			}
		}
		known++
		if !met {
			fresh++
			if lowest > 0 && l.NetPrice < lowest && e.lines[i].off == 0 {
				if e.raise(fNetBelow, min(4, math.Log(float64(lowest)/float64(l.NetPrice)))*(1-1/float64(l.OfProduct.Lines))) {
					if g := f.Known.Seller; g != nil {
						e.set(fNetEnd, history.EndRare(g.NetEnds[:], l.NetEnd))
					}
					e.set(fRateRound, roundRate(line.DiscountRate.Value))
				}
			}
		}
	}
	if known > 0 {
		e.set(fNetNew, fresh/known)
	}
	e.set(fRate, highest)
	if g := f.Known.Seller; g != nil && highest > 0 && !e.explained {
		e.set(fRateRare, -math.Log(g.RateAbove(highest)))
	}
	e.set(fCodes, float64(max(0, most-1)))
	e.set(fCodesAll, float64(max(0, len(f.Codes)-1)))
	e.set(fRateNoCode, bare)
}

// roundRate grades how round a discount is: 1 a multiple of 5 %, 0.5 of 1 %.
func roundRate(rate invoice.Fixed) float64 {
	switch {
	case rate%(invoice.One/20) == 0:
		return 1
	case rate%(invoice.One/100) == 0:
		return 0.5
	}
	return 0
}

// netPricesOf is netPrices of line i, with the prices of the list before where its
// own is of a new one.
func (e *evidence) netPricesOf(i int) (lowest invoice.Fixed, met bool) {
	l, le := &e.facts.Lines[i], &e.lines[i]
	if lowest, met = netPrices(l); met || !le.revised {
		return lowest, met
	}
	if !l.Discounted {
		return lowest, true
	}
	old := *l
	old.NetPrice = invoice.Fixed(math.Round(float64(l.NetPrice) * math.Exp(-le.shift)))
	lowest, met = netPricesWithin(&old, cent)
	return invoice.Fixed(math.Round(float64(lowest) * math.Exp(le.shift))), met
}

// netPrices returns the lowest net price known of a line's product for its
// quantity, and whether the line's own was met before, as exactly as rounding
// allows.
func netPrices(l *history.Line) (lowest invoice.Fixed, met bool) {
	return netPricesWithin(l, invoice.One/1000)
}

func netPricesWithin(l *history.Line, slack invoice.Fixed) (lowest invoice.Fixed, met bool) {
	slack += invoice.Fixed(0.006 / math.Max(0.01, float64(l.Quantity)) * float64(invoice.One))
	for i := range l.OfProduct.Net {
		p := &l.OfProduct.Net[i]
		if p.Count == 0 {
			break
		}
		if p.Price <= 0 {
			continue
		}
		if d := p.Price - l.NetPrice; d <= slack && d >= -slack {
			met = true
		}
		if lowest == 0 || p.Price < lowest {
			lowest = p.Price
		}
	}
	return lowest, met
}

// codes compares each discount code with how the customer and the seller use it.
func (e *evidence) codes() {
	f := &e.facts
	if e.explained {
		return
	}
	for i := range f.Codes {
		c := &f.Codes[i]
		if t := c.OfSeller; t != nil {
			if share, n := t.Rates.Share(c.Rate); n > 0 && c.Rate != 0 {
				e.raise(fCodeRare, (1-share)*float64(n)/float64(n+1))
			}
			if !t.Still(f.Hour) {
				e.raise(fCodeStale, math.Log1p(float64(max(0, f.Hour-t.Hour))))
			}
			if c.Families&^t.Families != 0 {
				e.set(fCodeFamily, 1)
			}
		} else {
			e.set(fCodeNew, 1)
		}
		if t := c.OfCustomer; t != nil && c.Rate != 0 {
			share, n := t.Rates.Share(c.Rate)
			if n > 0 && e.raise(fTermsRare, (1-share)*float64(n)/float64(n+1)) {
				e.set(fTermsKnown, logCount(n))
				e.set(fTermsOff, float64(int64(c.Rate)-int64(t.Rates.Usual()))/10_000)
			}
		}
	}
}
