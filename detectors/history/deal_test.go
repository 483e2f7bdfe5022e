package history

import (
	"testing"

	"recoup/invoice"
)

// flavour is a line of goods of one description at 0.50 less 40 %, of so many units.
func flavour(product uint64, units float64, net invoice.Fixed) Line {
	return Line{Product: product, Like: 7, Price: invoice.One / 2, NetPrice: net, Quantity: float32(units),
		Priced: true, Discounted: true, Rate: 0.4}
}

// A8, E2: an offer on one flavour is one on all, for some time, to everybody; only
// what nobody suspects teaches it.
func TestDeals(t *testing.T) {
	const cent = invoice.One / 100
	s := New(DefaultLimits())
	buy := func(customer uint64, hour int32, suspect bool, l Line) *Deal {
		f := Facts{Seller: 1, Customer: customer, Hour: hour, Lines: []Line{l}}
		s.Look(&f)
		deal := f.Lines[0].OfDeal
		s.Teach(&f, suspect)
		return deal
	}
	for _, c := range []struct {
		name     string
		customer uint64
		hour     int32
		suspect  bool
		line     Line
		on       bool
	}{
		{"the first customer, who is suspect", 11, 0, true, flavour(21, 2, 30*cent), false},
		{"the next one", 12, 1, false, flavour(21, 2, 30*cent), false},
		{"the same customer, another flavour", 12, 2, false, flavour(22, 2, 30*cent), false},
		{"another customer, another flavour", 13, 3, false, flavour(23, 2, 30*cent), true},
		{"a cent that rounding took", 14, 4, true, flavour(24, 3, 30*cent+cent/3), true},
		{"less by more than a cent", 15, 5, true, flavour(24, 2, 28*cent), false},
		{"other goods", 16, 6, true, func() Line { l := flavour(24, 2, 30*cent); l.Like = 8; return l }(), false},
		{"three weeks later", 17, 3 + 21*24, false, flavour(25, 2, 30*cent), false},
	} {
		if got := buy(c.customer, c.hour, c.suspect, c.line) != nil; got != c.on {
			t.Errorf("%s: on offer %v, want %v", c.name, got, c.on)
		}
	}
}
