package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

const (
	// lessonsAtOnce is how many outcomes of a partition of the case events are made ready
	// at once.
	lessonsAtOnce = 64
	// mostHeld is about how many bytes of invoices may be ready to be learned from each.
	mostHeld = 8 << 20
	// learnedAtOnce is how many invoices are learned from between two batches: about 50 ms.
	learnedAtOnce = 256
)

// lessons are outcomes of one partition of the case events, in their order. Their
// invoices are read again beside scoring.
type lessons struct {
	ready  chan struct{} // closed once all is read
	failed bool          // reading came to no end: the worker left
	list   []lesson
}

// lesson is one outcome and what it is about.
type lesson struct {
	decided
	from     int // partition of the invoices
	invoices []heldInvoice
}

// heldInvoice is an invoice that taught nothing when it was scored.
type heldInvoice struct {
	offset, incarnation int64
	key                 uint64   // hash of the id that its case has, or would have
	rules               []string // of its verdict
	record              Record
	gone                string // why there is nothing to be learned; "": there is
}

const recreated = "its invoice stood in a topic that was recreated since"

// learnOutcomes has the engine learn, between two batches, what people decided since.
// Of each partition of the case events that is what stands behind the offset that the
// engine learned up to, in its order; what that was stands in the marker and with each
// segment, so that after a crash each outcome has taught once.
func (w *Worker) learnOutcomes(ctx context.Context) {
	o := w.m.outcomes
	select {
	case <-o.ready:
	default:
		return
	}
	if w.lessons == nil {
		w.lessons, w.outcomesSeen = make([]*lessons, len(o.decided)), make([]int64, len(o.decided))
	}
	waiting, left := 0, learnedAtOnce
	for p := range w.lessons {
		if w.lessons[p] == nil {
			w.lessons[p] = w.prepare(ctx, p)
		}
		if w.learnFrom(p, &left) {
			waiting++
		}
	}
	w.m.metrics.OutcomesWaiting.WithLabelValues(label(w.partition)).Set(float64(waiting))
}

// prepare begins to read what the next outcomes of a partition are about; nil: there
// are none.
func (w *Worker) prepare(ctx context.Context, partition int) *lessons {
	l := &lessons{ready: make(chan struct{})}
	from := max(w.outcomesSeen[partition], w.engine.Learned(partition))
	for len(l.list) < lessonsAtOnce {
		d, ok := w.m.outcomes.next(partition, from)
		if !ok {
			break
		}
		if d.place == nil {
			d.unknown = min(d.unknown, d.offset-max(from, d.since)+1)
		}
		from = d.offset + 1
		if d.place != nil && (d.place.shared != nil || d.place.partition == w.partition ||
			d.kind == detectors.ExpectedChange) || d.place == nil && w.partition == partition%w.m.invoicePartitions {
			l.list = append(l.list, lesson{decided: d, from: w.partition})
		} // else another's
	}
	if len(l.list) == 0 {
		w.outcomesSeen[partition] = from
		return nil
	}
	go l.read(ctx, w.m.outcomes, w.partition, w.incarnation)
	return l
}

// read reads the invoices of the lessons, as far as there is room.
func (l *lessons) read(ctx context.Context, o *outcomes, partition int, incarnation int64) {
	defer close(l.ready)
	bytes := 0
	for i := range l.list {
		n, err := l.list[i].read(ctx, o, partition, incarnation)
		if err != nil {
			l.failed = true
			return
		}
		if bytes += n; bytes > mostHeld {
			l.list = l.list[:i+1]
			return
		}
	}
}

func (l *lesson) read(ctx context.Context, o *outcomes, partition int, incarnation int64) (bytes int, err error) {
	switch p := l.place; {
	case p == nil:
	case p.shared != nil:
		if l.invoices, err = o.members(ctx, p, partition, incarnation); err != nil {
			return 0, err
		}
	default:
		l.from = p.partition
		l.invoices = []heldInvoice{{offset: p.offset, incarnation: p.incarnation, key: p.key, rules: p.rules}}
	}
	for i := len(l.invoices) - 1; i >= 0; i-- {
		inv := &l.invoices[i]
		if inv.incarnation != incarnation {
			inv.gone = recreated
			continue
		}
		err = o.m.persist(ctx, fmt.Sprintf("reading partition %d", l.from), func(ctx context.Context) (err error) {
			inv.record, err = o.sources.read(ctx, l.from, inv.offset)
			return err
		})
		if err != nil {
			return 0, err
		}
		if inv.record.Value == nil {
			inv.gone = "retention deleted its invoice"
		}
		if bytes += len(inv.record.Value); bytes > mostHeld {
			l.invoices = l.invoices[i:] // of an incident: the newest ones
			break
		}
	}
	return bytes, nil
}

