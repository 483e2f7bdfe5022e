package detectors

import "slices"

// What says which of the changed values Publish writes.
type What uint8

// What can be published.
const (
	PublishAll     What = iota // everything that changed
	PublishUrgent              // values that a suspect or a canary came of: others wait for them; and sources
	PublishSources             // sources: when they were heard of last
)

// Urgent returns how many values PublishUrgent would write.
func (c *Counts) Urgent() int { return c.urgent }

// Others returns how often an invoice's value was not counted, because its dimension
// has as many as are kept and none of them has been idle for a day.
func (c *Counts) Others() uint64 { return c.others }

// Publish returns copies of what changed since it was published last, and tombstones of
// values that are forgotten. The caller owns the bytes.
func (c *Counts) Publish(what What) []StateRecord {
	if what == PublishAll {
		c.sweep()
	}
	var out []StateRecord
	kept := c.dirty[:0]
	c.urgent = 0
	for _, e := range c.dirty {
		switch {
		case c.tables[e.value.Dimension].byName[countName{e.value.Seller, e.value.Name}] != e: // forgotten
		case what == PublishAll, what == PublishUrgent && e.suspect, e.value.Dimension == DimensionSource:
			e.dirty, e.suspect = false, false
			out = append(out, StateRecord{Key: []byte(e.value.key()), Value: e.count.Append(nil), Shared: true})
		default:
			kept = append(kept, e)
			if e.suspect {
				c.urgent++
			}
		}
	}
	clear(c.dirty[len(kept):])
	c.dirty = kept
	for _, v := range c.forget {
		if c.tables[v.Dimension].byName[countName{v.Seller, v.Name}] == nil {
			out = append(out, StateRecord{Key: []byte(v.key()), Shared: true})
		}
	}
	c.forget = c.forget[:0]
	return out
}

// Changed returns how many values a full Publish would write.
func (c *Counts) Changed() int { return len(c.dirty) + len(c.forget) }

// sweep forgets, once a day of event time, what was not met for four weeks.
func (c *Counts) sweep() {
	day := c.tables[DimensionSeller].newest / idleBuckets
	if day <= c.swept {
		return
	}
	c.swept = day
	for d := range c.tables {
		t := &c.tables[d]
		var old []*counted
		for _, e := range t.byName {
			if e.lastOfRecent <= c.tables[DimensionSeller].newest-forgetBuckets {
				old = append(old, e)
			}
		}
		slices.SortFunc(old, func(a, b *counted) int { return compareValues(a.value, b.value) })
		for _, e := range old {
			c.drop(t, e)
		}
	}
}

// Restore takes back one published record of this partition, nil for one that was
// forgotten. A ReadMark is passed over.
func (c *Counts) Restore(key, value []byte) error {
	v, read, err := ParseCountKey(string(key))
	if err != nil || read {
		return err
	}
	t := &c.tables[v.Dimension]
	if value == nil {
		delete(t.byName, countName{v.Seller, v.Name})
		t.last = nil
		return nil
	}
	count, err := DecodeCount(value)
	if err != nil {
		return err
	}
	e := t.byName[countName{v.Seller, v.Name}]
	if e == nil {
		if e = c.insert(v, count.Newest()); e == nil {
			return nil
		}
	}
	e.count, e.cell, e.lastOfRecent = *count, nil, count.Newest()
	t.newest = max(t.newest, e.lastOfRecent)
	return nil
}

// Newest returns the bucket of the newest invoice, 0 without any.
func (c *Count) Newest() int64 {
	if n := len(c.Recent); n > 0 {
		return c.Recent[n-1].At
	}
	if n := len(c.Weeks); n > 0 {
		return c.Weeks[n-1].At * bucketsAWeek
	}
	return 0
}
