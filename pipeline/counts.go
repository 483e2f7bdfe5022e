package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"recoup/detectors"
)

const (
	// urgentCounts is how often counts of values with new suspects are published: the
	// case stage looks for shared causes in them.
	urgentCounts = 2 * time.Second
	// allCounts is how often all that changed is, sourceCounts when sources were heard of
	// last: a silence of five minutes is told within one.
	allCounts, sourceCounts = time.Minute, 30 * time.Second
	// shortMark is how often it is said how far the partition was read while invoices
	// wait or none comes, longMark while sources say it.
	shortMark, longMark = 30 * time.Second, 2 * time.Minute
	// stretchCounts is how many times as long all may wait, and urgent values for
	// allCounts, while there are too many of them for the invoices that came.
	stretchCounts = 8
	// urgentCost and allCost are how many invoices one record needs.
	urgentCost, allCost = 10, 100
	// mostSaved is how many invoices are saved for later: a sudden trouble of 200 values
	// is published at once.
	mostSaved = 4000
	// countsWithin is how long one attempt to publish may take.
	countsWithin = 5 * time.Second
	// leaveCountsWithin is that of a worker that leaves.
	leaveCountsWithin = 500 * time.Millisecond
	// mostCountsWaiting bounds the records that wait for a log that does not answer.
	mostCountsWaiting = 50_000
)

// counting is what a worker counts for others, and what of it is on its way. It is
// advisory: no verdict, no offset and no checkpoint waits for it, and what a crash
// loses or counts twice does no harm.
type counting struct {
	*detectors.Counts
	from       int64         // offsets below were counted by a former owner
	newest     stamp         // of their records
	saved      int64         // invoices that no record was written for
	since      int64         // records handed over since the last checkpoint
	sourcesAt  time.Time     // last publication of sources
	markAt     time.Time     // last mark of how far the partition was read
	idle       bool          // no invoice was noted since
	lastRecord time.Time     // of the newest record
	urgentAt   time.Time     // last publication
	allAt      time.Time     // last full publication
	out        chan []Record // to publishCounts; only scoring sends
	waiting    []Record      // refused by the log so far; publishCounts's while it runs
	saidOthers uint64        // values that found no room when it was last said
}

// note counts the invoice last begun, whose verdict is given.
func (w *Worker) note(r *Record, v *detectors.Verdict) {
	w.counting.lastRecord, w.counting.idle = r.Time, false
	if r.Offset >= w.counting.from {
		w.counting.Note(&w.inv, v, r.Time)
		w.counting.saved = min(w.counting.saved+1, mostSaved)
	}
}

// rollCounts hands what is due to publishCounts, everything if now is set. While that
// one is busy, counting goes on and nothing is handed over.
func (w *Worker) rollCounts(now bool) {
	k := &w.counting
	if len(k.out) > 0 {
		return
	}
	at := w.m.opt.Now()
	since, urgentSince := at.Sub(k.allAt), at.Sub(k.urgentAt)
	everything := now || since >= allCounts &&
		(int64(k.Changed())*allCost <= k.saved || since >= stretchCounts*allCounts)
	urgent := k.Urgent() > 0 && urgentSince >= urgentCounts &&
		(int64(k.Urgent())*urgentCost <= k.saved || urgentSince >= allCounts)
	var changed []detectors.StateRecord
	switch {
	case everything:
		changed = k.Publish(detectors.PublishAll)
		k.allAt, k.urgentAt, k.sourcesAt = at, at, at
		k.saved = max(0, k.saved-int64(len(changed))*allCost)
		w.sayOthers()
	case urgent:
		changed = k.Publish(detectors.PublishUrgent)
		k.urgentAt, k.sourcesAt = at, at
		k.saved = max(0, k.saved-int64(len(changed))*urgentCost)
	}
	lag, quiet := w.lag.Load(), at.Sub(k.markAt)
	marks := lag != unread && (now || quiet >= longMark || quiet >= shortMark && (lag > 0 || k.idle))
	if marks || now || at.Sub(k.sourcesAt) >= sourceCounts { // what a mark says is read must be counted
		changed = append(changed, k.Publish(detectors.PublishSources)...)
		k.sourcesAt = at
	}
	if marks {
		mark := detectors.ReadMark{Until: at, At: at, Lag: lag}
		if lag > 0 {
			mark.Until = k.lastRecord
		}
		changed = append(changed, mark.Record())
		k.markAt, k.idle = at, true
	}
	if len(changed) == 0 {
		return
	}
	records, mine := make([]Record, 0, len(changed)), stamp{epoch: w.epoch, applied: w.next}
	for _, r := range changed {
		records = append(records, stateRecord(sharedKey(r.Key, w.partition), mine, r.Value))
	}
	k.since += int64(len(records))
	k.out <- records
}

