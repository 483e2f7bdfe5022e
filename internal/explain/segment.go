package explain

import (
	"recoup/detectors"
)

// Footing answers whether the 15 % rule means something in a segment.
func (l Lang) Footing(f detectors.Footing) string {
	switch f {
	case detectors.FootingEnough:
		return l.Say("yes", "oui")
	case detectors.FootingTooFew:
		return l.Say("too few", "trop peu")
	}
	return l.Say("no", "non")
}

// Segment names a segment that the 15 % rule compares with.
func (l Lang) Segment(s *detectors.SegmentSummary) string {
	if l != French {
		return s.Of()
	}
	switch s.Level {
	case detectors.LevelCustomerType:
		return "type de client " + s.CustomerType
	case detectors.LevelProductFamily:
		return "famille de produits " + s.ProductFamily
	}
	return "type de client " + s.CustomerType + " et famille de produits " + s.ProductFamily
}

// CV writes a coefficient of variation as per cent; beyond ten times the mean it
// only says so.
func (l Lang) CV(cv float64) string {
	if cv > 10 {
		return ">" + l.whole(1000) + " %"
	}
	return l.perCent(100 * cv)
}

// Precision writes how often an alert of the 15 % rule is right in a segment.
func Precision(s *detectors.SegmentSummary) string { return Probability(s.Precision) }

// worth says what an alert of the 15 % rule is worth in a segment.
func (l Lang) worth(s *detectors.SegmentSummary) string {
	right := l.Say("right about %s of the time", "juste environ %s du temps", Precision(s))
	if s.Precision > 0.99 {
		right = l.Say("nearly always right", "presque toujours juste")
	}
	return l.Say("in this segment of %s with a spread of %s an alert of this rule is %s",
		"dans ce segment de %s, d'une dispersion de %s, une alerte de cette règle est %s",
		l.Invoices(s.N), l.CV(s.CV), right)
}

// of names the invoices of a level: whose they are.
func (l Lang) of(level detectors.Level, kind, family string) string {
	switch level {
	case detectors.LevelCustomer:
		return l.Say("of this customer", "de ce client")
	case detectors.LevelTypeProduct:
		return l.Say("of customer type %s and product family %s", "du type de client %s et de la famille de produits %s",
			kind, family)
	case detectors.LevelCustomerType:
		return l.Say("of customer type %s", "du type de client %s", kind)
	case detectors.LevelProductFamily:
		return l.Say("of product family %s", "de la famille de produits %s", family)
	case detectors.LevelSeller:
		return l.Say("of this seller", "de ce vendeur")
	}
	return l.Say("of no history", "sans historique")
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
