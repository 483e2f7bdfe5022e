package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// Worker owns one partition: its decoder, its state and its rows. One goroutine
// scores, a second one (writer.go) stores rows, commits and publishes
// checkpoints. The order of outside writes, per batch, is
//
//  1. decision log   every suspect verdict, whole, with its case
//  2. cases          and dead letters
//  3. rows           lines, then invoices
//  4. commit         of the offset behind the last of them
//
// and each waits until the one before is acknowledged. Rows may lag behind
// cases, as far as the row buffer reaches.
type Worker struct {
	m         *Member
	partition int
	epoch     int64 // log offset of our ownership record
	position  invoice.Position

	engine  *detectors.Engine
	decoder *invoice.Decoder
	inv     invoice.Invoice
	verdict detectors.Verdict

	next       int64               // source offset to score next
	kept       map[int64]*Decision // verdicts a former owner published, by source offset
	decisions  appender
	logged     []logEntry        // where decisions stand in the log, for the next marker
	judges     map[string]string // version that judges a seller's invoices, as the log says; not named: the prior
	ahead      []modelSwitch     // changes of former owners at offsets that are not scored yet
	decided    int64             // offset behind the last one whose decision by a former owner is in the log
	modelsSeen int64             // how often the models had changed when they were last adopted

	outcomesSeen []int64    // by partition of the case events: those below were looked at
	lessons      []*lessons // by partition of the case events: what is made ready to be learned, or nil

	pending effects // made outside effects of the last batch that are not all acknowledged

	block      Block
	blockBytes int64 // what block counts against the row buffer
	blockSince time.Time
	queuedEnd  int64 // offset behind the last queued block
	queue      *rowQueue

	incarnation    int64
	lastCheckpoint time.Time             // what the interval counts from
	markedAt       time.Time             // when the newest marker was written, whoever did; zero: there is none
	scoredSince    int64                 // records since the last checkpoint
	forgotten      []detectors.Forgotten // what metrics know of; nil: nothing was scored yet
	overwritten    bool                  // an older epoch wrote behind our state since the last checkpoint
	departing      bool                  // the member is to stop, and the state for the next owner was copied
	beforeAt       int64                 // offset and hash of the last record scored
	beforeHash     uint64

	rows     rowWriter
	counting counting
	read     *reading // how far a take-over has come; nil: it has not begun

	inbox struct {
		mu    sync.Mutex // guards dirty
		dirty []string   // keys of recoup.state
	}
	progress atomic.Int64 // Unix nanoseconds of the last step forward
	lag      atomic.Int64 // records between next and the log's end; takingOver, then unread before the first fetch
}

// logEntry says that the decision of a source offset stands at a log offset or behind it.
type logEntry struct{ log, source int64 }

func newWorker(m *Member, partition int) *Worker {
	w := &Worker{m: m, partition: partition, epoch: -1,
		engine: detectors.NewBoundedEngine(m.opt.Scoring, m.shared, partition,
			m.opt.Budget.Share(m.invoicePartitions)),
		decoder: invoice.NewDecoder(m.opt.Limits),
		kept:    map[int64]*Decision{}, judges: map[string]string{},
		block: m.store.NewBlock(), queue: newRowQueue(), beforeAt: -1}
	w.engine.UseReferences(m.refs.store)
	w.engine.UseIncidents(m.incidents)
	w.engine.UseLimitation(m.opt.Cases.LastDay)
	w.counting.Counts, w.counting.saved = detectors.NewCounts(m.opt.Scoring), mostSaved
	w.position = invoice.Position{Topic: m.opt.Topics.Invoices, Partition: partition}
	w.lag.Store(takingOver)
	w.stepped()
	w.decisions = appender{m: m, topic: m.opt.Topics.Suspects, partition: partition, onGap: w.seeDecisionGap}
	w.rows.init(w)
	return w
}

// Run scores until drain is closed, then stores what it holds and returns nil;
// it returns ErrFenced when the partition went to somebody else. State and
// unfinished effects stay in the worker, for Run to go on with.
func (w *Worker) Run(ctx context.Context, drain <-chan struct{}, c *claim) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(errDrained)
	w.queue.reopen()
	c.departure.set(w.partition, false)
	defer c.departure.unset(w.partition)
	written := make(chan error, 1)
	go func() {
		err := w.rows.run(work, c)
		if err != nil {
			cancel(err)
		}
		written <- err
	}()
	stopped := make(chan struct{})
	defer close(stopped)
	go w.limitDrain(drain, stopped, c, cancel)
	defer w.startCounting(work, c)() // within limitDrain: nobody waits for counts longer than for rows
	err := w.scoreLoop(work, drain, c)
	if err == nil {
		w.queue.finish()
	} else {
		cancel(err)
	}
	if writeErr := <-written; err == nil {
		err = writeErr
	}
	if errors.Is(err, errDrained) {
		return nil
	}
	return err
}

