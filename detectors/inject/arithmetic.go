package inject

import (
	"math"

	"recoup/invoice"
)

// coinOf returns the smallest coin of a currency, 1 for an unknown one.
func coinOf(currency string) invoice.Amount {
	decimals, ok := invoice.Exponent(currency)
	if !ok {
		return 1
	}
	coin := invoice.Unit
	for range decimals {
		coin /= 10
	}
	return max(coin, 1)
}

// fixedOf returns an amount as a number, as unit prices are kept; it is meant
// for coins, which never overflow.
func fixedOf(a invoice.Amount) invoice.Fixed {
	return invoice.Fixed(a) * (invoice.One / invoice.Fixed(invoice.Unit))
}

// round returns v as a multiple of step, ties to even. A value so close to the
// limits that it cannot be rounded stays as it is.
func round[T ~int64](v, step T) T {
	rest := v % step
	if rest == 0 {
		return v
	}
	if rest < 0 {
		rest += step
	}
	floor := v - rest
	up := floor + step
	if floor > v || up < floor {
		return v
	}
	if rest > step-rest || (rest == step-rest && (floor/step)%2 != 0) {
		return up
	}
	return floor
}

// near tells whether a and b differ by at most tolerance.
func near(a, b, tolerance invoice.Amount) bool {
	diff, ok := a.Sub(b)
	return ok && diff <= tolerance && diff >= -tolerance
}

// scaled returns v × n/d rounded half-even. The arithmetic of amounts serves any
// 64-bit decimal.
func scaled[T ~int64](v, n, d T) (T, bool) {
	product, ok := invoice.Amount(v).MulRate(int64(n), int64(d))
	return T(product), ok
}

// fraction turns a rate or factor into an exact number of four decimals; what is
// no number is 0.
func fraction(f float64) invoice.Fixed {
	const places = 10_000
	if math.IsNaN(f) || math.Abs(f) > 1e6 {
		return 0
	}
	return invoice.Fixed(math.Round(f*places)) * (invoice.One / places)
}

// extended returns what a line comes to by quantity and price, rounded to
// 1/10,000; a line without quantity or price comes to nothing.
func extended(l *invoice.Line, rate invoice.Fixed) (invoice.Amount, bool) {
	if !l.Quantity.Set || !l.UnitPrice.Set {
		return 0, true
	}
	return invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, rate)
}

// amountOf returns the net amount of a line: as stated, else as calculated.
func (d *draft) amountOf(l *invoice.Line) (invoice.Amount, bool) {
	if l.Net.Set {
		return l.Net.Value, true
	}
	net, ok := extended(l, l.DiscountRate.Value)
	if !ok {
		return 0, false
	}
	if net, ok = net.Sub(l.DiscountAmount.Value); !ok {
		return 0, false
	}
	return round(net, d.lineStep), true
}

// bill calculates the amounts of a line again after its quantity, price or rate
// has changed, the way they were calculated before; was is the line as it was.
// A discount amount either is what the rate takes off, and follows, or comes on
// top of it, and stays while the line is worth more. Where the old amounts follow neither, the new one is to
// the old one as quantity × price × (1 - rate) are. ok is false on overflow.
func (d *draft) bill(l, was *invoice.Line) (ok bool) {
	oldNet, ok1 := d.amountOf(was)
	oldFull, ok2 := extended(was, 0)
	oldCut, ok3 := extended(was, was.DiscountRate.Value)
	full, ok4 := extended(l, 0)
	cut, ok5 := extended(l, l.DiscountRate.Value)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return false
	}
	off := was.DiscountAmount.Value
	net := cut
	switch {
	case !was.Quantity.Set || !was.UnitPrice.Set: // only the rate can have changed
		net, ok = scaled(oldNet, invoice.Amount(invoice.One-l.DiscountRate.Value),
			invoice.Amount(invoice.One-was.DiscountRate.Value))
	case near(oldNet, oldCut-off, d.coin) && off >= 0:
		if off > max(cut, 0) && oldCut != 0 { // more than there is: a share of it, then
			share, ok := scaled(cut, off, oldCut)
			if !ok {
				return false
			}
			off = round(share, d.coin)
			l.DiscountAmount.Value = off
		}
		net, ok = cut.Sub(off)
	case near(oldNet, oldCut, d.coin):
		ok = true
		if l.DiscountAmount.Set {
			off, ok = full.Sub(cut)
			l.DiscountAmount.Value = round(off, d.coin)
		}
	case oldCut != 0:
		net, ok = scaled(cut, oldNet, oldCut)
	default:
		net, ok = scaled(full, oldNet, oldFull)
	}
	if ok && was.Net.Set {
		l.Net.Value = round(net, d.lineStep)
	}
	return ok
}

