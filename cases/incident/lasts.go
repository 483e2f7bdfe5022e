package incident

import (
	"time"

	"recoup/detectors"
)

// near tells whether what was issued in a time may be of the incident.
func (i *openIncident) near(since, until time.Time) bool {
	return detectors.NearIncident(i.Since, i.Until, since, until)
}

// reach has the trouble last to an event time. Workers go by the times as published.
func (i *openIncident) reach(event time.Time) {
	if i.Since.IsZero() || event.Before(i.Since) {
		i.Since, i.changed = event, true
	}
	if event.After(i.Until) {
		i.Until, i.changed = event, true
	}
}

// follow has the trouble of open incidents reach as far as their values have more
// suspects than usual. Members alone do not prolong it: those of chance come for ever.
func (b *Board) follow() {
	for _, i := range b.open {
		if known := b.values[i.value]; known != nil && b.changed[i.value] {
			i.follow(b.total(known), b.settings.FalseDiscovery)
		}
	}
}

func (i *openIncident) follow(c *detectors.Count, chance float64) {
	usual := leastShare // where a worker named it, nobody has compared
	if i.Invoices > 0 {
		usual = i.Expected / float64(i.Invoices)
	}
	for at := range c.Recent {
		cell := &c.Recent[at]
		event := bucketStart(cell.At)
		if i.suspectsOf(&cell.Tally) == 0 || !i.near(event, event) {
			continue
		}
		around, _ := cut(c, cell.At-window/2, cell.At+window/2)
		k, n := i.suspectsOf(&around), int64(around.Invoices)
		if float64(k) >= leastLift*usual*float64(n) && binomialTail(k, n, usual) <= chance {
			i.reach(event)
		}
	}
}

// suspectsOf counts those of its causes.
func (i *openIncident) suspectsOf(t *detectors.Tally) (n int64) {
	for cause, suspects := range t.Suspects {
		if i.takes(cause) {
			n += int64(suspects)
		}
	}
	return n
}

// openNear returns the open incident of a value, the first by key of those that are
// near a time; nil: none.
func (b *Board) openNear(v detectors.Value, since, until time.Time) *openIncident {
	for _, i := range b.openOf[v] {
		if i.near(since, until) {
			return i
		}
	}
	return nil
}

// openFrom returns the open incident of a candidate's value.
func (b *Board) openFrom(c *candidate) *openIncident {
	return b.openNear(c.value, c.since(), c.until())
}
