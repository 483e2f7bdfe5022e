package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"recoup/detectors"
)

const (
	// window is how many buckets are tested: the last hour in which the value was billed.
	window = 12
	// leastPast is how many invoices a past needs to say what is usual.
	leastPast = 30
	// leastLift is how many times as often as usual suspects have to come.
	leastLift = 2.5
	// leastShare is the share of suspects that it takes where a value covers most of
	// what is billed: beside it there is little to compare with, and many causes that
	// have nothing to do with each other may add up.
	leastShare = 0.05
	// all of a value's suspects are members where so many of them are of its causes.
	nearlyAll = 0.9
)

// candidate is a value that has more suspects of a cause than is usual.
type candidate struct {
	value    detectors.Value
	cause    int
	from, to int64 // buckets: after from, up to to
	n, k     int64 // invoices of the value in the window, suspects of the cause without members of incidents
	usual    float64
	p        float64
	gain     float64 // log-likelihood: how much better the window is explained with it
	overall  float64 // the same over all that is known
}

// since and until are the event time of a candidate's window.
func (c *candidate) since() time.Time { return bucketStart(c.from + 1) }
func (c *candidate) until() time.Time { return bucketStart(c.to + 1) }

// spans are what a value and its seller had in a window and before.
type spans struct {
	now, past      detectors.Tally // of the value
	around, before detectors.Tally // of the seller, without the value
	aligned        bool            // around is known
	from, to       int64
}

// spansOf cuts the counts of a value at its window.
func (b *Board) spansOf(v detectors.Value, now int64) (s spans, ok bool) {
	known := b.values[v]
	all := b.values[detectors.Value{Seller: v.Seller}]
	if known == nil || all == nil {
		return s, false
	}
	own, seller := b.total(known), b.total(all)
	for i := len(own.Recent) - 1; i >= 0; i-- {
		if s.to = own.Recent[i].At; s.to <= now {
			break
		}
	}
	s.from = s.to - window
	s.now, s.past = cut(own, s.from, s.to)
	s.around, s.before = cut(seller, s.from, s.to)
	less(&s.around, &s.now)
	less(&s.before, &s.past)
	// The seller's buckets are the newest with invoices: older ones are not told apart.
	s.aligned = len(seller.Recent) > 0 && (seller.Recent[0].At <= s.from+1 || len(seller.Weeks) == 0)
	return s, s.now.Invoices > 0
}

// cut tells what lies within a window from what came before.
func cut(c *detectors.Count, from, to int64) (within, past detectors.Tally) {
	for i := range c.Weeks {
		past.Add(&c.Weeks[i].Tally)
	}
	for i := range c.Recent {
		switch cell := &c.Recent[i]; {
		case cell.At <= from:
			past.Add(&cell.Tally)
		case cell.At <= to:
			within.Add(&cell.Tally)
		}
	}
	return within, past
}

// less takes a part out of a whole; counts of a moment ago may not fit together.
func less(whole, part *detectors.Tally) {
	whole.Invoices -= min(whole.Invoices, part.Invoices)
	for i := range whole.Suspects {
		whole.Suspects[i] -= min(whole.Suspects[i], part.Suspects[i])
	}
	whole.TooLow -= min(whole.TooLow, part.TooLow)
	whole.TooHigh -= min(whole.TooHigh, part.TooHigh)
}

// covered counts suspects of a value in a window that need no further explanation, by cause.
func (b *Board) covered(v detectors.Value, from, to int64, also func(*suspect) bool) (n [detectors.Causes]int64) {
	for _, x := range b.byValue[v] {
		if x.bucket > from && x.bucket <= to && (x.joined != nil || x.settled || also != nil && also(x)) {
			n[x.cause]++
		}
	}
	return n
}

