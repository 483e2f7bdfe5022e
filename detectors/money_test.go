package detectors

import (
	"math"
	"math/big"
	"testing"

	"recoup/invoice"
)

// clamp is a big integer held at the limits of Amount.
func clamp(x *big.Int) invoice.Amount {
	switch {
	case x.Cmp(big.NewInt(math.MaxInt64)) > 0:
		return mostAmount
	case x.Cmp(big.NewInt(math.MinInt64)) < 0:
		return leastAmount
	}
	return invoice.Amount(x.Int64())
}

// halfEven is n/d rounded half-even.
func halfEven(n, d *big.Int) *big.Int {
	if d.Sign() < 0 {
		n, d = new(big.Int).Neg(n), new(big.Int).Neg(d)
	}
	q, r := new(big.Int).DivMod(n, d, new(big.Int))
	if c := new(big.Int).Add(r, r).Cmp(d); c > 0 || (c == 0 && q.Bit(0) == 1) {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// G11: sums are held at the limits, never wrapped.
func TestSumsAgainstExactArithmetic(t *testing.T) {
	for _, a := range extremes {
		for _, b := range extremes {
			x, y := big.NewInt(int64(a)), big.NewInt(int64(b))
			if got, want := add(a, b), clamp(new(big.Int).Add(x, y)); got != want {
				t.Errorf("%d + %d = %d, want %d", a, b, got, want)
			}
			if got, want := sub(a, b), clamp(new(big.Int).Sub(x, y)); got != want {
				t.Errorf("%d - %d = %d, want %d", a, b, got, want)
			}
			exact, _ := new(big.Float).SetInt(new(big.Int).Sub(x, y)).Float64()
			if got := difference(a, b); math.Abs(got-exact) > math.Abs(exact)*1e-15 {
				t.Errorf("%d - %d ≈ %v, want %v", a, b, got, exact)
			}
		}
		for _, f := range []float64{0, 1, -1, 1e18, -1e18, 1 << 62, -(1 << 62), 1 << 63, -(1 << 63), 1e20, -1e20} {
			bigF, _ := big.NewFloat(f).Int(nil)
			want := clamp(new(big.Int).Add(big.NewInt(int64(a)), bigF))
			if got := addFloat(a, f); math.Abs(float64(got)-float64(want)) > 2048 || (got < 0) != (want < 0) {
				t.Errorf("%d + %v = %d, want %d", a, f, got, want)
			}
		}
	}
}

// What a customer pays for a net amount: rate before ratio before net, rounded to coins.
func TestPayable(t *testing.T) {
	set := func(a invoice.Amount) invoice.OptionalAmount { return invoice.OptionalAmount{Value: a, Set: true} }
	rate := func(percent int64) invoice.OptionalFixed {
		return invoice.OptionalFixed{Value: invoice.One / 100 * invoice.Fixed(percent), Set: true}
	}
	for _, c := range []struct {
		name     string
		inv      invoice.Invoice
		basis    Basis
		billed   invoice.Amount
		pays, of invoice.Amount
	}{
		{"net", invoice.Invoice{Currency: "EUR", NetAmount: 900000}, BasisNet, 900000, 1000000, 1000000},
		{"rate", invoice.Invoice{Currency: "EUR", NetAmount: 900000, TaxRate: rate(20)},
			BasisGross, 1080000, 1200000, 1000000},
		{"gross", invoice.Invoice{Currency: "EUR", NetAmount: 900000, GrossAmount: set(990000)},
			BasisGross, 990000, 1100000, 1000000},
		{"gross and rate", invoice.Invoice{Currency: "EUR", NetAmount: 900000, GrossAmount: set(990000), TaxRate: rate(20)},
			BasisGross, 990000, 1200000, 1000000},
		{"gross of nothing", invoice.Invoice{Currency: "EUR", GrossAmount: set(0)}, BasisGross, 0, 1000000, 1000000},
		{"coins", invoice.Invoice{Currency: "EUR", NetAmount: 0, TaxRate: rate(7)}, BasisGross, 0, 100, 100},
		{"coins half down", invoice.Invoice{Currency: "EUR"}, BasisNet, 0, 200, 250},
		{"coins half up", invoice.Invoice{Currency: "EUR"}, BasisNet, 0, 400, 350},
		{"coins below 0", invoice.Invoice{Currency: "EUR"}, BasisNet, 0, -200, -250},
		{"yen", invoice.Invoice{Currency: "JPY"}, BasisNet, 0, 20000, 15000},
		{"dinars", invoice.Invoice{Currency: "KWD"}, BasisNet, 0, 20, 15},
	} {
		p := payableOf(&c.inv)
		if p.basis != c.basis || p.billed(&c.inv) != c.billed || p.of(c.of) != c.pays {
			t.Errorf("%s: basis %s, billed %v, pays %v for %v; want %s, %v, %v", c.name,
				p.basis, p.billed(&c.inv), p.of(c.of), c.of, c.basis, c.billed, c.pays)
		}
	}
}

// Every net amount at every rate and ratio, against exact arithmetic.
func TestPayableAgainstExactArithmetic(t *testing.T) {
	for _, currency := range []string{"EUR", "JPY", "KWD", "CLF"} {
		coin := big.NewInt(int64(invoice.Coin(currency)))
		for _, net := range extremes {
			for _, gross := range extremes {
				inv := invoice.Invoice{Currency: currency, NetAmount: net,
					GrossAmount: invoice.OptionalAmount{Value: gross, Set: true}}
				n, d := big.NewInt(int64(gross)), big.NewInt(int64(net))
				if net == 0 {
					n, d = big.NewInt(1), big.NewInt(1)
				}
				p := payableOf(&inv)
				for _, a := range extremes {
					exact := clamp(halfEven(new(big.Int).Mul(big.NewInt(int64(a)), n), d))
					want := halfEven(big.NewInt(int64(exact)), coin)
					want.Mul(want, coin)
					low, high := clamp(new(big.Int).Sub(want, coin)), clamp(new(big.Int).Add(want, coin))
					if got := p.of(a); got != clamp(want) && (got != exact || (low != leastAmount && high != mostAmount)) {
						t.Fatalf("%s: %d × %v/%v = %d, want %d", currency, a, n, d, got, want)
					}
				}
			}
		}
	}
}
