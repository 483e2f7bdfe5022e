package incident

import (
	"math"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// The rate test of a whole segment: a lower 95 % Wilson bound above twice the rate of 28
// days, of at least 200 invoices in 15 minutes; members of incidents do not count.
func TestRate(t *testing.T) {
	for _, c := range []struct {
		name  string
		share float64 // of suspects in the last quarter of an hour; before, 3 % of all
		n     int
		want  bool
	}{
		{"usual", 0.03, 400, false},
		{"more, but not twice as many", 0.06, 400, false},
		{"three times as many", 0.12, 400, true},
		{"too few invoices", 0.12, 190, false},
	} {
		co := newCompany(t, 3, 21)
		segment := func() *invoice.Invoice {
			inv := &invoice.Invoice{Seller: "acme", Currency: "EUR", IssuedAt: co.now, CustomerType: "B2C",
				ProductFamily: "tv", CustomerRef: "c"}
			co.n++
			inv.ID = time.Duration(co.n).String()
			return inv
		}
		every := func(share float64) func() (*invoice.Invoice, *bad) {
			n := 0.0
			return func() (*invoice.Invoice, *bad) {
				if n += share; n >= 1 {
					n--
					return segment(), &bad{cause: detectors.CauseAt(co.n % detectors.Causes), kind: "some", loss: 9 * invoice.Unit}
				}
				return segment(), nil
			}
		}
		co.quietly(5*time.Hour, 600, every(0.03))
		co.quietly(14*time.Minute, c.n*60/14, every(c.share))
		var rates []Change
		for _, ch := range co.changes {
			if ch.Rate != nil {
				rates = append(rates, ch)
			}
		}
		if got := len(rates) > 0; got != c.want {
			t.Errorf("%s: %d changes of rates, want some: %v", c.name, len(rates), c.want)
		}
		if !c.want {
			continue
		}
		r := rates[0]
		if r.Severity != cases.SeverityError || r.Rate.Segment != "B2C/tv" ||
			r.Rate.Key != "acme|rate|B2C/tv|customer_favour" ||
			r.Rate.Lower <= 2*r.Rate.Usual || math.Abs(r.Rate.Usual-0.03) > 0.01 {
			t.Errorf("%s: %s %+v", c.name, r.Severity, r.Rate)
		}
		co.quietly(time.Hour, 900, every(0.03))
		last := co.changes[len(co.changes)-1]
		if last.Rate == nil || last.Action != cases.ActionResolve {
			t.Errorf("%s: it is usual again, but last came %+v", c.name, last)
		}
	}
}

// watched is a company whose one source sends a record each 10 seconds.
func watched(t *testing.T, partitions int, hours int) *company {
	c := newCompany(t, partitions, 31)
	c.quietly(time.Duration(hours)*time.Hour, 360, func() (*invoice.Invoice, *bad) { return c.plain(), nil })
	c.changes = nil
	return c
}

// wait lets time pass, and looks each 30 seconds, with what the partitions say then.
func (c *company) wait(d time.Duration, mark func(p int) detectors.ReadMark) (first time.Duration) {
	began := c.now
	for c.now = c.now.Add(30 * time.Second); c.now.Sub(began) <= d; c.now = c.now.Add(30 * time.Second) {
		for p := range c.counts {
			r := mark(p).Record()
			if err := c.board.Count(r.Key, r.Value, p); err != nil {
				c.t.Fatal(err)
			}
		}
		out := c.board.Tick(c.now)
		c.changes = append(c.changes, out...)
		if first == 0 && len(out) > 0 {
			first = c.now.Sub(began)
		}
	}
	return first
}

func (c *company) readToTheEnd(int) detectors.ReadMark {
	return detectors.ReadMark{Until: c.now, At: c.now}
}

// A source that is silent for five minutes is a blindness within one more; a pause that
// it makes every day is none, and recoup's own lag is not the source's silence.
func TestBlindSilence(t *testing.T) {
	c := watched(t, 3, 3)
	began := c.now
	first := c.wait(10*time.Minute, c.readToTheEnd)
	if len(c.changes) != 2 { // two systems
		t.Fatalf("%d changes, want one of each source", len(c.changes))
	}
	b := c.changes[0]
	if c.changes[1].Blind.Source == "erp0" {
		b = c.changes[1]
	}
	if silence := began.Add(first).Sub(c.changes[0].Blind.Since); silence < 5*time.Minute || silence > 6*time.Minute {
		t.Errorf("after %s, want 5 to 6 minutes", silence)
	}
	if b.Severity != cases.SeverityCritical || b.Blind.Reason != BlindSilent || b.Blind.Key != "acme|blind|erp0" {
		t.Errorf("%s %+v", b.Severity, b.Blind)
	}
	c.changes = nil
	c.quietly(2*time.Minute, 360, func() (*invoice.Invoice, *bad) { return c.plain(), nil })
	if len(c.changes) != 2 || c.changes[0].Action != cases.ActionResolve {
		t.Errorf("seen again, but %+v", c.changes)
	}

	c = watched(t, 3, 3)
	for range 3 { // what it does each night it may do again
		c.wait(14*time.Hour, c.readToTheEnd)
		c.quietly(10*time.Hour, 360, func() (*invoice.Invoice, *bad) { return c.plain(), nil })
		c.changes = nil
	}
	if c.wait(14*time.Hour, c.readToTheEnd); len(c.changes) > 0 {
		t.Errorf("the pause of each night is a blindness: %+v", c.changes[0].Blind)
	}
}

// The times of records are their producers': a source whose clock is ten minutes late is
// not silent while it sends, and is within a minute of its fifth silent one.
func TestBlindByALateClock(t *testing.T) {
	c := newCompany(t, 3, 31)
	c.behind = 10 * time.Minute
	c.quietly(3*time.Hour, 360, func() (*invoice.Invoice, *bad) { return c.plain(), nil })
	if len(c.changes) > 0 {
		t.Fatalf("it sends, and is %+v", c.changes[0].Blind)
	}
	began := c.now
	first := c.wait(10*time.Minute, c.readToTheEnd)
	silence := began.Add(first).Sub(c.changes[0].Blind.Since.Add(c.behind))
	if silence < 5*time.Minute || silence > 6*time.Minute {
		t.Errorf("blind after %s, want 5 to 6 minutes", silence)
	}
}

// Invoices that wait, and not fewer and fewer, blind recoup; so does a partition that
// nobody reads. A backlog that shrinks does not.
func TestBlindLag(t *testing.T) {
	for _, s := range []struct {
		name string
		lag  func(since time.Duration) int64
		dead bool
		want bool
	}{
		{"grows", func(d time.Duration) int64 { return 100 + int64(d/time.Second) }, false, true},
		{"stands still", func(time.Duration) int64 { return 500 }, false, true},
		{"shrinks", func(d time.Duration) int64 { return 100_000 - int64(d/time.Second) }, false, false},
		{"nobody reads", func(time.Duration) int64 { return 0 }, true, true},
	} {
		c := watched(t, 2, 2)
		began := c.now
		first := c.wait(8*time.Minute, func(p int) detectors.ReadMark {
			m := c.readToTheEnd(p)
			if p == 1 {
				m.Lag, m.Until = s.lag(c.now.Sub(began)), began
				if s.dead {
					m.At = began
				}
			}
			return m
		})
		if (first > 0) != s.want || first > 6*time.Minute {
			t.Errorf("%s: first change after %s, want one: %v", s.name, first, s.want)
		}
		for _, ch := range c.changes {
			if ch.Blind.Reason != BlindLag || ch.Blind.Key != "acme|blind|" {
				t.Errorf("%s: %+v", s.name, ch.Blind)
			}
		}
	}
}

// Two canaries in a row that were not found are a blindness at once; one is not, nor
// are two that were found after it. Which partition they came in makes no difference.
func TestBlindCanary(t *testing.T) {
	for _, s := range []struct {
		found []bool
		want  bool
	}{
		{[]bool{true, false}, false},
		{[]bool{false, false}, true},
		{[]bool{false, false, true}, false},
		{[]bool{false}, false},
	} {
		c := watched(t, 2, 1)
		for _, found := range s.found {
			inv := c.plain()
			inv.Canary, inv.SourceSystem = true, "erp0"
			var b *bad
			if found {
				b = c.any()
			}
			c.bills(inv, b)
			c.now = c.now.Add(time.Minute)
		}
		c.tick()
		blind := len(c.changes) > 0 && c.changes[0].Blind != nil && c.changes[0].Blind.Reason == BlindCanary
		if blind != s.want {
			t.Errorf("canaries found %v: blind %v, want %v", s.found, blind, s.want)
		}
		if len(c.opened()) > 0 {
			t.Error("a canary is a member of an incident")
		}
	}
}

// The figures of kpi.md's Wilson interval, and tails that were worked out by hand.
func TestStatistics(t *testing.T) {
	near := func(name string, got, want, within float64) {
		if math.Abs(got-want) > within {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	near("wilson 15 of 500", wilsonLower(15, 500), 0.0183, 0.0001)
	near("wilson 300 of 10,000", wilsonLower(300, 10_000), 0.0268, 0.0001)
	near("2 or more of 3 coins", binomialTail(2, 3, 0.5), 0.5, 1e-12)
	near("1 or more of 2 coins", binomialTail(1, 2, 0.5), 0.75, 1e-12)
	near("3 of 3 dice", binomialTail(3, 3, 1.0/6), 1.0/216, 1e-12)
	near("of a million", binomialTail(1100, 1_000_000, 0.001), 0.00094, 0.00005)
	near("poisson 10", poissonLower(10), 5.43, 0.05) // the exact one is 5.425
	near("poisson 100", poissonLower(100), 84.14, 0.1)
}
