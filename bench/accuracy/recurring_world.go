package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"recoup/invoice"
)

// product is something the made-up seller bills.
type product struct {
	id, family, text, unit string
	price                  int64   // for private customers before the indexation, in 1/10,000
	metered                bool    // billed by usage, priced finer than the coin
	indexed                float64 // factor of the new price list
	breaks                 []priceBreak
}

// priceBreak is a price from a quantity on, as a share of the list.
type priceBreak struct {
	from    int64
	perCent int64
}

// The catalogue. Plans come in rising order within a family.
var (
	plans = []product{
		{id: "MOB-S", family: "MOBILE", text: "Mobile S", price: 99_900, indexed: 1.04},
		{id: "MOB-M", family: "MOBILE", text: "Mobile M", price: 199_900, indexed: 1.04},
		{id: "MOB-L", family: "MOBILE", text: "Mobile L", price: 349_900, indexed: 1.04},
		{id: "FIB-100", family: "FIBRE", text: "Fibre 100", price: 299_000, indexed: 1.035},
		{id: "FIB-500", family: "FIBRE", text: "Fibre 500", price: 399_000, indexed: 1.035},
		{id: "FIB-1000", family: "FIBRE", text: "Fibre 1000", price: 599_000, indexed: 1.035},
		{id: "PWR-BASIC", family: "POWER", text: "Power basic fee", price: 98_000, indexed: 1.05},
		{id: "PWR-PLUS", family: "POWER", text: "Power plus fee", price: 134_500, indexed: 1.05},
		{id: "WTR-BASIC", family: "WATER", text: "Water basic fee", price: 76_000, indexed: 1.02},
	}
	extras = []product{
		{id: "TV", family: "FIBRE", text: "Television", price: 79_900, indexed: 1},
		{id: "STATIC-IP", family: "FIBRE", text: "Fixed address", price: 49_900, indexed: 1.04},
		{id: "ROUTER", family: "FIBRE", text: "Router rental", price: 39_900, indexed: 1.04},
		{id: "SIM", family: "MOBILE", text: "Further SIM card", price: 69_900, indexed: 1.04},
		{id: "ROAMING", family: "MOBILE", text: "Roaming", price: 50_000, indexed: 1},
		{id: "INSURANCE", family: "MOBILE", text: "Insurance", price: 65_000, indexed: 1.04},
		{id: "GREEN", family: "POWER", text: "Green power", price: 25_000, indexed: 1.05},
		{id: "METERING", family: "POWER", text: "Smart meter", price: 16_700, indexed: 1.05},
		{id: "SUBMETER", family: "WATER", text: "Second meter", price: 21_000, indexed: 1.02},
	}
	usages = []product{
		{id: "MIN-ABROAD", family: "MOBILE", text: "Minutes abroad", unit: "min", price: 900, metered: true, indexed: 1},
		{id: "DATA-GB", family: "MOBILE", text: "Data", unit: "GB", price: 24_000, metered: true, indexed: 1,
			breaks: []priceBreak{{10, 80}, {50, 60}}},
		{id: "CALLS", family: "FIBRE", text: "Calls to mobiles", unit: "min", price: 1_450, metered: true, indexed: 1.03},
		{id: "KWH", family: "POWER", text: "Energy", unit: "kWh", price: 3_120, metered: true, indexed: 1.065,
			breaks: []priceBreak{{1_000, 94}, {5_000, 88}}},
		{id: "M3", family: "WATER", text: "Water", unit: "m3", price: 21_400, metered: true, indexed: 1.02,
			breaks: []priceBreak{{50, 93}}},
	}
	singles = []product{
		{id: "INSTALL", family: "SERVICE", text: "Installation", price: 490_000, indexed: 1},
		{id: "LATE-FEE", family: "SERVICE", text: "Reminder fee", price: 50_000, indexed: 1},
		{id: "VISIT", family: "SERVICE", text: "Technician", unit: "h", price: 680_000, indexed: 1},
	}
)

// Types of customers with the share of the list that they pay.
var kinds = []struct {
	name    string
	perCent int64
	weight  float64
}{{"private", 100, 0.68}, {"business", 92, 0.26}, {"enterprise", 84, 0.06}}