// sayOthers says when values are not counted because there are too many.
func (w *Worker) sayOthers() {
	others := w.counting.Others()
	if others > w.counting.saidOthers {
		w.m.metrics.CountsDropped.Add(float64(others - w.counting.saidOthers))
		w.m.opt.Log.Warn("a dimension has more values than are counted; shared causes among the others are not seen",
			"partition", w.partition, "invoices", others-w.counting.saidOthers)
		w.counting.saidOthers = others
	}
}

// startCounting publishes what rollCounts hands over, beside scoring, until stop is called.
func (w *Worker) startCounting(ctx context.Context, c *claim) (stop func()) {
	k := &w.counting
	k.out = make(chan []Record, 1)
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for records := range k.out {
			k.waiting = append(k.waiting, records...)
			w.publishCounts(ctx, c, countsWithin)
		}
		if len(k.waiting) > 0 {
			w.publishCounts(ctx, c, leaveCountsWithin)
		}
	})
	return func() { close(k.out); publishing.Wait() }
}

// publishCounts tries once: what is refused waits for the next time.
func (w *Worker) publishCounts(ctx context.Context, c *claim, within time.Duration) {
	k := &w.counting
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := c.hold(ctx)
	if err == nil {
		_, err = w.m.log.Append(ctx, w.m.opt.Topics.Baselines, w.partition, k.waiting)
	}
	if err == nil || len(k.waiting) > mostCountsWaiting {
		k.waiting = nil
	}
	if err != nil {
		w.m.opt.Log.Debug("counts wait", "partition", w.partition, "records", len(k.waiting), "error", err)
	}
}

// restoreCounts reads what former owners of the partition published of their counts. Where it
// goes on from before, it also sees whether baselines were written since.
func (w *Worker) restoreCounts(ctx context.Context) error {
	m, k := w.m, &w.counting
	topic := m.opt.Topics.Baselines
	var end, scored int64
	both, actx := errgroup.WithContext(ctx)
	both.Go(func() (err error) { _, end, err = m.log.Bounds(actx, topic, w.partition); return err })
	both.Go(func() (err error) {
		_, scored, err = m.log.Bounds(actx, m.opt.Topics.Invoices, w.partition)
		return err
	})
	if err := both.Wait(); err != nil {
		return fmt.Errorf("cannot read bounds of partition %d: %w", w.partition, err)
	}
	from := w.read.baselines
	w.read.baselines, w.read.outdated = end, end < from
	return w.readRange(ctx, topic, max(from, 0), end, func(r Record) error {
		w.read.outdated = w.read.outdated || from >= 0 && !isCount(r.Key)
		err := foldCount(&k.newest, &r, func(key []byte, at stamp, value []byte) error {
			if at.applied <= scored { // else of a topic that was recreated
				k.from = max(k.from, at.applied)
			}
			return k.Restore(key, value)
		})
		if err != nil {
			w.foreign(topic, r.Offset, err)
		}
		return nil
	})
}

// foldCount gives fold what a record of recoup.baselines says of a count; a nil value
// forgets. newest is of the counts before it in its partition, as foldBaseline has it. What
// is late is not written over: a value is published whole whenever it changes.
func foldCount(newest *stamp, r *Record, fold func(key []byte, at stamp, value []byte) error) error {
	if !isCount(r.Key) {
		return nil
	}
	key, _, err := splitSharedKey(r.Key)
	if err != nil {
		return err
	}
	at, value, err := r.stamped()
	if err != nil || at.late(*newest) {
		return err
	}
	if err = fold(key, at, value); err == nil && at != unstamped {
		*newest = at
	}
	return err
}

// isCount tells the keys of counts from those of segments.
func isCount(key []byte) bool { return bytes.HasPrefix(key, []byte(detectors.CountPrefix)) }

// followCounts follows the counts of all partitions, for the case stage. fold gets the
// newest record of each key and source partition; a nil value forgets. Partitions are
// read at the same time, and the bytes are valid until fold returns.
func (m *Member) followCounts(fold func(key, value []byte, partition int) error) *tail {
	newest := make([]stamp, m.invoicePartitions)
	return newTail(m, m.opt.Topics.Baselines, m.invoicePartitions, func(partition int, got *Fetched) {
		for i := range got.Records {
			r := &got.Records[i]
			err := foldCount(&newest[partition], r, func(key []byte, _ stamp, value []byte) error {
				return fold(key, value, partition)
			})
			if err != nil {
				m.metrics.Foreign.Inc()
				m.opt.Log.Error("a count is passed over", "key", string(cutKey(r.Key)), "partition", partition, "error", err)
			}
		}
	})
}
