package history

import "testing"

// A8, E1: what a missing VAT number, a missing purchase order or goods that leave
// later mean is known from a seller's other customers, suspects among them.
func TestWhatCustomersKeepTo(t *testing.T) {
	all := Marked(1<<MarkPurchaseOrder | 1<<MarkVAT)
	store := New(DefaultLimits())
	bill := func(customer uint64, marked Marked, suspect bool) {
		f := Facts{Seller: 1, Customer: customer, Marked: marked}
		store.Look(&f)
		store.Teach(&f, suspect)
	}
	for customer := range uint64(100) {
		bill(10+customer, all, false)
		second := all
		if customer%4 == 0 {
			second = 1 << MarkVAT
		}
		bill(10+customer, second, customer%8 == 0)
	}
	bill(1, all, false)
	bill(2, all, false)
	bill(2, 0, false)
	for _, c := range []struct {
		name     string
		customer uint64
		mark     Mark
		from, to float64 // share that stays; 0, 0: not known
	}{
		{"one of a hundred lost its VAT number", 1, MarkVAT, 0.98, 1},
		{"one of four had no second purchase order", 1, MarkPurchaseOrder, 0.73, 0.76},
		{"nobody was billed before the goods left", 1, MarkEarly, 0.99, 1},
		{"it did otherwise before", 2, MarkVAT, 0, 0},
		{"few came three times", 11, MarkVAT, 0, 0},
		{"a mark that is not looked at", 1, MarkOrder, 0, 0},
		{"a new customer", 3, MarkVAT, 0, 0},
	} {
		f := Facts{Seller: 1, Customer: c.customer}
		store.Look(&f)
		share, ok := f.Known.Conduct.Stays(c.mark, f.Known.Customer)
		if ok != (c.to > 0) || (ok && (share < c.from || share > c.to)) {
			t.Errorf("%s: %v stay, known %v; want %v to %v", c.name, share, ok, c.from, c.to)
		}
	}
}
