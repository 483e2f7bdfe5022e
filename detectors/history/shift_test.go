package history

import (
	"testing"

	"recoup/invoice"
)

// price moves one customer's price of a product.
func (s *Shift) price(from, to string, customer uint64, hour int32) {
	f := &Facts{Customer: customer * 0x9e3779b97f4a7c15, Hour: hour}
	by := moved(fixed(from), fixed(to))
	if by == 0 {
		s.stay(0)
		return
	}
	s.move(by, shiftSlack(fixed(from)), f)
}

func fixed(text string) invoice.Fixed {
	v, err := invoice.ParseFixed(text)
	if err != nil {
		panic(err)
	}
	return v
}

// E1: prices of several customers that move alike are a new list; those that stay
// between them say it is none.
func TestShiftCountsCustomersThatMoveAlike(t *testing.T) {
	var s Shift
	for n := range uint64(5) {
		s.price("10.00", "10.40", n, int32(100+n))
	}
	if customers, hours := s.Of(); customers < 4 || hours != 4 {
		t.Errorf("%d customers within %d hours, want 4 or 5 within 4", customers, hours)
	}
	if !s.By(fixed("20.00"), fixed("20.80")) || s.By(fixed("20.00"), fixed("21.50")) {
		t.Errorf("%+v: want 20.80 explained, 21.50 not", s)
	}
	for range 4 {
		s.price("10.00", "10.00", 9, 200)
	}
	if customers, _ := s.Of(); customers != 0 {
		t.Errorf("%d customers moved after four that did not, want 0", customers)
	}
}

// A price beyond what lists move, and one by another factor, is no part of a shift.
func TestShiftIsOneFactor(t *testing.T) {
	var s Shift
	s.price("10.00", "100.00", 1, 1)
	if s.Count != 0 {
		t.Errorf("a comma moved a list: %+v", s)
	}
	s.price("10.00", "10.40", 1, 1)
	s.price("10.00", "10.40", 2, 2)
	s.price("10.00", "11.00", 3, 3)
	if s.Count != 1 || !s.By(fixed("10.00"), fixed("10.40")) {
		t.Errorf("another factor: %+v, want the count taken back by one", s)
	}
}

// E1: three customers make a list the one in force; the list before is over when
// hardly an invoice names it, and does not come back by some that do.
func TestRevisionFollowsTheListThatInvoicesName(t *testing.T) {
	var r Revision
	name := func(version uint32, customer uint64, hour int32) {
		r.teach(&Facts{Version: version, Customer: customer * 0x9e3779b97f4a7c15, Hour: hour})
	}
	for n := range uint64(20) {
		name(1, n, int32(n))
	}
	name(2, 1, 50)
	name(1, 2, 51) // between: an outage
	name(2, 3, 52)
	if r.Version != 1 {
		t.Fatal("two customers with the old list between them changed it")
	}
	name(2, 4, 53)
	name(2, 5, 54)
	if !r.Fresh(2, 10) || r.Fresh(2, 60) || r.Fresh(1, 10) {
		t.Errorf("%+v: want list 2 fresh for what is known from before", r)
	}
	for n := range uint64(listKnown) {
		name(2, n, int32(60+n))
	}
	name(1, 7, 100)
	if !r.Stale(1) || r.Stale(2) || r.Stale(0) {
		t.Errorf("%+v: want list 1 stale", r)
	}
	for range 6 {
		name(1, 8, 101)
	}
	if r.Stale(1) || r.Version != 2 {
		t.Errorf("%+v: want list 1 in use, list 2 in force", r)
	}
}

// E2: a code is in use for as long as its uses are apart, and some more.
func TestCodeIsInUseAsOftenAsItWas(t *testing.T) {
	often := Terms{First: 0, Hour: 30 * 24, Invoices: 300}
	seldom := Terms{First: 0, Hour: 100 * 24, Invoices: 10}
	if !often.Still(31*24) || often.Still(40*24) {
		t.Error("used ten times a day: want it in use a day later, not ten")
	}
	if !seldom.Still(150*24) || seldom.Still(170*24) {
		t.Error("used every ten days: want it in use 50 days later, not 70")
	}
}

// E2: a code that only suspects bring becomes known by five customers on three days
// from two releases; neither one customer nor one release does.
func TestOfferNeedsCustomersDaysAndReleases(t *testing.T) {
	for _, c := range []struct {
		name                      string
		customers, days, releases int
		want                      bool
	}{
		{"enough of all", 8, 5, 2, true},
		{"one customer", 1, 30, 5, false},
		{"one day", 8, 1, 2, false},
		{"one release", 8, 30, 1, false},
		{"four customers", 4, 30, 2, false},
	} {
		var terms Terms
		for i := range 40 {
			f := &Facts{Customer: uint64(i%c.customers+1) * 0x9e3779b97f4a7c15, Day: int32(i % c.days),
				Batch: uint32(i % c.releases)}
			if i >= c.days {
				f.Day = int32(c.days - 1)
			}
			if terms.Invoices == 0 {
				terms.suspect(&Code{Rate: 2001}, f)
			}
		}
		if got := terms.Invoices > 0; got != c.want {
			t.Errorf("%s: known %v, want %v: %+v", c.name, got, c.want, terms.Offer)
		}
	}
}