// learnFrom learns the outcomes of a partition that are ready. It tells whether some
// must wait.
func (w *Worker) learnFrom(partition int, left *int) (waits bool) {
	l := w.lessons[partition]
	if l == nil {
		return false
	}
	select {
	case <-l.ready:
	default:
		return true
	}
	for ; len(l.list) > 0 && !l.failed; l.list = l.list[1:] {
		next := &l.list[0]
		if *left <= 0 || w.mustWait(next) {
			return true
		}
		w.learnOutcome(partition, next)
		w.outcomesSeen[partition] = next.offset + 1
		*left -= max(1, len(next.invoices))
	}
	w.lessons[partition] = nil // what follows, or what failed, is made ready next
	return l.failed
}

// mustWait tells whether an invoice of this partition is not scored yet: an owner before
// this one may have published its case and then died.
func (w *Worker) mustWait(l *lesson) bool {
	return l.from == w.partition && slices.ContainsFunc(l.invoices, func(inv heldInvoice) bool {
		return inv.gone != recreated && inv.offset >= w.next
	})
}

// learnOutcome learns one outcome.
func (w *Worker) learnOutcome(partition int, l *lesson) {
	o := w.m.outcomes
	if l.place == nil {
		o.gone(partition, l.offset, l.unknown, "the topic of cases does not name the case")
	}
	event := invoice.Position{Topic: w.m.opt.Topics.CaseEvents, Partition: partition, Offset: l.offset}
	learned := false
	for i := range l.invoices {
		inv := &l.invoices[i]
		if o.taught(&l.decided, inv.key) {
			continue
		}
		why := w.learnInvoice(l, event, inv)
		if why != "" && l.from == w.partition {
			o.gone(partition, l.offset, 1, why)
		}
		learned = learned || why == ""
	}
	w.engine.Pass(event)
	if learned {
		w.m.metrics.OutcomesLearned.WithLabelValues(l.kind.String()).Inc()
	}
}

// learnInvoice learns what an outcome says of one invoice, or says why it cannot.
func (w *Worker) learnInvoice(l *lesson, event invoice.Position, inv *heldInvoice) (why string) {
	if inv.gone != "" {
		return inv.gone
	}
	if w.decoder.Decode(inv.record.Value, &w.inv) != nil ||
		xxhash.Sum64String(cases.ID(cases.DedupKey(w.inv.Seller, w.inv.ID, w.inv.Revision))) != inv.key {
		return "another record stands where its invoice was"
	}
	o := &detectors.Outcome{Event: event, Kind: l.kind, At: l.at, Rules: inv.rules}
	if l.currency == w.inv.Currency && l.place.shared == nil { // what is due of an incident is no invoice's amount
		o.Correct = l.correct
	}
	source := w.position
	source.Partition, source.Offset = l.from, inv.offset
	w.engine.Learn(o, &w.inv, source, plausible(inv.record.Time))
	return ""
}

// heldRecords reads single invoices again, for all workers of a member: an expected
// change is learned by each of them.
type heldRecords struct {
	m *Member

	mu      sync.Mutex // guards what follows
	readers map[int]Reader
	recent  []heldRecord // the newest last
}

type heldRecord struct {
	partition int
	record    Record // Value nil: gone
}

// recentRecords is how many records are kept to be asked for again.
const recentRecords = 64

// read returns the record at an offset, one without a value where it is gone.
func (h *heldRecords) read(ctx context.Context, partition int, offset int64) (Record, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.recent {
		if r := &h.recent[i]; r.partition == partition && r.record.Offset == offset {
			return r.record, nil
		}
	}
	if h.readers == nil {
		h.readers = map[int]Reader{}
	}
	if h.readers[partition] == nil {
		h.readers[partition] = h.m.open(h.m.opt.Topics.Invoices, partition)
	}
	found := Record{Offset: offset}
	got, err := h.readers[partition].Fetch(ctx, offset)
	switch {
	case errors.Is(err, ErrOutOfRange):
	case err != nil:
		return Record{}, err
	case len(got.Records) > 0 && got.Records[0].Offset == offset:
		found = got.Records[0]
		found.Value = slices.Clone(found.Value)
	case got.Next <= offset: // it was read before: who leads the partition now tells an older end
		return Record{}, fmt.Errorf("cannot read the invoice at offset %d again: the log ends at %d", offset, got.End)
	}
	if len(h.recent) == recentRecords {
		h.recent = slices.Delete(h.recent, 0, 1)
	}
	h.recent = append(h.recent, heldRecord{partition, found})
	return found, nil
}

func (h *heldRecords) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.readers {
		r.Close()
	}
	h.readers = nil
}
