package detectors

import (
	"fmt"

	"recoup/invoice"
)

const (
	zeroNetP    = 0.98
	zeroPricesP = 0.95
)

// detectZeroNet finds invoices over nothing that have lines: a total that was
// lost on the way, or lines that lost their prices with it. Free goods are
// usual: their discount comes to the sum of the lines, or their lines still show
// the price that was waived.
func detectZeroNet(s *Subject) (Finding, bool) {
	inv := s.Invoice
	if inv.NetAmount != 0 {
		return Finding{}, false
	}
	sum, ok := linesLessDiscount(inv)
	switch {
	case ok && sum != 0:
		return Finding{
			Code: CauseBillingSystem, Kind: "zero_net", P: zeroNetP, Repaired: s.Pays(sum),
			Evidence: []string{"the net amount is 0, but " + linesInWords(s, sum)},
		}, true
	case pricesLost(inv):
		return Finding{
			Code: CauseBillingSystem, Kind: "zero_net", P: zeroPricesP, Repaired: max(s.Expected, 0),
			Evidence: []string{fmt.Sprintf("the net amount is 0, and so is the unit price of all of its %d lines",
				len(inv.Lines))},
		}, true
	}
	return Finding{}, false
}

// pricesLost tells whether something was delivered and nothing of it has a price.
func pricesLost(inv *invoice.Invoice) bool {
	for i := range inv.Lines {
		l := &inv.Lines[i]
		if !l.UnitPrice.Set || l.UnitPrice.Value != 0 || !l.Quantity.Set || l.Quantity.Value <= 0 ||
			l.Net.Value != 0 {
			return false
		}
	}
	return len(inv.Lines) > 0
}
