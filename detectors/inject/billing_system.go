package inject

import (
	"strconv"

	"recoup/invoice"
)

// span is a part of the lines that a program loses.
type span struct {
	from, to int     // positions, to exclusive
	part     float64 // of each of them
	one      int     // position of a line that is lost for certain
}

// drawSpan draws a part of the lines: one, the end of the list as where a page or
// a transfer breaks off, or some here and there. There are at least two lines.
func (d *draft) drawSpan() span {
	n := len(d.inv.Lines)
	one := d.rng.IntN(n)
	switch draw := d.rng.Float64(); {
	case draw < 0.4:
		return span{one: one}
	case draw < 0.7:
		return span{from: max(one, 1), to: n, part: 1, one: n - 1}
	}
	return span{from: 0, to: n, part: d.between(0.1, 0.7), one: one}
}

// covers draws whether line i is among them.
func (s *span) covers(d *draft, i int) bool {
	return i == s.one || (i >= s.from && i < s.to && d.chance(s.part))
}

// spoilLostLines drops lines; the totals are those of the rest.
func spoilLostLines(d *draft) bool {
	if len(d.inv.Lines) < 2 {
		return false
	}
	s := d.drawSpan()
	for i := len(d.inv.Lines) - 1; i >= 0 && len(d.inv.Lines) > 1; i-- {
		if s.covers(d, i) {
			d.removeLine(i)
		}
	}
	return d.total() && d.billsOtherwise()
}

// spoilSumMismatch keeps all lines and drops some of them from the total.
func spoilSumMismatch(d *draft) bool {
	if len(d.inv.Lines) < 2 {
		return false
	}
	s := d.drawSpan()
	net := d.inv.NetAmount
	counted := len(d.inv.Lines)
	for i := range d.inv.Lines {
		if counted == 1 || !s.covers(d, i) {
			continue
		}
		amount, ok1 := d.amountOf(&d.inv.Lines[i])
		rest, ok2 := net.Sub(amount)
		if !ok1 || !ok2 {
			return false
		}
		net = rest
		counted--
	}
	return d.setNet(net) && d.billsOtherwise()
}

// spoilZeroTotal leaves nothing to pay: one third each lost the prices, the line
// amounts under prices that stand, or the totals only.
func spoilZeroTotal(d *draft) bool {
	what := d.rng.IntN(3)
	for i := range d.inv.Lines {
		l := &d.inv.Lines[i]
		if what == 0 && l.UnitPrice.Set {
			l.UnitPrice.Value = 0
		}
		if what < 2 {
			l.Net.Value = 0
			l.DiscountAmount.Value = 0
		}
	}
	if what < 2 {
		d.inv.DiscountAmount.Value = 0
	}
	return d.setNet(0) && d.billsOtherwise()
}

// currencies that a customer or a price list is often kept in.
var currencies = [...]string{
	"EUR", "USD", "GBP", "CHF", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "CNY", "INR", "JPY", "KRW", "CLP", "VND",
	"XOF", "KWD", "BHD", "TND", "JOD",
}

// spoilWrongCurrency states the same figures in another currency: in half of the
// cases one the seller uses, where it uses several. Its coin is of the same size;
// amounts that the currency cannot have never leave a program.
func spoilWrongCurrency(d *draft) bool {
	other := func(code *string) bool { return *code != d.src.Currency && invoice.Coin(*code) == d.coin }
	code, ok := oneOf(d.rng, d.ctx.Currencies, other)
	if !ok || d.chance(0.5) {
		code, ok = oneOf(d.rng, currencies[:], other)
	}
	d.inv.Currency = code
	return ok
}

// spoilRounding cuts the amounts of all lines to whole units of the currency,
// less often rounds them to whole units or cuts them to tenths; the totals are
// their sum.
func spoilRounding(d *draft) bool {
	unit := invoice.Unit
	draw := d.rng.Float64()
	if draw < 0.2 {
		unit /= 10
	}
	cut := draw < 0.75
	changed := false
	for i := range d.inv.Lines {
		net := &d.inv.Lines[i].Net
		was := net.Value
		if cut {
			net.Value -= net.Value % unit
		} else {
			net.Value = round(net.Value, unit)
		}
		changed = changed || net.Value != was
	}
	if len(d.inv.Lines) == 0 {
		net := d.inv.NetAmount
		return d.setNet(net-net%unit) && d.billsOtherwise()
	}
	return changed && d.total()
}

// singleRepeat is the share of repetitions that are a single line.
const singleRepeat = 0.7

// spoilRepeatedLine bills a line twice, less often a page of neighbouring ones.
func spoilRepeatedLine(d *draft) bool {
	n := len(d.inv.Lines)
	if n == 0 {
		return false
	}
	from, count := d.rng.IntN(n), 1
	if !d.chance(singleRepeat) {
		count += d.rng.IntN(n - from)
	}
	for i := range count {
		d.appendLine(d.inv.Lines[from+i])
		d.numberLine(n + i)
	}
	return d.total() && d.billsOtherwise()
}

// numberLine gives the added line i the next number, where lines are numbered.
func (d *draft) numberLine(i int) {
	l := &d.inv.Lines[i]
	if _, err := strconv.Atoi(l.ID); err == nil {
		l.ID = strconv.Itoa(i + 1)
	}
}
