package detectors

import (
	"math"

	"recoup/invoice"
)

// wholeBasisPoints are 100 %.
const wholeBasisPoints = 10_000

// Limits of an amount. What would go beyond is held there: an amount so large
// is wrong anyway, and must not turn into its opposite.
const (
	mostAmount  = invoice.Amount(math.MaxInt64)
	leastAmount = invoice.Amount(math.MinInt64)
)

// difference returns a - b as a float, also where the integers would overflow.
func difference(a, b invoice.Amount) float64 {
	if d, ok := a.Sub(b); ok {
		return float64(d)
	}
	return float64(a) - float64(b)
}

// addFloat returns a + f, f being whole, held at the limits.
func addFloat(a invoice.Amount, f float64) invoice.Amount {
	if math.Abs(f) < 1<<62 {
		if sum, ok := a.Add(invoice.Amount(f)); ok {
			return sum
		}
	}
	return addFar(a, f)
}

// addFar is addFloat near the limits and beyond.
func addFar(a invoice.Amount, f float64) invoice.Amount {
	const limit = 1 << 63
	switch {
	case f >= 2*limit:
		return mostAmount
	case f <= -2*limit:
		return leastAmount
	case f >= limit || f < -limit: // no Amount: add it in two halves
		return addFar(addFar(a, f/2), f/2)
	}
	return add(a, invoice.Amount(f))
}

// add returns a + b, held at the limits.
func add(a, b invoice.Amount) invoice.Amount {
	if sum, ok := a.Add(b); ok {
		return sum
	}
	if b > 0 {
		return mostAmount
	}
	return leastAmount
}

// addFixed is add for numbers that are no money.
func addFixed(a, b invoice.Fixed) invoice.Fixed {
	return invoice.Fixed(add(invoice.Amount(a), invoice.Amount(b)))
}

// sub returns a - b, held at the limits.
func sub(a, b invoice.Amount) invoice.Amount {
	if d, ok := a.Sub(b); ok {
		return d
	}
	if b < 0 {
		return mostAmount
	}
	return leastAmount
}

// payable turns net amounts of one invoice into what its customer pays, in
// whole coins.
type payable struct {
	basis Basis
	n, d  int64 // pays n/d of a net amount
	coin  invoice.Amount
}

// payableOf reads the basis of an invoice: gross where gross_amount or tax_rate
// is given, else net. The rate goes before the ratio of the two amounts; an
// invoice of net 0 without a rate has neither.
func payableOf(inv *invoice.Invoice) payable {
	p := payable{basis: BasisNet, n: 1, d: 1, coin: invoice.Coin(inv.Currency)}
	if !inv.GrossAmount.Set && !inv.TaxRate.Set {
		return p
	}
	p.basis = BasisGross
	rate := inv.TaxRate.Value
	switch {
	case inv.TaxRate.Set && rate >= 0 && rate <= math.MaxInt64-invoice.One:
		p.n, p.d = int64(invoice.One+rate), int64(invoice.One)
	case inv.GrossAmount.Set && inv.NetAmount != 0:
		p.n, p.d = int64(inv.GrossAmount.Value), int64(inv.NetAmount)
	}
	return p
}

// of returns what the customer pays for a net amount, held at the limits.
func (p *payable) of(net invoice.Amount) invoice.Amount {
	if p.n == p.d {
		return p.coins(net)
	}
	if v, ok := net.MulRate(p.n, p.d); ok {
		return p.coins(v)
	}
	if (net < 0) != (p.n < 0) != (p.d < 0) {
		return leastAmount
	}
	return mostAmount
}

// billed returns what the invoice asks its customer to pay, as it stands.
func (p *payable) billed(inv *invoice.Invoice) invoice.Amount {
	switch {
	case inv.GrossAmount.Set:
		return inv.GrossAmount.Value
	case p.basis == BasisNet:
		return inv.NetAmount
	}
	return p.of(inv.NetAmount)
}

// coins rounds half-even to whole coins.
func (p *payable) coins(a invoice.Amount) invoice.Amount {
	rest := a % p.coin
	if rest == 0 {
		return a
	}
	if rest < 0 {
		rest += p.coin
	}
	floor, ok := a.Sub(rest)
	if !ok {
		return a
	}
	half := p.coin / 2
	if rest > half || (rest == half && (floor/p.coin)&1 != 0) {
		return add(floor, p.coin)
	}
	return floor
}
