package inject

import (
	"math"

	"recoup/invoice"
)

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
	if rest > step-rest || (rest == step-rest && (floor/step)%2 != 0) {
		if up := floor + step; up > v {
			return up
		}
		return v
	}
	return min(floor, v)
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
