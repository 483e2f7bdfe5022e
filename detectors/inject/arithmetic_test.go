package inject

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"recoup/invoice"
)

func TestRound(t *testing.T) {
	for _, c := range []struct{ v, step, want int64 }{
		{149, 100, 100}, {151, 100, 200}, {150, 100, 200}, {250, 100, 200}, {-149, 100, -100}, {-151, 100, -200},
		{-150, 100, -200}, {-250, 100, -200}, {-50, 100, 0}, {50, 100, 0}, {7, 1, 7}, {300, 100, 300},
		{math.MaxInt64, 1000, math.MaxInt64}, {math.MinInt64, 1000, math.MinInt64},
		{math.MaxInt64 - 800, 1000, math.MaxInt64 - 807},
	} {
		if got := round(c.v, c.step); got != c.want {
			t.Errorf("round(%d, %d) = %d, want %d", c.v, c.step, got, c.want)
		}
	}
}

// A line is calculated again as it was before: with its discount as a rate, as an
// amount that the rate gives, as one on top, or as nobody knows how.
func TestBill(t *testing.T) {
	for _, c := range []struct {
		name      string
		was       string // the line
		change    string // the line with the change, amounts still old
		net, cut  string // line_net and discount_amount after it
		precision string // another line_net of the invoice, which tells the rounding
	}{
		{"price", `"quantity":"3","unit_price":"2.55","line_net":"7.65"`,
			`"quantity":"3","unit_price":"25.5","line_net":"7.65"`, "76.50", "0.00", "1"},
		{"rate", `"quantity":"3","unit_price":"2.55","discount_rate":"0.1","line_net":"6.88"`,
			`"quantity":"4","unit_price":"2.55","discount_rate":"0.1","line_net":"6.88"`, "9.18", "0.00", "1"},
		{"unrounded", `"quantity":"3","unit_price":"2.55","discount_rate":"0.1","line_net":"6.885"`,
			`"quantity":"5","unit_price":"2.55","discount_rate":"0.1","line_net":"6.885"`, "11.475", "0.00", "0.0001"},
		{"rate shown as amount",
			`"quantity":"10","unit_price":"2","discount_rate":"0.1","discount_amount":"2","line_net":"18"`,
			`"quantity":"20","unit_price":"2","discount_rate":"0.1","discount_amount":"2","line_net":"18"`,
			"36.00", "4.00", "1"},
		{"amount", `"quantity":"10","unit_price":"2","discount_amount":"2","line_net":"18"`,
			`"quantity":"20","unit_price":"2","discount_amount":"2","line_net":"18"`, "38.00", "2.00", "1"},
		{"amount above the line", `"quantity":"10","unit_price":"2","discount_amount":"2","line_net":"18"`,
			`"quantity":"10","unit_price":"0.02","discount_amount":"2","line_net":"18"`, "0.18", "0.02", "1"},
		{"price per hundred", `"quantity":"500","unit_price":"12","line_net":"60"`,
			`"quantity":"250","unit_price":"12","line_net":"60"`, "30.00", "0.00", "1"},
		{"no price", `"line_net":"60"`, `"discount_rate":"0.25","line_net":"60"`, "45.00", "0.00", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const head = `{"schema":"invoice.v1","event_id":"e","seller":"s","invoice_id":"i",` +
				`"issued_at":"2026-03-01T00:00:00Z","currency":"EUR","net_amount":"1","lines":[{`
			src := decode(head + c.was + `},{"line_net":"` + c.precision + `"}]}`)
			changed := decode(head + c.change + `}]}`)
			d := &draft{src: src, inv: changed}
			d.observe()
			l := &changed.Lines[0]
			ok := d.bill(l, &src.Lines[0])
			net, cut := l.Net.Value, l.DiscountAmount.Value
			if !ok || net.String() != c.net || cut.String() != c.cut {
				t.Errorf("line_net %v, discount_amount %v, want %s and %s", net, cut, c.net, c.cut)
			}
		})
	}
}

// What the original had between its lines, net, tax and gross amount stays: freight
// without a line, tax rounded line by line or by the rates of lines, a payable
// amount rounded to five cents. Every price is doubled here.
func TestTotalsFollow(t *testing.T) {
	const lines = `{"quantity":"1","unit_price":"10","line_net":"10","tax_rate":"0.2"},
		{"quantity":"2","unit_price":"5","line_net":"10","tax_rate":"0.1"}`
	for _, c := range []struct {
		name, totals    string
		net, tax, gross string // "0.00" when absent
	}{
		{"net only", `"net_amount":"20"`, "40.00", "0.00", "0.00"},
		{"rate", `"net_amount":"20","tax_rate":"0.2","tax_amount":"4","gross_amount":"24"`, "40.00", "8.00", "48.00"},
		{"freight", `"net_amount":"25","tax_rate":"0.2","tax_amount":"5","gross_amount":"30"`, "45.00", "9.00", "54.00"},
		{"a cent of tax", `"net_amount":"20","tax_rate":"0.2","tax_amount":"4.01","gross_amount":"24.01"`,
			"40.00", "8.01", "48.01"},
		{"rates of lines", `"net_amount":"20","tax_amount":"3","gross_amount":"23"`, "40.00", "6.00", "46.00"},
		{"tax of its own", `"net_amount":"20","tax_amount":"1","gross_amount":"21"`, "40.00", "2.00", "42.00"},
		{"payable rounded", `"net_amount":"20","tax_rate":"0.077","tax_amount":"1.54","gross_amount":"21.55"`,
			"40.00", "3.08", "43.09"},
		{"no tax amount", `"net_amount":"20","tax_rate":"0.2","gross_amount":"24"`, "40.00", "0.00", "48.00"},
		{"gross only", `"net_amount":"20","gross_amount":"21"`, "40.00", "0.00", "42.00"},
		{"discount at the end", `"net_amount":"15","discount_amount":"5"`, "35.00", "0.00", "0.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := draftOf(c.totals, lines)
			dst := d.inv
			if !d.reprice(2, false, func(*invoice.Line) bool { return true }) {
				t.Fatal("nothing changed")
			}
			got := fmt.Sprint(dst.NetAmount, dst.TaxAmount.Value, dst.GrossAmount.Value)
			if want := fmt.Sprint(c.net, " ", c.tax, " ", c.gross); got != want {
				t.Errorf("net, tax and gross amount are %s, want %s", got, want)
			}
		})
	}
}

