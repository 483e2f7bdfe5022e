package cases

import (
	"math"

	"recoup/detectors"
	"recoup/invoice"
)

// Economics shows whether a case is worth working (A14). Amounts are in the case's
// currency.
type Economics struct {
	HandlingCost     invoice.Amount `json:"handling_cost"`        // what working the case costs
	ExpectedRecovery invoice.Amount `json:"expected_recovery"`    // money at stake × p_error × Rate
	NetValue         invoice.Amount `json:"net_value"`            // ExpectedRecovery − HandlingCost
	BreakEven        invoice.Amount `json:"break_even,omitempty"` // money at stake from which it pays; 0: any or none does
	// Rate is the share of a claim that comes back: accepted × paid of the amicable
	// option that brings most; where that is not known, as of the case that a worker opens,
	// what its decision was weighed by (detectors.RecoveryRate). 1 as long as Offers is 0; 0
	// where there is no claim: the money is owed to the customer, or it is too late.
	Rate     float64            `json:"recovery_rate"`
	Offers   int64              `json:"recovery_offers"` // answers or closed cases behind Rate; 0: nothing is known
	Decision detectors.Decision `json:"decision"`        // open_case, or bundle once an incident took it over
}

// WeighIncident fills in the economics of a shared cause: one investigation for what
// working all members may bring, Σ p_error × |loss| of those in the case's currency.
func (o Opener) WeighIncident(c *Case, recovery invoice.Amount) {
	decision := c.Economics.Decision
	if c.Loss.Point < 0 {
		recovery = -recovery // owed to customers
	} else if c.Loss.Point > 0 {
		recovery = min(recovery, c.Loss.Point) // what others are owed does not come back
	}
	c.Economics = o.weigh(recovery, 1, c)
	c.Economics.Decision = decision
}

// weigh returns the economics of a loss that is real with probability p, of which as
// much comes back as customers of the case's segment were known to pay when it was
// detected. Of a loss below 0, which is the customer's, nothing does.
func (o Opener) weigh(loss invoice.Amount, p float64, c *Case) Economics {
	e := Economics{HandlingCost: o.HandlingCost[c.Currency], Rate: 1}
	if loss < 0 || c.TooLate {
		e.Rate = 0
	} else if best, ok := o.Acceptance.Best(c.Segment.CustomerType, c.DetectedAt); ok {
		e.Rate, e.Offers = best.Rate(), best.Accepts.N
	} else if r := c.Model.Recovery; r.Cases > 0 {
		e.Rate, e.Offers = r.Rate, r.Cases
	}
	stake := magnitude(loss)
	w := detectors.Weigh(stake, p, e.Rate, e.HandlingCost)
	e.ExpectedRecovery, e.NetValue = w.Expected, w.Net
	if w.BreakEven < math.MaxInt64 {
		e.BreakEven = w.BreakEven
	}
	return e
}

// Losses sums losses without ever netting what was billed too little against what
// was billed too much. The zero value is no loss.
type Losses struct {
	TooLow  invoice.Amount `json:"too_low"`  // billed too little, ≥ 0
	TooHigh invoice.Amount `json:"too_high"` // billed too much, ≥ 0
}

// Add adds one loss: > 0 is billed too little.
func (l *Losses) Add(loss invoice.Amount) {
	switch {
	case loss > 0:
		l.TooLow = add(l.TooLow, loss)
	case loss < 0:
		l.TooHigh = add(l.TooHigh, magnitude(loss))
	}
}

// magnitude returns a without its sign.
func magnitude(a invoice.Amount) invoice.Amount {
	switch {
	case a >= 0:
		return a
	case a == math.MinInt64:
		return math.MaxInt64
	}
	return -a
}

// Settlement is the money of a case so far, in its currency.
type Settlement struct {
	ConfirmedLoss *invoice.Amount `json:"confirmed_loss,omitempty"` // as a person decided; nil: not said
	Agreed        Option          `json:"agreed_option,omitempty"`  // that the customer accepted and that stands; "": none
	Paid          invoice.Amount  `json:"paid"`                     // what came in
	WrittenOff    invoice.Amount  `json:"written_off"`              // what was given up
	GoodwillCost  invoice.Amount  `json:"goodwill_cost"`            // what accepted gestures cost
	HandlingCost  invoice.Amount  `json:"handling_cost"`            // what was spent on the case, as far as it was said
}

// settlement returns the money of a state, nil when there is none.
func (s *State) settlement() *Settlement {
	out := Settlement{Agreed: s.Agreed, Paid: s.Paid, WrittenOff: s.WrittenOff, GoodwillCost: s.GoodwillCost,
		HandlingCost: s.HandlingCost.Value}
	if s.ConfirmedLoss.Set {
		out.ConfirmedLoss = &s.ConfirmedLoss.Value
	}
	if out == (Settlement{}) {
		return nil
	}
	return &out
}
