package detectors

import (
	"fmt"
	"math"
	"testing"
	"time"

	"recoup/invoice"
)

// basket is an invoice of lines "product quantity price rate".
func basket(n int, customer string, lines ...billed) *invoice.Invoice {
	inv := &invoice.Invoice{Seller: "shop", ID: fmt.Sprint(n), Currency: "EUR", CustomerType: "B2C",
		IssuedAt: time.Unix(1767225600+int64(n)*3600, 0).UTC(), CustomerRef: customer}
	for _, b := range lines {
		l := invoice.Line{ProductID: b.product, DiscountRate: fixed(b.rate)}
		l.Quantity, l.UnitPrice = fixed(1), fixed(b.price)
		l.Net.Value, _ = invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, l.DiscountRate.Value)
		l.Net.Value, l.Net.Set = (l.Net.Value+50)/100*100, true
		inv.NetAmount += l.Net.Value
		inv.Lines = append(inv.Lines, l)
	}
	return inv
}

// billed is one unit of a product on an invoice.
type billed struct {
	product     string
	price, rate float64
}

func fixed(x float64) invoice.OptionalFixed {
	return invoice.OptionalFixed{Value: invoice.Fixed(math.Round(x * float64(invoice.One))), Set: true}
}

// afterBaskets is an engine that learned n usual baskets.
func afterBaskets(n int, lines ...billed) *Engine {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	for i := range n {
		teach(e, basket(i, "", lines...))
	}
	return e
}

func teach(e *Engine, inv *invoice.Invoice) {
	e.Begin(inv, at(e.cur.position.Offset+1), inv.IssuedAt)
	e.Teach(false)
}

func evidenceOn(e *Engine, inv *invoice.Invoice) *[features]float32 {
	e.Begin(inv, at(e.cur.position.Offset+1), inv.IssuedAt)
	e.gather()
	return &e.cur.ev.x
}

// A8: a price is a slip of the keys the rather, the less it looks like a new price,
// and the better its discount fits the price that was meant.
func TestSlipsAgainstNewPrices(t *testing.T) {
	e := afterBaskets(40, billed{"cup", 1.62, 0.3827}, billed{"pot", 7.99, 0})
	for i := range 40 { // goods sold by weight: every price is new
		teach(e, basket(100+i, "", billed{"ham", 3 + float64(i*37%40)/10, 0}))
	}
	odds := func(b billed) float32 { return evidenceOn(e, basket(200, "", b))[fSlipOdds] }
	for _, c := range []struct {
		name         string
		likely, less billed
	}{
		{"a comma against another price", billed{"pot", 79.9, 0}, billed{"pot", 8.49, 0}},
		{"digits that changed places against one near by", billed{"pot", 9.79, 0}, billed{"pot", 7.98, 0}},
		{"a discount that fits what was meant", billed{"cup", 1.26, 0.3827}, billed{"cup", 1.26, 0.2063}},
		{"of one stable price against one of many", billed{"pot", 79.9, 0}, billed{"ham", 30, 0}},
	} {
		if a, b := odds(c.likely), odds(c.less); a <= b || a < 4 {
			t.Errorf("%s: %+v is a slip by %.1f, %+v by %.1f", c.name, c.likely, a, c.less, b)
		}
	}
	for price, low := range map[float64]bool{45: false, 0.45: true} {
		if x := evidenceOn(e, basket(200, "", billed{"ham", price, 0})); x[fRange] < 1 || x[fRangeSign] < 0 != low {
			t.Errorf("ham at %v is %.2f beyond all prices (%.2f)", price, x[fRange], x[fRangeSign])
		}
	}
	if x := evidenceOn(e, basket(200, "", billed{"ham", 5.05, 0})); x[fRange] != 0 {
		t.Errorf("ham at 5.05 is %.2f beyond all prices", x[fRange])
	}
}

