package pipeline

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// outcomes follows what people decide of cases, and the cases themselves: they say
// where the invoice of each stands. Both topics are read from their starts by every
// member, without a group. Workers take from it between two batches what they have not
// learned yet (outcomes_learn.go).
type outcomes struct {
	m      *Member
	cases  *tail
	events *tail
	ctx    context.Context // of run: what reading an event may wait for

	mu      sync.Mutex // guards what follows
	known   book[*casePlace]
	decided [][]decided // by partition of the case events: what teaches, by rising offset
	labels  book[detectors.Label]
	sources heldRecords
}

// decided is a case event that teaches.
type decided struct {
	offset   int64
	kind     detectors.OutcomeKind
	at       time.Time // when it was decided
	correct  invoice.OptionalAmount
	currency string
	place    *casePlace
}

// casePlace is where the invoice of a case stands.
type casePlace struct {
	incident    string // id of the incident whose members it is about, "" for a single invoice
	partition   int
	offset      int64
	incarnation int64
	rules       []string // of its verdict
	decided     uint8    // outcomes met so far, a bit each
}

const (
	// mostCases is how many cases a member remembers the places of, some 150 bytes each:
	// those met last. Of one forgotten no outcome is learned any more.
	mostCases = 400_000
	// mostDecided is how many outcomes of a partition it remembers, some 100 bytes each.
	// The older ones' invoices are long gone.
	mostDecided = 1 << 20
)

// newOutcomes follows the topics of cases and of case events, with their numbers of
// partitions; without events there is nothing to follow.
func newOutcomes(m *Member, caseCount, eventCount int) *outcomes {
	o := &outcomes{m: m, decided: make([][]decided, eventCount)}
	if eventCount == 0 {
		caseCount = 0
	}
	o.known.limit, o.labels.limit = mostCases/2, mostCases/2
	o.cases = newTail(m, m.opt.Topics.Cases, caseCount, o.takeCases)
	o.events = newTail(m, m.opt.Topics.CaseEvents, eventCount, o.takeEvents)
	o.sources.m = m
	return o
}

// run follows until ctx ends.
func (o *outcomes) run(ctx context.Context) {
	o.ctx = ctx
	var wg sync.WaitGroup
	wg.Go(func() { o.cases.run(ctx) })
	wg.Go(func() { o.events.run(ctx) })
	wg.Wait()
	o.sources.close()
}

// book holds values by the hash of a case id: those put last, at least as many as its
// limit and at most twice as many.
type book[T any] struct {
	limit         int
	newest, older map[uint64]T
}

func (b *book[T]) find(id string) (value T, ok bool) {
	key := xxhash.Sum64String(id)
	if value, ok = b.newest[key]; !ok {
		value, ok = b.older[key]
	}
	return value, ok
}

func (b *book[T]) put(id string, value T) {
	if len(b.newest) >= b.limit || b.newest == nil {
		b.newest, b.older = map[uint64]T{}, b.newest
	}
	b.newest[xxhash.Sum64String(id)] = value
}

// caseHead is what is read of a case.
type caseHead struct {
	CaseID string           `json:"case_id"`
	Kind   string           `json:"kind"`
	Rules  []string         `json:"rules"`
	Source invoice.Position `json:"source"`
}

// nowhere is the partition of an invoice that is not known.
const nowhere = -1

// takeCases notes where the invoices of cases stand. A case's later records say the
// same. One that only a customer's dispute opened stands where the dispute does: nothing
// is known of its invoice, and nothing was withheld of it.
func (o *outcomes) takeCases(_ int, got *Fetched) {
	for i := range got.Records {
		var c caseHead
		if json.Unmarshal(got.Records[i].Value, &c) != nil || c.CaseID == "" {
			continue // a tombstone, or nothing of ours: the case stage says so
		}
		p := &casePlace{partition: c.Source.Partition, offset: c.Source.Offset, incarnation: c.Source.Incarnation,
			rules: c.Rules}
		switch c.Kind {
		case "invoice":
			if c.Source.Topic != o.m.opt.Topics.Invoices {
				p.partition = nowhere
			}
		case "incident":
			p.incident = c.CaseID
		default:
			continue
		}
		o.mu.Lock()
		if was, again := o.known.find(c.CaseID); !again || was.partition == nowhere {
			o.known.put(c.CaseID, p)
		}
		o.mu.Unlock()
	}
}

