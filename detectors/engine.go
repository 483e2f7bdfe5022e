// Package detectors says of each invoice whether it is plausible, why not, how
// much money is at stake and what to do about it. Scoring is pure: it knows
// event time only, no clock, no randomness, no I/O, and the same invoices in
// the same order give the same verdicts, bit for bit. It knows neither Kafka
// nor ClickHouse.
//
// An Engine scores the invoices of one source partition. It is owned by one
// goroutine and holds what the partition taught; Shared holds what all
// partitions taught the baselines and is the only thing engines have in common.
package detectors

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/arena"
	"recoup/detectors/history"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// Kind tells whether a record brings something new.
type Kind uint8

// The kinds of records.
const (
	Fresh      Kind = iota // to be scored
	Redelivery             // identity and content were met before, at a lower offset: no row, no case
)

// Engine scores and learns the invoices of one source partition, in the order
// of their offsets:
//
//	if e.Begin(inv, position, received) == Fresh {
//		e.Score(&verdict)        // or take the verdict that was published before
//		e.Teach(verdict.Suspect) // what was decided, not what might be decided now
//	}
//
// Replay for learning leaves out Score. An Engine is not safe for concurrent use.
type Engine struct {
	settings  Settings
	halfLife  float64 // hours
	partition int
	shared    *Shared
	blank     Verdict // what all verdicts begin with

	history     *history.Store
	classifiers map[string]*Classifier // by seller; a seller without one is judged by the prior
	references  *reference.Store
	incidents   *Incidents // nil: none is open
	runs        runs       // of suspects that have a value in common
	asOf        struct {   // what referenceAsOf wrote last
		at   time.Time
		text string
	}
	segments  segmentTable
	routes    []route // 1<<routeBits
	routeBits int
	folded    []folded     // a power of two; nil: none yet
	buffer    arena.Buffer // of parts
	clock     *clock
	seen      *seen
	dirty     []*segment // in the order of their first change
	forget    []string   // shared keys to tombstone: an older epoch wrote what this engine never learned
	replaced  bool       // a baseline was replaced since the last checkpoint
	outcomes  outcomes
	lastDay   func(*invoice.Invoice) string // on which money can be claimed; nil: no law is known

	cur     current
	prose   prose // of the verdict last scored
	scratch []byte
}

// current is the invoice last begun.
type current struct {
	inv         *invoice.Invoice
	position    invoice.Position
	received    time.Time
	eventMS     int64
	lateMS      int64
	implausible bool
	sight       sighting
	segments    [segmentKinds]*segment // nil where the invoice does not name what the kind needs
	untaught    [segmentKinds]segment  // what segments points to where this partition taught nothing yet
	lent        [segmentKinds][]byte   // what other partitions contribute to these
	stats       [segmentKinds]stats    // filled by Score
	subject     Subject                // filled by Score
	ev          evidence               // its hashes and facts are filled by Begin, the rest by gather
	gathered    bool                   // ev is complete, and usual is right
	usual       bool                   // ev passes no gate
	cause       int                    // index of a suspect's first cause; unknown's until Score or Recall
}

// NewEngine returns an engine that has learned nothing, and has room for more than one
// partition needs. The settings are copied; they must be valid.
func NewEngine(s Settings, shared *Shared, partition int) *Engine {
	return newEngine(s, shared, partition, history.DefaultLimits())
}

func newEngine(s Settings, shared *Shared, partition int, room history.Limits) *Engine {
	s.HandlingCost = maps.Clone(s.HandlingCost)
	e := &Engine{
		settings: s, halfLife: s.HalfLife.Hours(), partition: partition, shared: shared,
		blank: Verdict{Schema: VerdictSchema, Decision: DecisionNone, Direction: DirectionNone, Level: LevelNone,
			Model: Model{Version: ModelVersion, ConfigHash: s.Hash()}},
		history: history.New(room), classifiers: map[string]*Classifier{},
		clock: newClock(), seen: newSeen(int64(s.IdentityRetention / time.Hour)), prose: newProse(),
	}
	e.newRoutes(fewestRouteBits)
	e.history.OnForget(e.drop)
	return e
}

// Begin takes up one invoice: it looks up everything known of it and changes
// nothing. pos is where its record stands, received the record's own time. The
// engine keeps inv until Teach; it must not change meanwhile.
func (e *Engine) Begin(inv *invoice.Invoice, pos invoice.Position, received time.Time) Kind {
	c := &e.cur
	c.inv, c.position, c.received = inv, pos, received
	c.eventMS, c.implausible = eventTime(inv, received, e.settings.FutureTolerance)
	c.lateMS = 0
	inv.Hash(&c.ev.hashes)
	if mark := e.clock.mark(c.ev.hashes.Seller); mark != nil {
		c.lateMS = max(0, mark.ms-c.eventMS)
	}
	c.sight.hour = max(e.clock.hour, hourOf(c.eventMS))
	c.sight.identity, c.sight.content = c.ev.hashes.Identity, c.ev.hashes.Content
	c.sight.delivery = deliveryHash(inv, &c.ev.hashes)
	e.seen.look(&c.sight, pos.Offset)
	if c.sight.again {
		return Redelivery
	}
	e.findSegments(inv)
	c.ev.factsOf(inv, c.eventMS)
	e.history.Look(&c.ev.facts)
	c.gathered, c.cause = false, Causes-1
	return Fresh
}

