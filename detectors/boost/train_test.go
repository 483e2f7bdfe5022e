package boost

import (
	"bytes"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// On rows it has not seen the forest orders nearly as well as the truth itself.
func TestHeldOut(t *testing.T) {
	for _, test := range []struct {
		name  string
		usual float64 // share of values that are 0
		o     Options
		lost  float64 // AUC
	}{
		{"dense", 0, Options{Lambda: 1}, 0.03},
		{"half usual", 0.5, Options{Lambda: 1}, 0.02},
		{"mostly usual", 0.8, Options{Lambda: 1}, 0.02},
		{"half of the columns for each tree", 0.8, Options{Lambda: 1, Columns: 0.5}, 0.02},
		{"few bins", 0.8, Options{Lambda: 1, Bins: 16}, 0.02},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.o.Workers = 2
			f := mustTrain(t, synthetic(1, 8_000, 8, test.usual), test.o)
			held, truth := syntheticTruth(2, 8_000, 8, test.usual)
			got, most := auc(logitsOf(f, held), held.Y), auc(truth, held.Y)
			if t.Logf("AUC %.4f of %.4f", got, most); got < most-test.lost {
				t.Errorf("AUC %.4f: want at most %v below the truth's %.4f", got, test.lost, most)
			}
		})
	}
}

// Neither feature alone says anything: two questions in a row do.
func TestExclusiveOr(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	set := &Set{Width: 3}
	for range 2000 {
		a, b := r.Float32()-0.5, r.Float32()-0.5
		set.X = append(set.X, a, b, r.Float32())
		set.Y = append(set.Y, uint8(math.Float32bits(a*b)>>31))
	}
	f := mustTrain(t, set, Options{Rounds: 30, Depth: 4, Lambda: 1, LearningRate: 0.3})
	for _, test := range []struct {
		a, b float32
		sign float64
	}{{0.3, 0.3, -1}, {-0.3, -0.3, -1}, {0.3, -0.3, 1}, {-0.3, 0.3, 1}} {
		for _, third := range []float32{0.1, 0.5, 0.9} {
			if got := f.Logit([]float32{test.a, test.b, third}); got*test.sign < 2 {
				t.Errorf("(%v, %v, %v): logit %v, want %+v or more of it", test.a, test.b, third, got, 2*test.sign)
			}
		}
	}
}

// What is no number, whatever its sign, is the greatest value: above the
// infinite ones in training, and with the large ones where training saw none.
func TestNoNumberIsTheGreatest(t *testing.T) {
	inf := float32(math.Inf(1))
	negative := math.Float32frombits(math.Float32bits(nan) | 1<<31)
	for _, test := range []struct {
		name   string
		x      []float32
		y      []uint8
		always uint8 // class of what is no number
	}{
		{"seen", []float32{0, 1, inf, nan}, []uint8{0, 0, 0, 1}, 1},
		{"with either sign", []float32{0, 1, negative, nan}, []uint8{1, 1, 0, 0}, 0},
		{"never seen", []float32{-1, 0, 1, 2}, []uint8{0, 0, 0, 1}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			set := &Set{Width: 1, X: slices.Repeat(test.x, 100), Y: slices.Repeat(test.y, 100)}
			f := mustTrain(t, set, Options{Rounds: 20, Depth: 2, LearningRate: 0.5})
			for i, x := range append(test.x, nan, negative) {
				want := test.always
				if i < len(test.y) {
					want = test.y[i]
				}
				if got := f.Logit([]float32{x}); (got > 0) != (want == 1) || math.Abs(got) < 2 {
					t.Errorf("%v: logit %v, want class %d", x, got, want)
				}
			}
		})
	}
}

