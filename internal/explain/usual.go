package explain

import (
	"recoup/detectors"
	"recoup/invoice"
)

// Usual says what an expectation was made from, and how much is known of that.
// segment is what the 15 % rule compared the invoice with, nil where that is not known.
func (l Lang) Usual(v *detectors.Verdict, inv *invoice.Invoice, segment *detectors.SegmentSummary) (
	from, known string) {
	if !fromLines(v, inv, segment) {
		return l.Say("the usual invoice %s", "la facture habituelle %s", l.of(v.Level, inv.CustomerType, inv.ProductFamily)),
			l.behind(v)
	}
	from = l.Say("its lines at the usual prices of their products", "ses lignes aux prix habituels de leurs produits")
	if v.Level == detectors.LevelCustomerProduct {
		from = l.Say("its lines at the prices this customer usually pays",
			"ses lignes aux prix que ce client paie d'habitude")
	}
	return from, l.linesBehind(v)
}

// fromLines tells whether an expectation is what the lines come to at usual prices.
// One level stands for that and for the segment of customer type and product family.
// Where the segment is not known, lines that have prices were asked first, unless
// the amounts of the segment are narrow: then the expectation hardly ever is the
// very amount billed, while lines at their usual prices are.
func fromLines(v *detectors.Verdict, inv *invoice.Invoice, segment *detectors.SegmentSummary) bool {
	switch {
	case v.Level == detectors.LevelCustomerProduct:
		return true
	case v.Level != detectors.LevelTypeProduct || !priced(inv):
		return false
	case inv.CustomerType == "" || inv.ProductFamily == "":
		return true // of no such segment
	case segment != nil:
		return segment.Level != v.Level || segment.N != v.N || segment.CV != v.CV
	}
	usual := detectors.DefaultSettings()
	narrow := v.N >= usual.MinN && v.CV <= usual.MaxCV
	return !narrow || v.Expected == v.Billed || len(v.Causes) > 0
}

// priced tells whether some line says what a unit of which product costs.
func priced(inv *invoice.Invoice) bool {
	for i := range inv.Lines {
		if l := &inv.Lines[i]; l.ProductID != "" && l.UnitPrice.Set && l.Quantity.Set {
			return true
		}
	}
	return false
}

// behind says how many invoices are behind an expectation and how much they
// differ, which one alone cannot say.
func (l Lang) behind(v *detectors.Verdict) string {
	if v.N <= 1 {
		return l.Invoices(v.N)
	}
	return l.Invoices(v.N) + ", " + l.spread(v.CV)
}

// linesBehind says how often the product that is known least was billed, and how
// sure the prices are.
func (l Lang) linesBehind(v *detectors.Verdict) string {
	often := l.Say("each product known was billed %s times or more before",
		"chaque produit connu a déjà été facturé %s fois ou plus", l.whole(v.N))
	if v.N == 1 {
		often = l.Say("one of the products was billed only once before",
			"un des produits n'a été facturé qu'une fois auparavant")
	}
	return often + l.Say("; prices %s", " ; prix %s", l.spread(v.CV))
}
