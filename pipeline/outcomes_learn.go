package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"recoup/detectors"
	"recoup/invoice"
)

// outcomesAtOnce is how many outcomes are learned between two batches: each reads its
// invoice again.
const outcomesAtOnce = 64

// learnOutcomes has the engine learn, between two batches, what people decided since.
// Of each partition of the case events that is what stands behind the offset that the
// engine learned up to, in its order; what that was stands in the marker and with each
// segment, so that after a crash each outcome has taught once.
//
// An outcome of an invoice of this partition waits until the invoice is scored: an
// owner before this one may have published its case and then died.
func (w *Worker) learnOutcomes(ctx context.Context) error {
	o := w.m.outcomes
	if w.outcomesSeen == nil {
		w.outcomesSeen = make([]int64, len(o.decided))
	}
	waiting, left := 0, outcomesAtOnce
	for p := range o.decided {
		from := max(w.outcomesSeen[p], w.engine.Learned(p))
		for left > 0 {
			d, ok := o.next(p, from)
			if !ok {
				break
			}
			done, err := w.learnOutcome(ctx, p, &d)
			if err != nil {
				return err
			}
			if !done {
				waiting++
				break
			}
			from = d.offset + 1
			left--
		}
		w.outcomesSeen[p] = from
	}
	w.m.metrics.OutcomesWaiting.WithLabelValues(label(w.partition)).Set(float64(waiting))
	return nil
}

// learnOutcome learns one outcome; done is false while it must wait.
func (w *Worker) learnOutcome(ctx context.Context, partition int, d *decided) (done bool, err error) {
	event := invoice.Position{Topic: w.m.opt.Topics.CaseEvents, Partition: partition, Offset: d.offset}
	from, offsets := d.place.partition, []int64{d.place.offset}
	switch {
	case d.place.incident != "":
		from = w.partition
		if offsets, done = w.members(ctx, d.place.incident); !done {
			return false, nil
		}
	case from != w.partition && d.kind != detectors.ExpectedChange:
		return true, nil // another's
	case from == w.partition && d.place.offset >= w.next:
		return false, nil
	}
	learned := false
	for _, offset := range offsets {
		why, err := w.learnInvoice(ctx, d, event, from, offset)
		if err != nil {
			return false, err
		}
		if why != "" && from == w.partition {
			w.m.outcomes.gone(partition, d.offset, why)
		}
		learned = learned || why == ""
	}
	w.engine.Pass(event)
	if learned {
		w.m.metrics.OutcomesLearned.WithLabelValues(d.kind.String()).Inc()
	}
	return true, nil
}

// learnInvoice reads the invoice that an outcome is of again and learns it, or says why
// it cannot.
func (w *Worker) learnInvoice(ctx context.Context, d *decided, event invoice.Position, partition int,
	offset int64) (why string, err error) {
	if d.place.incarnation != w.incarnation {
		return "its invoice stood in a topic that was recreated since", nil
	}
	var r Record
	err = w.m.persist(ctx, fmt.Sprintf("reading partition %d", partition), func(ctx context.Context) (err error) {
		r, err = w.m.outcomes.sources.read(ctx, partition, offset)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case r.Value == nil:
		return "retention deleted its invoice", nil
	}
	if err := w.decoder.Decode(r.Value, &w.inv); err != nil {
		return "another record stands where its invoice was", nil
	}
	o := &detectors.Outcome{Event: event, Kind: d.kind, At: d.at, Rules: d.place.rules}
	if d.currency == w.inv.Currency {
		o.Correct = d.correct
	}
	source := w.position
	source.Partition, source.Offset = partition, offset
	w.engine.Learn(o, &w.inv, source, plausible(r.Time))
	return "", nil
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
		h.readers[partition] = h.m.log.Open(h.m.opt.Topics.Invoices, partition)
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