// A weight of k is k equal rows, one of 0 is none.
func TestWeightIsRepetition(t *testing.T) {
	weighted := synthetic(5, 3000, 10, 0.5)
	weighted.W = make([]float32, weighted.Rows())
	repeated := &Set{Width: weighted.Width}
	for row := range weighted.W {
		weighted.W[row] = float32(row % 4)
		for range row % 4 {
			repeated.X = append(repeated.X, weighted.row(row)...)
			repeated.Y = append(repeated.Y, weighted.Y[row])
		}
	}
	// Rounding tells the two apart where two splits are as good; so not each logit
	// is the same, but nearly all are. Without weights nearly none is.
	o := Options{Rounds: 20, Lambda: 1, MinWeight: 2}
	want := logitsOf(mustTrain(t, repeated, o), weighted)
	same := func(set *Set) (share float64) {
		for row, got := range logitsOf(mustTrain(t, set, o), weighted) {
			if math.Abs(got-want[row]) < 1e-3 {
				share += 1 / float64(len(want))
			}
		}
		return share
	}
	if share := same(weighted); share < 0.9 {
		t.Errorf("%.3f of the logits are those with repeated rows: want 0.9", share)
	}
	if share := same(&Set{Width: weighted.Width, X: weighted.X, Y: weighted.Y}); share > 0.1 {
		t.Errorf("%.3f of the logits are the same without weights: the test sees nothing", share)
	}
}

// G5: the number of workers and of processors changes nothing.
func TestWorkersChangeNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, o := range []Options{
		{Rounds: 15},
		{Rounds: 15, Columns: 0.5, Seed: 9},
		{Rounds: 6, Classes: 4, Lambda: 1, Columns: 0.8},
	} {
		set := blocky(9000, 12, max(o.Classes, 2))
		var first []byte
		for _, workers := range []int{1, 2, 3, 8} {
			runtime.GOMAXPROCS(workers)
			o.Workers = workers
			stored := mustTrain(t, set, o).Append(nil)
			if first == nil {
				first = stored
			}
			if !bytes.Equal(stored, first) {
				t.Errorf("%d workers, %+v: another forest than with one", workers, o)
			}
		}
		o.Seed++
		if o.Columns != 0 && bytes.Equal(mustTrain(t, set, o).Append(nil), first) {
			t.Errorf("%+v: the seed changes nothing", o)
		}
	}
}

// G5: the checksums were taken on amd64. They hold on every architecture and with
// every instruction set, such as GOAMD64=v3, which fuses what may be fused.
func TestSameForestEverywhere(t *testing.T) {
	var bits []byte
	for i := 1; i < 5000; i++ {
		bits = appendFloat(appendFloat(bits, exp(float64(i-2500)/64)), log(float64(i)/64))
	}
	if got, want := crc32.ChecksumIEEE(bits), uint32(0xca3e9c40); got != want {
		t.Errorf("exp and log: checksum %#08x, want %#08x", got, want)
	}
	for _, test := range []struct {
		o    Options
		want uint32
	}{
		{Options{Rounds: 40, Lambda: 1, Columns: 0.7}, 0x9cec79d4},
		{Options{Rounds: 10, Classes: 5, Depth: 4, Lambda: 0.3}, 0x5fa9c7df},
	} {
		f := mustTrain(t, blocky(4000, 10, max(test.o.Classes, 2)), test.o)
		if got := crc32.ChecksumIEEE(f.Append(nil)); got != test.want {
			t.Errorf("%+v: checksum %#08x, want %#08x", test.o, got, test.want)
		}
	}
}

// What training adds to the margins of the rows it learnt from is what the forest
// says of them.
func TestMarginsAreLogits(t *testing.T) {
	for _, o := range []Options{
		{Rounds: 30},
		{Rounds: 30, Columns: 0.7},
		{Rounds: 33, Depth: 8},
		{Rounds: 10, Depth: 1},
		{Rounds: 7, Classes: 3, Columns: 0.5},
	} {
		set := blocky(5000, 10, max(o.Classes, 2))
		o, err := o.check(set)
		if err != nil {
			t.Fatal(err)
		}
		held := make([]bool, set.Rows())
		for row := range held {
			held[row] = row%3 == 0
		}
		b := train(set, o, binSet(set, o), held)
		for row := range set.Rows() {
			if held[row] {
				continue
			}
			got := make([]float64, len(b.forest.base))
			b.forest.margins(set.row(row), got)
			if want := b.margins[row*len(got) : (row+1)*len(got)]; !slices.Equal(got, want) {
				t.Fatalf("%+v, row %d: forest says %v, training said %v", o, row, got, want)
			}
		}
	}
}

