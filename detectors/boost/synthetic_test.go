package boost

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var nan = float32(math.NaN())

// synthetic is a set whose class 1, about a tenth of the rows, depends on a
// product, a sum and two thresholds. A share of all values is 0.
func synthetic(seed uint64, rows, width int, usual float64) *Set {
	set, _ := syntheticTruth(seed, rows, width, usual)
	return set
}

// syntheticTruth also returns the true logits, which no model can beat.
func syntheticTruth(seed uint64, rows, width int, usual float64) (*Set, []float64) {
	r := rand.New(rand.NewPCG(seed, 7))
	set := &Set{Width: width, X: make([]float32, rows*width), Y: make([]uint8, rows)}
	truth := make([]float64, rows)
	for row := range rows {
		x := set.row(row)
		for i := range x {
			if r.Float64() >= usual {
				x[i] = float32(r.NormFloat64())
			}
		}
		truth[row] = -5 + 4*float64(x[0]*x[1]) + 3*float64(x[2]+x[3])
		if x[4] > 0.5 {
			truth[row] += 3
		}
		if x[5] < -1 {
			truth[row] += 3
		}
		if r.Float64() < Sigmoid(truth[row]) {
			set.Y[row] = 1
		}
	}
	return set, truth
}

// blocky is a set of small integers made without floating-point arithmetic, so
// that it is the same on every processor. Every seventh value is no number.
func blocky(rows, width, classes int) *Set {
	r := random(42)
	set := &Set{Width: width, X: make([]float32, rows*width), Y: make([]uint8, rows), W: make([]float32, rows)}
	for row := range rows {
		sum := 0
		x := set.row(row)
		for i := range x {
			v := int(r.next() % 97)
			if x[i] = float32(v) / 8; r.next()%7 == 0 {
				x[i] = nan
				v = 0
			}
			sum += v * (i%3 - 1)
		}
		set.Y[row] = uint8(max(sum+int(r.next()%64), 0) / 64 % classes)
		set.W[row] = float32(1+r.next()%4) / 2
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