// A8: a quantity is a slip of the keys the rather, the less it looks like another
// that somebody wants, and if its price is the one of the usual quantity.
func TestSlipsAgainstNewQuantities(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	inv := func(n int, quantity, price float64) *invoice.Invoice {
		inv := basket(n, "", billed{"pot", price, 0})
		l := &inv.Lines[0]
		l.Quantity = fixed(quantity)
		l.Net.Value, _ = invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, 0)
		inv.NetAmount = l.Net.Value
		return inv
	}
	for i := range 40 {
		teach(e, inv(3*i, 24, 2))
		teach(e, inv(3*i+1, 12, 2))
		if i%4 == 0 {
			teach(e, inv(3*i+2, float64(96+i), 1.5))
		}
	}
	odds := func(quantity, price float64) float32 { return evidenceOn(e, inv(200, quantity, price))[fQuantityOdds] }
	for _, c := range []struct {
		name         string
		likely, less float32
	}{
		{"a digit too many against another quantity", odds(244, 2), odds(250, 1.5)},
		{"ten times as much at the price of few against that of many", odds(240, 2), odds(240, 1.5)},
	} {
		if c.likely <= c.less || c.likely == 0 {
			t.Errorf("%s: %.2f and %.2f", c.name, c.likely, c.less)
		}
	}
	if usual := odds(24, 2); usual != 0 {
		t.Errorf("the usual quantity is a slip by %.2f", usual)
	}
}

// A8: what is wrong with discounts shows on all of them together.
func TestOffersTogether(t *testing.T) {
	e := afterBaskets(40, billed{"cup", 4, 0.125}, billed{"lamp", 9, 0.3333}, billed{"pot", 8, 0.05})
	usual := evidenceOn(e, basket(99, "", billed{"cup", 4, 0.125}, billed{"lamp", 9, 0.3333}))
	if usual[fNetOff] != 0 || usual[fNetScale] != 0 || usual[fTenth] != 0 || usual[fFlat] != 0 {
		t.Errorf("usual offers are off by %v, scale %v, tenth %v, flat %v; want none", usual[fNetOff], usual[fNetScale],
			usual[fTenth], usual[fFlat])
	}
	x := evidenceOn(e, basket(99, "", billed{"cup", 4, 0.2125}, billed{"lamp", 9, 0.4}, billed{"pot", 8, 0.145}))
	off, by, share := x[fNetOff], float64(x[fNetScale]), x[fNetScaleShare]
	if off < 0.99 || math.Abs(by-math.Log(1/0.9)) > 0.01 || share < 0.99 {
		t.Errorf("10 %% on top of each offer: %.2f of the lines off, by %.3f, shared by %.2f", off, by, share)
	}
	if x := evidenceOn(e, basket(99, "", billed{"pot", 8, 0.5})); x[fTenth] < 0.9 {
		t.Errorf("5 %% typed 50 %%: a tenth fits by %.2f, want nearly 1", x[fTenth])
	}
	if x := evidenceOn(e, basket(99, "", billed{"cup", 4, 0.6}, billed{"pot", 8, 0.6})); x[fFlat] != 0.6 {
		t.Errorf("60 %% on all lines: flat %v, want 0.6", x[fFlat])
	}
}

// onCard has the discounts of an invoice stand under the code of a loyalty card, which
// also gives another rate on a bag each time.
func onCard(n int, inv *invoice.Invoice) *invoice.Invoice {
	bag := basket(n, "", billed{"bag", 9, float64(1+n*7%23) / 100})
	inv.Lines = append(bag.Lines, inv.Lines...)
	for i := range inv.Lines {
		if inv.Lines[i].DiscountRate.Value > 0 {
			inv.Lines[i].PromoCodes = []string{"CARD"}
		}
	}
	return inv
}

