package boost

import (
	"math"
	"math/rand/v2"
	"testing"
)

func binsOf(t *testing.T, values []float32, weights []float32, most int) (feature, []uint8) {
	t.Helper()
	set := &Set{Width: 1, X: values, Y: make([]uint8, len(values)), W: weights}
	bins := make([]uint8, len(values))
	return binColumn(set, 0, most, make([]uint64, 2*len(values)), bins), bins
}

func TestBins(t *testing.T) {
	inf := float32(math.Inf(1))
	zero := math.Float32frombits(1 << 31) // −0
	for _, test := range []struct {
		name    string
		values  []float32
		weights []float32
		most    int
		want    []uint8
		cuts    []float32
	}{
		{"one for each value", []float32{3, 1, 2, 1}, nil, 4, []uint8{2, 0, 1, 0}, []float32{1.5, 2.5}},
		{"no number is above all", []float32{nan, inf, nan, 1}, nil, 3, []uint8{2, 1, 2, 0}, []float32{1, inf}},
		{"zeros are one value", []float32{0, zero, 1}, nil, 4, []uint8{0, 0, 1}, []float32{0.5}},
		{"infinities are values", []float32{inf, 0, -inf}, nil, 4, []uint8{2, 1, 0}, []float32{-inf, 0}},
		{"negative before positive", []float32{-1, -3, 2}, nil, 4, []uint8{1, 0, 2}, []float32{-2, 0.5}},
		{"equal shares", []float32{1, 2, 3, 4, 5, 6}, nil, 3, []uint8{0, 0, 1, 1, 2, 2}, []float32{2.5, 4.5}},
		{"a frequent value alone", []float32{1, 2, 3, 3, 3, 3, 4, 5}, nil, 3,
			[]uint8{0, 0, 1, 1, 1, 1, 2, 2}, []float32{2.5, 3.5}},
		{"a heavy value alone", []float32{1, 2, 3, 4, 5}, []float32{1, 1, 9, 1, 1}, 3,
			[]uint8{0, 0, 1, 2, 2}, []float32{2.5, 3.5}},
		{"no middle between neighbours", []float32{math.MaxFloat32, inf}, nil, 3, []uint8{0, 1}, []float32{math.MaxFloat32}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, bins := binsOf(t, test.values, test.weights, test.most)
			for i := range test.want {
				if bins[i] != test.want[i] {
					t.Fatalf("bins %v, want %v", bins, test.want)
				}
			}
			for i := range max(len(test.cuts), len(f.cuts)) {
				if i >= len(f.cuts) || i >= len(test.cuts) || f.cuts[i] != test.cuts[i] {
					t.Fatalf("cuts %v, want %v", f.cuts, test.cuts)
				}
			}
		})
	}
}

// Whatever the values: a bin holds those above the cut before it and up to its
// own, there are not too many, and no bin is much above its share.
func TestBinsHoldTheirValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 200 {
		values := make([]float32, 1+r.IntN(500))
		for i := range values {
			switch values[i] = float32(r.NormFloat64()); r.IntN(8) {
			case 0:
				values[i] = nan
			case 1, 2, 3:
				values[i] = float32(r.IntN(5))
			case 4:
				values[i] = math.Float32frombits(r.Uint32()) // anything at all
			}
		}
		most := 2 + r.IntN(255)
		f, bins := binsOf(t, values, nil, most)
		if f.bins() > most {
			t.Fatalf("round %d: %d bins, want at most %d", round, f.bins(), most)
		}
		for i, value := range values {
			bin := int(bins[i])
			key := keyOf(value)
			if bin > 0 && key <= keyOf(f.cuts[bin-1]) || bin < len(f.cuts) && key > keyOf(f.cuts[bin]) {
				t.Fatalf("round %d: %v in bin %d of %v", round, value, bin, f.cuts)
			}
		}
	}
}
