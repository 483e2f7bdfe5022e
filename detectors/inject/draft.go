package inject

import (
	"math"
	"math/rand/v2"

	"recoup/invoice"
)

// draft is an invoice while an error is put into it.
type draft struct {
	src *invoice.Invoice // the original, only read
	inv *invoice.Invoice // the copy
	rng *rand.Rand
	ctx *Context

	coin      invoice.Amount // smallest coin of the currency
	lineStep  invoice.Amount // line amounts are multiples of it: the coin, or 1 when some have more decimals
	priceStep invoice.Fixed  // unit prices are multiples of it, at most the coin
	pieceStep invoice.Fixed  // quantities are multiples of it, at most 1
}

// observe learns from the original how this seller's program rounds.
func (d *draft) observe() {
	d.coin = invoice.Coin(d.src.Currency)
	d.lineStep, d.priceStep, d.pieceStep = d.coin, fixedOf(d.coin), invoice.One
	for i := range d.src.Lines {
		l := &d.src.Lines[i]
		if l.Net.Value%d.lineStep != 0 {
			d.lineStep = 1
		}
		// Both end at 1: all steps are powers of ten.
		for l.UnitPrice.Value%d.priceStep != 0 {
			d.priceStep /= 10
		}
		for l.Quantity.Value%d.pieceStep != 0 {
			d.pieceStep /= 10
		}
	}
}

// billsOtherwise tells whether the error shows in what is billed.
func (d *draft) billsOtherwise() bool { return d.inv.NetAmount != d.src.NetAmount }

// chance is true with probability p.
func (d *draft) chance(p float64) bool { return d.rng.Float64() < p }

// between draws evenly from [low, high).
func (d *draft) between(low, high float64) float64 { return low + (high-low)*d.rng.Float64() }

// logBetween draws from [low, high), 0 < low, so that each doubling is as likely.
func (d *draft) logBetween(low, high float64) float64 {
	return math.Exp(d.between(math.Log(low), math.Log(high)))
}

// oneOf draws an element that wanted accepts; ok is false when there is none.
func oneOf[T any](rng *rand.Rand, list []T, wanted func(*T) bool) (found T, ok bool) {
	n := 0
	for i := range list {
		if !wanted(&list[i]) {
			continue
		}
		n++
		if rng.IntN(n) == 0 {
			found = list[i]
		}
	}
	return found, n > 0
}

// copyInvoice makes dst equal to src, with lists of its own in the memory that
// dst has.
func copyInvoice(dst, src *invoice.Invoice) {
	codes, legal, lines := dst.PromoCodes, dst.LegalFieldsPresent, dst.Lines
	*dst = *src
	dst.PromoCodes = append(codes[:0], src.PromoCodes...)
	dst.LegalFieldsPresent = append(legal[:0], src.LegalFieldsPresent...)
	dst.Lines = lines
	copyLines(dst, src)
}

// copyLines gives dst the lines of src.
func copyLines(dst, src *invoice.Invoice) {
	if cap(dst.Lines) < len(src.Lines) {
		dst.Lines = make([]invoice.Line, len(src.Lines), len(src.Lines)+1)
	}
	dst.Lines = dst.Lines[:len(src.Lines)]
	for i := range dst.Lines {
		l := &dst.Lines[i]
		codes := l.PromoCodes
		*l = src.Lines[i]
		l.PromoCodes = append(codes[:0], src.Lines[i].PromoCodes...)
	}
}

// appendLine adds a copy of a line of another invoice or of this one.
func (d *draft) appendLine(l invoice.Line) {
	l.PromoCodes = append([]string(nil), l.PromoCodes...)
	d.inv.Lines = append(d.inv.Lines, l)
}

// removeLine takes line i out. Where it leaves the list is cleared: two lines
// must never share the memory of their codes.
func (d *draft) removeLine(i int) {
	lines := d.inv.Lines
	gone := lines[i].PromoCodes
	copy(lines[i:], lines[i+1:])
	lines[len(lines)-1] = invoice.Line{PromoCodes: gone}
	d.inv.Lines = lines[:len(lines)-1]
}

// recentLooks bounds how many other invoices are searched for something to borrow.
const recentLooks = 8

// recentLine draws a line of another invoice that wanted accepts.
func (d *draft) recentLine(wanted func(*invoice.Line) bool) (l invoice.Line, ok bool) {
	for range min(recentLooks, len(d.ctx.Recent)) {
		other := d.ctx.Recent[d.rng.IntN(len(d.ctx.Recent))]
		if l, ok = oneOf(d.rng, other.Lines, wanted); ok {
			break
		}
	}
	return l, ok
}