// handOver is how long a worker goes on storing once the group rebalances: the others
// wait. Rows that are not stored by then it keeps, for the case that it gets its
// partition again; else the next owner scores them again, as after a crash.
const handOver = 150 * time.Millisecond

// limitDrain ends what a leaving worker has under way when it takes too long.
func (w *Worker) limitDrain(drain, stopped <-chan struct{}, c *claim, cancel context.CancelCauseFunc) {
	select {
	case <-drain:
	case <-stopped:
		return
	}
	longest := w.m.opt.DrainTimeout
	last := min(longest, handOver)
	select {
	case <-c.gen.Done():
	case <-time.After(longest - last):
	case <-stopped:
		return
	}
	select {
	case <-time.After(last):
		cancel(errDrained)
	case <-stopped:
	}
}

// What stands for the lag of a partition that this owner has not read from yet.
const (
	// unread: who comes back after a while must not say that nothing came meanwhile.
	unread = -1
	// takingOver: it cannot know yet.
	takingOver = -2
)

// stepped notes a step forward.
func (w *Worker) stepped() { w.progress.Store(w.m.opt.Now().UnixNano()) }

// standsStill says that a partition with something to do has not come a step forward for
// too long, or returns nil.
func (w *Worker) standsStill() error {
	lag := w.lag.Load()
	still := w.m.opt.Now().Sub(time.Unix(0, w.progress.Load()))
	if lag == 0 || lag == unread || still <= toldAfter {
		return nil
	}
	with := fmt.Sprintf("with a lag of %d records", lag)
	if lag == takingOver {
		with = "in its take-over"
	}
	return fmt.Errorf("partition %d: no progress for %s %s", w.partition, still.Round(time.Second), with)
}

// scoreLoop is the way of a batch: fetch, score, effects, block, checkpoint.
func (w *Worker) scoreLoop(ctx context.Context, drain <-chan struct{}, c *claim) error {
	reader := w.m.open(w.m.opt.Topics.Invoices, w.partition)
	defer reader.Close()
	w.lag.Store(unread)
	w.countForgotten()
	w.stepped()
	w.m.caughtUp(w.partition, c.position())
	for {
		if err := w.settle(ctx, c); err != nil {
			return err
		}
		select {
		case <-drain:
			w.rollBlock(true)
			w.lastCopy(c)
			w.rollCounts(true)
			return nil
		default:
		}
		if err := w.waitForRoom(ctx, drain); err != nil {
			return err
		}
		fetched, err := w.fetch(ctx, reader)
		if err != nil {
			return err
		}
		w.scoreBatch(fetched)
	}
}

// settle makes the outside effects of the last batch and then hands over its rows.
func (w *Worker) settle(ctx context.Context, c *claim) error {
	if err := w.makeEffects(ctx, c); err != nil {
		return err
	}
	w.rollBlock(false)
	w.countForgotten()
	w.applyInbox()
	w.learnOutcomes(ctx)
	w.rollCheckpoint(false)
	w.rollCounts(false)
	w.writeToLeave(c)
	return nil
}

// fetch reads the next records, waiting out a broken world.
func (w *Worker) fetch(ctx context.Context, reader Reader) (Fetched, error) {
	var f Fetched
	at := w.next
	err := w.m.persist(ctx, fmt.Sprintf("reading partition %d", w.partition), func(ctx context.Context) error {
		var err error
		f, err = reader.Fetch(ctx, w.next)
		if errors.Is(err, ErrOutOfRange) {
			return w.outOfRange(ctx)
		}
		return err
	})
	if err != nil {
		return Fetched{}, err
	}
	w.lag.Store(max(0, f.End-f.Next))
	w.m.metrics.Lag.WithLabelValues(label(w.partition)).Set(float64(max(0, f.End-f.Next)))
	if f.Next > at || f.Next >= f.End {
		w.stepped()
	}
	return f, nil
}

// outOfRange tells retention from a recreated topic. What retention took is
// gone: it is said, counted, and scoring goes on with the first record there is.
func (w *Worker) outOfRange(ctx context.Context) error {
	start, end, err := w.m.log.Bounds(ctx, w.m.opt.Topics.Invoices, w.partition)
	if err != nil {
		return err
	}
	if w.next > end {
		return w.recreated(fmt.Sprintf("offset %d lies beyond the log's end %d", w.next, end))
	}
	if w.next < start {
		w.m.opt.Log.Error("invoices were deleted by retention before they were scored",
			"partition", w.partition, "from", w.next, "to", start)
		w.m.metrics.Expired.Add(float64(start - w.next))
		w.next = start
	}
	return errors.New("offset moved to the log's start")
}

