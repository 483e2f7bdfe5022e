package inject

import (
	"slices"
	"time"

	"recoup/invoice"
)

// staleLow is the share of stale price lists that are too cheap: prices rise.
const staleLow = 0.75

// spoilStalePriceTier takes all prices from another list: by a factor of 0.6 to
// 1.25 that is at least 4 % off, rounded as prices are; in a fifth of the cases
// only those of one product family. Half of the lists that are too cheap have the
// prices of another tier where Context.Tiers knows them, and the factor elsewhere.
func spoilStalePriceTier(d *draft) bool {
	factor := d.between(0.6, 0.96)
	if !d.chance(staleLow) {
		factor = d.between(1.04, 1.25)
	}
	wanted := func(*invoice.Line) bool { return true }
	if len(d.inv.Lines) > 1 && d.chance(0.2) {
		family := d.inv.Lines[d.rng.IntN(len(d.inv.Lines))].ProductFamily
		wanted = func(l *invoice.Line) bool { return l.ProductFamily == family }
	}
	lists := d.chance(0.5)
	d.syncLongAgo()
	var tiers []invoice.Fixed
	if factor < 1 && len(d.ctx.Tiers) == len(d.inv.Lines) && d.chance(0.5) {
		tiers = d.ctx.Tiers
	}
	return d.retier(tiers, factor, lists, wanted)
}

// retier gives the lines wanted the prices of another tier, and those that have
// none there the factor.
func (d *draft) retier(tiers []invoice.Fixed, factor float64, lists bool, wanted func(*invoice.Line) bool) bool {
	for i := range tiers {
		l := &d.inv.Lines[i]
		if tiers[i] <= 0 || !wanted(l) {
			continue
		}
		was := *l
		if l.UnitPrice.Value = tiers[i]; !d.bill(l, &was) {
			return false
		}
	}
	return d.reprice(factor, lists, func(l *invoice.Line) bool {
		if !wanted(l) {
			return false
		}
		for i := range tiers {
			if l == &d.inv.Lines[i] {
				return tiers[i] <= 0
			}
		}
		return true
	})
}

// spoilWrongNegotiatedPrice bills under a rate that was not agreed: another one,
// none though there is a contract, or one though there is none; as a rate on the
// lines or as net prices.
func spoilWrongNegotiatedPrice(d *draft) bool {
	is := d.agreedRate()
	rate := d.otherContractRate(is)
	d.syncLongAgo()
	everywhere := func(*invoice.Line) bool { return true }
	switch draw := d.rng.Float64(); {
	case is == 0 && draw < 0.4 && d.billAtList():
		return true
	case is == 0 && draw < 0.7:
		return d.renegotiate(is, rate)
	case is != 0 && draw < 0.45:
		return d.renegotiate(is, rate)
	case is != 0 && draw < 0.75:
		return d.renegotiate(is, 0)
	}
	share := float64(invoice.One-rate) / float64(invoice.One-is)
	return d.reprice(share, false, everywhere)
}

// agreedRate returns the rate this customer is billed under, 0 for none: the
// contract's where it stands on a line, else one that stands on all lines and is no
// promotion.
func (d *draft) agreedRate() invoice.Fixed {
	lines := d.src.Lines
	if rate := fraction(d.ctx.ContractRate); d.ctx.HasContract && rate > 0 && rate < invoice.One &&
		slices.ContainsFunc(lines, func(l invoice.Line) bool { return discountOf(&l) == rate }) {
		return rate
	}
	if len(lines) == 0 {
		return 0
	}
	rate := discountOf(&lines[0])
	for i := range lines {
		promoted := slices.ContainsFunc(lines[i].PromoCodes, func(code string) bool { return code != d.ctx.ContractCode })
		if discountOf(&lines[i]) != rate || promoted {
			return 0
		}
	}
	if rate < 0 || rate >= invoice.One {
		return 0
	}
	return rate
}

// otherContractRate draws a rate at least a point away: mostly another customer's,
// where these are known, else 2 to 30 whole per cent.
func (d *draft) otherContractRate(is invoice.Fixed) invoice.Fixed {
	const point = invoice.One / 100
	rate, ok := oneOf(d.rng, d.ctx.ContractRates, func(rate *float64) bool {
		r := fraction(*rate)
		return r > 0 && r < invoice.One && (r >= is+point || r <= is-point)
	})
	if ok && d.chance(0.6) {
		return fraction(rate)
	}
	drawn := point * invoice.Fixed(2+d.rng.IntN(29))
	if drawn > is-point && drawn < is+point {
		drawn += point * 2
	}
	return drawn
}

