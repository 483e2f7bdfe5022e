package history

import "testing"

// conductOf teaches days of invoices of which every nth has the first kind of evidence.
func conductOf(c *Conduct, day *int32, days, perDay, nth int) {
	for range days {
		*day++
		for i := range perDay {
			f := Facts{Day: *day}
			if nth > 0 && i%nth == 0 {
				f.Proofs = 1
			}
			c.teach(&f, false)
		}
	}
}

// A11, E1: what a seller does from the beginning proves nothing, what begins later
// does, and neither an outage nor a busy day makes a habit.
func TestOnlyTheFirstInvoicesMakeAHabit(t *testing.T) {
	type phase struct{ days, perDay, nth int }
	for _, c := range []struct {
		name         string
		phases       []phase
		habit, never bool
	}{
		{"always", []phase{{20, 12, 1}}, true, false},
		{"one in ten", []phase{{30, 20, 10}}, true, false},
		{"one in twenty", []phase{{30, 20, 20}}, false, false},
		{"never", []phase{{30, 20, 0}}, false, true},
		{"too few to tell", []phase{{10, 15, 1}}, false, false},
		{"an outage of forty on one day", []phase{{10, 15, 0}, {1, 40, 1}, {10, 15, 0}}, false, false},
		{"a busy first day that is all bad", []phase{{1, 10_000, 1}, {30, 10_000, 0}}, false, false},
		{"a busy seller that always does it", []phase{{12, 5_000, 1}}, true, false},
		{"what begins after 500 invoices, for a year", []phase{{30, 20, 0}, {365, 20, 1}}, false, true},
		{"a habit that ended", []phase{{30, 20, 1}, {200, 20, 0}}, false, false},
		{"a habit that ended and came back", []phase{{30, 20, 1}, {200, 20, 0}, {200, 20, 1}}, false, false},
	} {
		var conduct Conduct
		var day int32
		for _, p := range c.phases {
			conductOf(&conduct, &day, p.days, p.perDay, p.nth)
		}
		if habit, never := conduct.Habit(0), conduct.Never(0); habit != c.habit || never != c.never {
			t.Errorf("%s: habit %v, never %v of %d invoices, %+v; want %v, %v", c.name, habit, never, conduct.All,
				conduct.Tallies[0], c.habit, c.never)
		}
	}
}