// draftOf is a draft of a copy of a record with these lines and totals.
func draftOf(totals, lines string) *draft {
	src := decode(`{"schema":"invoice.v1","event_id":"e","seller":"s","invoice_id":"i",` +
		`"issued_at":"2026-03-01T00:00:00Z","currency":"EUR",` + totals + `,"lines":[` + lines + `]}`)
	d := &draft{src: src, inv: src.Clone(), rng: rand.New(rand.NewPCG(1, 2)), ctx: &Context{}}
	d.observe()
	return d
}

// Nothing changed leaves the totals alone, also where the program rounds halves up;
// a changed sum of unrounded lines is rounded again.
func TestTotalOfUnroundedLines(t *testing.T) {
	d := draftOf(`"net_amount":"0.13"`, `{"quantity":"1","unit_price":"0.125","line_net":"0.125"}`)
	if !d.total() || d.inv.NetAmount.String() != "0.13" {
		t.Errorf("the same line comes to %v, want 0.13", d.inv.NetAmount)
	}
	d = draftOf(`"net_amount":"10"`, `{"quantity":"1","unit_price":"10.0049","line_net":"10.0049"}`)
	if d.reprice(2, false, func(*invoice.Line) bool { return true }); d.inv.NetAmount.String() != "20.01" {
		t.Errorf("twice 10.0049 comes to %v, want 20.01", d.inv.NetAmount)
	}
}

// A discount at the end that is more than what is left was a share of it; put back,
// the lines give the old one.
func TestDiscountAtTheEndShrinks(t *testing.T) {
	d := draftOf(`"net_amount":"50","discount_amount":"50"`, `{"line_net":"10"},{"line_net":"90"}`)
	d.removeLine(1)
	if !d.total() || d.inv.NetAmount.String() != "5.00" || d.inv.DiscountAmount.Value.String() != "5.00" {
		t.Errorf("a tenth of the lines costs %v less %v, want 5.00 both", d.inv.NetAmount, d.inv.DiscountAmount.Value)
	}
	copyLines(d.inv, d.src)
	if !d.total() || !reflect.DeepEqual(d.inv.Clone(), d.src) {
		t.Errorf("all lines cost %v less %v, want 50 both", d.inv.NetAmount, d.inv.DiscountAmount.Value)
	}
}

// Hand-written extremes: nothing panics, nothing runs for ever, and what is said to
// be spoilt is.
func TestExtremes(t *testing.T) {
	extremes := []int64{
		math.MinInt64, math.MinInt64 + 1, -1, 0, 1, 9_999, 10_001, 1 << 53, math.MaxInt64 - 1, math.MaxInt64,
	}
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func() int64 { return extremes[rng.IntN(len(extremes))] }
	src, dst, ctx := decode(order), new(invoice.Invoice), orderContext()
	ctx.Promotions[0].Rate, ctx.ContractRate, ctx.MaxDiscount = math.Inf(1), math.NaN(), -3
	ctx.ContractRates = []float64{2, math.NaN()}
	for range 10_000 {
		src.NetAmount, src.TaxAmount.Value = invoice.Amount(draw()), invoice.Amount(draw())
		src.GrossAmount.Value, src.TaxRate.Value = invoice.Amount(draw()), invoice.Fixed(draw())
		src.DiscountAmount = invoice.OptionalAmount{Value: invoice.Amount(draw()), Set: rng.IntN(2) == 0}
		for i := range src.Lines {
			l := &src.Lines[i]
			l.Quantity.Value, l.UnitPrice.Value = invoice.Fixed(draw()), invoice.Fixed(draw())
			l.Net.Value, l.DiscountRate.Value = invoice.Amount(draw()), invoice.Fixed(draw())
			l.DiscountAmount = invoice.OptionalAmount{Value: invoice.Amount(draw()), Set: rng.IntN(2) == 0}
		}
		k := Kinds[rng.IntN(len(Kinds))]
		if put(dst, src, k, rng, ctx) && dst.ContentHash() == src.ContentHash() {
			t.Fatalf("%v changed nothing of %s", k, src.AppendJSON(nil))
		}
	}
}
