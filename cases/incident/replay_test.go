package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// A billing system that fails in March and in July has two incidents, also when the
// whole year is read within minutes: neither that both are still open nor that they have
// a system in common makes them one. Within a trouble, narrow incidents still become
// that of the system.
func TestReplayTellsOutagesApart(t *testing.T) {
	for _, restart := range []bool{false, true} {
		c := newCompany(t, 4, 11)
		c.arrived = monday.AddDate(1, 0, 0)
		bills := func(d time.Duration, perHour int, wrong bool) {
			for end := c.now.Add(d); c.now.Before(end); c.now = c.now.Add(time.Hour / time.Duration(perHour)) {
				inv := c.plain()
				if wrong && inv.SourceSystem == "erp0" && c.rng.IntN(10) < 7 {
					c.bills(inv, &bad{cause: detectors.CauseBillingSystem, kind: "tax_rate", loss: 9 * invoice.Unit})
				} else {
					c.bills(inv, c.chance())
				}
				c.arrived = c.arrived.Add(5 * time.Millisecond)
				if c.n%100 == 0 {
					c.tick()
				}
			}
			c.tick()
		}
		bills(6*time.Hour, 600, false)
		march := c.now
		bills(90*time.Minute, 900, true)
		if restart {
			c.takeOver(nil, true)
		}
		bills(120*24*time.Hour, 6, false)
		bills(6*time.Hour, 600, false)
		july := c.now
		bills(90*time.Minute, 900, true)

		var got []string
		for _, i := range c.board.Incidents() {
			got = append(got, fmt.Sprintf("%s from %s to %s", i.Dimension, i.Since.Format(time.DateOnly),
				i.Until.Format(time.DateOnly)))
			if i.Members < 400 {
				t.Errorf("%s has %d members only", i.Key, i.Members)
			}
		}
		want := []string{fmt.Sprintf("source from %s to %[1]s", march.Format(time.DateOnly)),
			fmt.Sprintf("source from %s to %[1]s", july.Format(time.DateOnly))}
		if !slices.Equal(got, want) {
			t.Errorf("restart %v, within %s: open are %q, want %q", restart, c.arrived.Sub(monday.AddDate(1, 0, 0)), got, want)
		}
	}
}

// Workers mute by the times that are published: a trouble that goes on is said to, though
// no member has come with it.
func TestLongerTroubleIsSaid(t *testing.T) {
	i := &openIncident{}
	i.reach(monday)
	for _, c := range []struct {
		name  string
		event time.Time
		says  bool
	}{
		{"the same", monday, false},
		{"before", monday.Add(-time.Hour), true},
		{"later", monday.Add(time.Hour), true},
		{"between", monday, false},
	} {
		i.changed = false
		if i.reach(c.event); i.changed != c.says {
			t.Errorf("%s: changed %v, want %v", c.name, i.changed, c.says)
		}
	}
}
