package inject

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"recoup/invoice"
)

// many injects a kind with many seeds into order after a change, and shows each
// copy; it returns how many fit.
func many(k Kind, change func(*invoice.Invoice, *Context), show func(dst *invoice.Invoice)) (fits int) {
	src, ctx := decode(order), orderContext()
	change(src, ctx)
	dst := new(invoice.Invoice)
	for seed := range uint64(300) {
		if put(dst, src, k, rand.New(rand.NewPCG(seed, 0)), ctx) {
			fits++
			show(dst)
		}
	}
	return fits
}

func ignore(*invoice.Invoice) {}

// What cannot go wrong is not said to have: an error that nobody could see in the
// invoice, or that is usual for it, would teach nothing or the wrong thing.
func TestDoesNotFit(t *testing.T) {
	type change = func(*invoice.Invoice, *Context)
	for _, c := range []struct {
		name   string
		kinds  []Kind
		change change
	}{
		{"shipped after the invoice, as usual here", []Kind{BeforeDelivery},
			func(inv *invoice.Invoice, _ *Context) { inv.ShippedAt = inv.IssuedAt.AddDate(0, 0, 2) }},
		{"paid in advance", []Kind{BeforeDelivery, NotDelivered},
			func(inv *invoice.Invoice, _ *Context) { inv.PrepaidAmount.Value = invoice.Unit }},
		{"never shipped", []Kind{BeforeDelivery, NotDelivered},
			func(inv *invoice.Invoice, _ *Context) { inv.ShippedAt = time.Time{} }},
		{"counter sale", []Kind{MissingCustomer},
			func(inv *invoice.Invoice, _ *Context) { inv.CustomerRef = invoice.Anonymous }},
		{"one line", []Kind{LostLines, SumMismatch},
			func(inv *invoice.Invoice, _ *Context) { inv.Lines = inv.Lines[:1] }},
		{"no lines", []Kind{LostLines, SumMismatch, RepeatedLine, WrongQuantity, Transposition, StalePriceTier},
			func(inv *invoice.Invoice, _ *Context) { inv.Lines = nil }},
		{"no period", []Kind{PeriodAgain},
			func(inv *invoice.Invoice, _ *Context) { inv.PeriodEnd = time.Time{} }},
		{"no tax", []Kind{WrongTax},
			func(inv *invoice.Invoice, _ *Context) { inv.TaxRate.Set, inv.TaxAmount.Set = false, false }},
		{"promotions for all, none over", []Kind{Expired, Ineligible},
			func(_ *invoice.Invoice, ctx *Context) { ctx.Promotions = []Promotion{{Code: "ALL", Rate: 0.1}} }},
		{"a better rate already", []Kind{Expired, Ineligible},
			func(inv *invoice.Invoice, _ *Context) {
				for i := range inv.Lines {
					inv.Lines[i].DiscountRate = invoice.OptionalFixed{Value: invoice.One * 3 / 10, Set: true}
				}
			}},
		{"whole amounts", []Kind{Rounding}, func(inv *invoice.Invoice, _ *Context) {
			for i := range inv.Lines {
				inv.Lines[i].Net.Value = 30 * invoice.Unit
			}
		}},
		{"nothing to pay", []Kind{ZeroTotal}, func(inv *invoice.Invoice, _ *Context) { inv.NetAmount = 0 }},
	} {
		for _, k := range c.kinds {
			if n := many(k, c.change, ignore); n > 0 {
				t.Errorf("%s: %v fits %d times, want never", c.name, k, n)
			}
		}
	}
}

// A number that does not change what is billed is left as it was: the second line
// is free here.
func TestEntryLeavesWhatDoesNotShow(t *testing.T) {
	free := func(inv *invoice.Invoice, _ *Context) {
		l := &inv.Lines[1]
		inv.NetAmount -= l.Net.Value
		l.DiscountRate.Value, l.Net.Value = invoice.One, 0
	}
	want := decode(order)
	free(want, nil)
	for _, k := range []Kind{DecimalSlip10, ExtraDigit, Transposition, WrongQuantity} {
		n := many(k, free, func(dst *invoice.Invoice) {
			if got := dst.Clone().Lines[1]; !reflect.DeepEqual(got, want.Lines[1]) {
				t.Fatalf("%v made %+v of the free line", k, got)
			}
		})
		if n < 290 {
			t.Errorf("%v fits %d of 300 times", k, n)
		}
	}
}

// Longer numbers and prices that no article gave are typed wrong more often.
func TestDrawLine(t *testing.T) {
	d := draftOf(`"net_amount":"1"`, `{"product_id":"A","quantity":"1","unit_price":"2"},
		{"product_id":"A","quantity":"144","unit_price":"12.75"},{"quantity":"1","unit_price":"2"}`)
	var drawn [3]int
	for range 9_000 {
		drawn[d.drawLine()]++
	}
	// 3, 8 and 4 × 3 of 23 times
	for i, want := range []int{1174, 3130, 4696} {
		if drawn[i] < want-200 || drawn[i] > want+200 {
			t.Errorf("line %d was drawn %d of 9000 times, want about %d", i, drawn[i], want)
		}
	}
}

// The delivery may stand on lines.
func TestLinesLoseTheirDelivery(t *testing.T) {
	n := many(MissingDelivery, func(inv *invoice.Invoice, _ *Context) {
		inv.DeliveryRef, inv.Lines[1].DeliveryRef = "", "DN0008124"
	}, func(dst *invoice.Invoice) {
		if dst.Lines[1].DeliveryRef != "" {
			t.Fatalf("the line still has delivery %s", dst.Lines[1].DeliveryRef)
		}
	})
	if n != 300 {
		t.Errorf("fits %d of 300 times", n)
	}
}

