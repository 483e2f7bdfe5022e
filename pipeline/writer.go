package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// rowWriter stores a worker's blocks in order, commits behind each, and
// publishes the checkpoint whose offset a commit has reached. It runs beside
// the scoring goroutine and shares only the queue and the claim with it.
type rowWriter struct {
	w     *Worker
	state appender // recoup.state of the partition
	n     int64    // inserts of this epoch, part of their query ids

	// inherited is the marker that this owner began with, until it is written under this
	// epoch, before the first copies. From then on no former owner's marker counts that
	// comes late: what it promises may be written over by these copies.
	inherited *marker

	// atTakeOver is the skip-set as read while taking over: source offset →
	// suspect of rows that stand already. Written before scoring starts, only
	// read afterwards. Empty when the store did not answer then.
	atTakeOver map[int64]bool
	// fenced: inserts of older epochs are dead and the skip-set has been read.
	// Until then nothing is inserted.
	fenced bool
	from   int64          // the skip-set reaches from here
	late   map[int64]bool // skip-set read after take-over; rows not met yet
	// standing is the offset behind the last row of the skip-set, beyond all offsets
	// until it has been read. Below it rows may say which model judged them: the
	// scoring goroutine adopts no other.
	standing atomic.Int64
	// stateAt is when a checkpoint is tried again that the topic of the state refused
	// for its size; zero: none was.
	stateAt time.Time
	// announced: it was said that the owner leaves.
	announced bool
	// lookAt is when to look for state that a former owner wrote late.
	lookAt time.Time
	// sweepAt is when to look for rows that a paused predecessor stored a second
	// time; zero before the first insert may happen and once it is done.
	sweepAt time.Time
	// sweepFrom is the first offset that may hold such rows, -1 once it is done.
	// The scoring goroutine reads it for its markers: an owner that leaves early
	// hands the search on.
	sweepFrom atomic.Int64
}

func (r *rowWriter) init(w *Worker) {
	r.w = w
	r.standing.Store(math.MaxInt64)
	r.state = appender{m: w.m, topic: w.m.opt.Topics.State, partition: w.partition, onGap: w.seeStateGap}
}

// owner names this epoch's inserts.
func (r *rowWriter) owner() Owner {
	w := r.w
	return Owner{Group: w.m.opt.Group, Topic: w.m.opt.Topics.Invoices, Incarnation: w.incarnation,
		Partition: w.partition, Epoch: w.epoch}
}

// readStored ends inserts of older epochs and then reads which offsets have
// rows: in this order, so that no row can appear afterwards.
func (r *rowWriter) readStored(ctx context.Context, owner Owner) (map[int64]bool, error) {
	if err := r.w.m.store.Fence(ctx, owner); err != nil {
		return nil, fmt.Errorf("cannot end inserts of older epochs: %w", err)
	}
	stored, err := r.w.m.store.Stored(ctx, owner, r.from)
	if err != nil {
		return nil, fmt.Errorf("cannot read the stored offsets: %w", err)
	}
	return stored, nil
}

// forgetStored has the skip-set read again, from an offset on, before anything is inserted.
func (r *rowWriter) forgetStored(from int64) {
	r.fenced, r.from, r.atTakeOver, r.sweepAt = false, from, nil, time.Time{}
	r.standing.Store(math.MaxInt64)
}

// run stores until the worker has finished and nothing is left.
func (r *rowWriter) run(ctx context.Context, c *claim) error {
	w := r.w
	defer w.m.clear(w.statePart())
	unstored := w.m.metrics.Unstored.WithLabelValues(label(w.partition))
	for {
		head := w.queue.head()
		unstored.Set(head.waitingSince())
		if head == nil {
			over := w.queue.done()
			if err := r.idle(ctx, c); err != nil || over {
				return err
			}
			continue
		}
		if err := r.storeBlock(ctx, c, head); err != nil {
			return err
		}
		if err := r.commit(ctx, c, head.end); err != nil {
			return err
		}
		w.queue.pop()
		w.m.buffer.add(-head.bytes)
		w.m.metrics.Buffer.Set(float64(w.m.buffer.Used()))
		if err := r.upkeep(ctx, c); err != nil {
			return err
		}
	}
}