var countries = []struct {
	name   string
	tax    invoice.Fixed // in 1/1000
	weight float64
}{
	{"Germany", 190, 0.5}, {"Austria", 200, 0.2}, {"France", 200, 0.15}, {"Netherlands", 210, 0.1},
	{"Ireland", 230, 0.05},
}

// offers are the promotions. Who signs up in the first two months of the window
// gets the rate on fees for three months.
var offers = []struct {
	code     string
	month    int // of the start
	months   int // how long the code may be used
	perCent  invoice.Fixed
	families []string
}{
	{"WELCOME24", 0, 6, 20, []string{"MOBILE", "FIBRE"}},
	{"AUTUMN24", 3, 5, 10, []string{"POWER", "WATER"}},
	{"START25", 6, 6, 20, []string{"MOBILE", "FIBRE", "POWER"}},
	{"SPRING25", 9, 5, 15, []string{"FIBRE"}},
	{"SUMMER25", 12, 6, 20, []string{"MOBILE", "FIBRE", "POWER"}},
}

const (
	contractCode = "CONTRACT" // on every line with a contract's rate
	goodwillCode = "GOODWILL" // on fees now and then, for anybody
	goodwillRate = invoice.One / 10
	promoMonths  = 3 // that a promotion lasts for a customer
	mostDiscount = 25
)

// world is the seller with its contracts.
type world struct {
	contracts []*contractor
}

func newWorld() *world {
	w := &world{}
	draw := newDraw(0)
	customer := 0
	for month := range recurringMonths {
		joining := recurringJoining
		if month == 0 {
			joining = recurringStart
		}
		for range joining {
			c := newContractor(draw, month)
			c.number, c.customer = len(w.contracts), fmt.Sprintf("c:%d", 5_000+customer)
			customer++
			w.contracts = append(w.contracts, c)
			if draw.Float64() < 0.03 { // further sites of one customer, under the same terms
				for range 1 + draw.IntN(2) {
					site := *c
					site.number = len(w.contracts)
					w.contracts = append(w.contracts, &site)
				}
			}
		}
	}
	return w
}

// pick returns an index drawn by weights that add up to 1.
func pick(draw *rand.Rand, n int, weight func(int) float64) int {
	at := draw.Float64()
	for i := range n - 1 {
		if at -= weight(i); at < 0 {
			return i
		}
	}
	return n - 1
}

// newContractor draws a contract that starts in a month; in the first month most
// have run for long.
func newContractor(draw *rand.Rand, month int) *contractor {
	kind := kinds[pick(draw, len(kinds), func(i int) float64 { return kinds[i].weight })]
	country := countries[pick(draw, len(countries), func(i int) float64 { return countries[i].weight })]
	c := &contractor{kind: kind.name, country: country.name, tax: country.tax * invoice.One / 1000,
		cycle: 1 + draw.IntN(28), plan: &plans[draw.IntN(len(plans))],
		system: []string{"billing-a", "billing-b"}[draw.IntN(2)]}
	c.from = recurringFrom.AddDate(0, month, draw.IntN(28))
	if month == 0 && draw.Float64() < 0.97 {
		c.from = recurringFrom.AddDate(0, -1-draw.IntN(24), c.cycle-1)
	}
	for t := c.from.AddDate(0, 2, 0); c.to.IsZero() && t.Before(recurringFrom.AddDate(0, recurringMonths, 0)); {
		if draw.Float64() < recurringLeaving && t.After(recurringFrom) {
			c.to = t.AddDate(0, 0, draw.IntN(28))
		}
		t = t.AddDate(0, 1, 0)
	}
	c.drawGoods(draw)
	c.drawTerms(draw, month)
	return c
}

