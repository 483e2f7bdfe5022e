package detectors

import (
	"fmt"
	"slices"
	"testing"
)

// B5, E1, E2: the first cause chooses loss, direction, owner and runbook, so an
// exact proof stands before a deviation however certain that is. Scenario files
// compare lists in any order; the order is pinned here.
func TestCausesStandByProof(t *testing.T) {
	deviation := Finding{Code: CauseUnknown, Kind: "deviation", P: 1}
	zero := Finding{Code: CauseBillingSystem, Kind: "zero_net", P: proofTable[proofZero].p}
	sum := Finding{Code: CauseBillingSystem, Kind: "line_sum", P: proofTable[proofSum].p}
	rounding := Finding{Code: CauseBillingSystem, Kind: "line_sum", P: lineSumRoundingP}
	delivery := Finding{Code: CauseDuplicate, Kind: "delivery", P: proofTable[proofDelivery].p}
	changed := Finding{Code: CauseDuplicate, Kind: "same_id_changed", P: sameIDChangedP}
	for _, c := range []struct{ found, want []Finding }{
		{[]Finding{deviation, zero}, []Finding{zero, deviation}},
		{[]Finding{deviation, sum}, []Finding{sum, deviation}},
		{[]Finding{deviation, delivery}, []Finding{delivery, deviation}},
		{[]Finding{deviation, sum, delivery, changed}, []Finding{sum, delivery, changed, deviation}},
		{[]Finding{deviation, zero, delivery, changed}, []Finding{zero, delivery, changed, deviation}},
		{[]Finding{delivery, sum}, []Finding{sum, delivery}},
		{[]Finding{deviation, rounding}, []Finding{deviation, rounding}},
		{[]Finding{deviation, rounding, changed}, []Finding{changed, deviation, rounding}},
	} {
		got := slices.Clone(c.found)
		slices.SortStableFunc(got, byProof)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v\nstand as %v\nwant     %v", c.found, got, c.want)
		}
	}
}
