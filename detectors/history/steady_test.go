package history

import "testing"

// G5, E2: an outage does not teach that nobody needs what it loses; a practice that
// ends does within weeks.
func TestOutageDoesNotTeachItself(t *testing.T) {
	type outage struct {
		days, perDay int
		release      int32 // days until the next one, 0: always the same
	}
	for _, c := range []struct {
		name     string
		kept     int // invoices of steady customers before
		lost     []outage
		from, to float64 // share that stays
	}{
		{"one release, three days", 400, []outage{{3, 5000, 0}}, 0.99, 1},
		{"one release, three days, after scattered errors", 400, []outage{{40, 1, 1}, {3, 5000, 0}}, 0.85, 0.95},
		{"one release, a month", 400, []outage{{30, 500, 0}}, 0.99, 1},
		{"three days without releases", 400, []outage{{3, 5000, 1}}, 0.93, 0.95},
		{"three days of a small seller", 40, []outage{{3, 50, 1}}, 0.93, 0.95},
		{"many releases, two days", 400, []outage{{2, 5000, 1}}, 0.99, 1},
		{"a new practice, two weeks", 400, []outage{{14, 50, 1}}, 0, endsBelow},
		{"a new practice of a small seller", 40, []outage{{14, 8, 1}}, 0, endsBelow},
	} {
		var conduct Conduct
		u := &Customer{Party: Party{Marks: [Marks]Share{MarkVAT: {Yes: 9, All: 9}}}}
		bill := func(marked Marked, day int32, batch uint32) {
			f := Facts{Marked: marked, Day: day, Batch: batch, Known: Known{Customer: u}}
			conduct.teach(&f, marked == 0)
		}
		for range c.kept {
			bill(1<<MarkVAT, 0, 1)
		}
		day := int32(0)
		for _, o := range c.lost {
			for range o.days {
				day++
				for range o.perDay {
					bill(0, day, uint32(2+day*min(1, o.release)))
				}
			}
		}
		if stays, ok := conduct.Stays(MarkVAT, u); !ok || stays < c.from || stays > c.to {
			t.Errorf("%s: %.3f stay, known %v; want %v to %v", c.name, stays, ok, c.from, c.to)
		}
	}
}

// A8, E1: what a missing VAT number, a missing purchase order or goods that leave
// later mean is known from a seller's other customers.
func TestWhatCustomersKeepTo(t *testing.T) {
	all := Marked(1<<MarkPurchaseOrder | 1<<MarkVAT)
	store := New(DefaultLimits())
	bill := func(customer uint64, marked Marked) {
		f := Facts{Seller: 1, Customer: customer, Marked: marked}
		store.Look(&f)
		store.Teach(&f, false)
	}
	for customer := range uint64(100) {
		bill(10+customer, all)
		second := all
		if customer%4 == 0 {
			second = 1 << MarkVAT
		}
		bill(10+customer, second)
	}
	bill(1, all)
	bill(2, all)
	bill(2, 0)
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