// candidates tests what has changed. All that is tested at a time is one family: of
// what it finds, the share that is chance stays below Settings.FalseDiscovery
// (Benjamini and Hochberg 1995).
func (b *Board) candidates(now int64) []candidate {
	var found []candidate
	tested := 0
	changed := slices.SortedFunc(maps.Keys(b.changed), compareValues)
	for _, v := range changed {
		if v.Dimension == detectors.DimensionSeller || v.Name == "" {
			continue
		}
		if b.values[v] == nil || b.values[detectors.Value{Seller: v.Seller}] == nil {
			continue
		}
		tested += detectors.Causes
		if int64(len(b.byValue[v])) < b.settings.LeastMembers {
			continue // too few to have an incident; most are such, and to add up their counts takes long
		}
		s, ok := b.spansOf(v, now)
		if !ok {
			continue
		}
		covered := b.covered(v, s.from, s.to, nil)
		for cause, suspects := range s.now.Suspects {
			c := candidate{value: v, cause: cause, from: s.from, to: s.to, n: int64(s.now.Invoices),
				k: int64(suspects) - covered[cause]}
			if c.k >= b.settings.LeastMembers && b.test(&c, &s) {
				found = append(found, c)
			}
		}
	}
	clear(b.changed)
	slices.SortFunc(found, func(x, y candidate) int { return cmp.Or(cmp.Compare(x.p, y.p), x.compare(&y)) })
	for i := len(found) - 1; i >= 0; i-- {
		if found[i].p <= b.settings.FalseDiscovery*float64(i+1)/float64(tested) {
			return found[:i+1]
		}
	}
	return nil
}

// test compares a value's suspects of a cause with its own past, with all else the
// seller billed before, and with what it billed meanwhile: the least surprised counts.
func (b *Board) test(c *candidate, s *spans) bool {
	c.p, c.usual = 0, s.usual(c.cause)
	s.others(func(t *detectors.Tally) {
		c.p = max(c.p, moreThanUsual(c.k, c.n, int64(t.Suspects[c.cause]), int64(t.Invoices)))
	})
	share := float64(c.k) / float64(c.n)
	most := !s.aligned || s.around.Invoices < s.now.Invoices
	if c.usual == 0 || share < leastLift*c.usual || most && share < leastShare {
		return false
	}
	c.gain = gain(c.k, c.n, int64(s.around.Suspects[c.cause]), int64(s.around.Invoices))
	past, before := int64(s.past.Suspects[c.cause]), int64(s.before.Suspects[c.cause])
	c.overall = gain(c.k+past, c.n+int64(s.past.Invoices), int64(s.around.Suspects[c.cause])+before,
		int64(s.around.Invoices+s.before.Invoices))
	return true
}

// others calls f with each of what a window is compared with that is large enough.
func (s *spans) others(f func(*detectors.Tally)) {
	for _, t := range []*detectors.Tally{&s.past, &s.before, &s.around} {
		if t.Invoices >= leastPast && (t != &s.around || s.aligned) {
			f(t)
		}
	}
}

// usual is the share of suspects of a cause among the others, the highest; 0 if there
// is nothing to compare with.
func (s *spans) usual(cause int) (share float64) {
	s.others(func(t *detectors.Tally) {
		share = max(share, (float64(t.Suspects[cause])+0.5)/(float64(t.Invoices)+1))
	})
	return share
}

// gain is how much better two rates explain k of n inside and outside than one does.
func gain(k, n, outside, of int64) float64 {
	return logLikelihood(k, n) + logLikelihood(outside, of) - logLikelihood(k+outside, n+of)
}

const (
	// sameGain is the difference of log-likelihood below which two values explain as much.
	sameGain = 1e-6
	// muchMore is the difference from which all that is known prefers one of two that
	// explain the last hour alike: a release that was right for weeks is not to blame
	// for its newest batch.
	muchMore = 3
)

// narrower orders candidates of one cause: first what explains most with least.
func (x *candidate) narrower(y *candidate) int {
	if d := x.gain - y.gain; d > sameGain || d < -sameGain {
		return cmp.Compare(y.gain, x.gain)
	}
	if d := x.overall - y.overall; d > muchMore || d < -muchMore {
		return cmp.Compare(y.overall, x.overall)
	}
	return cmp.Or(cmp.Compare(rank(x), rank(y)), compareValues(x.value, y.value))
}

