package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"recoup/invoice"
)

// billAll returns the right bills of all contracts. The same world gives the same
// bills.
func (w *world) billAll() (bills []*bill) {
	for _, c := range w.contracts {
		bills = append(bills, c.billMonths(newDraw(uint64(1_000+c.number)))...)
	}
	return bills
}

// billMonths bills a contract month by month, fees in advance and usage behind.
func (c *contractor) billMonths(draw *rand.Rand) (bills []*bill) {
	end := recurringFrom.AddDate(0, recurringMonths, 0)
	cycle := time.Date(c.from.Year(), c.from.Month(), c.cycle, 0, 0, 0, 0, time.UTC)
	if cycle.After(c.from) {
		cycle = cycle.AddDate(0, -1, 0)
	}
	for first := true; cycle.Before(end); cycle, first = cycle.AddDate(0, 1, 0), false {
		from, to := cycle, cycle.AddDate(0, 1, 0)
		if first {
			from = c.from
		}
		if !c.to.IsZero() && c.to.Before(to) {
			to = c.to.AddDate(0, 0, 1)
		}
		if !from.Before(to) {
			break
		}
		b := c.billMonth(draw, from, to, cycle.AddDate(0, 1, 0), first)
		if len(b.inv.Lines) == 0 || from.Before(recurringFrom) {
			continue
		}
		if b.inv.IssuedAt.Before(end) {
			bills = append(append(bills, b), c.afterwards(draw, b)...)
		}
	}
	return bills
}

// billMonth bills the fees of a period, whose whole month would end at next, and
// the usage of the month before.
func (c *contractor) billMonth(draw *rand.Rand, from, to, next time.Time, first bool) *bill {
	b := &bill{contract: c}
	inv := &b.inv
	c.head(draw, inv, from, first)
	inv.PeriodStart, inv.PeriodEnd = from, to.AddDate(0, 0, -1)
	months := invoice.One
	whole := next.AddDate(0, -1, 0)
	if days, all := daysBetween(from, to), daysBetween(whole, next); days < all {
		months = invoice.Fixed(days*10_000/all) * (invoice.One / 10_000)
	}
	anniversary := from.Month() == c.from.Month()
	if c.yearly && !anniversary {
		months = 0
	} else if c.yearly && c.to.IsZero() {
		months = 12 * invoice.One
		inv.PeriodEnd = from.AddDate(1, 0, -1)
	}
	if months > 0 {
		c.billFees(inv, months, from)
	}
	if !first {
		c.billUsage(draw, inv, from)
	}
	if draw.Float64() < 0.03 || first && draw.Float64() < 0.5 {
		c.billSingle(draw, inv, first)
	}
	c.discount(draw, inv)
	total(inv)
	return b
}

// head fills what stands above the lines.
func (c *contractor) head(draw *rand.Rand, inv *invoice.Invoice, from time.Time, first bool) {
	inv.Seller, inv.CustomerRef, inv.CustomerType, inv.Country = sellerName, c.customer, c.kind, c.country
	inv.Currency, inv.ProductFamily, inv.SourceSystem = "EUR", c.plan.family, c.system
	inv.IssuedAt = from.Add(2*time.Hour + time.Duration(draw.IntN(4*3600))*time.Second)
	inv.EntryChannel, inv.BatchID = "recurring", "run-"+from.Format(time.DateOnly)
	inv.SourceRelease = from.Format("2006.") + string(rune('0'+(int(from.Month())+1)/2))
	if first || c.typedPlan {
		inv.IssuedAt = from.Add(8*time.Hour + time.Duration(draw.IntN(9*3600))*time.Second)
		inv.EntryChannel, inv.BatchID = "manual", ""
	}
	inv.DueAt = from.AddDate(0, 0, 14)
	inv.ContractRef = fmt.Sprintf("CT%05d", 10_000+c.number)
	if c.ordered {
		inv.OrderRef = fmt.Sprintf("PO%05d", 20_000+c.number)
	}
	inv.PriceListVersion = "2024"
	if !from.Before(recurringIndexed) {
		inv.PriceListVersion = "2025"
	}
	inv.TaxRate = setFixed(c.tax)
	if c.exempt {
		inv.TaxRate = setFixed(0)
	}
	if c.vatID {
		inv.LegalFieldsPresent = append(inv.LegalFieldsPresent, "buyer_vat_id")
	}
	if c.purchase {
		inv.LegalFieldsPresent = append(inv.LegalFieldsPresent, "purchase_order_ref")
	}
}

func daysBetween(from, to time.Time) int { return int(to.Sub(from) / (24 * time.Hour)) }

// billFees adds the plan and the options for a number of months.
func (c *contractor) billFees(inv *invoice.Invoice, months invoice.Fixed, at time.Time) {
	plan := c.plan
	if c.later != nil && !at.Before(c.change) {
		plan = c.later
	}
	c.addLine(inv, plan, months, at)
	for _, o := range c.options {
		if !o.from.After(at) {
			c.addLine(inv, o.product, months*invoice.Fixed(o.quantity), at)
		}
	}
}

