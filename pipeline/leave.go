package pipeline

import (
	"context"
	"sync"
	"time"
)

// Leaving is the metadata of a commit whose owner is about to leave the partition. Its state
// stands in the log up to about there, and it writes no more: who follows may read it already.
const Leaving = "leaving"

const (
	// amissEvery is how often a member that waits for its state to be written looks whether
	// something does not work.
	amissEvery = 100 * time.Millisecond
	// mostLeft is how many invoices a member that leaves may have scored behind the state
	// that it wrote. Reading so many again takes a successor a second; that state changes takes
	// it longer, for then it reads all of it again.
	mostLeft = 25_000
)

// departure is how a member leaves the partitions of a generation: what the next owners
// have to know is written while it scores on, and only then does it stop. The zero value
// is ready to use.
type departure struct {
	mu      sync.Mutex   // guards what follows
	asked   bool         // the member is to stop
	working map[int]bool // partitions that are scored, and whether their state is written
	changed func()       // called when one is written or not scored any longer; nil: nobody waits
}

// wanted reports whether the member is to stop.
func (d *departure) wanted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// set notes that a partition is scored, and whether its state is written.
func (d *departure) set(partition int, written bool) {
	d.change(func() { d.working[partition] = written })
}

// unset notes that a partition is not scored any longer.
func (d *departure) unset(partition int) { d.change(func() { delete(d.working, partition) }) }

func (d *departure) change(how func()) {
	d.mu.Lock()
	if d.working == nil {
		d.working = map[int]bool{}
	}
	how()
	changed := d.changed
	d.mu.Unlock()
	if changed != nil {
		changed()
	}
}

// written returns of how many partitions that are scored the state is written, and of
// how many it is not.
func (d *departure) written() (is, not int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, written := range d.working {
		if written {
			is++
		} else {
			not++
		}
	}
	return is, not
}

// ask has the workers write what their successors need, and returns what tells of each change.
func (d *departure) ask() (changes <-chan struct{}) {
	wake := make(chan struct{}, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = true
	d.changed = func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	return wake
}

// depart returns when a member that is to stop may do so: when what the next owners have
// to know of its partitions is written, and they have had the time to read it, at least half of
// what there is for both. It does not wait where nobody follows, nor when the generation ends, by
// others or because all is over.
func (m *Member) depart(ctx context.Context, gen Generation, over <-chan struct{}, d *departure) {
	if m.opt.UntilCaughtUp || m.opt.LeaveTimeout <= 0 || len(gen.Assigned()) == m.invoicePartitions {
		return
	}
	ctx, ended := untilDrained(ctx, gen.Done())
	defer ended(nil)
	ctx, done := untilDrained(ctx, over)
	defer done(nil)
	last := m.opt.Now().Add(m.opt.LeaveTimeout)
	writing, cancel := context.WithTimeout(ctx, m.opt.LeaveTimeout)
	defer cancel()
	if written, not := m.writtenToLeave(writing, d); written > 0 {
		m.opt.Log.Info("leaving: scores on while others prepare", "partitions", written, "not_written", not)
		_ = pause(ctx, max(last.Sub(m.opt.Now()), m.opt.LeaveTimeout/2)) // either way it is over
	}
}

// writtenToLeave has the state of all partitions written that are scored, and returns of how
// many it is and of how many it is not, within the time that there is. What is not written by
// then their next owners learn from the invoices.
func (m *Member) writtenToLeave(ctx context.Context, d *departure) (is, not int) {
	changes := d.ask()
	look := time.NewTicker(amissEvery)
	defer look.Stop()
	for {
		is, not = d.written()
		if not == 0 || ctx.Err() != nil {
			return is, not
		}
		if m.amiss() {
			return 0, not
		}
		select {
		case <-changes:
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

// amiss reports whether a part of the world does not work: then nobody waits for what
// depends on it.
func (m *Member) amiss() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.broken) > 0
}

// writeToLeave takes, once the member is to stop, the checkpoint that the next owner goes on
// from. It is written while this one scores on.
func (w *Worker) writeToLeave(c *claim) {
	if w.departing || !c.departure.wanted() {
		return
	}
	w.rollBlock(true)
	w.rollCheckpoint(true)
	w.departing = true
	w.queue.depart()
}

// announce says, once the checkpoint of who is to leave stands in the log, that it leaves.
func (r *rowWriter) announce(ctx context.Context, c *claim) error {
	w := r.w
	if r.announced || !w.queue.departs() {
		return nil
	}
	c.gen.SayLeaving(w.partition)
	err := w.m.persist(ctx, "committing", func(ctx context.Context) error { return c.verify(ctx, 0) })
	if err != nil {
		return err
	}
	r.announced = true
	c.departure.set(w.partition, true)
	return nil
}
