package boost

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// synthetic is a set whose class 1, a twentieth of the rows, depends on a
// product, a threshold, a sum and a missing value. A share of all values is 0.
func synthetic(seed uint64, rows, width int, usual float64) *Set {
	r := rand.New(rand.NewPCG(seed, 7))
	set := &Set{Width: width, X: make([]float32, rows*width), Y: make([]uint8, rows)}
	for row := range rows {
		x := set.row(row)
		for i := range x {
			if r.Float64() >= usual {
				x[i] = float32(r.NormFloat64())
			}
		}
		truth := -5 + 4*float64(x[0]*x[1]) + 3*float64(x[2]+x[3])
		if x[4] > 0.5 {
			truth += 3
		}
		if x[5] < -1 {
			x[5] = float32(math.NaN())
			truth += 3
		}
		if r.Float64() < Sigmoid(truth) {
			set.Y[row] = 1
		}
	}
	return set
}

// auc is the share of pairs of different class that the logits put in order.
func auc(logits []float64, classes []uint8) float64 {
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(logits[a], logits[b]) })
	below, pairs, ones := 0.0, 0.0, 0.0
	for _, i := range order {
		if classes[i] == 1 {
			pairs += below
			ones++
		} else {
			below++
		}
	}
	return pairs / (below * ones)
}

func mustTrain(t testing.TB, set *Set, o Options) *Forest {
	t.Helper()
	f, err := Train(set, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func logitsOf(f *Forest, set *Set) []float64 {
	logits := make([]float64, set.Rows())
	for row := range logits {
		logits[row] = f.Logit(set.row(row))
	}
	return logits
}

func TestHeldOut(t *testing.T) {
	for _, usual := range []float64{0, 0.5, 0.8} {
		f := mustTrain(t, synthetic(1, 20_000, 20, usual), Options{Lambda: 1, MinWeight: 1, Workers: 2})
		held := synthetic(2, 20_000, 20, usual)
		t.Logf("usual %v: AUC %.4f", usual, auc(logitsOf(f, held), held.Y))
	}
}

// What training adds to the margins is what the forest says.
func TestMarginsAreLogits(t *testing.T) {
	set := synthetic(3, 5000, 10, 0.5)
	for _, rows := range []float64{1, 0.5} {
		o, err := Options{Rounds: 30, Rows: rows, Columns: 0.7}.check(set)
		if err != nil {
			t.Fatal(err)
		}
		bins, err := binSet(set, o)
		if err != nil {
			t.Fatal(err)
		}
		b := newBooster(set, o, bins, nil)
		for round := range o.Rounds {
			b.round(round)
		}
		for row := range set.Rows() {
			if got := b.forest.Logit(set.row(row)); got != b.margin[row] {
				t.Fatalf("row %d: forest says %v, training said %v", row, got, b.margin[row])
			}
		}
	}
}
