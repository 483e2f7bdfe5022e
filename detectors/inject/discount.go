package inject

import (
	"slices"

	"recoup/invoice"
)

// discountOf returns what is taken off a line, as a fraction; a discount that
// stands there as an amount only is reckoned.
func discountOf(l *invoice.Line) invoice.Fixed {
	if l.DiscountRate.Set || l.DiscountAmount.Value <= 0 {
		return l.DiscountRate.Value
	}
	full, ok := fullAmount(l)
	if !ok || full <= 0 {
		return 0
	}
	rate, _ := scaled(invoice.Fixed(l.DiscountAmount.Value), invoice.One, invoice.Fixed(full))
	return rate
}

// fullAmount returns what a line would come to without its discount amount.
func fullAmount(l *invoice.Line) (invoice.Amount, bool) {
	if l.Quantity.Set && l.UnitPrice.Set {
		return extended(l, 0)
	}
	return l.Net.Value.Add(l.DiscountAmount.Value)
}

// discount takes a rate off a line, as the amount or the rate that stands there; 0
// takes nothing off.
func (d *draft) discount(l *invoice.Line, rate invoice.Fixed) bool {
	was := *l
	if l.DiscountRate.Set || l.DiscountAmount.Value <= 0 {
		l.DiscountRate = invoice.OptionalFixed{Value: rate, Set: rate != 0}
		return d.bill(l, &was)
	}
	full, ok1 := fullAmount(l)
	off, ok2 := full.MulFixed(rate)
	l.DiscountAmount.Value = round(off, d.coin)
	net, ok3 := full.Sub(l.DiscountAmount.Value)
	if l.Net.Set {
		l.Net.Value = round(net, d.lineStep)
	}
	return ok1 && ok2 && ok3
}

// grantPromotion gives a promotion to the lines wanted, or to one of them; where
// there is none, as when its families are not billed here, to one line.
func (d *draft) grantPromotion(p *Promotion, wanted func(*invoice.Line) bool) bool {
	given := offer{rate: fraction(p.Rate), code: p.Code}
	_, any := oneOf(d.rng, d.inv.Lines, wanted)
	one := -1
	if n := len(d.inv.Lines); n > 0 && (!any || d.chance(0.25)) {
		one = d.rng.IntN(n)
	}
	return d.grant(func(i int, l *invoice.Line) bool { return i == one || (one < 0 && wanted(l)) },
		func(invoice.Fixed) offer { return given })
}

// scope draws which lines a wrong discount reaches: those that have one already, a
// single one, or all.
func (d *draft) scope() func(i int, l *invoice.Line) bool {
	_, discounted := oneOf(d.rng, d.inv.Lines, func(l *invoice.Line) bool { return discountOf(l) > 0 })
	draw := d.rng.Float64()
	if draw < 0.35 && discounted {
		return func(_ int, l *invoice.Line) bool { return discountOf(l) > 0 }
	}
	if draw < 0.5 && len(d.inv.Lines) > 0 {
		one := d.rng.IntN(len(d.inv.Lines))
		return func(i int, _ *invoice.Line) bool { return i == one }
	}
	return func(int, *invoice.Line) bool { return true }
}

// grant gives the lines wanted what better offers to a line with this rate, if it
// is more. An invoice without lines, and one that shows its discount at the end
// only, gets it there. False when the customer pays no less.
func (d *draft) grant(wanted func(int, *invoice.Line) bool, better func(is invoice.Fixed) offer) bool {
	style := codesOf(d.src)
	_, discounted := oneOf(d.rng, d.src.Lines, func(l *invoice.Line) bool { return discountOf(l) > 0 })
	if len(d.inv.Lines) == 0 || (d.src.DiscountAmount.Value > 0 && !discounted) {
		return d.grantAtEnd(better)
	}
	for i := range d.inv.Lines {
		l := &d.inv.Lines[i]
		if !wanted(i, l) {
			continue
		}
		is := discountOf(l)
		given := better(is)
		if given.rate <= is {
			continue
		}
		if !d.discount(l, given.rate) {
			return false
		}
		if style != codesAtHead {
			l.PromoCodes = given.stand(l.PromoCodes)
		} else {
			d.addCodes(given.code, given.also)
		}
	}
	if style == codesEverywhere {
		d.codesFromLines()
	}
	return d.total() && d.inv.NetAmount < d.src.NetAmount
}

// grantAtEnd takes the offer off the sum of the whole invoice.
func (d *draft) grantAtEnd(better func(is invoice.Fixed) offer) bool {
	full, ok := d.src.NetAmount.Add(d.src.DiscountAmount.Value)
	if !ok || full <= 0 {
		return false
	}
	is, ok := scaled(invoice.Fixed(d.src.DiscountAmount.Value), invoice.One, invoice.Fixed(full))
	given := better(is)
	off, ok1 := full.MulFixed(given.rate)
	off = round(off, d.coin)
	net, ok2 := full.Sub(off)
	d.inv.DiscountAmount = invoice.OptionalAmount{Value: off, Set: true}
	d.inv.PromoCodes = given.stand(d.inv.PromoCodes)
	return ok && ok1 && ok2 && d.setNet(net) && d.inv.NetAmount < d.src.NetAmount
}

// stand returns the codes under which an offer stands where these stood.
func (o *offer) stand(codes []string) []string {
	if o.code != "" {
		codes = append(codes[:0], o.code)
	}
	if o.also != "" {
		codes = append(codes, o.also)
	}
	return codes
}

// codeStyle is where a seller puts promotion codes.
type codeStyle uint8

const (
	codesEverywhere codeStyle = iota // on lines, and all of them at the head; or not known
	codesOnLines
	codesAtHead
)

func codesOf(inv *invoice.Invoice) codeStyle {
	onLines := slices.ContainsFunc(inv.Lines, func(l invoice.Line) bool { return len(l.PromoCodes) > 0 })
	switch {
	case onLines && len(inv.PromoCodes) == 0:
		return codesOnLines
	case !onLines && len(inv.PromoCodes) > 0:
		return codesAtHead
	}
	return codesEverywhere
}

// addCodes adds codes to the head that are not there; "" is none.
func (d *draft) addCodes(codes ...string) {
	for _, code := range codes {
		if code != "" && !slices.Contains(d.inv.PromoCodes, code) {
			d.inv.PromoCodes = append(d.inv.PromoCodes, code)
		}
	}
}

// codesFromLines lists at the head what stands on the lines now, and what stood
// at the head alone.
func (d *draft) codesFromLines() {
	d.inv.PromoCodes = d.inv.PromoCodes[:0]
	for _, code := range d.src.PromoCodes {
		if !slices.ContainsFunc(d.src.Lines, func(l invoice.Line) bool { return slices.Contains(l.PromoCodes, code) }) {
			d.addCodes(code)
		}
	}
	for i := range d.inv.Lines {
		d.addCodes(d.inv.Lines[i].PromoCodes...)
	}
}
