package detectors

import (
	"fmt"
	"testing"
	"time"

	"recoup/invoice"
)

// E2: a customer billed in two currencies is expected to pay what it usually pays in
// its usual one; in the other one its amounts say nothing.
func TestExpectationKeepsCurrenciesApart(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	at, n := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), int64(0)
	bill := func(customer, currency string, net invoice.Amount) *Verdict {
		n++
		at = at.Add(time.Hour)
		v := new(Verdict)
		e.Begin(&invoice.Invoice{Seller: "shop", ID: fmt.Sprint("F-", n), IssuedAt: at, Currency: currency,
			CustomerRef: customer, NetAmount: net * invoice.Unit}, invoice.Position{Offset: n}, at)
		e.Score(v)
		e.Teach(false)
		return v
	}
	for i := range invoice.Amount(30) {
		bill("both", "EUR", 98+i%5)
		bill("other", "EUR", 9000)
		bill("both", "EUR", 98+i%3)
		bill("both", "JPY", 16_000+i)
		bill("other", "JPY", 900)
	}
	v := bill("both", "EUR", 100)
	if v.Level != LevelCustomer || v.Expected < 95*invoice.Unit || v.ExpectedHigh > 120*invoice.Unit || v.N != 60 {
		t.Errorf("in euro %d (to %d) are expected by %v, of %d invoices; want about 100 by the customer's 60", v.Expected,
			v.ExpectedHigh, v.Level, v.N)
	}
	if v := bill("both", "JPY", 16_000); v.Level == LevelCustomer {
		t.Errorf("in yen %d are expected by %v, which is known of euros only", v.Expected, v.Level)
	}
	if z := e.cur.ev.x[fNetZ]; z != 0 {
		t.Errorf("in yen the amount is %v deviations from what is usual in euro", z)
	}
}
