package detectors

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"recoup/invoice"
)

const testHalfLife = 90 * 24.0 // hours

// extremes are amounts around every limit and sign.
var extremes = []invoice.Amount{
	math.MinInt64, math.MinInt64 + 1, math.MinInt64 + 9999, math.MinInt64 / 2, -1 << 53, -(1<<53 + 1),
	-10001, -10000, -1,
	0, 1, 2, 50, 9999, 10000, 10001, 850000, 1000000, 1<<31 - 1, 1 << 31, 1<<53 - 1, 1 << 53, 1<<53 + 1,
	math.MaxInt64 / 2, math.MaxInt64 / 10000, math.MaxInt64/10000 + 1, math.MaxInt64 - 9999,
	math.MaxInt64 - 1, math.MaxInt64,
}

// bigMean is the mean of undecayed amounts, rounded half-even, exactly.
func bigMean(amounts []invoice.Amount) invoice.Amount {
	sum := new(big.Int)
	for _, a := range amounts {
		sum.Add(sum, big.NewInt(int64(a)))
	}
	n := big.NewInt(int64(len(amounts)))
	q, r := new(big.Int).DivMod(sum, n, new(big.Int)) // floor, 0 ≤ r < n
	switch r.Add(r, r).Cmp(n) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		if q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
	}
	return invoice.Amount(q.Int64())
}

// G11: the mean is exact, rounded half-even to 1/10,000, as long as nothing
// decayed. Fewer than clipAfter amounts: nothing is clipped.
func TestMeanAgainstExactArithmetic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		amounts := make([]invoice.Amount, 1+rng.IntN(clipAfter))
		scale := int64(1) << (1 + rng.IntN(48))
		for i := range amounts {
			amounts[i] = invoice.Amount(rng.Int64N(2*scale) - scale)
		}
		var b Baseline
		for _, a := range amounts {
			b.teach(a, 100, testHalfLife)
		}
		if got, want := b.Mean(), bigMean(amounts); got != want {
			t.Fatalf("mean of %v: got %d, want %d", amounts, got, want)
		}
	}
}

// A mean of equal amounts is that amount, at the limits too and whatever the decay.
func TestMeanOfEqualAmountsIsExact(t *testing.T) {
	for _, a := range extremes {
		var b Baseline
		for i := range int64(500) {
			b.teach(a, i*i*7%50000, testHalfLife)
		}
		if b.Mean() != a || b.SD() != 0 || b.N() != 500 {
			t.Errorf("500 × %d: mean %d, sd %v, n %d", a, b.Mean(), b.SD(), b.N())
		}
	}
}

// Means of extremes stay between them and never wrap.
func TestMeanOfExtremesStaysWithin(t *testing.T) {
	for _, a := range extremes {
		for _, c := range extremes {
			var b Baseline
			for i := range int64(40) {
				b.teach(a, i, testHalfLife)
				b.teach(c, i, testHalfLife)
			}
			low, high := min(a, c), max(a, c)
			if m := b.Mean(); m < low || m > high {
				t.Errorf("mean of %d and %d is %d", a, c, m)
			}
			if sd := b.SD(); math.IsNaN(sd) || math.IsInf(sd, 0) || sd < 0 {
				t.Errorf("sd of %d and %d is %v", a, c, sd)
			}
		}
	}
}

// Decay against the definition: weights 2^(-age/half-life) from the newest hour.
func TestDecayAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 200 {
		n := 2 + rng.IntN(clipAfter-2)
		amounts, hours, newest := make([]invoice.Amount, n), make([]int64, n), int64(0)
		var b Baseline
		for i := range n {
			amounts[i], hours[i] = invoice.Amount(rng.IntN(2000000)), int64(rng.IntN(5000))
			newest = max(newest, hours[i])
			b.teach(amounts[i], hours[i], testHalfLife)
		}
		var weight, sum, square float64
		for i, a := range amounts {
			w := math.Exp2(-float64(newest-hours[i]) / testHalfLife)
			weight, sum = weight+w, sum+w*float64(a)
		}
		for i, a := range amounts {
			d := float64(a) - sum/weight
			square += math.Exp2(-float64(newest-hours[i])/testHalfLife) * d * d
		}
		if got, want := float64(b.Mean()), sum/weight; math.Abs(got-want) > 0.51 {
			t.Fatalf("mean %v, want %v", got, want)
		}
		if got, want := b.SD(), math.Sqrt(square/weight); math.Abs(got-want) > 1e-9*want+1e-3 {
			t.Fatalf("sd %v, want %v", got, want)
		}
	}
}

