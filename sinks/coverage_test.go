package sinks

import (
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// wilson is what migrations/shared/wilson.sql computes: 95 % bounds of k in n.
func wilson(k, n float64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	p := k / n
	centre, half := p+z*z/(2*n), z*math.Sqrt((p*(1-p)+z*z/(4*n))/n)
	return math.Max(0, (centre-half)/(1+z*z/n)), math.Min(1, (centre+half)/(1+z*z/n))
}

// month is a simulated month: what recoup flags, misses, and what the audit sees.
type month struct {
	flaggedWrong, unflagged, missed, audited, auditedWrong float64
	truth, recall                                          float64
	invoices                                               float64
}

// simulate draws a month of a seller whose rates nobody knows; an audit of 0.2 to
// 0.5 % looks at the unflagged, at random and without putting back.
func simulate(dice *rand.Rand) month {
	n := 100_000 + dice.IntN(900_000)
	rate := 0.01 + 0.05*dice.Float64()
	recall := 0.5 + 0.45*dice.Float64()
	audit := 0.002 + 0.003*dice.Float64()
	wrong := binomial(dice, n, rate)
	caught := binomial(dice, wrong, recall)
	falseAlarms := binomial(dice, n-wrong, 0.005)
	missed, unflagged := wrong-caught, n-caught-falseAlarms
	audited := binomial(dice, unflagged, audit)
	found := 0
	for left, i := missed, 0; i < audited; i++ { // hypergeometric
		if dice.IntN(unflagged-i) < left {
			found++
			left--
		}
	}
	return month{float64(caught), float64(unflagged), float64(missed), float64(audited), float64(found),
		float64(wrong) / float64(n), float64(caught) / float64(wrong), float64(n)}
}

// binomial draws from n trials; the normal approximation serves where it is exact
// enough: it shapes the months, not the audit.
func binomial(dice *rand.Rand, n int, p float64) int {
	mean := float64(n) * p
	return min(n, max(0, int(math.Round(mean+math.Sqrt(mean*(1-p))*dice.NormFloat64()))))
}

// bounds are the intervals of K1b and K8, as error_rate_by_month and recall have them.
func (m month) bounds() (rateLow, rateHigh, recallLow, recallHigh float64) {
	low, high := wilson(m.auditedWrong, m.audited)
	return (m.flaggedWrong + m.unflagged*low) / m.invoices, math.Min(1, (m.flaggedWrong+m.unflagged*high)/m.invoices),
		m.flaggedWrong / (m.flaggedWrong + m.unflagged*high), m.flaggedWrong / (m.flaggedWrong + m.unflagged*low)
}

// TestIntervalsCoverTruth: over 2,000 simulated months the intervals of K1b (true
// error rate) and K8 (recall) hold the truth in 93 % at least.
func TestIntervalsCoverTruth(t *testing.T) {
	const months = 2000
	dice := rand.New(rand.NewPCG(2026, 11))
	rate, recall := 0, 0
	var width float64
	for range months {
		m := simulate(dice)
		rateLow, rateHigh, recallLow, recallHigh := m.bounds()
		if rateLow <= m.truth && m.truth <= rateHigh {
			rate++
		}
		if recallLow <= m.recall && m.recall <= recallHigh {
			recall++
		}
		width += (rateHigh - rateLow) / months
	}
	t.Logf("of %d months the interval of K1b covers the truth in %.1f %%, that of K8 in %.1f %%; K1b is %.2f points wide",
		months, 100*float64(rate)/months, 100*float64(recall)/months, 100*width)
	if rate < months*93/100 || recall < months*93/100 {
		t.Error("want 93 % at least")
	}
}

// TestWilson: the SQL of the views gives the known values of kpi K1, stays within 0
// and 1, and equals what the simulation covers with.
func TestWilson(t *testing.T) {
	s := openStore(t)
	shared, err := fs.ReadFile(migrationFiles, "migrations/shared/wilson.sql")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(k, n float64) (low, high float64) {
		sql := fmt.Sprintf("WITH %s SELECT toFloat64(wilson_low(toUInt64(%v), toUInt64(%v))), "+
			"toFloat64(wilson_high(toUInt64(%v), toUInt64(%v)))", strings.TrimSpace(string(shared)), k, n, k, n)
		if err := s.client.each(t.Context(), statement{sql: sql}, func(scan func(...any) error) error {
			return scan(&low, &high)
		}); err != nil {
			t.Fatal(err)
		}
		return low, high
	}
	for _, c := range []struct{ k, n, low, high float64 }{ // at 3 %
		{15, 500, 0.0183, 0.0489}, {300, 10_000, 0.0268, 0.0335}, {30_000, 1_000_000, 0.0297, 0.0303}, {0, 0, 0, 1},
		{0, 5, 0, 0.4345}, {5, 5, 0.5655, 1},
	} {
		low, high := ask(c.k, c.n)
		if math.Abs(low-c.low) > 5e-5 || math.Abs(high-c.high) > 5e-5 {
			t.Errorf("%v of %v: [%v, %v], want [%v, %v]", c.k, c.n, low, high, c.low, c.high)
		}
	}
	dice := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		n := 1 + dice.IntN(5000)
		k := float64(dice.IntN(n + 1))
		low, high := ask(k, float64(n))
		wantLow, wantHigh := wilson(k, float64(n))
		if math.Abs(low-wantLow) > 1e-12 || math.Abs(high-wantHigh) > 1e-12 || low < 0 || high > 1 || low > high {
			t.Errorf("%v of %v: SQL has [%v, %v], Go [%v, %v]", k, n, low, high, wantLow, wantHigh)
		}
	}
}