// billUsage adds what the meters counted.
func (c *contractor) billUsage(draw *rand.Rand, inv *invoice.Invoice, at time.Time) {
	for _, m := range c.meters {
		winter := math.Cos(2 * math.Pi * (float64(at.YearDay()) - 20) / 365)
		units := m.level * (1 + m.season*winter) * math.Exp(m.noise*draw.NormFloat64())
		if draw.Float64() < 0.01 { // away, or a feast
			units *= []float64{0.1, 3}[draw.IntN(2)]
		}
		if n := invoice.Fixed(math.Round(units)); n > 0 {
			c.addLine(inv, m.product, n*invoice.One, at)
		}
	}
}

// billSingle adds something that is billed once.
func (c *contractor) billSingle(draw *rand.Rand, inv *invoice.Invoice, first bool) {
	p := &singles[1+draw.IntN(2)]
	if first {
		p = &singles[0]
	}
	quantity := invoice.One
	if p.id == "VISIT" {
		quantity = invoice.Fixed(1+draw.IntN(8)) * invoice.One / 2
	}
	c.addLine(inv, p, quantity, inv.IssuedAt)
}

func (c *contractor) addLine(inv *invoice.Invoice, p *product, quantity invoice.Fixed, at time.Time) {
	unit := p.unit
	if unit == "" {
		unit = "month"
	}
	price := c.priceFor(p, int64(quantity/invoice.One), at)
	inv.Lines = append(inv.Lines, invoice.Line{ID: string(rune('1' + len(inv.Lines))), ProductID: p.id,
		ProductFamily: p.family, Description: p.text, Unit: unit, Quantity: setFixed(quantity), UnitPrice: setFixed(price)})
}

// discount takes off the contract's rate, or the promotion of the first months, or
// what a good will gives now and then.
func (c *contractor) discount(draw *rand.Rand, inv *invoice.Invoice) {
	goodwill := draw.Float64() < 0.006
	rate := rateAt(c.agreed, inv.IssuedAt)
	for i := range inv.Lines {
		l := &inv.Lines[i]
		fee := l.Unit == "month" && l.ProductFamily == c.plan.family
		switch {
		case rate > 0 && l.ProductFamily == c.plan.family:
			discountLine(l, rate, contractCode)
		case c.code != "" && fee && inv.PeriodStart.Before(c.from.AddDate(0, promoMonths, 0)):
			discountLine(l, offerRate(c.code), c.code)
		case goodwill && fee && rate <= 0:
			discountLine(l, goodwillRate, goodwillCode)
		}
	}
}

func offerRate(code string) invoice.Fixed {
	for _, o := range offers {
		if o.code == code {
			return o.perCent * invoice.One / 100
		}
	}
	return 0
}

func discountLine(l *invoice.Line, rate invoice.Fixed, codes ...string) {
	l.DiscountRate, l.PromoCodes = setFixed(rate), codes
}

// total computes lines, sum, tax and gross of a bill as its fields say.
func total(inv *invoice.Invoice) {
	inv.NetAmount, inv.PromoCodes = 0, nil
	for i := range inv.Lines {
		l := &inv.Lines[i]
		net, _ := invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, l.DiscountRate.Value)
		l.Net = invoice.OptionalAmount{Value: toCents(net), Set: true}
		inv.NetAmount += l.Net.Value
		for _, code := range l.PromoCodes {
			if !slices.Contains(inv.PromoCodes, code) {
				inv.PromoCodes = append(inv.PromoCodes, code)
			}
		}
	}
	taxed(inv)
}

// taxed computes tax and gross from the net amount.
func taxed(inv *invoice.Invoice) {
	tax, _ := inv.NetAmount.MulFixed(inv.TaxRate.Value)
	inv.TaxAmount = invoice.OptionalAmount{Value: toCents(tax), Set: true}
	inv.GrossAmount = invoice.OptionalAmount{Value: inv.NetAmount + inv.TaxAmount.Value, Set: true}
}

// toCents rounds half away from zero.
func toCents(a invoice.Amount) invoice.Amount {
	const cent = invoice.Unit / 100
	if a < 0 {
		return -toCents(-a)
	}
	return (a + cent/2) / cent * cent
}

// afterwards returns what follows a bill now and then: a credit note, and for some
// a reissue that names what it replaces.
func (c *contractor) afterwards(draw *rand.Rand, of *bill) (more []*bill) {
	if draw.Float64() >= 0.015 {
		return nil
	}
	credit := of.copy()
	credit.replaces = of
	credit.inv.Type = invoice.CreditNote
	credit.inv.IssuedAt = of.inv.IssuedAt.AddDate(0, 0, 2+draw.IntN(20))
	credit.byHand()
	for i := range credit.inv.Lines {
		credit.inv.Lines[i].Quantity.Value *= -1
	}
	total(&credit.inv)
	more = append(more, credit)
	if draw.Float64() < 0.3 {
		again := of.copy()
		again.replaces = of
		again.inv.IssuedAt = credit.inv.IssuedAt.Add(10 * time.Minute)
		again.byHand()
		more = append(more, again)
	}
	return more
}

// copy returns a bill of its own with the same content.
func (b *bill) copy() *bill {
	c := *b
	c.inv.Lines = append([]invoice.Line(nil), b.inv.Lines...)
	c.label = nil
	return &c
}

// byHand marks a bill that no run made.
func (b *bill) byHand() { b.inv.EntryChannel, b.inv.BatchID = "manual", "" }