// gainOf is what a first split saves, from the definition: sums over all rows. It
// is 0 for one that leaves too little on a side.
func gainOf(set *Set, o Options, feature int, first func(x float32) bool) float64 {
	ones := 0.0
	for _, class := range set.Y {
		ones += float64(class)
	}
	p := ones / float64(set.Rows())
	saved := func(in func(x float32) bool) (float64, bool) {
		var g, h float64
		for row, class := range set.Y {
			if in(set.row(row)[feature]) {
				g += p - float64(class)
				h += p * (1 - p)
			}
		}
		return g * g / (h + o.Lambda), h > o.MinWeight
	}
	whole, _ := saved(func(float32) bool { return true })
	a, okA := saved(first)
	b, okB := saved(func(x float32) bool { return !first(x) })
	if !okA || !okB {
		return 0
	}
	return (a + b - whole) / 2
}

func TestFirstSplitIsTheBest(t *testing.T) {
	for seed := range uint64(20) {
		set := synthetic(seed, 250, 6, 0.5)
		o := Options{Rounds: 1, Depth: 1, Lambda: 0.5, MinWeight: 0.7, Bins: 256}
		best := 0.0
		for at, cut := range set.X {
			best = max(best, gainOf(set, o, at%set.Width, func(x float32) bool { return x <= cut }))
		}
		root := mustTrain(t, set, o).nodes[1]
		got := gainOf(set, o, int(root.feature), func(x float32) bool { return keyOf(x) <= root.threshold })
		if best == 0 || got < best*(1-1e-6) {
			t.Errorf("seed %d: %+v saves %v, want %v", seed, root, got, best)
		}
	}
}

func TestSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	set := &Set{Width: 2}
	for range 3000 {
		x, y := r.Float32()*4-2, r.Float32()*4-2
		class := uint8(0)
		switch {
		case x*x+y*y < 1:
			class = 1
		case x > 0:
			class = 2
		}
		set.X, set.Y = append(set.X, x, y), append(set.Y, class)
	}
	f := mustTrain(t, set, Options{Classes: 3, Rounds: 40, Lambda: 1})
	scores := make([]float64, 3)
	right, sum := 0, 0.0
	for row := range set.Rows() {
		f.Scores(set.row(row), scores)
		best := 0
		for class := range scores {
			sum += scores[class]
			if scores[class] > scores[best] {
				best = class
			}
		}
		if best == int(set.Y[row]) {
			right++
		}
	}
	if share := float64(right) / float64(set.Rows()); share < 0.97 || math.Abs(sum-float64(set.Rows())) > 1e-6 {
		t.Errorf("%.3f of the classes are right: want 0.97; probabilities add up to %v", share, sum)
	}
}

// Sets on which nothing can be learnt give the odds of the classes.
func TestNothingToLearn(t *testing.T) {
	for _, test := range []struct {
		name string
		set  *Set
		want float64
	}{
		{"one row", &Set{Width: 1, X: []float32{1}, Y: []uint8{1}}, logit(1 - 1e-6)},
		{"constant", &Set{Width: 1, X: []float32{2, 2, 2, 2}, Y: []uint8{1, 0, 0, 0}}, logit(0.25)},
		{"no numbers", &Set{Width: 1, X: []float32{nan, nan}, Y: []uint8{1, 0}}, 0},
		{"no weight", &Set{Width: 1, X: []float32{1, 2}, Y: []uint8{1, 0}, W: []float32{0, 0}}, 0},
		{"one class", &Set{Width: 1, X: []float32{1, 2, 3}, Y: []uint8{0, 0, 0}}, logit(1e-6)},
	} {
		f := mustTrain(t, test.set, Options{Rounds: 5, Lambda: 1})
		if got := f.Logit([]float32{2}); math.Abs(got-test.want) > 1e-3 {
			t.Errorf("%s: logit %v, want %v", test.name, got, test.want)
		}
	}
}

