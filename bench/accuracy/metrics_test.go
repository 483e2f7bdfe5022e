package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"recoup/invoice"
)

// mark reads outcomes written as words "p_error[!]" or "p_error:cause[!]": a
// cause makes the invoice wrong, "!" makes it a suspect.
func mark(t *testing.T, text string) []outcome {
	t.Helper()
	var outcomes []outcome
	for i, word := range strings.Fields(text) {
		o := outcome{invoice: &invoice.Invoice{ID: fmt.Sprint(i)}}
		word, o.suspect = strings.CutSuffix(word, "!")
		score, cause, wrong := strings.Cut(word, ":")
		if _, err := fmt.Sscan(score, &o.pError); err != nil {
			t.Fatalf("cannot read score %q: %v", score, err)
		}
		if wrong {
			o.label = &label{InvoiceID: o.invoice.ID, Cause: cause}
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// once gives every invoice the weight 1.
func once(n int) []uint16 {
	weights := make([]uint16, n)
	for i := range weights {
		weights[i] = 1
	}
	return weights
}

func near(a, b float64) bool {
	return math.Abs(a-b) < 1e-9 || (math.IsNaN(a) && math.IsNaN(b)) || a == b
}

// A8: the figures of a ranking, computed by hand.
func TestRankingFigures(t *testing.T) {
	cases := []struct {
		name              string
		outcomes          string
		ap, atErrors, at1 float64
	}{
		{"perfect", "0.9:x 0.8:x 0.1 0", 1, 1, 1},
		{"last", "0.9 0.8 0.7 0.1:x", 0.25, 0, 0},
		// Errors at places 1 and 3: (1/1 + 2/3) / 2; of the first two one is an error.
		{"mixed", "0.9:x 0.8 0.7:x 0.6", (1 + 2.0/3) / 2, 0.5, 1},
		// Order in the file does not matter.
		{"any order", "0.6 0.7:x 0.8 0.9:x", (1 + 2.0/3) / 2, 0.5, 1},
		// All equal: every threshold finds all at the base rate, and so does every cut.
		{"all tied", "0.5:x 0.5 0.5 0.5:x", 0.5, 0.5, 0.5},
		// A tie of one error in two at the top, then an error: (1×1/2 + 1×2/3) / 2;
		// the first two hold one, the first place half of one.
		{"tied at the top", "0.9:x 0.9 0.5:x 0.1", (0.5 + 2.0/3) / 2, 0.5, 0.5},
		{"no error", "0.5 0.4", math.NaN(), math.NaN(), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := rankBySuspicion(mark(t, c.outcomes))
			f := r.figures(once(len(r.wrong)))
			want := []float64{averagePrecision: c.ap, precisionAtErrors: c.atErrors, precisionAtBudget: c.at1}
			if !slices.EqualFunc(f[:3], want, near) {
				t.Errorf("AP, P = R, 1 %%: %v, want %v", f[:3], want)
			}
		})
	}
}

// A weight counts an invoice as often as if it stood there that many times.
func TestWeightsRepeatInvoices(t *testing.T) {
	r := rankBySuspicion(mark(t, "0.9:x! 0.8! 0.7:x 0.6"))
	weighted := r.figures([]uint16{2, 0, 1, 3})
	repeated := rankBySuspicion(mark(t, "0.9:x! 0.9:x! 0.7:x 0.6 0.6 0.6"))
	if want := repeated.figures(once(6)); fmt.Sprint(weighted) != fmt.Sprint(want) {
		t.Errorf("weighted %v, repeated %v", weighted, want)
	}
}

func TestFiguresOfSuspects(t *testing.T) {
	outcomes := mark(t, "0.9:x! 0.8! 0.7:x! 0.6:x 0.5:x! 0.1 0.1 0.1 0.1 0.1")
	for i, loss := range []invoice.Amount{30, 0, 50, 20, -40} {
		if outcomes[i].wrong() {
			outcomes[i].label.Loss = loss * invoice.Unit
		}
	}
	r := rankBySuspicion(outcomes)
	f := r.figures(once(10))
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"precision", f[precisionOfSuspects], 0.75}, {"recall", f[recallOfSuspects], 0.75},
		{"false alerts a day of 100", f[falseAlertsPer100], 10},
		{"under-billing caught", f[underBillingCaught], 0.8}, {"over-billing caught", f[overBillingCaught], 1},
	} {
		if !near(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestBootstrap(t *testing.T) {
	var words []string
	for i := range 400 {
		words = append(words, fmt.Sprintf("%v%s", float64(i%100)/100, map[bool]string{true: ":x"}[i%7 == 0 || i%100 > 90]))
	}
	r := rankBySuspicion(mark(t, strings.Join(words, " ")))
	first, again := r.bootstrap(200), r.bootstrap(200)
	if first != again {
		// NaN differs from itself; figures that cannot be told are left out here.
		if fmt.Sprint(first) != fmt.Sprint(again) {
			t.Errorf("two runs differ: %v, %v", first, again)
		}
	}
	f := first[averagePrecision]
	if !(f.Low < f.Value && f.Value < f.High) || f.High-f.Low > 0.3 || f.High-f.Low < 0.01 {
		t.Errorf("interval %+v does not look like one of 400 invoices", f)
	}
	// A mean of 0s and 1s is known to ±1.96 √(p(1-p)/n).
	share := bootstrapOf(400, 2000, func(sample []int) float64 {
		ones := 0
		for _, i := range sample {
			if i%4 == 0 {
				ones++
			}
		}
		return float64(ones) / float64(len(sample))
	})
	if half := 1.96 * math.Sqrt(0.25*0.75/400); math.Abs((share.High-share.Low)/2-half) > 0.005 {
		t.Errorf("interval %+v, want a half width of %.3f", share, half)
	}
}

func TestWilson(t *testing.T) {
	// 10 of 10, by hand: low = 1 / (1 + z²/10) with z = 1.96.
	if f := wilson(10, 10); !near(f.Value, 1) || math.Abs(f.Low-0.7225) > 0.0005 || !near(f.High, 1) {
		t.Errorf("10 of 10: %+v", f)
	}
	if f := wilson(0, 0); !math.IsNaN(f.Value) {
		t.Errorf("0 of 0 is %v, want NaN", f.Value)
	}
}

func TestQuantile(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{1, 2, 3}, 2}, {[]float64{1, 2}, 1.5}, {[]float64{1, 1, inf}, 1}, {[]float64{1, inf, inf}, inf},
		{nil, math.NaN()},
	} {
		if got := quantile(c.values, 0.5); !near(got, c.want) {
			t.Errorf("median of %v: %v, want %v", c.values, got, c.want)
		}
	}
}

// A8: p_error that says what happens has no gap; the constant predictor fails.
func TestCalibration(t *testing.T) {
	var words []string
	for i := range 100 {
		words = append(words, []string{"0.2", "0.8:x"}[btoi(i%5 == 0)]) // says 0.2 of right ones, 0.8 of wrong ones
	}
	for range 900 {
		words = append(words, "0.01")
	}
	c := calibrate(mark(t, strings.Join(words, " ")))
	if c.N != 100 || !near(c.Rate, 0.2) || !near(c.Base, 0.02) {
		t.Fatalf("n %d, rate %v, base %v, want 100, 0.2, 0.02", c.N, c.Rate, c.Base)
	}
	if !near(c.Gap, 0.2) { // each bin is off by 0.2: 0.2 → 0 and 0.8 → 1
		t.Errorf("gap %v, want 0.2", c.Gap)
	}
	const own, within, base = 0.04, 0.2 * 0.8, 0.8*0.02*0.02 + 0.2*0.98*0.98 // mean squared errors
	if !near(c.SkillWithin, 1-own/within) || !near(c.Skill, 1-own/base) {
		t.Errorf("skill %v and %v, want %v and %v", c.SkillWithin, c.Skill, 1-own/within, 1-own/base)
	}
	if all, allBase := (100*own+900*0.0001)/1000, 0.02*0.98; !near(c.SkillAll, 1-all/allBase) {
		t.Errorf("skill over all %v, want %v", c.SkillAll, 1-all/allBase)
	}
	if !near(c.ConstantGap, 0.18) || !near(c.ConstantSkill, 0) {
		t.Errorf("constant predictor: gap %v, skill %v, want 0.18 and 0", c.ConstantGap, c.ConstantSkill)
	}
}

// Equal values have no order: bins that cut through them share their errors.
func TestCalibrationBinsShareTies(t *testing.T) {
	said, truth := make([]float64, 100), make([]float64, 100)
	for i := range said {
		said[i], truth[i] = 0.3, float64(btoi(i < 30))
	}
	bins, gap := equalCountBins(said, truth)
	if len(bins) != calibrationBins || gap > 1e-9 {
		t.Errorf("%d bins, gap %v, want %d and 0", len(bins), gap, calibrationBins)
	}
	if c := calibrate(nil); c.Gap != 1 || c.Skill != 0 {
		t.Errorf("of nothing: gap %v and skill %v, want 1 and 0", c.Gap, c.Skill)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestConfusionAndMacroF1(t *testing.T) {
	// Found: a named a, a named b, b named b, c named nothing; one c is missed.
	outcomes := mark(t, "1:a! 1:a! 1:b! 1:c! 0:c 1! 0")
	outcomes[0].cause, outcomes[1].cause, outcomes[2].cause = "a", "b", "b"
	c := confuse(outcomes, 10)
	if c.N != 4 || !near(c.Top1.Value, 0.5) {
		t.Errorf("n %d, top-1 %v, want 4 and 0.5", c.N, c.Top1.Value)
	}
	// F1: a = 2×1/(2+1), b = 2×1/(1+2), c = 0.
	if want := (2.0/3 + 2.0/3 + 0) / 3; !near(c.MacroF1.Value, want) {
		t.Errorf("macro-F1 %v, want %v", c.MacroF1.Value, want)
	}
	if want := "[a b none] [[1 1 0] [0 1 0] [0 0 1]]"; fmt.Sprint(c.Named, c.Count) != want {
		t.Errorf("confusion %v %v, want %s", c.Named, c.Count, want)
	}
}

func TestSizeBands(t *testing.T) {
	for _, c := range []struct {
		loss, due string
		want      string
	}{
		{"4.99", "100", "0–5 %"}, {"5", "100", "5–15 %"}, {"14.99", "100", "5–15 %"}, {"15", "100", "15–16 %"},
		{"16", "100", bandName}, {"25", "100", bandName}, {"25.01", "100", "25–50 %"}, {"50.01", "100", "over 50 %"},
		{"100", "100", "over 50 %"}, {"0", "100", ""}, {"-5", "100", ""},
	} {
		if got := sizeOf(&label{Loss: amount(t, c.loss), TrueGross: amount(t, c.due)}); got != c.want {
			t.Errorf("%s of %s is in band %q, want %q", c.loss, c.due, got, c.want)
		}
	}
}

func amount(t *testing.T, text string) invoice.Amount {
	t.Helper()
	a, err := invoice.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestLossError(t *testing.T) {
	outcomes := mark(t, "1:a! 1:a! 1:a! 1:a! 1:a 1!")
	for i, truth := range []invoice.Amount{100, -100, 100, 0, 100} { // the fourth moves no money, the fifth is missed
		outcomes[i].label.Loss = truth
		outcomes[i].loss = truth * 9 / 10
	}
	outcomes[2].loss, outcomes[2].label.Kind = 0, kindWrongCurrency
	all, n := lossError(outcomes, true, 10)
	if n != 3 || !near(all.Value, 0.1) {
		t.Errorf("median %v of %d, want 0.1 of 3", all.Value, n)
	}
	if _, n := lossError(outcomes, false, 10); n != 2 {
		t.Errorf("%d without wrong currency, want 2", n)
	}
}

// The first alert counts within its burst; too small a burst does not count.
func TestOutages(t *testing.T) {
	outcomes := mark(t, "0:x 0:x 0:x! 0:x 0:x! 0:x! 0:x 0:x 0:x 0! 0")
	for i, burst := range strings.Fields("out1 out2 out1 out1 out2 out2 crm-1 out3 out3") {
		outcomes[i].label.Burst = burst
	}
	// out1: second of three; out2: second of three; out3 has two invoices.
	got := countOutages(outcomes, outagePrefix)
	if got.N != 2 || got.Seen != 2 || got.First != 2 {
		t.Errorf("%d seen of %d, first alert at %v, want 2 of 2 at 2", got.Seen, got.N, got.First)
	}
	for i := range outcomes {
		outcomes[i].suspect = false
	}
	if got := countOutages(outcomes, outagePrefix); got.Seen != 0 || !math.IsInf(float64(got.First), 1) {
		t.Errorf("nothing flagged: %d seen, first alert at %v, want 0 and never", got.Seen, got.First)
	}
	if got := countOutages(outcomes, crmPrefix); got.N != 0 {
		t.Errorf("%d runs of one invoice count, want 0", got.N)
	}
}
