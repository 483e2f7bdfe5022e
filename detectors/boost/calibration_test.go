package boost

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Blocks worked out by hand: shares that do not rise are pooled by weight.
func TestPool(t *testing.T) {
	for _, test := range []struct {
		name string
		rows []observation // logit, weight, ones
		want []observation
	}{
		{"rising", []observation{{1, 1, 0}, {2, 2, 1}, {3, 1, 1}}, []observation{{1, 1, 0}, {2, 2, 1}, {3, 1, 1}}},
		{"falling", []observation{{1, 1, 1}, {2, 1, 0}}, []observation{{1.5, 2, 1}}},
		{"equal", []observation{{1, 1, 1}, {3, 3, 3}}, []observation{{2.5, 4, 4}}},
		{"pooling goes back", []observation{{1, 1, 0}, {2, 1, 1}, {3, 1, 1}, {4, 2, 0}, {9, 1, 1}},
			[]observation{{1, 1, 0}, {3.25, 4, 2}, {9, 1, 1}}},
		{"Ayer's example of 4 of 10 before 1 of 10", []observation{{0, 10, 4}, {1, 10, 1}, {2, 10, 6}},
			[]observation{{0.5, 20, 5}, {2, 10, 6}}},
	} {
		if got := pool(test.rows); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestIsotonicByHand(t *testing.T) {
	// Of four at logit 0 one is of class 1, of four at 2 three are, and half a row
	// of the other class joins each end.
	logits := []float64{0, 0, 0, 0, 2, 2, 2, 2}
	classes := []uint8{0, 0, 1, 0, 1, 1, 0, 1}
	c, err := FitIsotonic(logits, classes, nil)
	if err != nil {
		t.Fatal(err)
	}
	low, high := math.Log(1.5/3), math.Log(3/1.5)
	slope := (high - low) / 2
	for _, test := range []struct{ logit, want float64 }{
		{0, low}, {2, high}, {1, 0}, {0.5, low / 2}, {-3, low - 3*slope}, {4, high + 2*slope},
	} {
		if got := c.Logit(test.logit); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("logit %v became %v, want %v", test.logit, got, test.want)
		}
	}
	if p := Sigmoid(c.Logit(0)); math.Abs(p-1.0/3) > 1e-12 {
		t.Errorf("the probability at logit 0 is %v, want 1/3", p)
	}
	// A curve that rises faster than the model's logits goes on as fast as these.
	for i := range logits {
		logits[i] /= 20
	}
	if c, err = FitIsotonic(logits, classes, nil); err != nil {
		t.Fatal(err)
	}
	if got := c.Logit(3.1); math.Abs(got-(high+3)) > 1e-12 {
		t.Errorf("logit 3.1 became %v, want %v", got, high+3)
	}
}

// curve draws rows whose class has a known probability at each logit.
func curve(seed uint64, rows int, p func(logit float64) float64) (logits []float64, classes []uint8) {
	r := rand.New(rand.NewPCG(seed, 2))
	for range rows {
		logit := r.NormFloat64()*3 - 2
		class := uint8(0)
		if r.Float64() < p(logit) {
			class = 1
		}
		logits, classes = append(logits, logit), append(classes, class)
	}
	return logits, classes
}

func fit(t *testing.T, logits []float64, classes []uint8, weights []float32) *Isotonic {
	t.Helper()
	c, err := FitIsotonic(logits, classes, weights)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCalibrationFindsTheCurve(t *testing.T) {
	for name, p := range map[string]func(float64) float64{
		"line":  func(logit float64) float64 { return Sigmoid(0.6*logit - 1) },
		"steep": func(logit float64) float64 { return 0.05 + 0.7*Sigmoid(5*logit) },
	} {
		logits, classes := curve(1, 20_000, p)
		c, distance := fit(t, logits, classes, nil), 0.0
		for _, logit := range logits {
			distance += math.Abs(Sigmoid(c.Logit(logit))-p(logit)) / float64(len(logits))
		}
		if t.Logf("%s: mean distance %.4f", name, distance); distance > 0.02 {
			t.Errorf("%s: mean distance %.4f, want 0.02", name, distance)
		}
	}
}

// The order of invoices stays, whatever was observed.
func TestCalibrationKeepsOrder(t *testing.T) {
	for name, p := range map[string]func(float64) float64{
		"rising":  func(logit float64) float64 { return Sigmoid(logit) },
		"falling": func(logit float64) float64 { return Sigmoid(-logit) },
		"always":  func(float64) float64 { return 1 },
		"never":   func(float64) float64 { return 0 },
		"rare":    func(float64) float64 { return 0.002 },
	} {
		for _, rows := range []int{1, 2, 10, 3000} {
			logits, classes := curve(uint64(rows), rows, p)
			c := fit(t, logits, classes, nil)
			for logit := -30.0; logit < 30; logit += 0.01 {
				if low, high := c.Logit(logit), c.Logit(logit+0.01); !(low < high) {
					t.Fatalf("%s, %d rows: %v at %v, %v behind it", name, rows, low, logit, high)
				}
			}
		}
	}
}

func TestCalibrationWeights(t *testing.T) {
	logits, classes := curve(3, 3000, Sigmoid)
	weights := make([]float32, len(logits))
	var repeatedLogits []float64
	var repeatedClasses []uint8
	for i := range weights {
		weights[i] = float32(i % 3)
		for range i % 3 {
			repeatedLogits = append(repeatedLogits, logits[i])
			repeatedClasses = append(repeatedClasses, classes[i])
		}
	}
	repeated, weighted := fit(t, repeatedLogits, repeatedClasses, nil), fit(t, logits, classes, weights)
	for logit := -9.0; logit < 9; logit += 0.1 {
		if got, want := weighted.Logit(logit), repeated.Logit(logit); math.Abs(got-want) > 1e-6 {
			t.Fatalf("%v at %v by weights, %v by repeated rows", got, logit, want)
		}
	}
}

func TestStoredCalibration(t *testing.T) {
	logits, classes := curve(4, 2000, Sigmoid)
	c := fit(t, logits, classes, nil)
	form := c.Append([]byte("before"))[len("before"):]
	again, err := ParseIsotonic(form)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Append(nil), form) || again.Logit(0.3) != c.Logit(0.3) || again.Logit(99) != c.Logit(99) {
		t.Error("it changes when it is read and stored again")
	}
	for i := range form {
		damaged := bytes.Clone(form)
		damaged[i] ^= 4
		if _, err := ParseIsotonic(damaged); err == nil {
			t.Fatalf("byte %d was changed, and nobody saw", i)
		}
		if _, err := ParseIsotonic(form[:i]); err == nil {
			t.Fatalf("cut off at %d, and nobody saw", i)
		}
	}
	for name, knots := range map[string][]knot{
		"falling":      {{1, 2}, {2, 1}},
		"standing":     {{1, 2}, {1, 3}},
		"not a number": {{1, math.NaN()}},
		"too large":    {{1, 1e300}},
		"none":         {},
	} {
		if _, err := ParseIsotonic((&Isotonic{knots: knots}).Append(nil)); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
}

func TestBadObservations(t *testing.T) {
	for name, test := range map[string]struct {
		logits  []float64
		classes []uint8
		weights []float32
	}{
		"none":           {},
		"a class short":  {[]float64{1, 2}, []uint8{0}, nil},
		"a weight short": {[]float64{1, 2}, []uint8{0, 1}, []float32{1}},
		"not a number":   {[]float64{math.NaN()}, []uint8{0}, nil},
		"infinite":       {[]float64{math.Inf(1)}, []uint8{0}, nil},
		"third class":    {[]float64{1}, []uint8{2}, nil},
		"weight below 0": {[]float64{1}, []uint8{1}, []float32{-1}},
		"no weight":      {[]float64{1}, []uint8{1}, []float32{0}},
	} {
		if _, err := FitIsotonic(test.logits, test.classes, test.weights); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

// The package's own exp and log are the true ones, nearly to the last bit.
func TestExpAndLog(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 100_000 {
		x := r.NormFloat64() * math.Pow(10, float64(r.IntN(6)-4))
		x = min(max(x, -700), 700)
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 5e-16*want {
			t.Fatalf("exp(%v) is %v, want %v", x, got, want)
		}
		y := math.Abs(x) + 1e-300
		if got, want := log(y), math.Log(y); math.Abs(got-want) > 1e-15*max(math.Abs(want), 0.1) {
			t.Fatalf("log(%v) is %v, want %v", y, got, want)
		}
	}
	if Sigmoid(0) != 0.5 || Sigmoid(1e9) != 1 || Sigmoid(-1e9) > 1e-300 {
		t.Errorf("Sigmoid(0, 1e9, -1e9) is %v, %v, %v", Sigmoid(0), Sigmoid(1e9), Sigmoid(-1e9))
	}
}
