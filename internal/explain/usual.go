package explain

import (
	"fmt"

	"recoup/detectors"
	"recoup/invoice"
)

// Usual says what an expectation was made from, and how much is known of that.
// segment is what the 15 % rule compared the invoice with, nil where that is not known.
func Usual(v *detectors.Verdict, inv *invoice.Invoice, segment *detectors.SegmentSummary) (from, known string) {
	if !fromLines(v, inv, segment) {
		return "the usual invoice " + ofWhom(v, inv), behind(v)
	}
	from = "its lines at the usual prices of their products"
	if v.Level == detectors.LevelCustomerProduct {
		from = "its lines at the prices this customer usually pays"
	}
	return from, linesBehind(v)
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

// ofWhom names the invoices behind an expectation.
func ofWhom(v *detectors.Verdict, inv *invoice.Invoice) string {
	kind, family := "customer type "+inv.CustomerType, "product family "+inv.ProductFamily
	switch v.Level {
	case detectors.LevelCustomer:
		return "of this customer"
	case detectors.LevelTypeProduct:
		return "of " + kind + " and " + family
	case detectors.LevelCustomerType:
		return "of " + kind
	case detectors.LevelProductFamily:
		return "of " + family
	case detectors.LevelSeller:
		return "of this seller"
	}
	return "of no history"
}

// behind says how many invoices are behind an expectation and how much they
// differ, which one alone cannot say.
func behind(v *detectors.Verdict) string {
	if v.N <= 1 {
		return Invoices(v.N)
	}
	return Invoices(v.N) + ", " + spread(v.CV)
}

// linesBehind says how often the product that is known least was billed, and how
// sure the prices are.
func linesBehind(v *detectors.Verdict) string {
	often := fmt.Sprintf("each product known was billed %d times or more before", v.N)
	if v.N == 1 {
		often = "one of the products was billed only once before"
	}
	return often + "; prices " + spread(v.CV)
}