// takeEvents notes the outcomes among case events. Those that cannot be read are parked
// by the case stage.
func (o *outcomes) takeEvents(partition int, got *Fetched) {
	for i := range got.Records {
		r := &got.Records[i]
		e, err := cases.DecodeEvent(r.Value)
		if err != nil {
			continue
		}
		o.label(e)
		kind := outcomeKind(e)
		if kind == 0 {
			continue
		}
		place := o.find(e.CaseID)
		if place == nil {
			o.gone(partition, r.Offset, "the topic of cases does not name the case")
			continue
		}
		if place.partition == nowhere {
			continue
		}
		o.mu.Lock()
		if place.decided&(1<<kind) == 0 { // else it came before: again, or with a later step
			place.decided |= 1 << kind
			o.note(partition, decided{offset: r.Offset, kind: kind, at: e.At, correct: e.CorrectAmount,
				currency: strings.Clone(e.Currency), place: place})
		}
		o.mu.Unlock()
	}
}

// gone says that an outcome teaches nothing although it should.
func (o *outcomes) gone(partition int, offset int64, why string) {
	o.m.metrics.OutcomesGone.Inc()
	o.m.opt.Log.Warn("an outcome cannot be learned", "topic", o.events.topic, "partition", partition, "offset", offset,
		"because", why)
}

// note adds an outcome. o.mu is held.
func (o *outcomes) note(partition int, d decided) {
	list := o.decided[partition]
	if len(list) >= mostDecided {
		list = slices.Clone(list[len(list)/2:])
	}
	o.decided[partition] = append(list, d)
}

// outcomeKind is what an event teaches, 0: nothing. What a random sample found teaches
// no history: nothing was withheld of it.
func outcomeKind(e *cases.Event) detectors.OutcomeKind {
	if e.CaseID == "" || e.Origin == cases.OriginAudit {
		return 0
	}
	switch e.Outcome {
	case cases.OutcomeNotAnError:
		return detectors.NotAnError
	case cases.OutcomeExpectedChange:
		return detectors.ExpectedChange
	case cases.OutcomeConfirmed:
		return detectors.ConfirmedError
	}
	return 0
}

// find returns the place of a case, nil if the topic of cases does not name it. The
// case was there before anybody could decide it, but in another topic: it may not be
// read yet.
func (o *outcomes) find(id string) *casePlace {
	for tries := range 2 {
		o.mu.Lock()
		p, ok := o.known.find(id)
		o.mu.Unlock()
		if ok || tries > 0 {
			return p
		}
		if o.m.persist(o.ctx, "cases", o.cases.catchUp) != nil {
			return nil
		}
	}
	return nil
}

// label notes what an event says of its invoice, for the next training.
func (o *outcomes) label(e *cases.Event) {
	l := detectors.Label{Audit: e.Origin == cases.OriginAudit}
	switch e.Outcome {
	case cases.OutcomeConfirmed:
		l.Wrong, l.Cause = true, strings.Clone(e.TrueCause)
	case cases.OutcomeNotAnError, cases.OutcomeExpectedChange:
	default:
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.labels.put(e.CaseID, l)
}

// labelOf returns what was decided of an invoice, ok false: nothing.
func (o *outcomes) labelOf(inv *invoice.Invoice) (l detectors.Label, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.labels.newest) == 0 {
		return l, false
	}
	return o.labels.find(cases.ID(cases.DedupKey(inv.Seller, inv.ID, inv.Revision)))
}

// next returns the first outcome of a partition at or above an offset, ok false without.
func (o *outcomes) next(partition int, offset int64) (d decided, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.decided[partition]
	at := sort.Search(len(list), func(i int) bool { return list[i].offset >= offset })
	if at == len(list) {
		return decided{}, false
	}
	return list[at], true
}
