package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// claim is a member's right to one partition within one generation. The worker
// and its row writer share it.
type claim struct {
	gen       Generation
	partition int
	now       func() time.Time
	after     time.Duration // how old an accepted commit may be before an outside effect

	asking   chan struct{} // holds one element while somebody asks
	accepted time.Time     // when the commit was sent that the group accepted last; zero: none; of who asks

	committed atomic.Int64 // last accepted offset, -1 for none

	departure *departure // how the member leaves its partitions; of a claim of invoices only
}

func newClaim(m *Member, gen Generation, partition int, committed int64) *claim {
	c := &claim{gen: gen, partition: partition, now: m.opt.Now, after: m.opt.FenceAfter, asking: make(chan struct{}, 1)}
	c.committed.Store(committed)
	return c
}

// hold is the fence: it returns nil if the group still accepts this member,
// asking it again if the last proof is too old. A paused member finds out here,
// before it writes anything.
func (c *claim) hold(ctx context.Context) error {
	return c.ask(ctx, func(at int64) (int64, bool) { return max(at, 0), c.now().Sub(c.accepted) > c.after })
}

// commit stores the offset to resume from. An offset below the last accepted
// one is never sent.
func (c *claim) commit(ctx context.Context, offset int64) error {
	return c.ask(ctx, func(at int64) (int64, bool) { return offset, offset > at })
}

// verify asks the group whether it still accepts this member, whatever it said before,
// and commits the offset if it is above the last accepted one.
func (c *claim) verify(ctx context.Context, offset int64) error {
	return c.ask(ctx, func(at int64) (int64, bool) { return max(at, offset), true })
}

// ask commits what due says of the last accepted offset, one caller at a time. The
// proof is as old as its question: while the answer was on its way, this process may
// have been stopped and the partition given to another.
func (c *claim) ask(ctx context.Context, due func(at int64) (offset int64, is bool)) error {
	c.asking <- struct{}{} // no mutex: virtual time stands still while one is waited for
	defer func() { <-c.asking }()
	offset, is := due(c.position())
	if !is {
		return nil
	}
	asked := c.now()
	if err := c.gen.Commit(ctx, map[int]int64{c.partition: offset}); err != nil {
		return err
	}
	c.accepted = asked
	c.committed.Store(offset)
	return nil
}

// position returns the last accepted offset, -1 for none.
func (c *claim) position() int64 { return c.committed.Load() }

// Back-off of a broken world: doubled from the first to the last.
const (
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 2 * time.Second
)

// persist repeats what until it succeeds, the member is fenced, or ctx ends.
// Each failure is reported under the given name, and the recovery too.
func (m *Member) persist(ctx context.Context, name string, what func(context.Context) error) (err error) {
	failed := false
	defer func() {
		if failed && err != nil {
			m.clear(name) // nobody here tries any longer
		}
	}()
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		err := what(ctx)
		switch {
		case err == nil:
			if failed {
				m.report(name, nil)
			}
			return nil
		case errors.Is(err, ErrFenced), errors.Is(err, ErrTooLarge), errors.Is(err, errRefused):
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		failed = true
		m.report(name, err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// persistHeld is persist for an outside effect: before each try hold asks whether
// this member may still make it.
func (m *Member) persistHeld(ctx context.Context, name string, hold, what func(context.Context) error) error {
	return m.persist(ctx, name, func(ctx context.Context) error {
		if err := hold(ctx); err != nil {
			return err
		}
		return what(ctx)
	})
}

// pause waits, or returns why ctx ended first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