// idle does what is due while no block waits, then waits for something to do.
func (r *rowWriter) idle(ctx context.Context, c *claim) error {
	if err := r.upkeep(ctx, c); err != nil || r.w.queue.done() {
		return err
	}
	next := r.lookAt
	for _, at := range []time.Time{r.sweepAt, r.stateAt} {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.w.queue.wake:
	case <-time.After(next.Sub(r.w.m.opt.Now())):
	}
	return nil
}

// upkeep publishes the checkpoint, looks behind it and sweeps, each when it is due.
func (r *rowWriter) upkeep(ctx context.Context, c *claim) error {
	if err := r.checkpoint(ctx, c); err != nil {
		return err
	}
	if err := r.announce(ctx, c); err != nil {
		return err
	}
	if err := r.lookBehind(ctx); err != nil {
		return err
	}
	if r.sweepAt.IsZero() || r.w.m.opt.Now().Before(r.sweepAt) {
		return nil
	}
	r.sweepAt = time.Time{}
	return r.sweep(ctx, c)
}

// sweep removes rows that a predecessor stored a second time: it was paused
// between its fence and its insert, and woke up after our skip-set was read.
func (r *rowWriter) sweep(ctx context.Context, c *claim) error {
	m := r.w.m
	return m.persistHeld(ctx, "clickhouse", c.hold, func(ctx context.Context) error {
		n, err := m.store.Sweep(ctx, r.owner(), r.sweepFrom.Load(), c.position())
		if err != nil {
			return err
		}
		r.sweepFrom.Store(-1)
		if n > 0 {
			m.metrics.RowsDoubled.Add(float64(n))
			m.opt.Log.Warn("removed rows that a paused process stored twice", "partition", r.w.partition, "rows", n)
		}
		return nil
	})
}

// mayInsert notes that the skip-set is known, and when to sweep.
func (r *rowWriter) mayInsert(skip map[int64]bool) {
	r.fenced, r.sweepAt = true, r.w.m.opt.Now().Add(r.w.m.opt.SweepAfter)
	end := int64(0)
	for offset := range skip {
		end = max(end, offset+1)
	}
	r.standing.Store(end)
}

// storeBlock is step 3: the rows of one block.
func (r *rowWriter) storeBlock(ctx context.Context, c *claim, head *waiting) error {
	m, block := r.w.m, head.block
	if head.stored {
		return nil
	}
	if !r.fenced {
		if err := r.meetStored(ctx); err != nil {
			return err
		}
	}
	if len(r.late) > 0 {
		if err := r.reconcile(ctx, c, head); err != nil {
			return err
		}
	}
	rows := block.Rows()
	if rows == 0 {
		return nil
	}
	began := time.Now()
	err := m.persist(ctx, "clickhouse", func(ctx context.Context) error {
		r.n++
		defer m.asking.begin(m.opt.Now)()
		return m.store.Insert(ctx, r.owner(), r.n, block, m.asking.steps(m.opt.Now, c.hold))
	})
	if err != nil {
		return err
	}
	head.stored = true
	m.metrics.Insert.Observe(time.Since(began).Seconds())
	m.metrics.Rows.Add(float64(rows))
	return nil
}

// meetStored runs when the store did not answer at take-over: it reads the
// skip-set before the first insert.
func (r *rowWriter) meetStored(ctx context.Context) error {
	m := r.w.m
	var stored map[int64]bool
	err := m.persist(ctx, "clickhouse", func(ctx context.Context) error {
		defer m.asking.begin(m.opt.Now)()
		var err error
		stored, err = r.readStored(ctx, r.owner())
		return err
	})
	if err != nil {
		return err
	}
	r.late = stored
	r.mayInsert(stored)
	return nil
}