// Folding the contributions of partitions gives what one partition would have
// learned, to 1/10,000 of the amount's unit and nine digits of the spread.
func TestFoldEqualsOnePartition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 200 {
		var one Baseline
		parts := make([]Baseline, 1+rng.IntN(8))
		hour := int64(1000)
		for range 400 {
			hour += int64(rng.IntN(5)) - 1
			amount := invoice.Amount(1000000 + rng.IntN(30000)) // within the clip of any part
			one.teach(amount, hour, testHalfLife)
			parts[rng.IntN(len(parts))].teach(amount, hour, testHalfLife)
		}
		var folded Baseline
		for _, p := range parts {
			folded.fold(p, testHalfLife)
		}
		if folded.N() != one.N() || folded.hour != one.hour {
			t.Fatalf("n %d at hour %d, want %d at %d", folded.N(), folded.hour, one.N(), one.hour)
		}
		if d := folded.Mean() - one.Mean(); d < -1 || d > 1 {
			t.Fatalf("mean %d, want %d", folded.Mean(), one.Mean())
		}
		if math.Abs(folded.SD()-one.SD()) > 1e-9*one.SD()+1e-3 {
			t.Fatalf("sd %v, want %v", folded.SD(), one.SD())
		}
	}
}

// A contribution that is too old to weigh anything neither counts nor divides by 0.
func TestAncientContributionsFadeAway(t *testing.T) {
	var old, young, both Baseline
	for range 10 {
		old.teach(500, -17000000, 1) // the year 30
		young.teach(1000, 500000, 1)
	}
	both.fold(old, 1)
	both.fold(young, 1)
	var reversed Baseline
	reversed.fold(young, 1)
	reversed.fold(old, 1)
	old.teach(1000, 500000, 1)
	for _, b := range []Baseline{both, reversed, old} {
		if b.Mean() != 1000 || b.SD() != 0 || b.N() < 11 {
			t.Errorf("mean %d, sd %v, n %d: want 1000, 0 and all counted", b.Mean(), b.SD(), b.N())
		}
	}
}

// Robust: one outlier moves the mean of n invoices by at most a few spreads / n,
// and a lasting change of price is learned all the same.
func TestOutliersAreClipped(t *testing.T) {
	var b Baseline
	for range 100 {
		b.teach(100*invoice.Unit, 0, testHalfLife)
	}
	b.teach(math.MaxInt64, 0, testHalfLife)
	if m := b.Mean(); m > 101*invoice.Unit {
		t.Errorf("one outlier among 100 moved the mean to %v", m)
	}
	for range 300 {
		b.teach(300*invoice.Unit, 24*90, testHalfLife)
	}
	if m := b.Mean(); m < 250*invoice.Unit {
		t.Errorf("after 300 invoices of 300.00 the mean is still %v", m)
	}
	var free Baseline
	for range 20 {
		free.teach(0, 0, testHalfLife)
	}
	for range 200 {
		free.teach(50*invoice.Unit, 24*90, testHalfLife)
	}
	if m := free.Mean(); m < 30*invoice.Unit {
		t.Errorf("after 20 free and 200 paid invoices the mean is %v", m)
	}
}

// An outlier among the first amounts must not swallow the spread of later ones.
func TestSpreadSurvivesAnEarlyOutlier(t *testing.T) {
	var b Baseline
	b.teach(1e11*invoice.Unit, 0, testHalfLife)
	for i := range int64(10000) {
		b.teach(invoice.Amount(950000+100000*(i%2)), 24*i, testHalfLife)
	}
	if cv := cvOf(b.Mean(), b.SD()); cv < 0.049 || cv > 0.051 {
		t.Errorf("cv %v, want 0.05", cv)
	}
}

func TestBaselineStoredForm(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for range 2000 {
		var b Baseline
		for range 1 + rng.IntN(20) {
			b.teach(extremes[rng.IntN(len(extremes))], int64(rng.IntN(1e6))-5e5, testHalfLife)
		}
		data := b.append(nil)
		if len(data) > 64 {
			t.Fatalf("%d bytes, want at most 64", len(data))
		}
		back, err := decodeBaseline(data)
		if err != nil || back != b {
			t.Fatalf("%+v came back as %+v, %v", b, back, err)
		}
		for cut := range data {
			if _, err := decodeBaseline(data[:cut]); err == nil {
				t.Fatalf("%d of %d bytes were taken for a baseline", cut, len(data))
			}
		}
		if _, err := decodeBaseline(append(data, 0)); err == nil {
			t.Fatal("a byte too many was not noticed")
		}
	}
}

// Whatever bytes come back from a topic, scoring with them stays finite.
func FuzzDecodeBaseline(f *testing.F) {
	var b Baseline
	b.teach(1000000, 12, testHalfLife)
	b.teach(1200000, 13, testHalfLife)
	f.Add(b.append(nil))
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeBaseline(data)
		if err != nil {
			return
		}
		var other Baseline
		other.teach(1000000, 500000, testHalfLife)
		for _, x := range []Baseline{b, other} {
			x.fold(other, testHalfLife)
			x.teach(5, 600000, testHalfLife)
			if cv := cvOf(x.Mean(), x.SD()); math.IsNaN(cv) || cv < 0 || cv > mostCV {
				t.Fatalf("cv %v of %+v", cv, x)
			}
		}
	})
}
