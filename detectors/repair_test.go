package detectors

import (
	"testing"

	"recoup/invoice"
)

// A repair recomputes the changed line, the sum, the discount and the tax, and
// rounds like the invoice (A8, A13: what was really due).
func TestRepair(t *testing.T) {
	fixed := func(s string) invoice.OptionalFixed {
		v, err := invoice.ParseFixed(s)
		if err != nil {
			t.Fatal(err)
		}
		return invoice.OptionalFixed{Value: v, Set: true}
	}
	amount := func(s string) invoice.OptionalAmount {
		v, err := invoice.ParseAmount(s)
		if err != nil {
			t.Fatal(err)
		}
		return invoice.OptionalAmount{Value: v, Set: true}
	}
	base := func() *invoice.Invoice {
		return &invoice.Invoice{Currency: "EUR", NetAmount: amount("23.40").Value, TaxRate: fixed("0.2"),
			DiscountAmount: amount("1.00"), Lines: []invoice.Line{
				{Quantity: fixed("3"), UnitPrice: fixed("1.50"), DiscountRate: fixed("0.1"), Net: amount("4.05")},
				{Quantity: fixed("5"), UnitPrice: fixed("4.07"), Net: amount("20.35")},
			}}
	}
	for _, c := range []struct {
		name   string
		change func(inv *invoice.Invoice)
		repair func(r *repair)
		want   string
	}{
		{"no change: the lines, less the discount, with tax", nil, func(*repair) {}, "28.08"},
		{"another price keeps the line's discount", nil, func(r *repair) {
			r.line(0, fixed("3").Value, fixed("15").Value, fixed("0.1").Value)
		}, "71.82"},
		{"another quantity", nil, func(r *repair) { r.line(1, fixed("15").Value, fixed("4.07").Value, 0) }, "76.92"},
		{"a discount that is not due", nil, func(r *repair) { r.line(0, fixed("3").Value, fixed("1.5").Value, 0) }, "28.62"},
		{"two lines", nil, func(r *repair) {
			r.line(0, fixed("3").Value, fixed("15").Value, fixed("0.1").Value)
			r.line(1, fixed("15").Value, fixed("4.07").Value, 0)
		}, "120.66"},
		{"whole coins: 3 × 0.333 are 1.00", nil, func(r *repair) { r.line(0, fixed("3").Value, fixed("0.333").Value, 0) },
			"24.42"},
		{"more decimals where the invoice has them", func(inv *invoice.Invoice) { inv.Lines[1].Net = amount("20.355") },
			func(r *repair) { r.line(0, fixed("3").Value, fixed("0.3344").Value, 0) }, "24.43"},
		{"an absolute discount of a line stays", func(inv *invoice.Invoice) {
			inv.Lines[0].DiscountRate, inv.Lines[0].DiscountAmount = invoice.OptionalFixed{}, amount("0.45")
		}, func(r *repair) { r.line(0, fixed("3").Value, fixed("15").Value, 0) }, "76.68"},
		{"lines that do not say their amounts: from the net amount", func(inv *invoice.Invoice) {
			inv.Lines[0].Net, inv.Lines[1].Net = invoice.OptionalAmount{}, invoice.OptionalAmount{}
		}, func(r *repair) { r.line(1, fixed("15").Value, fixed("4.07").Value, 0) }, "76.92"},
		{"a total that is wrong too is not the base", func(inv *invoice.Invoice) { inv.NetAmount = amount("2.34").Value },
			func(r *repair) { r.line(1, fixed("15").Value, fixed("4.07").Value, 0) }, "76.92"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := base()
			if c.change != nil {
				c.change(inv)
			}
			s := &Subject{Invoice: inv, pays: payableOf(inv)}
			r := s.repair()
			c.repair(&r)
			if got, ok := r.pays(); !ok || got != amount(c.want).Value {
				t.Errorf("pays %v (%v), want %s", got, ok, c.want)
			}
		})
	}
}

// An amount beyond its limits is no repair (G11).
func TestRepairBeyondLimits(t *testing.T) {
	inv := &invoice.Invoice{Currency: "EUR", NetAmount: 1, Lines: []invoice.Line{
		{Quantity: invoice.OptionalFixed{Value: invoice.One, Set: true}, Net: invoice.OptionalAmount{Value: 1, Set: true}}}}
	s := &Subject{Invoice: inv, pays: payableOf(inv)}
	if paid, ok := s.withLine(0, 1<<62, 1<<62, 0); ok {
		t.Errorf("a line of 2^62 × 2^62 pays %v, want no repair", paid)
	}
}
