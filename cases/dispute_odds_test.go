package cases

import (
	"math"
	"math/rand/v2"
	"testing"

	"recoup/detectors"
)

// invoicesWith draws invoices whose customers dispute by given weights.
func invoicesWith(n int, weights [disputeWeights]float64) (facts []DisputeFacts, disputed []bool) {
	rng := rand.New(rand.NewPCG(4, uint64(n)))
	truth := DisputeOdds{weights: weights}
	directions := []detectors.Direction{detectors.DirectionNone, detectors.DirectionCustomerFavour,
		detectors.DirectionSellerFavour}
	for range n {
		f := DisputeFacts{PError: rng.Float64(), Direction: directions[rng.IntN(3)], LossShare: rng.Float64(),
			Past: rng.IntN(4)}
		facts, disputed = append(facts, f), append(disputed, rng.Float64() < truth.P(f))
	}
	return facts, disputed
}

// B22: what makes customers dispute is found again, and the same invoices give the
// same regression.
func TestDisputeOdds(t *testing.T) {
	truth := [disputeWeights]float64{-2.5, 0.4, -1, 1.5, 1, 0.7}
	facts, disputed := invoicesWith(40_000, truth)
	o, ok := FitDisputes(facts, disputed)
	again, _ := FitDisputes(facts, disputed)
	if !ok || *o != *again {
		t.Fatalf("fitted %v, then %v", o, again)
	}
	for j, w := range o.weights {
		if math.Abs(w-truth[j]) > 0.15 {
			t.Errorf("weight %d is %.3f, want %.3f", j, w, truth[j])
		}
	}
	if n, d := o.Learned(); n != 40_000 || d < 1000 {
		t.Errorf("learned of %d invoices, %d disputed", n, d)
	}
}

// Few disputes say nothing, and what no invoice tells apart has no weight.
func TestDisputeOddsOfLittle(t *testing.T) {
	facts, disputed := invoicesWith(200, [disputeWeights]float64{-9})
	if o, ok := FitDisputes(facts, disputed); ok {
		t.Errorf("fitted %+v to no disputes", o)
	}
	for i := range facts {
		facts[i], disputed[i] = DisputeFacts{PError: 0.5}, i%4 == 0
	}
	o, ok := FitDisputes(facts, disputed)
	if !ok || math.Abs(o.P(facts[0])-0.25) > 0.01 {
		t.Errorf("a quarter of equal invoices is disputed, said %.3f", o.P(facts[0]))
	}
	for i := range disputed { // everything is told apart: the weights stay finite
		facts[i].PError, disputed[i] = float64(i/100)*0.9+0.05, i >= 100
	}
	if o, ok = FitDisputes(facts, disputed); !ok || !(o.P(facts[0]) < 0.2) || !(o.P(facts[199]) > 0.8) {
		t.Errorf("said %+v", o)
	}
}
