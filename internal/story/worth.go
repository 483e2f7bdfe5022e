package story

import (
	"maps"
	"math"
	"slices"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Worth says what working cases one by one costs and brings (K10).
type Worth struct {
	Usual           invoice.Amount // median planned cost of a case of one invoice
	BreakEven       float64        // loss whose usual share of payments covers that, in units; 0: nothing was paid
	BelowBreakEven  int            // cases of one invoice about less
	CostPerRecovery float64        // units of handling per unit that came back; 0: nothing came back
	Saved           invoice.Amount // usual cost of members without a case, less the cost of their incidents
}

// nanoScale is how finely a probability is added up: sums do not depend on their order.
const nanoScale = 1e9

func nano(p float64) int64 { return int64(p * nanoScale) }

// stake is what the side that loses by a finding loses, as recoup put it; never below 0.
func (f *finding) stake() invoice.Amount {
	if f.tooHigh() {
		return max(0, -f.inv.Loss)
	}
	return max(0, f.inv.Loss)
}

// tooHigh tells whether the customer pays too much: as a person said, else by the loss.
func (f *finding) tooHigh() bool {
	if f.account != nil {
		said := f.account.last(func(e *cases.Event) bool {
			return e.Direction != "" && e.Direction != detectors.DirectionNone
		})
		if said != nil {
			return said.Direction == detectors.DirectionSellerFavour
		}
	}
	return f.inv.Loss < 0
}

// waits tells whether nobody has said what a finding is, and somebody still may.
func (f *finding) waits() bool {
	return f.outcome == "" && (!f.cased() || f.account.open()) && (f.incident == nil || f.incident.open())
}

// countOpen adds what the open findings may cost: each p_error times its stake, cut
// at the fourth decimal (K2).
func (f *Figures) countOpen(findings []finding) {
	for i := range findings {
		found := &findings[i]
		if !found.waits() {
			continue
		}
		expected := scaled(found.stake(), nano(found.inv.PError))
		if found.tooHigh() {
			f.OpenLoss.TooHigh += expected
		} else {
			f.OpenLoss.TooLow += expected
		}
	}
}

// scaled is an amount times billionths, cut at the fourth decimal.
func scaled(a invoice.Amount, billionths int64) invoice.Amount {
	whole, rest := int64(a)/nanoScale, int64(a)%nanoScale
	return invoice.Amount(whole*billionths + rest*billionths/nanoScale)
}

// countWorth says what handling costs and what incidents save. Options must be counted.
func (l *Ledger) countWorth(f *Figures, findings []finding) {
	var planned []invoice.Amount
	for _, a := range l.cases(f.Currency) {
		if cost := a.latest.Economics.HandlingCost; cost > 0 {
			planned = append(planned, cost)
		}
	}
	if len(planned) > 0 {
		slices.Sort(planned)
		f.Worth.Usual = planned[len(planned)/2]
	}
	var offered, paid invoice.Amount
	for _, o := range f.Options {
		offered, paid = offered+o.OfferedAmount, paid+o.Paid
	}
	if paid > 0 && offered > 0 {
		f.Worth.BreakEven = float64(f.Worth.Usual) / float64(invoice.Unit) / (float64(paid) / float64(offered))
	}
	if f.Paid > 0 {
		f.Worth.CostPerRecovery = float64(f.Handling) / float64(f.Paid)
	}
	without := map[*account]int{} // incident → members without a case
	for i := range findings {
		found := &findings[i]
		if found.cased() && float64(found.stake())/float64(invoice.Unit) < f.Worth.BreakEven {
			f.Worth.BelowBreakEven++
		}
		if found.incident != nil && !found.cased() {
			without[found.incident]++
		} else if found.incident != nil {
			without[found.incident] += 0
		}
	}
	for incident := range maps.Keys(without) {
		f.Worth.Saved += invoice.Amount(without[incident])*f.Worth.Usual - incident.handling()
	}
}

// countBelief adds up how far p_error was from what people found: its Brier score (K1c).
func (f *Figures) countBelief(findings []finding) {
	sum, n := 0.0, 0
	for i := range findings {
		found := &findings[i]
		truth := 0.0
		switch found.outcome {
		case cases.OutcomeConfirmed:
			truth = 1
		case cases.OutcomeNotAnError, cases.OutcomeExpectedChange:
		default:
			continue
		}
		if found.inv.Suspect || found.audited() {
			sum, n = sum+math.Pow(found.inv.PError-truth, 2), n+1
		}
	}
	if n > 0 {
		f.Brier = sum / float64(n)
	}
}
