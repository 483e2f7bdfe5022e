package incident

import (
	"flag"
	"testing"
	"time"

	"recoup/cases"
)

// chanceMonths is how many months of 28 days are simulated: each takes 6 s of CPU, some
// ten times that under the race detector.
var chanceMonths = flag.Int("months", 1, "simulate so many months of errors by chance")

// Errors that have nothing in common make hardly any incident, however long one looks:
// every value of every dimension is tested each five minutes, 28 days long.
func TestChanceOpensHardlyAnything(t *testing.T) {
	opened, rates := 0, 0
	for seed := range uint64(*chanceMonths) {
		c := newCompany(t, 2, 100+seed)
		const perHour = 150
		for end := c.now.AddDate(0, 0, 28); c.now.Before(end); {
			for range perHour / 12 {
				c.bills(c.everyday())
				c.now = c.now.Add(5 * time.Minute * 12 / perHour)
			}
			c.tick()
		}
		for _, ch := range c.changes {
			switch {
			case ch.Action != cases.ActionOpen:
			case ch.Incident != nil:
				opened++
				t.Logf("seed %d opened %s=%s: %d members of %d invoices, expected %.2f, p %.2g", seed,
					ch.Incident.Dimension, ch.Incident.Value, ch.Incident.Members, ch.Incident.Invoices, ch.Incident.Expected,
					ch.Incident.P)
			case ch.Rate != nil:
				rates++
			}
		}
	}
	t.Logf("%d incidents and %d rates by chance in %d months", opened, rates, *chanceMonths)
	if opened > *chanceMonths || rates > *chanceMonths {
		t.Errorf("%d incidents and %d rates by chance in %d months, want at most one a month", opened, rates, *chanceMonths)
	}
}