// drawGoods draws what is billed beside the plan, and a change of plan.
func (c *contractor) drawGoods(draw *rand.Rand) {
	for i := range extras {
		if e := &extras[i]; e.family == c.plan.family && draw.Float64() < 0.35 {
			o := option{product: e, quantity: 1, from: c.from}
			if e.id == "SIM" {
				o.quantity = 1 + int64(draw.IntN(4))
			}
			if draw.Float64() < 0.15 { // added later
				o.from = recurringFrom.AddDate(0, draw.IntN(recurringMonths), 0)
			}
			c.options = append(c.options, o)
		}
	}
	size := map[string]float64{"private": 1, "business": 4, "enterprise": 18}[c.kind] * math.Exp(0.5*draw.NormFloat64())
	for i := range usages {
		u := &usages[i]
		if u.family != c.plan.family || (u.family != "POWER" && u.family != "WATER" && draw.Float64() < 0.5) {
			continue
		}
		m := meter{product: u, noise: 0.12 + 0.2*draw.Float64()}
		switch u.id {
		case "KWH":
			m.level, m.season = 240*size, 0.1+0.5*draw.Float64()
		case "M3":
			m.level, m.season = 9*size, -0.2*draw.Float64()
		case "DATA-GB":
			m.level, m.noise = 3*size, 0.5
		default:
			m.level, m.noise = 40*size, 0.6
		}
		c.meters = append(c.meters, m)
	}
	if draw.Float64() < 0.15 {
		for i := range plans {
			if p := &plans[i]; p.family == c.plan.family && p != c.plan && draw.Float64() < 0.6 {
				c.later = p
				c.change = recurringFrom.AddDate(0, 1+draw.IntN(recurringMonths-1), c.cycle-1)
			}
		}
	}
}

// drawTerms draws contract rates, promotion, prepayment, tax and references.
func (c *contractor) drawTerms(draw *rand.Rand, month int) {
	rates := []invoice.Fixed{3, 5, 8, 10, 12, 15}
	if c.kind != "private" && draw.Float64() < 0.45 || c.kind == "private" && draw.Float64() < 0.08 {
		rate := rates[draw.IntN(len(rates))] * invoice.One / 100
		c.agreed = []agreement{{c.from, rate}}
		if draw.Float64() < 0.3 { // renegotiated at a cycle
			other := rates[draw.IntN(len(rates))] * invoice.One / 100
			from := recurringFrom.AddDate(0, 1+draw.IntN(recurringMonths-1), c.cycle-1)
			if other != rate && from.After(c.from) {
				c.agreed = append(c.agreed, agreement{from, other})
			}
		}
	}
	for _, o := range offers {
		inTime := month > 0 && month >= o.month && month < o.month+2
		if inTime && c.agreed == nil && slices.Contains(o.families, c.plan.family) && draw.Float64() < 0.6 {
			c.code = o.code
		}
	}
	if c.kind == "enterprise" && len(c.meters) > 0 && draw.Float64() < 0.5 {
		c.ownPrice = 85 + int64(draw.IntN(11))
	}
	c.yearly = draw.Float64() < 0.06
	c.exempt = draw.Float64() < 0.03
	c.vatID = c.kind != "private" && draw.Float64() < 0.95
	c.purchase = c.kind == "enterprise" || c.kind == "business" && draw.Float64() < 0.3
	c.ordered = c.purchase || draw.Float64() < 0.25
	c.typedPlan = c.kind == "enterprise" && draw.Float64() < 0.4
}

// listPrice returns what a customer type pays for a unit of a product, from a
// quantity on, at a date.
func listPrice(p *product, kind string, quantity int64, at time.Time) invoice.Fixed {
	v := float64(p.price)
	for _, k := range kinds {
		if k.name == kind {
			v = v * float64(k.perCent) / 100
		}
	}
	share := int64(100)
	for _, b := range p.breaks {
		if quantity >= b.from {
			share = b.perCent
		}
	}
	v = v * float64(share) / 100
	if !at.Before(recurringIndexed) {
		v *= p.indexed
	}
	return rounded(v, p)
}

// rounded returns a price in 1/10,000 as it is listed: fees to the cent.
func rounded(v float64, p *product) invoice.Fixed {
	if p.metered {
		return invoice.Fixed(math.Round(v)) * (invoice.One / 10_000)
	}
	return invoice.Fixed(math.Round(v/100)) * (invoice.One / 100)
}