// rank prefers, of values that stand on the same invoices, the one that can make such
// errors by itself, then the one that will bill on.
func rank(c *candidate) int {
	if own, ok := ownDimension[detectors.CauseAt(c.cause)]; ok && own == c.value.Dimension {
		return -1
	}
	return slices.Index(preferred, c.value.Dimension)
}

var (
	ownDimension = map[string]detectors.Dimension{
		detectors.CausePromotion: detectors.DimensionPromotion,
		detectors.CausePriceList: detectors.DimensionPriceList,
		detectors.CauseCRMSync:   detectors.DimensionCRMVersion,
		detectors.CauseDataEntry: detectors.DimensionOperator,
	}
	preferred = []detectors.Dimension{detectors.DimensionRelease, detectors.DimensionBatch, detectors.DimensionPriceList,
		detectors.DimensionCRMVersion, detectors.DimensionPromotion, detectors.DimensionSource,
		detectors.DimensionOperator, detectors.DimensionSegment, detectors.DimensionSeller}
)

func (c *candidate) compare(o *candidate) int {
	return cmp.Or(compareValues(c.value, o.value), cmp.Compare(c.cause, o.cause))
}

func compareValues(a, b detectors.Value) int {
	return cmp.Or(cmp.Compare(a.Seller, b.Seller), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Name, b.Name))
}

// choose returns the fewest candidates that explain what was found: of each cause the
// one that explains most, then what is still too much without the suspects of that
// one. The cause that is told best comes first, so that others can follow it.
func (b *Board) choose(found []candidate, now int64) []candidate {
	var chosen []candidate
	for _, group := range byCause(found) {
		for len(group) > 0 {
			c := b.widest(slices.MinFunc(group, narrower), chosen, group)
			chosen = append(chosen, c)
			left := group[:0]
			for _, o := range group {
				if o.value != c.value && b.stillTooMany(&o, &c, now) {
					left = append(left, o)
				}
			}
			group = left
		}
	}
	return chosen
}

func narrower(x, y candidate) int { return x.narrower(&y) }

// byCause groups candidates by seller and cause, the greatest gain first.
func byCause(found []candidate) (groups [][]candidate) {
	type name struct {
		seller string
		cause  int
	}
	at := map[name]int{}
	for _, c := range found {
		key := name{c.value.Seller, c.cause}
		if _, there := at[key]; !there {
			at[key] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[key]] = append(groups[at[key]], c)
	}
	best := func(group []candidate) *candidate {
		c := slices.MinFunc(group, narrower)
		return &c
	}
	slices.SortFunc(groups, func(g, h []candidate) int {
		x, y := best(g), best(h)
		return cmp.Or(cmp.Compare(x.value.Seller, y.value.Seller), cmp.Compare(y.gain, x.gain), x.compare(y))
	})
	return groups
}

// follows is the share of what the best candidate explains that a value explains which
// has an incident already: then it is the same trouble under another cause.
const follows = 0.8

// widest returns c, or the candidate of its cause for a value that was chosen before
// or has an open incident and explains nearly as much.
func (b *Board) widest(c candidate, chosen, group []candidate) candidate {
	for _, o := range group {
		if o.value == c.value || float64(o.k) < follows*float64(c.k) || o.gain < c.gain/2 {
			continue
		}
		if b.openFrom(&o) != nil || slices.ContainsFunc(chosen, func(x candidate) bool { return x.value == o.value }) {
			return o
		}
	}
	return c
}

// stillTooMany tests a candidate again without the suspects that another one explains.
func (b *Board) stillTooMany(c, explained *candidate, now int64) bool {
	s, ok := b.spansOf(c.value, now)
	if !ok {
		return false
	}
	covered := b.covered(c.value, c.from, c.to, func(x *suspect) bool {
		return x.cause == explained.cause && slices.Contains(x.values, explained.value)
	})
	c.k = int64(s.now.Suspects[c.cause]) - covered[c.cause]
	return c.k >= b.settings.LeastMembers && b.test(c, &s) && c.p <= b.settings.FalseDiscovery/float64(detectors.Causes)
}