// A line with a better rate keeps it, and its code.
func TestBetterRateStays(t *testing.T) {
	n := many(Expired, func(inv *invoice.Invoice, _ *Context) {
		inv.Lines[1].DiscountRate.Value = invoice.One * 3 / 10
	}, func(dst *invoice.Invoice) {
		if l := dst.Lines[1]; l.DiscountRate.Value != invoice.One*3/10 || l.PromoCodes[0] != "CONTRACT" {
			t.Fatalf("30 %% under the contract became %v under %q", l.DiscountRate.Value, l.PromoCodes)
		}
	})
	if n < 200 {
		t.Errorf("fits %d of 300 times", n)
	}
}

// A cap of 100 % forbids nothing, and says nothing about what is usual.
func TestOverMaxWithoutCap(t *testing.T) {
	low := 0
	many(OverMax, func(_ *invoice.Invoice, ctx *Context) { ctx.MaxDiscount = 1 }, func(dst *invoice.Invoice) {
		if slices.ContainsFunc(dst.Lines, func(l invoice.Line) bool {
			return l.DiscountRate.Value > invoice.One/5 && l.DiscountRate.Value < invoice.One/2
		}) {
			low++
		}
	})
	if low < 100 {
		t.Errorf("%d of 300 rates are below 50 %%, want a good part", low)
	}
}

func TestOlderCode(t *testing.T) {
	for code, want := range map[string]string{
		"SUMMER26": "SUMMER25", "WINTER10": "WINTER09", "A100B": "A099B", "X0": "X00", "9": "8",
	} {
		if got := olderCode(code); got != want {
			t.Errorf("before %s came %s, want %s", code, got, want)
		}
	}
}

// Codes stand where the seller puts them: on lines, at the head, or both.
func TestCodesStandWhereTheyUsuallyDo(t *testing.T) {
	check := func(name string, change func(*invoice.Invoice, *Context), onLine, atHead bool) {
		n := many(Ineligible, change, func(dst *invoice.Invoice) {
			has := func(l invoice.Line) bool { return slices.Contains(l.PromoCodes, "FOOD10") }
			if slices.ContainsFunc(dst.Lines, has) != onLine || slices.Contains(dst.PromoCodes, "FOOD10") != atHead {
				t.Fatalf("%s: code on lines %v, head %q", name, slices.ContainsFunc(dst.Lines, has), dst.PromoCodes)
			}
		})
		if n != 300 {
			t.Errorf("%s: fits %d of 300 times", name, n)
		}
	}
	check("both", func(*invoice.Invoice, *Context) {}, true, true)
	check("lines", func(inv *invoice.Invoice, _ *Context) { inv.PromoCodes = nil }, true, false)
	check("head", func(inv *invoice.Invoice, _ *Context) { inv.Lines[1].PromoCodes = nil }, false, true)
	check("not known", func(inv *invoice.Invoice, _ *Context) {
		inv.PromoCodes, inv.Lines[1].PromoCodes = nil, nil
	}, true, true)
}

// Where there are no lines, or discounts stand at the end, so does a wrong one.
func TestDiscountAtTheEnd(t *testing.T) {
	half := func(dst *invoice.Invoice) {
		net, off := dst.NetAmount, dst.DiscountAmount
		if net.String() != "104.53" || off.Value.String() != "104.53" || !off.Set || codesOf(dst) != codesAtHead {
			t.Fatalf("net %v, discount %v under %q, want 104.53 each", net, off.Value, dst.PromoCodes)
		}
	}
	if n := many(Decimal50, func(inv *invoice.Invoice, _ *Context) {
		inv.Lines, inv.NetAmount = nil, invoice.Unit*20906/100
	}, half); n != 300 {
		t.Errorf("without lines it fits %d of 300 times", n)
	}
	if n := many(Decimal50, func(inv *invoice.Invoice, _ *Context) {
		inv.Lines = inv.Lines[:1]
		inv.NetAmount, inv.DiscountAmount.Value, inv.DiscountAmount.Set = invoice.Unit*17906/100, 30*invoice.Unit, true
	}, half); n != 300 {
		t.Errorf("with a discount at the end it fits %d of 300 times", n)
	}
}

// A price is never nothing, however cheap it was.
func TestCheapPrices(t *testing.T) {
	d := draftOf(`"net_amount":"1"`, `{"quantity":"100","unit_price":"0.01","line_net":"1"}`)
	if d.reprice(0.3, false, func(*invoice.Line) bool { return true }) || d.inv.Lines[0].UnitPrice.Value == 0 {
		t.Errorf("0.01 became %v", d.inv.Lines[0].UnitPrice.Value)
	}
}

// What was tried in vain leaves no trace.
func TestFailedChangesLeaveNoTrace(t *testing.T) {
	gift := draftOf(`"net_amount":"0"`, `{"discount_rate":"1","line_net":"0"}`)
	if gift.alterContent() || !reflect.DeepEqual(gift.inv.Clone(), gift.src) {
		t.Errorf("a free line became %+v", gift.inv.Lines)
	}
	none := draftOf(`"net_amount":"0"`, `{"quantity":"0","unit_price":"3","list_unit_price":"4","line_net":"0"}`)
	if none.billAtList() || !reflect.DeepEqual(none.inv.Clone(), none.src) {
		t.Errorf("a line of nothing became %+v", none.inv.Lines)
	}
}
