package cases

import (
	"math"

	"recoup/detectors"
)

// DisputeFacts are what is known of an invoice before anybody disputes it (B22).
type DisputeFacts struct {
	// PError is the probability of an error, 0 to 1.
	PError float64
	// Direction is who gains by it.
	Direction detectors.Direction
	// LossShare is the money at stake over what was billed, either way, 0 or more.
	LossShare float64
	// Past is how many invoices the customer disputed before.
	Past int
}

// DisputeOdds says how probable it is that a customer disputes an invoice: a logistic
// regression on invoices of the past. It depends on these alone, in their order.
type DisputeOdds struct {
	n, disputed int
	weights     [disputeWeights]float64
}

const (
	disputeWeights = 6
	// fewestDisputes is how many disputes, and how many invoices without one, it takes.
	fewestDisputes = 20
	// disputePrior is the ridge: a weight of 2 is as far from 0 as is expected.
	disputePrior = 1.0 / 4
	// disputeSteps are more than the fit takes.
	disputeSteps = 30
)

// row is what the regression reads of the facts.
func (f *DisputeFacts) row() (x [disputeWeights]float64) {
	const certain = 0.001
	p := min(1-certain, max(certain, f.PError))
	x[0], x[1] = 1, math.Log(p/(1-p))
	switch f.Direction {
	case detectors.DirectionCustomerFavour:
		x[2] = 1
	case detectors.DirectionSellerFavour:
		x[3] = 1
	}
	x[4], x[5] = min(1, math.Abs(f.LossShare)), math.Log1p(float64(max(0, f.Past)))
	return x
}

// FitDisputes fits the regression; ok is false where too few were disputed, or too few
// were not, to say anything.
func FitDisputes(facts []DisputeFacts, disputed []bool) (o *DisputeOdds, ok bool) {
	o = &DisputeOdds{n: len(facts)}
	for _, d := range disputed {
		if d {
			o.disputed++
		}
	}
	if o.disputed < fewestDisputes || o.n-o.disputed < fewestDisputes {
		return nil, false
	}
	for range disputeSteps {
		if o.step(facts, disputed) < 1e-9 {
			break
		}
	}
	return o, true
}

// step is one of Newton's and returns how far the weight went that went farthest. The
// first weight, which is how rare disputes are, has no prior.
func (o *DisputeOdds) step(facts []DisputeFacts, disputed []bool) (moved float64) {
	var slope [disputeWeights]float64
	var curve [disputeWeights][disputeWeights]float64
	for j := 1; j < disputeWeights; j++ {
		slope[j], curve[j][j] = disputePrior*o.weights[j], disputePrior
	}
	for i := range facts {
		x, p := facts[i].row(), o.P(facts[i])
		off := p
		if disputed[i] {
			off--
		}
		for j := range x {
			slope[j] += off * x[j]
			for k := range x {
				curve[j][k] += p * (1 - p) * x[j] * x[k]
			}
		}
	}
	// Gaussian elimination; the prior keeps the matrix away from singular.
	curve[0][0] += 1e-9
	for j := range slope {
		for k := j + 1; k < disputeWeights; k++ {
			f := curve[k][j] / curve[j][j]
			for l := j; l < disputeWeights; l++ {
				curve[k][l] -= f * curve[j][l]
			}
			slope[k] -= f * slope[j]
		}
	}
	for j := disputeWeights - 1; j >= 0; j-- {
		for k := j + 1; k < disputeWeights; k++ {
			slope[j] -= curve[j][k] * slope[k]
		}
		slope[j] /= curve[j][j]
		o.weights[j] -= max(-3, min(3, slope[j])) // never far in one step, wherever it starts
		moved = max(moved, math.Abs(slope[j]))
	}
	return moved
}

// P returns the probability of a dispute, 0 to 1.
func (o *DisputeOdds) P(f DisputeFacts) float64 {
	z := 0.0
	for j, x := range f.row() {
		z += o.weights[j] * x
	}
	return 1 / (1 + math.Exp(-z))
}

// Learned returns how many invoices the regression was fitted to, and how many of them
// were disputed.
func (o *DisputeOdds) Learned() (invoices, disputed int) { return o.n, o.disputed }
