package pipeline

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"recoup/detectors"
)

// maxStretch bounds how far a checkpoint is put off while it would write more than
// a record per five invoices: by default for an hour. Where segments are few it writes
// some 1,100 records, whatever came (DESIGN.md), so at 1.5 invoices a second and more the
// fifth ends the wait, and a crash has no more to replay than some 6,300 invoices, a
// quarter of a second; each segment that is taught adds five. What waits longest for it
// are other partitions: they see this one's baselines as of the last checkpoint.
const maxStretch = 120

// checkpoint is a copy of everything that changed since the one before, taken
// between two batches. It is published once the commit of its offset was
// accepted; until then no other is taken and learning goes on.
type checkpoint struct {
	marker  marker
	local   packedRecords // for recoup.state
	shared  packedRecords // for recoup.baselines
	records int           // in both
	held    int64         // what counts of its bytes among the copies, under their lock
}

// bytes is how much memory it takes.
func (c *checkpoint) bytes() int64 { return c.local.bytes() + c.shared.bytes() }

// copies are the checkpoints of all partitions that wait to be published. Where much has changed
// each may take a tenth of what its partition does, and all become due together: then they are taken
// one after the other.
type copies struct {
	mu    sync.Mutex // guards what follows, and is held while one is taken
	bytes int64
}

// mostCopied is how many bytes of copies wait when no further one is taken.
const mostCopied = 32 << 20

// take calls copied, which makes a copy, if there is room or now is set.
func (c *copies) take(now bool, copied func() *checkpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now || c.bytes < mostCopied {
		cp := copied()
		cp.held = cp.bytes()
		c.bytes += cp.held
	}
}

// release has nobody wait for a copy any longer.
func (c *copies) release(cp *checkpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes -= cp.held
	cp.held = 0
}

// rollCheckpoint takes a checkpoint when one is due, or now is set.
func (w *Worker) rollCheckpoint(now bool) {
	if w.scoredSince == 0 && !w.overwritten || w.queue.hasCheckpoint() {
		return
	}
	if w.departing && w.scoredSince <= mostLeft || !now && !w.checkpointDue() {
		return
	}
	late := w.m.opt.Now().Sub(w.markedAt) >= maxStretch*w.m.opt.CheckpointInterval
	if w.offerCopy(now || late) == nil {
		return
	}
	w.lastCheckpoint, w.scoredSince, w.counting.since = w.m.opt.Now(), 0, 0
	w.markedAt = w.lastCheckpoint
	w.overwritten = false
}

// lastCopy takes the checkpoint of a worker that ends, for the case that its partition goes to another
// member. It does not where the group shares out what others leave: then this one keeps what it has, and
// while the states of its partitions are copied, some hundred milliseconds each, nobody works on what is left.
func (w *Worker) lastCopy(c *claim) {
	select {
	case <-c.gen.Done():
		if w.m.standby.keeps() {
			return
		}
	default:
	}
	w.rollCheckpoint(true)
}

// offerCopy has a copy of the state published, nil where others wait and now is not set.
func (w *Worker) offerCopy(now bool) (cp *checkpoint) {
	w.m.copies.take(now, func() *checkpoint {
		cp = w.copyState()
		w.queue.offer(cp)
		return cp
	})
	return cp
}

// checkpointDue keeps the state records, counts among them, below a fifth of the
// invoices, within reason. While a partition is young, others wait for what it knows: there one is
// due when the partition has doubled. What a former owner wrote behind us must not stand
// last when its topic is compacted. They wait too when people said that a change was
// meant: as long as others know the baseline of before, the change alarms everywhere.
func (w *Worker) checkpointDue() bool {
	since := w.m.opt.Now().Sub(w.lastCheckpoint)
	interval := w.m.opt.CheckpointInterval
	if since < interval {
		return false
	}
	return w.overwritten || w.engine.Replaced() || w.scoredSince >= w.next/2 ||
		int64(w.engine.Changed())+w.counting.since <= w.scoredSince/5 ||
		w.m.opt.Now().Sub(w.markedAt) >= maxStretch*interval
}

