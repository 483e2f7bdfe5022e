package inject

import (
	"slices"
	"strconv"

	"recoup/invoice"
)

// offer is a discount to be given.
type offer struct {
	rate invoice.Fixed // all that is taken off
	code string        // the code it stands under; "" leaves the codes there are
	also string        // a second code, behind the others; "" for none
}

// usualRates are what promotions usually give.
var usualRates = [...]invoice.Fixed{
	invoice.One / 20, invoice.One / 10, invoice.One * 15 / 100, invoice.One / 5, invoice.One / 4, invoice.One * 3 / 10,
}

// mostOff is the highest rate that is given: more is no discount but a gift, and a
// kind of its own.
const mostOff = invoice.One * 95 / 100

// spoilOverMax gives far more than is usual or allowed: from five points above the
// cap, or fifteen above a usual rate, up to 95 %, in whole points mostly, under the
// code that stands there or one of the seller's.
func spoilOverMax(d *draft) bool {
	given := d.usualOffer()
	low := float64(given.rate)/float64(invoice.One) + 0.15
	if limit := d.ctx.MaxDiscount; limit > 0 && limit < 1 {
		low = limit + 0.05
	}
	low = min(max(low, 0.2), 0.9)
	given.rate = fraction(min(d.between(low, 0.95), d.between(low, 0.95))) // rather near what is usual than far
	if d.chance(0.8) {
		given.rate = round(given.rate, invoice.One/100)
	}
	return d.grant(d.scope(), func(is invoice.Fixed) offer {
		if is > 0 {
			return offer{rate: given.rate}
		}
		return given
	})
}

// spoilStacked gives two promotions at once: one on top of what a line has, or
// two. Mostly the second is taken off what the first has left, else the rates are
// added; mostly both codes stand there, else one of them. Without another code the
// one that is there works twice.
func spoilStacked(d *draft) bool {
	first := d.usualOffer()
	second, ok := d.promotionBut(first.code)
	if !ok {
		second = first
	}
	added := d.chance(0.3)
	if !d.chance(0.75) {
		second.code = ""
	}
	return d.grant(d.scope(), func(is invoice.Fixed) offer {
		both := offer{is, "", second.code}
		if is == 0 {
			both = offer{first.rate, first.code, second.code}
		}
		left := invoice.One - both.rate
		off := second.rate
		if !added {
			off, _ = scaled(second.rate, left, invoice.One)
		}
		both.rate = min(both.rate+round(off, invoice.One/10_000), mostOff)
		return both
	})
}

// spoilExpired gives a promotion that had ended when the invoice was issued. Where
// none is known to have, one time in two a code of the seller with another year
// or number stands in for an old one; otherwise the kind does not fit.
func spoilExpired(d *draft) bool {
	at := d.src.IssuedAt
	p, ok := oneOf(d.rng, d.ctx.Promotions, func(p *Promotion) bool {
		return p.Rate > 0 && !p.To.IsZero() && !p.To.After(at)
	})
	if !ok {
		p, ok = oneOf(d.rng, d.ctx.Promotions, func(p *Promotion) bool {
			_, digits, _ := lastNumber(p.Code)
			return p.Rate > 0 && digits != ""
		})
		if !ok || d.chance(0.5) {
			return false
		}
		p.Code = olderCode(p.Code)
	}
	return d.grantPromotion(&p, func(l *invoice.Line) bool { return p.meant(d.src, l) })
}

// spoilIneligible gives a promotion to products it is not meant for. It fits where a promotion is limited in this way.
func spoilIneligible(d *draft) bool {
	strange := func(p *Promotion) bool {
		if len(d.src.Lines) == 0 {
			return !p.meant(d.src, &invoice.Line{})
		}
		return slices.ContainsFunc(d.src.Lines, func(l invoice.Line) bool { return !p.meant(d.src, &l) })
	}
	p, ok := oneOf(d.rng, d.ctx.Promotions, func(p *Promotion) bool { return p.Rate > 0 && p.runs(d) && strange(p) })
	if !ok {
		p, ok = oneOf(d.rng, d.ctx.Promotions, func(p *Promotion) bool { return p.Rate > 0 && strange(p) })
	}
	return ok && d.grantPromotion(&p, func(l *invoice.Line) bool { return !p.meant(d.src, l) })
}

// spoilDecimal50 types 50 % for 5 %: a rate of less than 10 % is taken times ten,
// a higher one becomes 50 %.
func spoilDecimal50(d *draft) bool {
	usual := d.usualOffer()
	if d.chance(0.3) {
		usual.rate = invoice.One / 20
	}
	return d.grant(d.scope(), func(is invoice.Fixed) offer {
		given := offer{invoice.One / 2, "", ""}
		if is == 0 {
			is, given.code = usual.rate, usual.code
		}
		if is < invoice.One/10 {
			given.rate = is * 10
		}
		return given
	})
}

// usualOffer returns a discount that would be nothing special on this invoice:
// one that it has, the contract's, one of a current promotion, or, where nothing
// is known, a usual rate without a code.
func (d *draft) usualOffer() offer {
	l, ok := oneOf(d.rng, d.src.Lines, func(l *invoice.Line) bool { return discountOf(l) > 0 })
	switch {
	case ok && len(l.PromoCodes) > 0:
		return offer{rate: discountOf(&l), code: l.PromoCodes[0]}
	case ok:
		return offer{rate: discountOf(&l)}
	case d.ctx.HasContract && d.ctx.ContractRate > 0 && d.chance(0.5):
		return offer{rate: fraction(d.ctx.ContractRate), code: d.ctx.ContractCode}
	}
	if p, ok := d.promotionBut(""); ok {
		return p
	}
	return offer{rate: usualRates[d.rng.IntN(len(usualRates))]}
}

// promotionBut draws a promotion with another code, a current one if there is one.
func (d *draft) promotionBut(code string) (offer, bool) {
	other := func(p *Promotion) bool { return p.Rate > 0 && p.Code != code }
	p, ok := oneOf(d.rng, d.ctx.Promotions, func(p *Promotion) bool { return other(p) && p.runs(d) })
	if !ok {
		p, ok = oneOf(d.rng, d.ctx.Promotions, other)
	}
	return offer{rate: fraction(p.Rate), code: p.Code}, ok
}

// runs tells whether a promotion counts when the invoice is issued.
func (p *Promotion) runs(d *draft) bool {
	at := d.src.IssuedAt
	return !p.From.After(at) && (p.To.IsZero() || at.Before(p.To))
}

// meant tells whether a promotion is meant for this line.
func (p *Promotion) meant(inv *invoice.Invoice, l *invoice.Line) bool {
	family := l.ProductFamily
	if family == "" {
		family = inv.ProductFamily
	}
	return len(p.Families) == 0 || slices.Contains(p.Families, family)
}

// olderCode counts the number in a code down, as in the code of the year before.
// The code has one.
func olderCode(code string) string {
	head, digits, tail := lastNumber(code)
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n == 0 {
		return head + digits + "0" + tail
	}
	return head + padded(n-1, len(digits)) + tail
}
