package history

import "testing"

// A9: a source's shared trouble is told from chance, from one customer's and from
// one product's, at its fourth suspect.
func TestSharedTroubleIsRecognised(t *testing.T) {
	type invoice struct {
		customer  uint64
		bad, late bool
	}
	clean := func(n int) (all []invoice) {
		for i := range n {
			all = append(all, invoice{customer: uint64(i+1) << 40})
		}
		return all
	}
	bad := func(customers ...uint64) (all []invoice) {
		for _, c := range customers {
			all = append(all, invoice{customer: c << 50, bad: true})
		}
		return all
	}
	late := func(customers ...uint64) (all []invoice) {
		for _, i := range bad(customers...) {
			i.late = true
			all = append(all, i)
		}
		return all
	}
	join := func(parts ...[]invoice) (all []invoice) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, c := range []struct {
		name    string
		signal  int
		odd     uint32 // products at unknown prices
		past    []invoice
		members uint32
		shared  bool
	}{
		{"the third", 0, 0, join(clean(20), bad(1, 2)), 3, false},
		{"the fourth", 0, 0, join(clean(20), bad(1, 2, 3)), 4, true},
		{"the fourth of one customer", 0, 0, join(clean(20), bad(9, 9, 9)), 4, false},
		{"with right ones between", 0, 0, join(clean(20), bad(1), clean(1), bad(2, 3)), 4, true},
		{"now and then", 0, 0, join(clean(20), bad(1), clean(5), bad(2), clean(5)), 3, false},
		{"long after", 0, 0, join(bad(1, 2, 3, 4), clean(30)), 1, false},
		{"unknown prices of one product", OffPrices, 1, bad(1, 2, 3), 4, false},
		{"unknown prices of three products", OffPrices, 7, bad(1, 2, 3), 4, true},
		{"behind some that are too late to claim", 0, 0, join(clean(20), late(1, 2, 3, 4, 5), bad(1)), 2, false},
		{"a tax rate on such", TaxRate, 0, join(clean(20), late(1, 2, 3)), 4, true},
	} {
		var s Source
		now := Facts{Customer: 9 << 50, Odd: c.odd}
		now.Signals[c.signal] = 1
		for _, i := range c.past {
			f := Facts{Customer: i.customer}
			if i.bad {
				f = now
				f.Customer, f.TooLate = i.customer, i.late
			}
			s.teach(&f, i.bad)
		}
		if r, shared := s.Joins(c.signal, &now); shared != c.shared || r.Invoices != c.members {
			t.Errorf("%s: shared %v with %d members; want %v, %d", c.name, shared, r.Invoices, c.shared, c.members)
		}
	}
}