// waitForRoom pauses fetching while the row buffer is full.
func (w *Worker) waitForRoom(ctx context.Context, drain <-chan struct{}) error {
	if !w.m.buffer.Full() {
		return nil
	}
	const part = "row buffer"
	w.rollBlock(true)
	w.m.report(part, fmt.Errorf("full at %d MiB: fetching and alerts wait for ClickHouse", w.m.buffer.Used()>>20))
	w.m.metrics.BufferFull.Set(1)
	err := w.m.buffer.waitForRoom(ctx, drain)
	w.m.metrics.BufferFull.Set(0)
	w.m.report(part, nil)
	return err
}

// rollBlock queues the block when it is large or old enough, or now is set. A
// young block waits while the store is busy, so that inserts grow under load.
func (w *Worker) rollBlock(now bool) {
	if w.next <= w.queuedEnd {
		return
	}
	due := w.block.Rows() >= w.m.opt.FlushRows || w.blockBytes >= w.m.blockBytes() ||
		w.m.opt.Now().Sub(w.blockSince) >= w.m.opt.FlushInterval && w.queue.empty()
	if !due && !now {
		return
	}
	w.queue.push(&waiting{block: w.block, since: w.blockSince, bytes: w.blockBytes, end: w.next}, w.m.buffer)
	w.queuedEnd = w.next
	w.block, w.blockBytes = w.m.store.NewBlock(), 0
}

// mostGathered is how many bytes the blocks may come to that all partitions fill at the same time, and
// leastBlock what each of them may have however many there are.
const mostGathered, leastBlock = 64 << 20, 2 << 20

// blockBytes is how many bytes of rows are stored at once.
func (m *Member) blockBytes() int64 {
	return min(m.opt.FlushBytes, max(leastBlock, mostGathered/max(1, m.assigned.Load())))
}

// countBlock keeps the row buffer's account of the block that is being filled.
func (w *Worker) countBlock() {
	held := int64(w.block.Bytes())
	w.m.buffer.add(held - w.blockBytes)
	w.blockBytes = held
	w.m.metrics.Buffer.Set(float64(w.m.buffer.Used()))
}

// discard gives back the memory of rows that will not be stored by this worker.
func (w *Worker) discard() {
	w.queue.discard(w.m.buffer, &w.m.copies)
	w.m.buffer.add(-w.blockBytes)
	w.blockBytes = 0
	w.engine.Release()
}

// seeDecisionGap looks at records that stand in the decision log between our own.
func (w *Worker) seeDecisionGap(r Record) error {
	d, err := decodeDecision(r.Value)
	if err != nil {
		w.foreign(w.m.opt.Topics.Suspects, r.Offset, err)
		return nil
	}
	if d.Kind == kindOwnership && r.Offset > w.epoch {
		return fmt.Errorf("%w: %s claimed partition %d at %d", ErrFenced, d.Member, w.partition, r.Offset)
	}
	return nil
}

// foreign notes a record that no recoup of this version wrote into one of its
// own topics. It is passed over: nobody's stray record may stop a partition.
func (w *Worker) foreign(topic string, offset int64, err error) {
	w.amiss("passed over a record that is not ours", "topic", topic, "partition", w.partition, "offset", offset,
		"error", err)
}

// amiss says what could not be read. Who does not own the partition keeps it to himself:
// its owner says it.
func (w *Worker) amiss(what string, about ...any) {
	if w.epoch < 0 {
		w.read.amiss.Store(true)
		return
	}
	w.m.metrics.Foreign.Inc()
	w.m.opt.Log.Error(what, about...)
}

// markDirty is told by readers of state that an older epoch wrote one of our
// keys after us. Safe for concurrent use.
func (w *Worker) markDirty(key string) {
	w.inbox.mu.Lock()
	defer w.inbox.mu.Unlock()
	w.inbox.dirty = append(w.inbox.dirty, key)
}

// applyInbox takes over what other goroutines left, between two batches.
func (w *Worker) applyInbox() {
	w.inbox.mu.Lock()
	dirty := w.inbox.dirty
	w.inbox.dirty = nil
	w.inbox.mu.Unlock()
	for _, key := range dirty {
		w.overwritten = true
		if key != markerKey { // every checkpoint writes that one
			w.engine.MarkDirty([]byte(key), false)
		}
	}
	for _, key := range w.m.follow.overwritten(w.partition) {
		w.overwritten = true
		w.engine.MarkDirty([]byte(key), true)
	}
}
