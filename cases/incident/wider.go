package incident

import (
	"cmp"
	"maps"
	"slices"

	"recoup/detectors"
)

const (
	// nearlyEach is the share of an incident's members that have a value which the
	// incident may be part of.
	nearlyEach = 0.9
	// asDense is how dense suspects are in the wider value, compared with the narrow
	// one: where other batches of a release are right, the release is not to blame.
	asDense = 0.5
)

// wider looks for what a new trouble has in common with one that has an incident of
// the same dimension: two batches of one release that go wrong one after the other are
// the release's trouble. It opens that incident, which takes over the members of the
// narrow ones; nil if there is none.
func (b *Board) wider(c *candidate, members []*suspect) *openIncident {
	for _, key := range sortedKeys(b.open) {
		sibling := b.open[key]
		if sibling.value.Dimension != c.value.Dimension || sibling.value.Seller != c.value.Seller ||
			sibling.value == c.value || !sibling.takes(c.cause) || !sibling.near(c.since(), c.until()) {
			continue
		}
		if v, ok := b.shared(c, members, sibling); ok {
			return b.widen(v, sibling, c)
		}
	}
	return nil
}

// shared returns the narrowest value that nearly all members of both have and whose
// invoices have nearly as many suspects.
func (b *Board) shared(c *candidate, members []*suspect, sibling *openIncident) (v detectors.Value, ok bool) {
	theirs := b.membersOf(sibling)
	if len(theirs) == 0 {
		return v, false
	}
	type wide struct {
		value detectors.Value
		n     int64
	}
	var found []wide
	from := bucketOf(sibling.Since) - 1
	for _, v := range slices.SortedFunc(maps.Keys(valuesOfAll(members)), compareValues) {
		if v.Dimension == c.value.Dimension || v.Name == "" || having(members, v) < nearlyEach ||
			having(theirs, v) < nearlyEach {
			continue
		}
		if n, enough := b.asDense(v, c, from); enough {
			found = append(found, wide{v, n})
		}
	}
	if len(found) == 0 {
		return v, false
	}
	best := slices.MinFunc(found, func(x, y wide) int {
		return cmp.Or(cmp.Compare(x.n, y.n), cmp.Compare(slices.Index(preferred, x.value.Dimension),
			slices.Index(preferred, y.value.Dimension)), compareValues(x.value, y.value))
	})
	return best.value, true
}

// asDense tells whether a value has nearly as many suspects of a candidate's cause as
// the candidate, and more than chance explains, since a bucket; n is its invoices.
func (b *Board) asDense(v detectors.Value, c *candidate, from int64) (n int64, enough bool) {
	known, seller := b.values[v], b.values[detectors.Value{Seller: v.Seller}]
	if known == nil || seller == nil {
		return 0, false
	}
	now, past := cut(b.total(known), from, c.to)
	_, before := cut(b.total(seller), from, c.to)
	less(&before, &past)
	k, n := int64(now.Suspects[c.cause]), int64(now.Invoices)
	usual, of := int64(past.Suspects[c.cause]), int64(past.Invoices)
	if of < leastPast { // a new release has no past
		usual, of = int64(before.Suspects[c.cause]), int64(before.Invoices)
	}
	share := float64(k) / float64(max(1, n))
	return n, share >= asDense*float64(c.k)/float64(c.n) &&
		moreThanUsual(k, n, usual, of) <= b.settings.FalseDiscovery/float64(detectors.Causes)
}

// widen opens the incident of the wider value and ends those that are part of it.
func (b *Board) widen(v detectors.Value, sibling *openIncident, c *candidate) *openIncident {
	i := b.openNear(v, sibling.Since, sibling.Until)
	if i == nil {
		i = b.begin(v, detectors.IncidentKey(v.Seller, v.Dimension.String(), v.Name, sibling.Since))
		i.Invoices, i.Expected, i.P = c.n, c.usual*float64(c.n), c.p
		i.addCause(c.cause)
		i.why = "more than one " + sibling.Dimension + " of it has the same trouble"
		i.Since, i.Until = sibling.Since, sibling.Until
	}
	for _, key := range sortedKeys(b.open) {
		narrow := b.open[key]
		if narrow == i || narrow.value.Dimension != sibling.value.Dimension || !i.near(narrow.Since, narrow.Until) ||
			having(b.membersOf(narrow), v) < nearlyEach {
			continue
		}
		if narrow.Invoices > 0 {
			i.Expected = max(i.Expected, narrow.Expected/float64(narrow.Invoices)*float64(i.Invoices))
		}
		if narrow.Causes == nil {
			i.Causes = nil
		}
		for _, cause := range narrow.Causes {
			i.addCause(detectors.CauseIndex(cause))
		}
		i.reach(narrow.Since)
		i.reach(narrow.Until)
		for _, x := range b.membersOf(narrow) {
			x.joined = nil
		}
		b.hide(narrow)
		for _, id := range append(narrow.Aliases, narrow.ID) {
			i.alias(id)
			b.aliases[id] = i
		}
		if narrow.opened {
			narrow.why = "it is part of the incident of " + i.Dimension + " " + i.Value
			b.merged = append(b.merged, narrow)
		}
	}
	return i
}

// membersOf lists the members of an incident that are remembered.
func (b *Board) membersOf(i *openIncident) (list []*suspect) {
	for _, x := range b.byValue[i.value] {
		if x.joined == i {
			list = append(list, x)
		}
	}
	return list
}

// having is the share of suspects that have a value; 0 of none.
func having(list []*suspect, v detectors.Value) float64 {
	n := 0
	for _, x := range list {
		if slices.Contains(x.values, v) {
			n++
		}
	}
	return float64(n) / float64(max(1, len(list)))
}

func valuesOfAll(list []*suspect) map[detectors.Value]bool {
	all := map[detectors.Value]bool{}
	for _, x := range list {
		for _, v := range x.values {
			all[v] = true
		}
	}
	return all
}