// One tree moves log-odds by 10 and not, as Newton's step would, by a million.
func TestLongestStep(t *testing.T) {
	set := &Set{Width: 1, X: []float32{0, 1}, Y: []uint8{0, 1}, W: []float32{1e6, 1}}
	f := mustTrain(t, set, Options{Rounds: 1, LearningRate: 1})
	if got, want := f.Logit([]float32{1}), logit(1e-6)+10; math.Abs(got-want) > 1e-3 {
		t.Errorf("logit %v, want %v", got, want)
	}
}

func TestPowerOfTwo(t *testing.T) {
	for _, sum := range []float64{0, 5e-324, 1e-300, 0.3, 1, 1.5, 4, 1e9, math.MaxFloat64} {
		scale := powerOfTwo(sum, 30)
		if scale == 0 || math.IsInf(scale, 0) || math.IsInf(1/scale, 0) || sum*scale >= 1<<30 {
			t.Errorf("the scale of %v is %v", sum, scale)
		}
		if fraction, _ := math.Frexp(scale); fraction != 0.5 {
			t.Errorf("the scale of %v is %v: want a power of two", sum, scale)
		}
	}
}

// Steps without any brake end in probabilities of 0 and 1, never in no number.
func TestSureOfEverything(t *testing.T) {
	set := &Set{Width: 1}
	for i := range 200 {
		set.X = append(set.X, float32(i))
		set.Y = append(set.Y, uint8(i/197))
	}
	for _, classes := range []int{2, 3} {
		f := mustTrain(t, set, Options{Classes: classes, LearningRate: 1, Rounds: 2000, Depth: 3})
		scores := make([]float64, classes)
		for row := range set.Y {
			if f.Scores(set.row(row), scores); !(scores[set.Y[row]] > 0.999) {
				t.Fatalf("%d classes, row %d: probabilities %v, want class %d", classes, row, scores, set.Y[row])
			}
		}
	}
}

func TestBadOptions(t *testing.T) {
	good := func() *Set { return &Set{Width: 2, X: []float32{1, 2, 3, 4}, Y: []uint8{0, 1}} }
	for _, test := range []struct {
		set  *Set
		o    Options
		want string
	}{
		{good(), Options{Classes: 1}, "Classes 1: want 2 to 256"},
		{good(), Options{Classes: 3, Rounds: 9000, Depth: 8}, "27000 trees of depth 8: want at most 4096"},
		{good(), Options{Depth: 9}, "Depth 9: want 1 to 8"},
		{good(), Options{LearningRate: math.NaN()}, "LearningRate NaN"},
		{good(), Options{Lambda: math.Inf(1)}, "Lambda +Inf"},
		{good(), Options{Bins: 257}, "Bins 257: want 2 to 256"},
		{good(), Options{Columns: 1.5}, "Columns 1.5"},
		{&Set{Width: 0}, Options{}, "0 features"},
		{&Set{Width: 1}, Options{}, "0 rows"},
		{&Set{Width: 2, X: []float32{1}, Y: []uint8{0}}, Options{}, "1 values for 1 classes: want 2"},
		{&Set{Width: 1, X: []float32{1}, Y: []uint8{2}}, Options{}, "class 2 of row 0: want below 2"},
		{&Set{Width: 1, X: []float32{1}, Y: []uint8{1}, W: []float32{-1}}, Options{}, "weight -1 of row 0"},
		{&Set{Width: 1, X: []float32{1}, Y: []uint8{1}, W: []float32{nan}}, Options{}, "weight NaN of row 0"},
		{&Set{Width: 1, X: []float32{1}, Y: []uint8{1}, W: []float32{1, 2}}, Options{}, "2 weights for 1 rows"},
		{&Set{Width: 257, X: make([]float32, 257), Y: []uint8{0}}, Options{}, "257 features: want 1 to 256"},
	} {
		if _, err := Train(test.set, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want … %s", test.o, err, test.want)
		}
	}
}
