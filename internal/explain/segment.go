package explain

import (
	"fmt"

	"recoup/detectors"
)

// Footing answers whether the 15 % rule means something in a segment.
func Footing(f detectors.Footing) string {
	switch f {
	case detectors.FootingEnough:
		return "yes"
	case detectors.FootingTooFew:
		return "too few"
	}
	return "no"
}

// CV writes a coefficient of variation as per cent; beyond ten times the mean it
// only says so.
func CV(cv float64) string {
	if cv > 10 {
		return ">1000 %"
	}
	return perCent(100 * cv)
}

// Precision writes how often an alert of the 15 % rule is right in a segment.
func Precision(s *detectors.SegmentSummary) string { return Probability(s.Precision) }

// Worth says what an alert of the 15 % rule is worth in a segment.
func Worth(s *detectors.SegmentSummary) string {
	right := "right about " + Precision(s) + " of the time"
	if s.Precision > 0.99 {
		right = "nearly always right"
	}
	return fmt.Sprintf("in this segment of %s with a spread of %s an alert of this rule is %s", Invoices(s.N), CV(s.CV),
		right)
}

// segment is what the 15 % rule compared the invoice with. A stored verdict names
// it only where its expectation was taken from it: not from what the lines come to,
// which takes products, nor from the customer.
func (p *printer) segment() (s detectors.SegmentSummary, ok bool) {
	if p.s.Segment != nil {
		return *p.s.Segment, true
	}
	v, inv := p.v, p.inv
	switch v.Level {
	case detectors.LevelTypeProduct:
		for i := range inv.Lines {
			if inv.Lines[i].ProductID != "" {
				return s, false
			}
		}
	case detectors.LevelCustomerType, detectors.LevelProductFamily:
	default:
		return s, false
	}
	s = detectors.SegmentSummary{Level: v.Level, Seller: inv.Seller, Currency: inv.Currency,
		CustomerType: inv.CustomerType, ProductFamily: inv.ProductFamily, N: v.N, CV: v.CV}
	s.Precision, s.Recall = detectors.ExpectedPrecision(s.N, s.CV, p.s.Settings)
	return s, true
}

// below is how far the invoice lies below the usual of a segment, in per cent. A
// segment taken from the verdict has no mean; the verdict's own deviation, of what
// the customer pays, is next to the same as of net.
func (p *printer) below(s *detectors.SegmentSummary) float64 {
	if s.Mean <= 0 {
		return -p.v.DeviationPct
	}
	return 100 * (1 - float64(p.inv.NetAmount)/float64(s.Mean))
}
