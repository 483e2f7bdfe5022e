package history

import "testing"

// E2: two invoices bill the same where their periods overlap; a month's last day
// may be the next one's first.
func TestPeriodsOverlap(t *testing.T) {
	day := func(first, last int64) *Print { return &Print{Period: PeriodOf(first, last)} }
	for _, c := range []struct {
		name   string
		a, b   *Print
		shared float64
		apart  bool
	}{
		{"the same month", day(100, 129), day(100, 129), 1, false},
		{"half of it", day(100, 129), day(115, 144), 0.5, false},
		{"a month within a year", day(100, 464), day(130, 159), 1, false},
		{"the next month", day(100, 129), day(130, 160), 0, true},
		{"the next month from the last day on", day(100, 129), day(129, 159), 0, true},
		{"the same day", day(100, 100), day(100, 100), 1, false},
		{"no period", day(100, 129), &Print{}, 0, false},
		{"an end before its start counts as a day", day(100, 90), day(100, 100), 1, false},
	} {
		for _, pair := range [][2]*Print{{c.a, c.b}, {c.b, c.a}} {
			if got := pair[0].Shared(pair[1]); got != c.shared || pair[0].Apart(pair[1]) != c.apart {
				t.Errorf("%s: %v shared, apart %v", c.name, got, pair[0].Apart(pair[1]))
			}
		}
	}
	if days := day(100, 129).Days(); days != 30 {
		t.Errorf("%d days", days)
	}
}
