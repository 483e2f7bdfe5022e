package pipeline

import (
	"context"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/cases/jsonrecord"
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

	// ready is closed once all is read that both topics held at first: what was decided of
	// an invoice is known as a whole.
	ready chan struct{}

	mu      sync.Mutex // guards what follows, and what changes of a casePlace
	known   book[*casePlace]
	decided [][]decided // by partition of the case events: what teaches, by rising offset
	labels  book[detectors.Label]
	closed  book[closedCase]
	sources heldRecords
}

// decided is a case event that teaches, or the last of several of unknown cases.
type decided struct {
	offset   int64
	kind     detectors.OutcomeKind
	at       time.Time // when it was decided
	correct  invoice.OptionalAmount
	currency string
	place    *casePlace // nil: the topic of cases does not name the case
	unknown  int64      // without a place: how many such events stand from since on
	since    int64
}

// casePlace is where the invoice of a case stands. What it says of decisions and of
// incidents changes, the rest does not.
type casePlace struct {
	key         uint64 // hash of the case id
	partition   int
	offset      int64
	incarnation int64
	rules       []string // of its verdict
	shared      *incidentMembers
	member      *casePlace // of the incident that the invoice belongs to, nil: none
	decided     []said     // outcomes met so far, one of each kind
}

// said is an outcome that was met.
type said struct {
	kind detectors.OutcomeKind
	at   time.Time
}

// says tells whether an outcome was met.
func (p *casePlace) says(kind detectors.OutcomeKind) bool {
	return slices.ContainsFunc(p.decided, func(s said) bool { return s.kind == kind })
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
	o := &outcomes{m: m, decided: make([][]decided, eventCount), ready: make(chan struct{})}
	if eventCount == 0 {
		caseCount = 0
	}
	o.known.limit, o.labels.limit, o.closed.limit = mostCases/2, mostCases/2, mostClosed
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
	if o.m.persist(ctx, "case events", o.events.catchUp) == nil && o.m.persist(ctx, "cases", o.cases.catchUp) == nil {
		close(o.ready)
	}
	wg.Wait()
	o.sources.close()
}

// book holds values by the hash of a case id: those put last, at least as many as its
// limit and at most twice as many.
type book[T any] struct {
	limit         int
	newest, older map[uint64]T
}

func (b *book[T]) find(id string) (value T, ok bool) { return b.at(xxhash.Sum64String(id)) }

func (b *book[T]) at(key uint64) (value T, ok bool) {
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
	CaseID     string           `json:"case_id"`
	Kind       string           `json:"kind"`
	Seller     string           `json:"seller"`
	Seq        int64            `json:"seq"`
	Rules      []string         `json:"rules"`
	Source     invoice.Position `json:"source"`
	IncidentID string           `json:"incident_id"`
	Incident   struct {
		Aliases []string `json:"aliases"`
	} `json:"incident"`
	Joined []struct {
		At invoice.Position `json:"at"`
	} `json:"members_joined"`

	// What a closed case came to.

	Loss       detectors.Loss    `json:"loss"`
	TooLate    bool              `json:"too_late"`
	Outcome    cases.Outcome     `json:"outcome"`
	Settlement *cases.Settlement `json:"settlement"`
	Resolution *cases.Resolution `json:"resolution"`
}

// nowhere is the partition of an invoice that is not known.
const nowhere = -1

// takeCases notes where the invoices of cases stand, and what belongs to incidents.
func (o *outcomes) takeCases(_ int, got *Fetched) {
	for i := range got.Records {
		var c caseHead
		if jsonrecord.Unmarshal(got.Records[i].Value, &c) != nil || c.CaseID == "" {
			continue // a tombstone, or nothing of ours: the case stage says so
		}
		o.mu.Lock()
		switch c.Kind {
		case "invoice":
			o.takeInvoice(&c)
			o.takeClosed(&c)
		case "incident":
			o.takeIncident(&c)
		}
		o.mu.Unlock()
	}
}

// takeInvoice notes where the invoice of a case stands. A case's later records say the
// same. One that only a customer's dispute opened stands where the dispute does: nothing
// is known of its invoice, and nothing was withheld of it. o.mu is held.
func (o *outcomes) takeInvoice(c *caseHead) {
	p, again := o.known.find(c.CaseID)
	if !again || p.partition == nowhere {
		p = &casePlace{key: xxhash.Sum64String(c.CaseID), partition: c.Source.Partition, offset: c.Source.Offset,
			incarnation: c.Source.Incarnation, rules: c.Rules}
		if c.Source.Topic != o.m.opt.Topics.Invoices {
			p.partition = nowhere
		}
		o.known.put(c.CaseID, p)
	}
	if c.IncidentID != "" && p.partition != nowhere {
		o.joins(p, c.IncidentID)
	}
}

// takeEvents notes the outcomes among case events. Those that cannot be read are parked
// by the case stage. A case was there before anybody could decide it, but in another
// topic: where one is not known yet that is read up to its end, once for all events that
// came together.
func (o *outcomes) takeEvents(partition int, got *Fetched) {
	waited := false
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
		if place == nil && !waited {
			if o.m.persist(o.ctx, "cases", o.cases.catchUp) != nil {
				return // the member ends
			}
			waited, place = true, o.find(e.CaseID)
		}
		o.note(partition, got.Records[0].Offset, &decided{offset: r.Offset, kind: kind,
			at: cases.Plausible(e.At, plausible(r.Time)), correct: e.CorrectAmount,
			currency: strings.Clone(e.Currency), place: place})
	}
}

// note adds an outcome, unless it came before: again, or with a later step. Workers say
// which ones of unknown cases they have not learned before; of those that came together,
// from an offset on, one after the other, one is kept.
func (o *outcomes) note(partition int, together int64, d *decided) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.decided[partition]
	switch last := len(list) - 1; {
	case d.place == nil && last >= 0 && list[last].place == nil && list[last].since >= together:
		list[last].offset = d.offset
		list[last].unknown++
		return
	case d.place == nil:
		d.unknown, d.since = 1, d.offset
	case d.place.partition == nowhere || d.place.says(d.kind):
		return
	default:
		d.place.decided = append(d.place.decided, said{d.kind, d.at})
	}
	if len(list) >= mostDecided {
		list = slices.Clone(list[len(list)/2:])
	}
	o.decided[partition] = append(list, *d)
}

// gone says that outcomes teach nothing although they should.
func (o *outcomes) gone(partition int, offset, n int64, why string) {
	o.m.metrics.OutcomesGone.Add(float64(n))
	o.m.opt.Log.Warn("outcomes cannot be learned", "topic", o.events.topic, "partition", partition, "offset", offset,
		"outcomes", n, "because", why)
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

// find returns the place of a case, nil if the topic of cases did not name it so far.
func (o *outcomes) find(id string) *casePlace {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, _ := o.known.find(id)
	return p
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
