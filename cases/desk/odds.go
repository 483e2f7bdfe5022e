package desk

import (
	"maps"
	"math"
	"slices"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// disputesTake is how long customers have to dispute an invoice before it says that
// they did not.
const disputesTake = 14 * 24 * time.Hour

// learnDisputes fits what makes customers dispute to what was known when the day began,
// so that an owner that takes over the same day learns the same.
func (d *Desk) learnDisputes(now time.Time) {
	day := now.UTC().Truncate(24 * time.Hour)
	if day.Equal(d.learned) {
		return
	}
	d.learned, d.past = day, map[string][]time.Time{}
	ids := slices.Sorted(maps.Keys(d.files))
	for _, id := range ids {
		f := d.files[id]
		if p := d.dispute(f); p != nil && f.customer != "" && p.earliest.At.Before(day) {
			key := invoiceKey(f.seller, f.customer) // another seller's customer of that name is another
			d.past[key] = append(d.past[key], p.earliest.At)
		}
	}
	var facts []cases.DisputeFacts
	var disputed []bool
	for _, id := range ids {
		f := d.files[id]
		p := d.dispute(f)
		if !f.found || day.Sub(f.content.detected) < disputesTake || p != nil && !p.earliest.At.After(f.content.detected) {
			continue // too new, or the customer was first
		}
		facts = append(facts, d.facts(f, f.content.detected))
		disputed = append(disputed, p != nil && p.earliest.At.Before(day))
	}
	d.odds, _ = cases.FitDisputes(facts, disputed)
}

// facts are what was known of a case's invoice at a time.
func (d *Desk) facts(f *file, by time.Time) cases.DisputeFacts {
	known := cases.DisputeFacts{PError: float64(f.pError), LossShare: math.Abs(float64(f.share)),
		Direction: detectors.DirectionNone}
	switch {
	case f.share > 0:
		known.Direction = detectors.DirectionCustomerFavour
	case f.share < 0:
		known.Direction = detectors.DirectionSellerFavour
	}
	for _, at := range d.past[invoiceKey(f.seller, f.customer)] {
		if at.Before(by) {
			known.Past++
		}
	}
	return known
}

// lossShare is the loss of a case over what was billed, > 0 billed too little.
func lossShare(c *cases.Case) float32 {
	return float32(float64(c.Loss.Point) / max(float64(invoice.Unit), math.Abs(float64(c.Billed))))
}

// foresee says how probable a dispute is, once: what stands in a case stays, so that its
// records do not change from day to day. Of an invoice of which only a dispute is known
// there is nothing to say.
func (d *Desk) foresee(f *file, next *cases.Case) {
	if next.PDispute == nil && d.odds != nil && next.Currency != noCurrency {
		p := math.Round(d.odds.P(d.facts(f, next.DetectedAt))*1e4) / 1e4
		next.PDispute = &p
	}
}
