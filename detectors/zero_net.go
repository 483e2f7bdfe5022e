package detectors

import "fmt"

const zeroNetP = 0.98

// detectZeroNet finds invoices over nothing whose lines are worth something: a
// total that was lost on the way. Free invoices, whose lines or discount come to
// 0 too, are usual.
func detectZeroNet(s *Subject) (Finding, bool) {
	if s.Invoice.NetAmount != 0 {
		return Finding{}, false
	}
	sum, ok := linesLessDiscount(s.Invoice)
	if !ok || sum == 0 {
		return Finding{}, false
	}
	return Finding{
		Code: CauseBillingSystem, Kind: "zero_net", P: zeroNetP, Repaired: s.Pays(sum),
		Evidence: []string{fmt.Sprintf("the net amount is 0, but %s", linesInWords(s, sum))},
	}, true
}