// taught tells whether the invoice last begun teaches its amount, given that it
// is suspect or not.
func (e *Engine) taught(suspect bool) bool {
	c := &e.cur
	return !suspect && !c.sight.again && c.inv.Type == invoice.Standard && c.inv.Stage == invoice.Issued &&
		!c.inv.Canary && c.lateMS <= e.settings.LearnWithin.Milliseconds()
}

// Teach learns the invoice last begun: its identity, its delivery, the event
// time of its seller, and its amount if it is usual. suspect is what was decided
// of it. Segments that a restored checkpoint brought up to a higher offset are
// left as they are. A redelivery teaches nothing. It returns whether the amount
// was taught.
func (e *Engine) Teach(suspect bool) (taught bool) {
	c := &e.cur
	if c.sight.again {
		return false
	}
	taught = e.taught(suspect)
	e.clock.saw(c.ev.hashes.Seller, c.eventMS)
	e.seen.expire(e.clock.hour)
	if !c.bindsDelivery() {
		c.sight.delivery = 0
	}
	e.seen.register(&c.sight, c.position.Offset, c.inv.ID)
	if e.remembered() {
		if !c.gathered { // what the history keeps of the evidence does not depend on scoring
			e.gather()
		}
		e.history.Teach(&c.ev.facts, suspect)
		e.runs.teach(c, suspect)
	}
	if !e.taught(false) {
		return false
	}
	for kind := range segmentKind(segmentKinds) {
		s := e.meet(kind)
		if s == nil || s.applied > c.position.Offset {
			continue
		}
		if suspect {
			e.holdBack(kind, s)
			continue
		}
		if s == &c.untaught[kind] {
			s = e.keep(kind)
		}
		e.teach(s, c.inv.NetAmount, hourOf(c.eventMS))
		e.change(s)
	}
	return taught
}

// bindsDelivery tells whether this is the invoice that its delivery belongs to:
// the first one issued for it. A draft, a correction or recoup's own canary
// must not make the real invoice a duplicate.
func (c *current) bindsDelivery() bool {
	return c.sight.first == 0 && c.inv.Type == invoice.Standard && c.inv.Stage == invoice.Issued && !c.inv.Canary
}

// change has the next checkpoint write a segment.
func (e *Engine) change(s *segment) {
	if !s.is(isDirty) {
		s.marks |= isDirty
		e.dirty = append(e.dirty, s)
	}
}

// HighMarks returns the newest plausible event time seen of each seller that is
// still known, to be kept in the marker: at most 90 kB. A seller that was
// forgotten because 4,000 others were heard of later is met as a new one, and its
// next invoice is not late.
func (e *Engine) HighMarks() []byte { return e.clock.append(nil) }

// RestoreHighMarks takes back what HighMarks returned.
func (e *Engine) RestoreHighMarks(marks []byte) error { return e.clock.restore(marks) }

// StateRecord is one key of the state to be written.
type StateRecord struct {
	Key    []byte // readable: "segment|acme|EUR|B2C|fibre", "seen|4711", "history|0123|0"
	Value  []byte // nil: a tombstone, the key is forgotten
	Shared bool   // a contribution to a shared baseline, for recoup.baselines; else for recoup.state
}

// Changed returns how many records Checkpoint would return now.
func (e *Engine) Changed() int {
	return len(e.dirty) + len(e.forget) + e.seen.changed() + e.history.Changed()
}

// Replaced tells whether people's outcomes replaced a baseline since the last
// Checkpoint: until the next one other partitions go by what it was.
func (e *Engine) Replaced() bool { return e.replaced }

// Checkpoint returns copies of everything that changed since the one before.
// Every source offset below applied is contained and none at or above it. The
// caller owns the bytes. No further checkpoint may be taken before the records
// of this one, and their marker, are stored.
func (e *Engine) Checkpoint(applied int64) []StateRecord {
	out := make([]StateRecord, 0, e.Changed())
	e.EachChange(applied, func(r StateRecord) {
		out = append(out, StateRecord{Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value), Shared: r.Shared})
	})
	return out
}

// EachChange is Checkpoint for who wants no copy of all that changed at once: each is called
// with every record, whose bytes are valid until it returns.
func (e *Engine) EachChange(_ int64, each func(StateRecord)) {
	var value []byte
	for _, s := range e.dirty {
		s.marks &^= isDirty
		if s.is(isDropped) {
			continue
		}
		s.marks |= isStored
		value = e.outcomes.appendSegment(value[:0], &s.own, e.segments.rareOf(s))
		each(StateRecord{Key: e.shared.key(s.shared), Shared: true, Value: value})
	}
	for _, key := range e.forget {
		if s := e.segments.get(xxhash.Sum64String(key)); s == nil || e.segments.empty(s) {
			each(StateRecord{Key: []byte(key), Shared: true})
		}
	}
	clear(e.dirty)
	e.dirty, e.forget, e.replaced = e.dirty[:0], nil, false
	e.history.Checkpoint(func(key, value []byte) { each(StateRecord{Key: key, Value: value}) })
	for _, r := range e.seen.checkpoint(nil) {
		each(r)
	}
}

