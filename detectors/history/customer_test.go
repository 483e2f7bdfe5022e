package history

import (
	"math"
	"testing"
)

// E2, G5: the usual amount is one of the usual currency; where that changes, it is
// learned anew.
func TestAmountsOfOneCurrency(t *testing.T) {
	const eur, jpy = 1, 2
	var p Party
	bill := func(n int, currency uint32, net float64) {
		for range n {
			p.teach(&Facts{Currency: currency, LogNet: float32(math.Log(net))})
		}
	}
	check := func(currency uint32, n int, net float64) {
		t.Helper()
		got := p.NetIn(currency)
		if int(got.N) != n || (n > 0 && math.Abs(math.Exp(float64(got.Mean))-net) > net/1000) {
			t.Errorf("%d amounts, usually %.2f; want %d, %v", got.N, math.Exp(float64(got.Mean)), n, net)
		}
	}
	for range 10 {
		bill(2, eur, 100)
		bill(1, jpy, 16_000)
	}
	check(eur, 20, 100)
	check(jpy, 0, 0)
	bill(20, jpy, 16_000)
	check(eur, 0, 0)
	if n := p.NetIn(jpy).N; n < 5 {
		t.Errorf("%d amounts since yen are usual", n)
	}
	check(jpy, int(p.NetIn(jpy).N), 16_000)
}

// The same where suspects agree on another currency.
func TestAmountsAfterASwitchOfCurrency(t *testing.T) {
	var p Party
	for range 20 {
		p.teach(&Facts{Currency: 1, LogNet: 5})
	}
	for i := range 40 {
		p.suspect(&Facts{Currency: 2, Day: int32(i / 15), Batch: uint32(i / 20)})
	}
	if p.Currency.Usual() != 2 || p.NetIn(2).N != 0 {
		t.Errorf("usual is %d with %d amounts, want 2 with none of the old currency", p.Currency.Usual(), p.NetIn(2).N)
	}
}

// A11: a code on a whole invoice has no rate, and teaches none.
func TestCodeWithoutRateTeachesNone(t *testing.T) {
	var terms Terms
	terms.teach(&Code{}, &Facts{}, 1)
	terms.teach(&Code{Rate: 1001}, &Facts{}, 1)
	if share, n := terms.Rates.Share(1001); share != 1 || n != 1 || terms.Invoices != 2 {
		t.Errorf("share %v of %d rates on %d invoices, want 1 of 1 on 2", share, n, terms.Invoices)
	}
}