// A8: what one flavour is marked down to just now, others may be too, and all of them
// on one invoice are one offer.
func TestOffersOfOthers(t *testing.T) {
	tea := func(n int, customer string, rate float64, flavours ...string) *invoice.Invoice {
		lines := []billed{{"pot", 8, 0}, {"cup", 4, 0}}
		for _, flavour := range flavours {
			lines = append(lines, billed{"tea " + flavour, 2, rate})
		}
		inv := basket(n, customer, lines...)
		for i := range inv.Lines[2:] {
			inv.Lines[2+i].Description = "TEA"
		}
		return onCard(n, inv)
	}
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	for i := range 40 {
		teach(e, tea(i, fmt.Sprint("c", i%8), 0, "mint", "lime", "rose"))
	}
	off := func(inv *invoice.Invoice) (lines, below float32) {
		inv.Lines = inv.Lines[1:] // without the bag, which has a new price each time
		x := evidenceOn(e, inv)
		return x[fNetOffCount], x[fNetBelow]
	}
	one, below := off(tea(50, "c1", 0.4, "mint"))
	all, _ := off(tea(50, "c1", 0.4, "mint", "lime", "rose"))
	if one == 0 || below == 0 || all != one {
		t.Errorf("a new offer on one flavour: %v lines, %v below; on all of them: %v lines; want one each", one, below, all)
	}
	teach(e, tea(51, "c2", 0.4, "mint"))
	for _, c := range []struct {
		name   string
		rate   float64
		code   string
		usual  bool
		flavor string
	}{
		{"what others get on another flavour", 0.4, "CARD", true, "lime"},
		{"more than others get", 0.6, "CARD", false, "lime"},
		{"the same under a code that nobody had", 0.4, "NEW", false, "lime"},
	} {
		inv := tea(52, "c1", c.rate, c.flavor)
		inv.Lines[3].PromoCodes[0] = c.code
		if lines, _ := off(inv); (lines == 0) != c.usual {
			t.Errorf("%s: %v lines off, usual %v", c.name, lines, c.usual)
		}
	}
}

// A8: half price on even quantities is "buy one, get one free" where that is usual.
func TestEverySecondFree(t *testing.T) {
	buy := func(n, units int, product string, rate float64) *invoice.Invoice {
		inv := basket(n, fmt.Sprint("c", n%8), billed{"pot", 8, 0}, billed{product, 4, rate})
		l := &inv.Lines[1]
		l.Quantity = fixed(float64(units))
		l.Net.Value *= invoice.Amount(units)
		return onCard(n, inv)
	}
	for _, c := range []struct {
		name  string
		every int // of the lines at half price, so many are of one unit
		usual bool
	}{{"on even quantities", 100, true}, {"on any", 2, false}} {
		e := NewEngine(DefaultSettings(), NewShared(), 0)
		for i := range 120 {
			units := 2
			if i%c.every == 0 {
				units = 1
			}
			teach(e, buy(2*i, units, "cup", 0.5))
			teach(e, buy(2*i+1, 2, "mug", 0))
		}
		off := func(units int) float32 {
			inv := buy(300, units, "mug", 0.5)
			inv.Lines = inv.Lines[1:]
			return evidenceOn(e, inv)[fNetOff]
		}
		if even, odd := off(4), off(3); (even == 0) != c.usual || odd != 1 {
			t.Errorf("half price %s: even %v off, odd %v off", c.name, even, odd)
		}
	}
}

// A8: from its second invoice on a customer is known by the others: nobody lost a
// VAT number or was billed before delivery, but purchase orders come and go.
func TestHardlyKnownCustomers(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	bill := func(n int, customer int, legal ...string) *invoice.Invoice {
		inv := basket(n, fmt.Sprint("c", customer), billed{"cup", 4, 0})
		inv.LegalFieldsPresent, inv.ShippedAt = legal, inv.IssuedAt.Add(-time.Hour)
		return inv
	}
	const vat, order = "buyer_vat_id", "purchase_order_ref"
	for i := range 150 {
		teach(e, bill(i, i, vat, order))
	}
	for i := range 149 { // the last customer stays with one invoice
		if i%10 == 0 {
			teach(e, bill(150+i, i, vat))
		} else {
			teach(e, bill(150+i, i, vat, order))
		}
	}
	early := bill(300, 149, vat, order)
	early.ShippedAt = early.IssuedAt.Add(72 * time.Hour)
	for _, c := range []struct {
		name string
		inv  *invoice.Invoice
		rule string
		want bool
	}{
		{"no VAT number", bill(300, 149, order), "missing_admin_data:vat_id", true},
		{"no purchase order", bill(300, 149, vat), "missing_admin_data:purchase_order", false},
		{"shipped later", early, "before_shipment:shipped_later", true},
		{"as usual", bill(300, 149, vat, order), "", false},
	} {
		v := verdictOn(e, c.inv, 500)
		if v.Suspect != c.want || (c.want && (len(v.Rules) != 1 || v.Rules[0] != c.rule)) {
			t.Errorf("%s: suspect %v by %v, want %v by %s", c.name, v.Suspect, v.Rules, c.want, c.rule)
		}
	}
}
