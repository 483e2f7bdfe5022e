package detectors

import "recoup/invoice"

// weighLoss fills loss and direction: what the first cause's repair would
// bring, exactly where that is proved, with the band of the expectation where it is
// estimated. Where nothing repairs the invoice that is what is missing to the
// expectation, or too much. Nothing fired, nothing lost.
func (e *Engine) weighLoss(v *Verdict) {
	switch {
	case len(v.Causes) > 0 && v.Causes[0].repairs(v):
		point := sub(v.Causes[0].Repaired, v.Billed)
		v.Loss = Loss{Point: point, Low: point, High: point}
		if v.Causes[0].estimated && v.Level != LevelNone {
			v.Loss = oneWay(lossTo(v, point))
		}
	case len(v.Causes) > 0 && v.Causes[0].Kind == KindNoRepair && v.Suspect:
		if v.Level != LevelNone && (v.Billed < v.ExpectedLow || v.Billed > v.ExpectedHigh) {
			v.Loss = lossTo(v, sub(v.Expected, v.Billed))
		}
	case len(v.Rules) > 0:
		// The 15 % rule knows only too little: where a narrower baseline than the
		// one that fired expects less than was billed, nothing is missing.
		v.Loss = lossTo(v, max(0, sub(v.Expected, v.Billed)))
	}
	switch {
	case v.Loss.Point > 0:
		v.Direction = DirectionCustomerFavour
	case v.Loss.Point < 0:
		v.Direction = DirectionSellerFavour
	}
}

// repairs tells whether a finding says what the verdict's invoice should be.
func (f *Finding) repairs(v *Verdict) bool {
	return f.Code != CauseUnknown && (f.Kind != KindNoRepair || f.Repaired != v.Billed)
}

// lossTo is a loss with the bounds of the expectation.
func lossTo(v *Verdict, point invoice.Amount) Loss {
	return Loss{Point: point, Low: min(point, sub(v.ExpectedLow, v.Billed)),
		High: max(point, sub(v.ExpectedHigh, v.Billed))}
}

// oneWay ends an interval where the other direction begins: who gains is known, how much
// is not.
func oneWay(l Loss) Loss {
	switch {
	case l.Point > 0:
		l.Low = max(0, l.Low)
	case l.Point < 0:
		l.High = min(0, l.High)
	}
	return l
}

// decide fills the decision on a suspect: a draft is held, a member of an open incident
// and one that begins an incident stand for no case of their own, what is too late to
// claim is logged and has no part in beginning one, a case is opened where it brings at least what it
// costs, the rest is logged. recoup's own canaries ask for nothing.
func (e *Engine) decide(v *Verdict) {
	if !v.Suspect || e.cur.inv.Canary {
		v.Decision = DecisionNone
		return
	}
	late := e.tooLate(v)
	if late {
		v.Rules = append(v.Rules, RuleTooLate)
	}
	e.Recall(v)
	joined := !late && (e.joinIncident(v) || e.joinRun(v))
	if open := e.memberOf(v); open != "" {
		v.IncidentID, joined = open, true
	}
	switch {
	case v.Stage == invoice.PreIssue:
		v.Decision = DecisionHold
	case joined:
		v.Decision = DecisionBundle
	case !late && e.worthIt(v):
		v.Decision = DecisionOpenCase
	default:
		v.Decision = DecisionLogOnly
	}
}

// worthIt tells whether what may come back of the money at stake pays for a case. A
// currency without a handling cost is judged only where it is the error itself.
func (e *Engine) worthIt(v *Verdict) bool {
	stake := v.Stake()
	cost, known := e.settings.HandlingCost[v.Currency]
	if !known {
		return ForeignCurrency(v.Causes) && stake != 0
	}
	return Weigh(stake, v.PError, v.RecoveryRate(), cost).Pays()
}
