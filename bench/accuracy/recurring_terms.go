package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"recoup/invoice"
)

// fees returns the places of the lines that discounts are for.
func fees(b *bill) (at []int) {
	for i := range b.inv.Lines {
		if l := &b.inv.Lines[i]; l.Unit == "month" && l.ProductFamily == b.inv.ProductFamily {
			at = append(at, i)
		}
	}
	return at
}

// codeFor draws an offer that holds at a date for a family, or does not.
func codeFor(draw *rand.Rand, at time.Time, family string, holds, fits bool) (
	code string, rate invoice.Fixed, ok bool) {
	first := draw.IntN(len(offers))
	for i := range offers {
		o := &offers[(first+i)%len(offers)]
		from := recurringFrom.AddDate(0, o.month, 0)
		to := from.AddDate(0, o.months, 0)
		if held := !at.Before(from) && at.Before(to); held != holds || !holds && at.Before(to) ||
			slices.Contains(o.families, family) != fits {
			continue
		}
		return o.code, o.perCent * invoice.One / 100, true
	}
	return "", 0, false
}

// discountFees gives all fees of a bill one rate.
func discountFees(b *bill, rate invoice.Fixed, codes ...string) bool {
	at := fees(b)
	for _, i := range at {
		discountLine(&b.inv.Lines[i], rate, codes...)
	}
	total(&b.inv)
	return len(at) > 0
}

// overMax discounts more than anybody may.
func (in *injector) overMax(b *bill) bool {
	at := fees(b)
	if len(at) == 0 {
		return false
	}
	codes := b.inv.Lines[at[0]].PromoCodes
	if len(codes) == 0 {
		codes = []string{goodwillCode}
	}
	return discountFees(b, invoice.Fixed(mostDiscount+5+5*in.draw.IntN(8))*invoice.One/100, codes...)
}

// stack adds an offer to what the lines are discounted by.
func (in *injector) stack(b *bill) bool {
	code, rate, ok := codeFor(in.draw, b.inv.IssuedAt, b.inv.ProductFamily, true, true)
	at := fees(b)
	if !ok || len(at) == 0 {
		return false
	}
	l := &b.inv.Lines[at[0]]
	if len(l.PromoCodes) != 1 || l.PromoCodes[0] == code {
		return false
	}
	both := l.DiscountRate.Value + rate
	return discountFees(b, both, l.PromoCodes[0], code)
}

func (in *injector) expire(b *bill) bool {
	code, rate, ok := codeFor(in.draw, b.inv.IssuedAt, b.inv.ProductFamily, false, true)
	return ok && b.contract.agreed == nil && b.contract.code == "" && discountFees(b, rate, code)
}

func (in *injector) ineligible(b *bill) bool {
	code, rate, ok := codeFor(in.draw, b.inv.IssuedAt, b.inv.ProductFamily, true, false)
	return ok && b.contract.agreed == nil && b.contract.code == "" && discountFees(b, rate, code)
}

// fifty types 5 % as 50 %.
func (in *injector) fifty(b *bill) bool {
	done := false
	for i := range b.inv.Lines {
		if l := &b.inv.Lines[i]; l.DiscountRate.Value > 0 && l.DiscountRate.Value <= invoice.One*8/100 {
			l.DiscountRate.Value *= 10
			done = true
		}
	}
	total(&b.inv)
	return done
}

// reprice bills every product of a list at another price.
func reprice(b *bill, price func(p *product, quantity int64) invoice.Fixed) bool {
	for i := range b.inv.Lines {
		l := &b.inv.Lines[i]
		l.UnitPrice.Value = price(productOf(l.ProductID), int64(l.Quantity.Value/invoice.One))
	}
	total(&b.inv)
	return true
}

// otherKind draws another customer type.
func (in *injector) otherKind(b *bill) string {
	for {
		if k := kinds[in.draw.IntN(len(kinds))].name; k != b.contract.kind {
			return k
		}
	}
}

// otherTier bills the prices of another customer type, as an old tier has them.
func (in *injector) otherTier(b *bill) bool {
	kind := in.otherKind(b)
	return reprice(b, func(p *product, n int64) invoice.Fixed { return listPrice(p, kind, n, b.inv.IssuedAt) })
}

// otherType takes the customer for one of another type altogether.
func (in *injector) otherType(b *bill) bool {
	b.inv.CustomerType = in.otherKind(b)
	return reprice(b, func(p *product, n int64) invoice.Fixed {
		return listPrice(p, b.inv.CustomerType, n, b.inv.IssuedAt)
	})
}

// oldList bills last year's prices.
func (in *injector) oldList(b *bill) bool {
	if b.inv.IssuedAt.Before(recurringIndexed) {
		return false
	}
	b.inv.PriceListVersion = "2024"
	return reprice(b, func(p *product, n int64) invoice.Fixed { return b.contract.priceFor(p, n, recurringFrom) })
}

// otherContract bills the rate of another contract, or none.
func (in *injector) otherContract(b *bill) bool {
	now := rateAt(b.contract.agreed, b.inv.IssuedAt)
	if now <= 0 && (b.contract.code != "" || in.draw.Float64() < 0.7) {
		return false
	}
	rates := []invoice.Fixed{0, 3, 5, 8, 10, 12, 15, 20}
	rate := rates[in.draw.IntN(len(rates))] * invoice.One / 100
	for i := range b.inv.Lines {
		l := &b.inv.Lines[i]
		if l.ProductFamily != b.inv.ProductFamily {
			continue
		}
		l.DiscountRate, l.PromoCodes = invoice.OptionalFixed{}, nil
		if rate > 0 {
			discountLine(l, rate, contractCode)
		}
	}
	total(&b.inv)
	return true
}
