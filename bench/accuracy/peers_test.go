package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"recoup/invoice"
)

// usual makes an invoice of about 100.
func usual(draw *rand.Rand) *invoice.Invoice {
	return billed(100 + 3*draw.NormFloat64())
}

func billed(net float64) *invoice.Invoice {
	return &invoice.Invoice{
		Seller: "acme", Currency: "EUR", CustomerType: "B2B", ProductFamily: "fibre", CustomerRef: "c:1",
		NetAmount: invoice.Amount(math.Round(net * float64(invoice.Unit))),
		Lines:     []invoice.Line{{Quantity: invoice.OptionalFixed{Value: 10 * invoice.One, Set: true}}},
	}
}

// Every peer finds an amount far off more unusual than nearly all usual ones,
// whatever came before, and learns: after a thousand of them it is usual.
func TestPeersFindOutliersAndLearn(t *testing.T) {
	for _, method := range peers {
		t.Run(method.name, func(t *testing.T) {
			draw := rand.New(rand.NewPCG(1, 1))
			p := method.new()
			var scores []float64
			for range 1_000 {
				unusual, _ := p.score(usual(draw))
				scores = append(scores, unusual)
			}
			low, outlier := p.score(billed(10))
			slices.Sort(scores)
			if low <= quantile(scores, 0.99) {
				t.Errorf("10 instead of 100 scores %v, usual ones up to %v", low, quantile(scores, 0.99))
			}
			hasThreshold := false
			for range 3_000 {
				_, own := p.score(billed(10 + 0.3*draw.NormFloat64()))
				hasThreshold = hasThreshold || own
			}
			if hasThreshold && !outlier {
				t.Error("10 instead of 100 is below its threshold")
			}
			if again, _ := p.score(billed(10)); again >= low {
				t.Errorf("10 scores %v after 3,000 like it, as the first one %v", again, low)
			}
		})
	}
}

func TestWindowKeepsTheNewest(t *testing.T) {
	var w window
	for i := range windowSize + 100 {
		w.add(float64(i % 7 * 1_000))
	}
	for range windowSize {
		w.add(5)
	}
	if len(w.sorted) != windowSize || w.sorted[0] != 5 || w.sorted[windowSize-1] != 5 {
		t.Errorf("%d values from %v to %v, want %d of 5", len(w.sorted), w.sorted[0], w.sorted[len(w.sorted)-1], windowSize)
	}
}

// A rule that fires on all is at the base rate, whatever the order.
func TestRuleRanksByYesAndNo(t *testing.T) {
	outcomes := mark(t, "0.9:x 0.8 0.7:x 0.6")
	for i := range outcomes {
		outcomes[i].rules = []string{"deviation:segment"}
	}
	f := rankByRule(outcomes, []string{"deviation:segment"}).figures(once(4))
	if !near(f[averagePrecision], 0.5) || !near(f[falseAlertsPer100], 50) {
		t.Errorf("AP %v, false alerts %v, want 0.5 and 50", f[averagePrecision], f[falseAlertsPer100])
	}
}
