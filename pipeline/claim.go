package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"
)

// claim is a member's right to one partition within one generation. The worker
// and its row writer share it.
type claim struct {
	gen       Generation
	partition int
	now       func() time.Time
	after     time.Duration // how old an accepted commit may be before an outside effect

	mu        sync.Mutex // guards what follows; held while a commit is under way
	committed int64      // last accepted offset, -1 for none
	accepted  time.Time  // when the group last accepted a commit of this member; zero: not yet
}

// hold is the fence: it returns nil if the group still accepts this member,
// asking it again if the last proof is too old. A paused member finds out here,
// before it writes anything.
func (c *claim) hold(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Sub(c.accepted) <= c.after {
		return nil
	}
	return c.commitLocked(ctx, max(c.committed, 0))
}

// commit stores the offset to resume from. An offset below the last accepted
// one is never sent.
func (c *claim) commit(ctx context.Context, offset int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if offset <= c.committed {
		return nil
	}
	return c.commitLocked(ctx, offset)
}

func (c *claim) commitLocked(ctx context.Context, offset int64) error {
	if err := c.gen.Commit(ctx, map[int]int64{c.partition: offset}); err != nil {
		return err
	}
	c.committed, c.accepted = offset, c.now()
	return nil
}

// verify asks the group whether it still accepts this member.
func (c *claim) verify(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commitLocked(ctx, max(c.committed, 0))
}

// position returns the last accepted offset, -1 for none.
func (c *claim) position() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.committed
}

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