// Restore takes back one local state record, nil for a key that was forgotten.
// Of several records of a key the one to keep must come last. applied is the
// offset of the checkpoint that wrote it. Adopt must follow.
func (e *Engine) Restore(key, value []byte, applied int64) error {
	first, ok := parseSeenKey(key)
	switch {
	case ok:
		return e.seen.restore(first, value)
	case bytes.HasPrefix(key, []byte(history.KeyPrefix)), bytes.HasPrefix(key, []byte(history.MetPrefix)):
		return e.history.Restore(key, value, applied)
	case value == nil:
		return nil
	}
	return fmt.Errorf("cannot restore state key %q of offset %d: want a key that begins with %q, %q or %q; "+
		"run the newer recoup that wrote it", key, applied, seenPrefix, history.KeyPrefix, history.MetPrefix)
}

// MarkDirty has the next checkpoint write a key again, with a tombstone if this
// engine does not have it: an older owner wrote it late.
func (e *Engine) MarkDirty(key []byte, shared bool) {
	if !shared {
		if first, ok := parseSeenKey(key); ok {
			e.seen.markDirty(first)
		}
		e.history.MarkDirty(key)
		return
	}
	if s := e.segments.get(xxhash.Sum64(key)); s != nil && !e.segments.empty(s) {
		e.change(s)
		return
	}
	e.forget = append(e.forget, string(key))
}

// Adopt makes what was restored of the history the state as of offset, the
// marker's, from which on invoices are taught again. It is called once, after all
// Restores and AdoptShared, and before anything is taught. noted says that whoever wrote the
// marker noted all segments that it met, and that the notes were restored: the others an older
// owner wrote late, and they are forgotten again. The error names records that cannot be
// read: their statistics are learned anew.
func (e *Engine) Adopt(offset int64, noted bool) error {
	err := e.history.Adopt(offset)
	noted = noted && err == nil
	var unmet []*segment
	for s := range e.segments.all() {
		if s.applied <= offset && !e.history.Meets(s.hash, int32(s.own.hour)) {
			unmet = append(unmet, s)
		}
	}
	slices.SortFunc(unmet, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.own.hour, b.own.hour), cmp.Compare(a.hash, b.hash))
	})
	for _, s := range unmet {
		if noted && !e.history.Meets(s.hash, math.MinInt32) {
			e.drop(s.hash)
		} else {
			s.meet(e.history.Meet(s.hash, int32(s.own.hour), s.met()))
		}
	}
	return err
}

// AdoptShared makes what Shared holds of this engine's partition its live state,
// with the applied offsets, and returns how many segments that are. It is called
// once, after Shared was read to its end and before anything is taught.
func (e *Engine) AdoptShared() int {
	n := 0
	e.shared.holdOf(e.partition, func(number uint32, key []byte, p part) {
		c, err := decodeContribution(p.value)
		if err != nil {
			return // Put has read it
		}
		s := e.segments.add(xxhash.Sum64(key), number)
		s.own, s.applied, s.marks = c.baseline, p.applied, isStored
		e.segments.setRare(s, c.rare)
		n++
	})
	return n
}

// remembered tells whether the invoice last begun enters the history.
func (e *Engine) remembered() bool {
	c := &e.cur
	return c.inv.Type == invoice.Standard && c.inv.Stage == invoice.Issued && !c.inv.Canary &&
		c.lateMS <= e.settings.LearnWithin.Milliseconds()
}

// UseReferences has invoices compared with references from now on. The store may
// be shared with other engines and grow meanwhile.
func (e *Engine) UseReferences(s *reference.Store) { e.references = s }

// furthestBack is how old an invoice can be that examine looks at. A duplicate is
// dated by its original, which may be months old, but the history is of today: as
// of then, all it knows would lie in the future. Duplicates mostly come within days.
const furthestBack = 3 * 24 * time.Hour

// examine gathers the evidence on an invoice that is not the one last begun.
func (e *Engine) examine(ev *evidence, inv *invoice.Invoice) {
	inv.Hash(&ev.hashes)
	ev.factsOf(inv, max(e.cur.eventMS-furthestBack.Milliseconds(), inv.IssuedAt.UnixMilli()))
	e.history.Look(&ev.facts)
	ev.gather(inv, e.references)
	var sight sighting
	sight.hour = e.cur.sight.hour
	sight.delivery = deliveryHash(inv, &ev.hashes)
	e.seen.look(&sight, e.cur.position.Offset)
	ev.flag(fDelivery2, sight.first != 0)
}

// UseClassifier has the invoices of its seller judged by a classifier from the
// next Score on, instead of the one before.
func (e *Engine) UseClassifier(m *Classifier) { e.classifiers[m.seller] = m }

// Classifier returns what judges a seller's invoices, nil: the prior.
func (e *Engine) Classifier(seller string) *Classifier { return e.classifiers[seller] }
