package incident

import (
	"time"

	"recoup/cases"
	"recoup/detectors"
)

const (
	// rateWindow is 15 minutes of event time.
	rateWindow = 3
	// rateInvoices is how many invoices they need.
	rateInvoices = 200
	// rateSuspects is how many suspects: in a segment that never had any, one would do.
	rateSuspects = 5
	// ratePast is how many invoices the 28 days before need.
	ratePast = 200
	// rateTimes is how many times the usual rate the lower bound exceeds.
	rateTimes = 2
)

// openRate is a rate case that is open.
type openRate struct {
	Rate
	fired time.Time // when it was true last
}

// rateChanges tests every segment that was billed lately.
func (b *Board) rateChanges(now time.Time) (out []Change) {
	firing := map[string]*Rate{}
	for v := range b.values {
		if v.Dimension != detectors.DimensionSegment || b.isBlind(v.Seller) {
			continue
		}
		for _, direction := range []detectors.Direction{detectors.DirectionCustomerFavour, detectors.DirectionSellerFavour} {
			if r := b.rateOf(v, direction, bucketOf(now)); r != nil {
				firing[r.Key] = r
			}
		}
	}
	for _, key := range sortedKeys(firing) {
		r := b.rates[key]
		if r == nil {
			r = &openRate{Rate: *firing[key]}
			b.rates[key] = r
			out = append(out, Change{Action: cases.ActionOpen, Severity: cases.SeverityError, Rate: &r.Rate,
				Why: "the share of suspects has more than doubled"})
		}
		since := r.Since
		r.Rate, r.fired = *firing[key], now
		r.Since = since
	}
	for _, key := range sortedKeys(b.rates) {
		r := b.rates[key]
		if firing[key] != nil {
			continue
		}
		if r.fired.IsZero() {
			r.fired = now // restored: wait as long as for one that has just ended
		}
		if now.Sub(r.fired) >= b.settings.ResolveAfter {
			delete(b.rates, key)
			copied := r.Rate
			out = append(out, Change{Action: cases.ActionResolve, Severity: cases.SeverityError, Rate: &copied,
				Why: "the share of suspects is usual again"})
		}
	}
	return out
}

// rateOf tests one segment and direction: nil when its rate is usual, or too little is
// known. Members of incidents have a case already and do not count.
func (b *Board) rateOf(v detectors.Value, direction detectors.Direction, now int64) *Rate {
	c := b.total(b.values[v])
	to := int64(0)
	for i := len(c.Recent) - 1; i >= 0; i-- {
		if c.Recent[i].At <= now {
			to = c.Recent[i].At
			break
		}
	}
	within, past := cut(c, to-rateWindow, to)
	suspects, before := int64(within.TooLow), int64(past.TooLow)
	if direction == detectors.DirectionSellerFavour {
		suspects, before = int64(within.TooHigh), int64(past.TooHigh)
	}
	if within.Invoices < rateInvoices || past.Invoices < ratePast || suspects < rateSuspects {
		return nil
	}
	for _, x := range b.byValue[v] {
		if x.bucket > to-rateWindow && x.bucket <= to && (x.joined != nil || x.settled) &&
			(x.member.Loss.Point > 0) == (direction == detectors.DirectionCustomerFavour) && x.member.Loss.Point != 0 {
			suspects--
		}
	}
	lower := wilsonLower(suspects, int64(within.Invoices))
	usual := float64(before) / float64(past.Invoices)
	if suspects < rateSuspects || lower <= rateTimes*usual {
		return nil
	}
	key := cases.RateKey(v.Seller, v.Name, direction)
	return &Rate{Key: key, ID: cases.ID(key), Seller: v.Seller, Segment: v.Name, Direction: direction,
		Since: bucketStart(to - rateWindow + 1), Invoices: int64(within.Invoices), Suspects: suspects, Lower: lower,
		Usual: usual}
}