// priceFor is the price of a contract: its own or that of the list.
func (c *contractor) priceFor(p *product, quantity int64, at time.Time) invoice.Fixed {
	list := listPrice(p, c.kind, quantity, at)
	if c.ownPrice > 0 && p.metered {
		return rounded(float64(listPrice(p, c.kind, 0, at))/float64(invoice.One/10_000)*float64(c.ownPrice)/100, p)
	}
	return list
}

// references tells what customer system and catalogue know.
func (w *world) references() (all []invoice.Reference) {
	all = append(all, invoice.Reference{Kind: invoice.PolicyReference, Seller: sellerName, ValidFrom: recurringFrom,
		MaxDiscountRate: setFixed(mostDiscount * invoice.One / 100), Stackable: invoice.OptionalBool{Set: true},
		Currencies: []string{"EUR"}})
	for _, o := range offers {
		from := recurringFrom.AddDate(0, o.month, 0)
		all = append(all, invoice.Reference{Kind: invoice.PromotionReference, Seller: sellerName, Code: o.code,
			ValidFrom: from, ValidTo: from.AddDate(0, o.months, 0), DiscountRate: o.perCent * invoice.One / 100,
			ProductFamilies: o.families})
	}
	all = append(all, invoice.Reference{Kind: invoice.PromotionReference, Seller: sellerName, Code: goodwillCode,
		ValidFrom: recurringFrom, DiscountRate: goodwillRate})
	for _, list := range [][]product{plans, extras, usages, singles} {
		for i := range list {
			all = append(all, listedPrices(&list[i])...)
		}
	}
	told := map[string]bool{}
	for _, c := range w.contracts {
		if !told[c.customer] {
			all = append(all, c.references()...)
			told[c.customer] = true
		}
	}
	return publish(all)
}

// publish has a reference count from its ValidFrom where nothing else is said.
func publish(all []invoice.Reference) []invoice.Reference {
	for i := range all {
		if all[i].PublishedAt.IsZero() {
			all[i].PublishedAt = all[i].ValidFrom
		}
	}
	return all
}

const sellerName = "stadtwerk"

func setFixed(v invoice.Fixed) invoice.OptionalFixed {
	return invoice.OptionalFixed{Value: v, Set: true}
}

// listedPrices are both price lists of a product; the second is known a month ahead.
func listedPrices(p *product) (all []invoice.Reference) {
	for _, kind := range kinds {
		for _, b := range append([]priceBreak{{0, 100}}, p.breaks...) {
			r := invoice.Reference{Kind: invoice.PriceReference, Seller: sellerName, ProductID: p.id,
				CustomerType: kind.name, MinQuantity: invoice.Fixed(b.from) * invoice.One,
				UnitPrice: listPrice(p, kind.name, b.from, recurringFrom), PriceListVersion: "2024",
				ValidFrom: recurringFrom.AddDate(-1, 0, 0)}
			all = append(all, r)
			if p.indexed != 1 {
				r.UnitPrice, r.PriceListVersion = listPrice(p, kind.name, b.from, recurringIndexed), "2025"
				r.ValidFrom, r.PublishedAt = recurringIndexed, recurringIndexed.AddDate(0, -1, 0)
				all = append(all, r)
			}
		}
	}
	return all
}

// references tells what is known of a customer.
func (c *contractor) references() (all []invoice.Reference) {
	r := invoice.Reference{Kind: invoice.CustomerReference, Seller: sellerName, CustomerRef: c.customer,
		CustomerType: c.kind, ValidFrom: c.from, Prepays: invoice.OptionalBool{Value: c.yearly, Set: true},
		TaxExempt: invoice.OptionalBool{Value: c.exempt, Set: true}}
	if c.agreed == nil {
		all = append(all, r)
	}
	for _, a := range c.agreed {
		r.ValidFrom, r.ContractDiscountRate = a.from, setFixed(a.rate)
		all = append(all, r)
	}
	if c.ownPrice == 0 {
		return all
	}
	for _, m := range c.meters {
		for _, from := range []time.Time{c.from, recurringIndexed} {
			all = append(all, invoice.Reference{Kind: invoice.PriceReference, Seller: sellerName, ProductID: m.product.id,
				CustomerRef: c.customer, UnitPrice: c.priceFor(m.product, 0, from), ValidFrom: from})
		}
	}
	return all
}