// total makes the totals follow the lines and the discount of the original. What the original had between its
// lines and its net amount (freight, a rounding) stays between them.
func (d *draft) total() (ok bool) {
	d.inv.DiscountAmount = d.src.DiscountAmount
	old, ok1 := d.sum(d.src)
	sum, ok2 := d.sum(d.inv)
	if !ok1 || !ok2 {
		return false
	}
	if off := &d.inv.DiscountAmount; off.Set && sum < 0 && old > 0 {
		// More is taken off than there is: the program reckoned it as a share.
		full, ok1 := sum.Add(off.Value)
		before, ok2 := old.Add(off.Value)
		part, ok3 := scaled(off.Value, full, before)
		if !ok1 || !ok2 || !ok3 {
			return false
		}
		off.Value = round(part, d.coin)
		sum = full - off.Value
	}
	rest, ok1 := d.src.NetAmount.Sub(old)
	if rest >= -d.coin/2 && rest <= d.coin/2 {
		rest = 0 // the sum was rounded; it is again
	}
	net, ok2 := sum.Add(rest)
	return ok1 && ok2 && d.setNet(net)
}

// sum returns what the lines come to, less the discount of the whole invoice.
func (d *draft) sum(inv *invoice.Invoice) (sum invoice.Amount, ok bool) {
	for i := range inv.Lines {
		net, ok := d.amountOf(&inv.Lines[i])
		if !ok {
			return 0, false
		}
		if sum, ok = sum.Add(net); !ok {
			return 0, false
		}
	}
	return sum.Sub(inv.DiscountAmount.Value)
}

// setNet states a net amount, and tax and gross amount that follow it.
func (d *draft) setNet(net invoice.Amount) (ok bool) {
	if d.src.NetAmount%d.coin == 0 {
		net = round(net, d.coin)
	}
	d.inv.NetAmount = net
	tax, ok := d.taxOf(net)
	return ok && d.setTax(tax)
}

// taxOf returns the tax on a net amount of the copy: by its rate, with what the
// original's tax was off it, else as the original's tax was to its net amount.
func (d *draft) taxOf(net invoice.Amount) (tax invoice.Amount, ok bool) {
	src := d.src
	if net == 0 || !src.TaxAmount.Set {
		return 0, true
	}
	if d.inv.TaxRate.Set {
		tolerance := d.coin * invoice.Amount(1+len(src.Lines)) // some programs round the tax of each line
		byRate, ok := src.NetAmount.MulFixed(src.TaxRate.Value)
		byRate = round(byRate, d.coin)
		if ok && near(src.TaxAmount.Value, byRate, tolerance) {
			off := src.TaxAmount.Value - byRate
			tax, ok = net.MulFixed(d.inv.TaxRate.Value)
			return round(tax, d.coin) + off, ok
		}
	}
	if src.NetAmount == 0 {
		return src.TaxAmount.Value, true
	}
	tax, ok = scaled(src.TaxAmount.Value, net, src.NetAmount)
	return round(tax, d.coin), ok
}

// setTax states a tax amount and the gross amount that follows from it and the
// net amount; what the original had between them (a rounding) stays, unless there
// is nothing to pay.
func (d *draft) setTax(tax invoice.Amount) (ok bool) {
	src, inv := d.src, d.inv
	if inv.TaxAmount.Set {
		inv.TaxAmount.Value = tax
	}
	switch {
	case !src.GrossAmount.Set:
		return true
	case inv.NetAmount == 0:
		inv.GrossAmount.Value = tax
		return true
	case !src.TaxAmount.Set && inv.TaxRate.Set:
		was, ok1 := src.NetAmount.MulRate(int64(invoice.One+src.TaxRate.Value), int64(invoice.One))
		is, ok2 := inv.NetAmount.MulRate(int64(invoice.One+inv.TaxRate.Value), int64(invoice.One))
		inv.GrossAmount.Value = round(is, d.coin) + src.GrossAmount.Value - round(was, d.coin)
		return ok1 && ok2
	case !src.TaxAmount.Set && src.NetAmount != 0:
		gross, ok := scaled(src.GrossAmount.Value, inv.NetAmount, src.NetAmount)
		inv.GrossAmount.Value = round(gross, d.coin)
		return ok
	}
	rest, ok1 := src.GrossAmount.Value.Sub(src.NetAmount)
	rest, ok2 := rest.Sub(src.TaxAmount.Value)
	gross, ok3 := inv.NetAmount.Add(tax)
	gross, ok4 := gross.Add(rest)
	inv.GrossAmount.Value = gross
	return ok1 && ok2 && ok3 && ok4
}

// payable returns what the customer is asked to pay, as verdicts reckon it: the
// gross amount where it or the tax rate is given, else the net amount.
func payable(inv *invoice.Invoice) invoice.Amount {
	switch {
	case inv.GrossAmount.Set:
		return inv.GrossAmount.Value
	case inv.TaxRate.Set && inv.TaxRate.Value <= math.MaxInt64-invoice.One:
		if gross, ok := inv.NetAmount.MulFixed(invoice.One + inv.TaxRate.Value); ok {
			return round(gross, coinOf(inv.Currency))
		}
	}
	return inv.NetAmount
}
