package cases_test

import (
	"fmt"
	"testing"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// A14: what comes back of claims is the lower end of its interval, from 20 closed cases
// on, and never so low that nothing is asked for any more.
func TestRecoveryOfClaims(t *testing.T) {
	const unit = invoice.Unit
	for _, c := range []struct {
		name        string
		whole, half int // claims of which all, half came back
		of          int
		want        string
	}{
		{"too few", 19, 0, 19, "0 of 0"},
		{"all of 20", 20, 0, 20, "0.8388 of 20"},
		{"half of 100", 50, 0, 100, "0.4038 of 100"},
		{"half of each", 0, 100, 100, "0.4038 of 100"},
		{"nothing", 0, 0, 100, "0.05 of 100"},
	} {
		claims := cases.Claims{}
		for n := range c.of {
			asked := invoice.Amount(n+1) * unit
			switch {
			case n < c.whole:
				claims.Add(asked, asked)
			case n < c.whole+c.half:
				claims.Add(asked, asked/2)
			default:
				claims.Add(asked, 0)
			}
		}
		claims.Add(0, 0) // asked for nothing
		if r := claims.Recovery(); fmt.Sprint(r.Rate, " of ", r.Cases) != c.want {
			t.Errorf("%s: %v, want %s", c.name, r, c.want)
		}
	}
}

// Only confirmed claims that people closed say what comes back: of an open case it is
// not known yet, a credit note brings nothing, what is owed to customers is no claim.
func TestClaimed(t *testing.T) {
	const unit = invoice.Unit
	loss := 80 * unit
	for _, tc := range []struct {
		name        string
		change      func(*cases.Case)
		asked, back invoice.Amount
	}{
		{"nothing came", func(*cases.Case) {}, 100 * unit, 0},
		{"as decided", func(c *cases.Case) { c.Settlement = &cases.Settlement{ConfirmedLoss: &loss, Paid: 60 * unit} },
			80 * unit, 60 * unit},
		{"less the gesture", func(c *cases.Case) {
			c.Settlement = &cases.Settlement{Paid: 60 * unit, GoodwillCost: 10 * unit}
		}, 100 * unit, 50 * unit},
		{"overpaid", func(c *cases.Case) { c.Settlement = &cases.Settlement{Paid: 160 * unit} }, 100 * unit, 100 * unit},
		{"open", func(c *cases.Case) { c.Resolution = nil }, 0, 0},
		{"by a credit note", func(c *cases.Case) { c.Resolution.By = cases.ResolvedByCreditNote }, 0, 0},
		{"no error", func(c *cases.Case) { c.Outcome = cases.OutcomeNotAnError }, 0, 0},
		{"the customer's", func(c *cases.Case) { c.Loss.Point = -loss }, 0, 0},
		{"too late", func(c *cases.Case) { c.TooLate = true }, 0, 0},
		{"an incident", func(c *cases.Case) { c.Kind = cases.KindIncident }, 0, 0},
	} {
		c := &cases.Case{Kind: cases.KindInvoice, Outcome: cases.OutcomeConfirmed, Loss: detectors.Loss{Point: 100 * unit},
			Resolution: &cases.Resolution{By: cases.ResolvedByOutcome}}
		tc.change(c)
		if asked, back := c.Claimed(); asked != tc.asked || back != tc.back {
			t.Errorf("%s: %v of %v came back, want %v of %v", tc.name, back, asked, tc.back, tc.asked)
		}
	}
}
