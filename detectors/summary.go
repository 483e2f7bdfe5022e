package detectors

import (
	"cmp"
	"slices"
	"strings"

	"recoup/invoice"
)

// Footing says whether a segment is known well enough for the 15 % rule to make
// a suspect there.
type Footing string

// The footings of a segment.
const (
	FootingEnough    Footing = "enough"     // at least MinN invoices, which vary by at most MaxCV
	FootingTooFew    Footing = "too_few"    // fewer than MinN
	FootingTooSpread Footing = "too_spread" // they vary by more, or their mean is not above 0
)

// Footings lists all footings.
var Footings = []Footing{FootingEnough, FootingTooFew, FootingTooSpread}

// SegmentSummary is what is known of one segment that the 15 % rule compares
// invoices with, over all partitions.
type SegmentSummary struct {
	Level         Level  // customer_type, product_family or type_product, their cross
	Seller        string // of its invoices
	Currency      string // ISO 4217 code of Mean
	CustomerType  string // "" at LevelProductFamily
	ProductFamily string // "" at LevelCustomerType

	N       int64          // invoices taught, at least 1
	Mean    invoice.Amount // rolling mean of net amounts
	CV      float64        // their coefficient of variation, at most 9999
	Footing Footing        // whether the rule may make a suspect here

	// Precision and Recall are what ExpectedPrecision says of the rule here, 0 to 1.
	Precision, Recall float64
}

// Of says whose invoices they are, such as "customer type B2C and product family
// fibre"; seller and currency are not in it.
func (s *SegmentSummary) Of() string {
	switch s.Level {
	case LevelCustomerType:
		return "customer type " + s.CustomerType
	case LevelProductFamily:
		return "product family " + s.ProductFamily
	}
	return "customer type " + s.CustomerType + " and product family " + s.ProductFamily
}

// Segments summarises every segment that this engine's partition taught, the one
// with the most invoices first. It takes some 15 µs a segment: it is not meant to
// be called for each invoice.
func (e *Engine) Segments() []SegmentSummary {
	all := make([]SegmentSummary, 0, e.segments.len())
	for s := range e.segments.all() {
		summary, ok := parseSegmentKey(string(e.shared.key(s.shared)))
		if st := e.baselineOf(s); ok && st.n > 0 {
			summary.fill(&st, &e.settings)
			all = append(all, summary)
		}
	}
	sortSegments(all)
	return all
}

// sortSegments puts the segment with the most invoices first.
func sortSegments(all []SegmentSummary) {
	slices.SortFunc(all, func(a, b SegmentSummary) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Seller, b.Seller), strings.Compare(a.Currency, b.Currency),
			strings.Compare(a.CustomerType, b.CustomerType), strings.Compare(a.ProductFamily, b.ProductFamily))
	})
}

// Segment summarises the segment that the invoice last scored belongs to, as it
// was then: the narrowest with MinN invoices, else the one with the most. ok is
// false when the 15 % rule had nothing to compare with.
func (e *Engine) Segment() (s SegmentSummary, ok bool) {
	inv, stats := e.cur.inv, &e.cur.stats
	if inv.Type != invoice.Standard { // stats are of an earlier one
		return s, false
	}
	best := bySeller
	for _, kind := range narrowestFirst {
		n := stats[kind].n
		if kind == bySeller || n == 0 {
			continue
		}
		if best == bySeller || n > stats[best].n {
			best = kind
		}
		if n >= e.settings.MinN {
			best = kind
			break
		}
	}
	if best == bySeller {
		return s, false
	}
	s = summaryOf(best, inv)
	for _, text := range []*string{&s.Seller, &s.Currency, &s.CustomerType, &s.ProductFamily} {
		*text = strings.Clone(*text) // it outlives the invoice
	}
	s.fill(&stats[best], &e.settings)
	return s, true
}

// Known returns how many invoices the baseline of the invoice last scored rests on, and what it
// says they usually come to and how much they vary, at the level of a segment or of the seller; 0
// where there is none.
func (e *Engine) Known(level Level) (n int64, mean invoice.Amount, cv float64) {
	for kind := range e.cur.stats {
		if st := &e.cur.stats[kind]; segmentLevels[kind] == level {
			return st.n, st.mean, st.cv
		}
	}
	return 0, 0, 0
}

// summaryOf names the invoice's segment of one kind.
func summaryOf(kind segmentKind, inv *invoice.Invoice) SegmentSummary {
	s := SegmentSummary{Level: segmentLevels[kind], Seller: inv.Seller, Currency: inv.Currency}
	if kind != byProductFamily {
		s.CustomerType = inv.CustomerType
	}
	if kind != byCustomerType {
		s.ProductFamily = inv.ProductFamily
	}
	return s
}

// fill adds what the baseline says.
func (s *SegmentSummary) fill(st *stats, settings *Settings) {
	s.N, s.Mean, s.CV, s.Footing = st.n, st.mean, st.cv, st.footing(settings)
	if st.mean > 0 { // below, the rule never fires
		s.Precision, s.Recall = ExpectedPrecision(st.n, st.cv, *settings)
	}
}

// Segments summarises the segments of a seller, as far as all partitions' checkpoints
// have told of them, the one with the most invoices first.
func (s *Shared) Segments(seller string, settings Settings) []SegmentSummary {
	var all []SegmentSummary
	s.each(settings, func(key []byte, st *stats) {
		if summary, ok := parseSegmentKey(string(key)); ok && summary.Seller == seller {
			summary.fill(st, &settings)
			all = append(all, summary)
		}
	})
	sortSegments(all)
	return all
}

// each calls f with the key of every taught segment that has a rule, in no fixed order. The key is
// valid until f returns.
func (s *Shared) each(settings Settings, f func(key []byte, st *stats)) {
	halfLife := settings.HalfLife.Hours()
	var st stats
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		for _, seg := range shard.all() {
			var b Baseline
			key, list := readText(shard.texts.Get(&seg.text))
			for len(list) > 0 {
				var p part
				p, list = nextPart(list)
				b.fold(p.baseline(), halfLife)
			}
			if st = b.stats(); st.n > 0 && hasRule(key) {
				f(key, &st)
			}
		}
		shard.mu.Unlock()
	}
}

// CountSegments counts the segments that the 15 % rule compares with, by footing,
// as far as all partitions' checkpoints have told of them.
func (s *Shared) CountSegments(settings Settings) map[Footing]int {
	counts := map[Footing]int{}
	s.each(settings, func(_ []byte, st *stats) { counts[st.footing(&settings)]++ })
	return counts
}