// renegotiate gives all lines billed at one rate another. A rate that goes takes
// its codes with it, a new one comes with the code of contracts.
func (d *draft) renegotiate(is, rate invoice.Fixed) bool {
	style := codesOf(d.src)
	for i := range d.inv.Lines {
		l := &d.inv.Lines[i]
		if discountOf(l) != is {
			continue
		}
		if !d.discount(l, rate) {
			return false
		}
		switch {
		case rate == 0:
			l.PromoCodes = l.PromoCodes[:0]
		case is == 0 && d.ctx.ContractCode != "" && style != codesAtHead:
			l.PromoCodes = append(l.PromoCodes[:0], d.ctx.ContractCode)
		}
	}
	if style == codesEverywhere {
		d.codesFromLines()
	}
	return d.total() && d.billsOtherwise()
}

// billAtList forgets negotiated prices: lines that show a list price are billed at
// it. False when that changes nothing; the draft is as it was then.
func (d *draft) billAtList() bool {
	for i := range d.inv.Lines {
		l := &d.inv.Lines[i]
		was := *l
		if !l.ListUnitPrice.Set || l.ListUnitPrice.Value <= 0 || !l.UnitPrice.Set {
			continue
		}
		l.UnitPrice = l.ListUnitPrice
		if !d.bill(l, &was) {
			*l = was
		}
	}
	if d.total() && d.billsOtherwise() {
		return true
	}
	copyLines(d.inv, d.src)
	d.total()
	return false
}

// spoilWrongCustomerType bills as another type of customer: at its prices, in three
// of ten cases under its name too, in two under its name only. The factor between
// prices is 0.55 to 1.7 and at least 5 % off.
func spoilWrongCustomerType(d *draft) bool {
	draw := d.rng.Float64()
	if other, ok := d.otherType(); ok && draw < 0.5 {
		d.inv.CustomerType = other
		if draw < 0.2 {
			return true
		}
	}
	factor := d.logBetween(0.55, 1.7)
	for !offOne(factor, 0.05) {
		factor = d.logBetween(0.55, 1.7)
	}
	d.syncLongAgo()
	return d.reprice(factor, false, func(*invoice.Line) bool { return true })
}

// offOne tells whether a factor is at least so far from 1.
func offOne(factor, least float64) bool { return factor <= 1-least || factor >= 1+least }

// otherType borrows a customer type from another invoice.
func (d *draft) otherType() (string, bool) {
	if d.src.CustomerType == "" {
		return "", false
	}
	for range min(recentLooks, len(d.ctx.Recent)) {
		other := d.ctx.Recent[d.rng.IntN(len(d.ctx.Recent))].CustomerType
		if other != "" && other != d.src.CustomerType {
			return other, true
		}
	}
	return "", false
}

// reprice multiplies the prices of the lines wanted, and their list prices if lists
// says so, and rounds them as this seller's prices are. False when nobody pays
// anything else.
func (d *draft) reprice(factor float64, lists bool, wanted func(*invoice.Line) bool) bool {
	by := fraction(factor)
	for i := range d.inv.Lines {
		l := &d.inv.Lines[i]
		if !wanted(l) {
			continue
		}
		was := *l
		if !d.multiply(&l.UnitPrice, by) || (lists && !d.multiply(&l.ListUnitPrice, by)) || !d.bill(l, &was) {
			return false
		}
	}
	return d.total() && d.billsOtherwise()
}

// multiply changes a price; one that is absent or 0 stays, and none becomes 0.
func (d *draft) multiply(price *invoice.OptionalFixed, by invoice.Fixed) bool {
	if price.Value == 0 {
		return true
	}
	p, ok := scaled(price.Value, by, invoice.One)
	if p = round(p, d.priceStep); p == 0 {
		p = d.priceStep
	}
	price.Value = p
	return ok
}

// syncLongAgo dates the last reading of the customer system back by a week to
// three months, in half of the cases and where it is known.
func (d *draft) syncLongAgo() {
	const day = 24 * time.Hour
	if at := &d.inv.CRM.SyncedAt; !at.IsZero() && d.chance(0.5) {
		*at = at.Add(-time.Duration(d.between(float64(7*day), float64(90*day))).Truncate(time.Second))
	}
}