// checkpointBefore is when the checkpoint before counts as made that a new owner goes on
// from: when it was. A partition that moves often would never be due otherwise, and each owner have
// more to replay than the one before. Those that are taken over together make theirs one after the
// other, over half an interval.
func (w *Worker) checkpointBefore(mark marker) time.Time {
	now, interval := w.m.opt.Now(), w.m.opt.CheckpointInterval
	soonest := now.Add(-interval/2 - interval/2*time.Duration(w.partition)/time.Duration(w.m.invoicePartitions))
	switch at := mark.writtenAt; {
	case at.After(now):
		return now // it has another clock
	case at.After(soonest):
		return at
	}
	return soonest
}

// copyState copies the changed keys at the present offset.
func (w *Worker) copyState() *checkpoint {
	t := w.next
	w.reachModels(t - 1) // the log is read again from t on only
	at := stamp{epoch: w.epoch, applied: t}
	cp := &checkpoint{marker: marker{Offset: t, Epoch: w.epoch, Incarnation: w.incarnation,
		Partitions: w.m.invoicePartitions, LogPosition: w.logPosition(t), HighMarks: w.engine.HighMarks(),
		Runs:      w.engine.Runs(),
		SweepFrom: w.rows.sweepFrom.Load(), BeforeAt: w.beforeAt, BeforeHash: w.beforeHash,
		Models: maps.Clone(w.judges), Budget: w.m.opt.Budget, Met: true, Outcomes: w.engine.OutcomeState()}}
	w.engine.EachChange(t, func(r detectors.StateRecord) {
		cp.records++
		if r.Shared {
			cp.shared.add(stateRecord(sharedKey(r.Key, w.partition), at, r.Value))
		} else {
			cp.local.add(stateRecord(r.Key, at, r.Value))
		}
	})
	return cp
}

// logPosition is where a successor starts to read the decision log: at the first
// decision of source offset t or above, else at the log's end. Entries below t
// are forgotten.
func (w *Worker) logPosition(t int64) int64 {
	position := w.decisions.next
	kept := w.logged[:0]
	for _, e := range w.logged {
		if e.source >= t {
			kept = append(kept, e)
			position = min(position, e.log)
		}
	}
	w.logged = kept
	return position
}

// mostLogged bounds what logPosition looks at: 1 MiB. Checkpoints may be refused for days.
const mostLogged = 1 << 16

// noteLogged adds an entry. Where there are too many, two that stand together become one: a
// successor may read some decisions that it does not need.
func (w *Worker) noteLogged(e logEntry) {
	if len(w.logged) >= mostLogged {
		kept := w.logged[:0]
		for pair := range slices.Chunk(w.logged, 2) {
			one := pair[0]
			for _, other := range pair[1:] {
				one = logEntry{log: min(one.log, other.log), source: max(one.source, other.source)}
			}
			kept = append(kept, one)
		}
		w.logged = kept
	}
	w.logged = append(w.logged, e)
}

// lookBehind finds, now and then, what stands in recoup.state behind our last record.
// Whoever scores finds it with the next checkpoint, but a partition may rest for days.
func (r *rowWriter) lookBehind(ctx context.Context) error {
	m := r.w.m
	if m.opt.Now().Before(r.lookAt) {
		return nil
	}
	r.lookAt = m.opt.Now().Add(m.opt.CheckpointInterval)
	return m.persist(ctx, r.w.statePart(), r.state.look)
}

// seeStateGap looks at records that stand in recoup.state between our own: what
// an older epoch wrote there would win by standing last once the topic is
// compacted, so the key is written again.
func (w *Worker) seeStateGap(r Record) error {
	s, _, err := r.stamped()
	if err != nil {
		w.foreign(w.m.opt.Topics.State, r.Offset, err)
		return nil
	}
	switch {
	case s.epoch > w.epoch:
		return ErrFenced
	case s.epoch < w.epoch:
		w.markDirty(string(r.Key))
	}
	return nil
}
