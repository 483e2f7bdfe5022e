package detectors

import (
	"math"

	"recoup/invoice"
)

// weighLoss fills loss and direction: what the first cause's repair would
// bring, or for a deviation what is missing to the expectation. Nothing fired,
// nothing lost.
func (e *Engine) weighLoss(v *Verdict) {
	switch {
	case len(v.Causes) > 0 && v.Causes[0].Code != CauseUnknown:
		point := sub(v.Causes[0].Repaired, v.Billed)
		v.Loss = Loss{Point: point, Low: point, High: point}
	case len(v.Rules) > 0:
		// The 15 % rule knows only too little: where a narrower baseline than the
		// one that fired expects less than was billed, nothing is missing.
		point := max(0, sub(v.Expected, v.Billed))
		v.Loss = Loss{Point: point, Low: min(point, sub(v.ExpectedLow, v.Billed)),
			High: max(point, sub(v.ExpectedHigh, v.Billed))}
	}
	switch {
	case v.Loss.Point > 0:
		v.Direction = DirectionCustomerFavour
	case v.Loss.Point < 0:
		v.Direction = DirectionSellerFavour
	}
}

// decide fills the decision on a suspect: a draft is held, one behind the first of
// an incident stands for no case of its own, a case is opened where it brings at
// least what it costs, the rest is logged. recoup's own canaries ask for nothing.
func (e *Engine) decide(v *Verdict) {
	members := e.joinIncident(v)
	switch {
	case !v.Suspect || e.cur.inv.Canary:
		v.Decision = DecisionNone
	case v.Stage == invoice.PreIssue:
		v.Decision = DecisionHold
	case members > casesBeforeBundle:
		v.Decision = DecisionBundle
	default:
		v.Decision = DecisionLogOnly
		cost, known := e.settings.HandlingCost[v.Currency]
		if known && v.PError*math.Abs(float64(v.Loss.Point)) >= float64(cost) {
			v.Decision = DecisionOpenCase
		}
	}
}
