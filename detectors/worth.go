package detectors

import (
	"math"

	"recoup/invoice"
)

// Worth is what working a case is expected to bring, against what that costs: the
// arithmetic by which a suspect becomes a case, and which the case shows.
type Worth struct {
	Expected  invoice.Amount // stake × probability × rate, rounded down to 1/10,000
	Cost      invoice.Amount // of handling
	Net       invoice.Amount // Expected − Cost
	BreakEven invoice.Amount // stake from which on Net is not negative; the largest Amount when none is enough
}

// Weigh returns the worth of a stake of money, 0 or more, that is really lost with
// probability p and of which a share of rate comes back, both 0 to 1.
func Weigh(stake invoice.Amount, p, rate float64, cost invoice.Amount) Worth {
	w := Worth{Cost: cost, Expected: whole(p * rate * float64(stake))}
	w.Net = sub(w.Expected, w.Cost)
	if cost > 0 {
		w.BreakEven = whole(math.Ceil(float64(cost) / (p * rate)))
	}
	return w
}

// whole rounds down, to the largest Amount at most.
func whole(x float64) invoice.Amount {
	if x >= math.MaxInt64 {
		return math.MaxInt64
	}
	return invoice.Amount(x)
}

// Pays tells whether working the case brings at least what it costs.
func (w Worth) Pays() bool { return w.Net >= 0 }

// Stake is the money a verdict is about, 0 or more: what was lost, whoever gains by
// it. Of an invoice in a foreign currency that is all of it: what it should be in its
// own, nobody converts.
func (v *Verdict) Stake() invoice.Amount {
	stake := v.Loss.Point
	if ForeignCurrency(v.Causes) {
		stake = v.Billed
	}
	if stake < 0 {
		stake = sub(0, stake)
	}
	return stake
}

// ForeignCurrency tells whether the first cause is a wrong currency: the amounts of
// such an invoice cannot be compared with what it should ask for.
func ForeignCurrency(causes []Finding) bool {
	return len(causes) > 0 && causes[0].Code == CauseBillingSystem && causes[0].Kind == kindCurrency
}
