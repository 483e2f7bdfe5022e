package detectors

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// What `go run ./bench/accuracy --cv-ladder` measures of the plain 15 % rule, for
// 7,000 invoices of each spread.
func TestExpectedPrecisionMeetsTheLadder(t *testing.T) {
	for _, rung := range []struct{ spread, precision, recall float64 }{
		{0.03, 1.000, 0.977},
		{0.05, 0.991, 0.974},
		{0.08, 0.595, 0.925},
		{0.12, 0.250, 0.938},
		{0.20, 0.117, 0.924},
		{0.30, 0.078, 0.849},
		{0.50, 0.059, 0.840},
	} {
		precision, recall := ExpectedPrecision(7000, rung.spread, DefaultSettings())
		if math.Abs(precision-rung.precision) > 0.05 || math.Abs(recall-rung.recall) > 0.05 {
			t.Errorf("spread %g %%: expected precision %.3f and recall %.3f, the ladder measured %.3f and %.3f",
				100*rung.spread, precision, recall, rung.precision, rung.recall)
		}
	}
}

// Among many segments of any spread, those that look alike after n invoices keep
// what is promised of them: mean and spread are known from these n only.
func TestExpectedPrecisionMeetsSimulation(t *testing.T) {
	s := DefaultSettings()
	bounds := []float64{0.03, 0.05, 0.075, 0.12, 0.2, 0.3} // of the spread that n invoices show
	for _, n := range []int64{30, 100, 1000} {
		type alerts struct{ found, foundRight, right, wrong, errors float64 }
		bins := make([]alerts, len(bounds)-1)
		draw := rand.New(rand.NewPCG(4, uint64(n)))
		for range 50_000 {
			spread := 0.02 * math.Pow(25, draw.Float64()) // 2 to 50 %, log-uniform
			variance := math.Log1p(spread * spread)
			// The mean and deviation of n amounts, without drawing all of them.
			mean := math.Exp(math.Sqrt(variance/float64(n)) * draw.NormFloat64())
			cv := math.Sqrt(math.Expm1(variance * chiSquared(draw, n-1) / float64(n-1)))
			i, _ := slices.BinarySearch(bounds, cv)
			if i == 0 || i == len(bounds) {
				continue
			}
			precision, recall := ExpectedPrecision(n, cv, s)
			bin := &bins[i-1]
			bin.foundRight += recall * s.BaseRate
			bin.found += recall * s.BaseRate / precision
			amount := func() float64 { return math.Exp(math.Sqrt(variance)*draw.NormFloat64() - variance/2) }
			if amount() < 0.85*mean {
				bin.wrong += 1 - s.BaseRate
			}
			bin.errors += s.BaseRate
			if amount()*(1-0.16-0.44*draw.Float64()) < 0.85*mean {
				bin.right += s.BaseRate
			}
		}
		for i, bin := range bins {
			precision, want := bin.foundRight/bin.found, bin.right/(bin.right+bin.wrong)
			recall, wantRecall := bin.foundRight/bin.errors, bin.right/bin.errors
			if math.Abs(precision-want) > 0.05 || math.Abs(recall-wantRecall) > 0.02 {
				t.Errorf("%d invoices, spread %g to %g %%: expected precision %.3f and recall %.3f, simulated %.3f and %.3f",
					n, 100*bounds[i], 100*bounds[i+1], precision, recall, want, wantRecall)
			}
		}
	}
}

// chiSquared draws from the chi-squared distribution, by Wilson and Hilferty's cube.
func chiSquared(draw *rand.Rand, degrees int64) float64 {
	k := 2 / (9 * float64(degrees))
	return float64(degrees) * math.Pow(1-k+math.Sqrt(k)*draw.NormFloat64(), 3)
}

// More spread or fewer invoices never make an alert more credible.
func TestExpectedPrecisionIsMonotone(t *testing.T) {
	s := DefaultSettings()
	counts := []int64{1, 2, 3, 5, 10, 29, 30, 31, 100, 1000, 1_000_000}
	var spreads []float64
	for cv := 0.0; cv <= 3; cv += 0.005 {
		spreads = append(spreads, cv)
	}
	for i, n := range counts {
		before := 1.0
		for _, cv := range spreads {
			p, recall := ExpectedPrecision(n, cv, s)
			if !(p > 0 && p <= before && recall > 0 && recall <= 1) {
				t.Fatalf("%d invoices, spread %g: precision %g, recall %g, before it %g", n, cv, p, recall, before)
			}
			before = p
			if i == 0 {
				continue
			}
			if fewer, _ := ExpectedPrecision(counts[i-1], cv, s); fewer > p {
				t.Fatalf("spread %g: precision %g of %d invoices, %g of %d", cv, fewer, counts[i-1], p, n)
			}
		}
	}
}

// Equal amounts make a rule that is always right, but not the first few of them:
// of one invoice nothing is known but that 3 % are wrong (cold start).
func TestExpectedPrecisionOfFew(t *testing.T) {
	s := DefaultSettings()
	for _, c := range []struct {
		n           int64
		least, most float64
	}{{0, 0, 0}, {1, 0.02999, 0.03001}, {2, 0.03, 0.06}, {5, 0.05, 0.2}, {29, 0.2, 0.6}, {30, 0.999, 1},
		{1000, 0.9999, 1}} {
		if p, _ := ExpectedPrecision(c.n, 0, s); p < c.least || p > c.most {
			t.Errorf("%d equal invoices: expected precision %.3f, want %g to %g", c.n, p, c.least, c.most)
		}
	}
	s.MinN = 5
	if p, _ := ExpectedPrecision(5, 0, s); p < 0.99 {
		t.Errorf("5 equal invoices, where 5 are enough: expected precision %.3f, want near 1", p)
	}
}

func BenchmarkExpectedPrecision(b *testing.B) {
	s := DefaultSettings()
	for b.Loop() {
		ExpectedPrecision(100, 0.2, s)
	}
}

// Student's t against its tables.
func TestStudent(t *testing.T) {
	for _, c := range []struct {
		t       float64
		degrees int64
		want    float64
	}{{0, 5, 0.5}, {-2.920, 2, 0.05}, {2.015, 5, 0.95}, {-2.764, 10, 0.01}, {-1.697, 30, 0.05}, {-1.645, 1e6, 0.05},
		{3, 0, 0.5}} {
		if got := student(c.t, c.degrees); math.Abs(got-c.want) > 0.01 {
			t.Errorf("student(%g, %d) = %.4f, want %.4f", c.t, c.degrees, got, c.want)
		}
	}
}