// reconcile makes a block that was scored without the skip-set agree with it: a
// row that says the same is not inserted again, one that contradicts what the
// log now says is removed first.
func (r *rowWriter) reconcile(ctx context.Context, c *claim, head *waiting) error {
	m, block := r.w.m, head.block
	same, other := map[int64]bool{}, []int64{}
	for offset, suspect := range block.Suspects() {
		was, there := r.late[offset]
		switch {
		case there && was == suspect:
			same[offset] = true
		case there:
			other = append(other, offset)
		}
	}
	block.Drop(same)
	if len(other) > 0 {
		slices.Sort(other)
		err := m.persist(ctx, "clickhouse", func(ctx context.Context) error {
			defer m.asking.begin(m.opt.Now)()
			return m.store.Remove(ctx, r.owner(), other, c.hold)
		})
		if err != nil {
			return err // all is looked at again: dropping twice does no harm
		}
		m.metrics.RowsReplaced.Add(float64(len(other)))
	}
	maps.DeleteFunc(r.late, func(offset int64, _ bool) bool { return offset < head.end })
	return nil
}

// commit is step 4.
func (r *rowWriter) commit(ctx context.Context, c *claim, end int64) error {
	m := r.w.m
	err := m.persist(ctx, "committing", func(ctx context.Context) error { return c.commit(ctx, end) })
	if err != nil {
		return err
	}
	m.metrics.Committed.WithLabelValues(label(r.w.partition)).Set(float64(end))
	m.caughtUp(r.w.partition, end)
	return nil
}

// statePart names the checkpoints of this partition as a part of the world.
func (w *Worker) statePart() string { return fmt.Sprintf("state of partition %d", w.partition) }

func (r *rowWriter) writeMarker(ctx context.Context, m marker) error {
	record, err := m.record(r.w.epoch)
	if err != nil {
		return err
	}
	_, err = r.state.append(ctx, []Record{record})
	return err
}

// checkpoint publishes the waiting checkpoint once its offset is committed: the
// copies first, the marker last, so that a marker never promises what is not there.
func (r *rowWriter) checkpoint(ctx context.Context, c *claim) error {
	w := r.w
	cp := w.queue.due(c.position())
	if cp == nil || w.m.opt.Now().Before(r.stateAt) {
		return nil
	}
	part := w.statePart()
	err := w.m.persistHeld(ctx, part, c.hold, func(ctx context.Context) error {
		if r.inherited != nil {
			if err := r.writeMarker(ctx, *r.inherited); err != nil {
				return err
			}
			r.inherited = nil
		}
		if len(cp.local) > 0 {
			if err := cp.local.each(ctx, c.hold, r.state.append); err != nil {
				return err
			}
		}
		err := cp.shared.each(ctx, c.hold, func(ctx context.Context, records []Record) (int64, error) {
			return w.m.log.Append(ctx, w.m.opt.Topics.Baselines, w.partition, records)
		})
		if err != nil {
			return err
		}
		if err := c.hold(ctx); err != nil {
			return err
		}
		return r.writeMarker(ctx, cp.marker)
	})
	if errors.Is(err, ErrTooLarge) { // scoring goes on: only a take-over takes longer, until a person mends it
		w.m.report(part, err)
		r.stateAt = w.m.opt.Now().Add(w.m.opt.CheckpointInterval)
		w.m.copies.release(cp) // other partitions do not wait for that person
		return nil
	}
	if err != nil {
		return err
	}
	w.m.report(part, nil)
	r.stateAt = time.Time{}
	w.m.metrics.CheckpointRecords.Add(float64(cp.records + 1))
	w.m.metrics.CheckpointOffset.WithLabelValues(label(w.partition)).Set(float64(cp.marker.Offset))
	w.queue.published()
	w.m.copies.release(cp)
	return nil
}
