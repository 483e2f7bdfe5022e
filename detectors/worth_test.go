package detectors

import (
	"math"
	"testing"

	"recoup/invoice"
)

// A14, K10: what a case brings against what it costs, and from where on it pays.
func TestWeigh(t *testing.T) {
	const cent = invoice.Unit / 100
	for _, c := range []struct {
		name          string
		stake         invoice.Amount
		p, rate       float64
		cost          invoice.Amount
		expected, net invoice.Amount
		breakEven     invoice.Amount
		pays          bool
	}{
		{"a single of 25.00", 25 * invoice.Unit, 1, 1, 50 * invoice.Unit, 25 * invoice.Unit, -25 * invoice.Unit,
			50 * invoice.Unit, false},
		{"four siblings, half of it paid", 100 * invoice.Unit, 1, 0.5, 50 * invoice.Unit, 50 * invoice.Unit, 0,
			100 * invoice.Unit, true},
		{"a cent less", 100*invoice.Unit - cent, 1, 0.5, 50 * invoice.Unit, 50*invoice.Unit - cent/2, -cent / 2,
			100 * invoice.Unit, false},
		{"free handling", 0, 0.5, 1, 0, 0, 0, 0, true},
		{"nothing comes back", 100 * invoice.Unit, 1, 0, 50 * invoice.Unit, 0, -50 * invoice.Unit, math.MaxInt64, false},
		{"no money at all", 0, 0.9, 1, 1, 0, -1, 2, false},
		{"all the money there is", math.MaxInt64, 1, 1, 0, math.MaxInt64, math.MaxInt64, 0, true},
	} {
		got := Weigh(c.stake, c.p, c.rate, c.cost)
		if want := (Worth{c.expected, c.cost, c.net, c.breakEven}); got != want || got.Pays() != c.pays {
			t.Errorf("%s: %+v pays %v, want %+v, %v", c.name, got, got.Pays(), want, c.pays)
		}
		if c.breakEven < math.MaxInt64 && !Weigh(c.breakEven, c.p, c.rate, c.cost).Pays() {
			t.Errorf("%s: the break-even %v does not pay", c.name, c.breakEven)
		}
	}
}
