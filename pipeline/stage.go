package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"recoup/cases/desk"
)

// Stage says who runs the case stage, one member at a time, and how. The stage writes
// what happens to cases behind the first record of each, which a worker writes.
type Stage struct {
	// Group returns the group, on a topic of one partition, whose owner runs the stage.
	// By default nil: this member never does.
	Group func() Group
	// Every is how often it looks for what invoices have in common, and for silence. By
	// default one second.
	Every time.Duration
	// Margin is how far before the last decision that touched a case a new owner begins
	// to read the decision log. By default desk.CorrectionsWait, 48 hours: a document that
	// waits for its case is read again.
	Margin time.Duration
	// Desk says what a case is, what an incident is, and how long cases are known.
	Desk desk.Settings
}

const (
	// stageSettles is how long a run that has caught up waits for the stage.
	stageSettles = 30 * time.Second
	stagePart    = "case stage"
)

// stageRun is this member's part in the stage: it joins the group of those that may run
// it, and does while it is the owner.
type stageRun struct {
	m      *Member
	finish chan struct{} // closed: what the inputs hold now is all there is to do
	once   sync.Once     // closes finish
	done   chan struct{} // closed when run has returned
	err    error         // of run
}

// startStage runs the stage until end is called, which returns once the inputs were worked to
// their ends, or at once where ctx has ended. A member that leaves calls it when its partitions
// are given away: who follows takes them over first, and reads for the stage then.
func (m *Member) startStage(ctx context.Context) (end func() error) {
	if m.opt.Stage.Group == nil {
		return func() error { return nil }
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &stageRun{m: m, finish: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.err = s.run(run)
	}()
	return func() error {
		defer cancel()
		if !m.opt.UntilCaughtUp || ctx.Err() != nil {
			cancel()
			<-s.done
			return s.err
		}
		s.once.Do(func() { close(s.finish) })
		select {
		case <-s.done:
		case <-time.After(stageSettles):
			m.opt.Log.Warn("the case stage has not caught up; the next run goes on with it", "waited", stageSettles)
			cancel()
			<-s.done
		}
		return s.err
	}
}

// run takes shifts until ctx ends or all is done, and leaves the group.
func (s *stageRun) run(ctx context.Context) error {
	group := s.m.opt.Stage.Group()
	for ctx.Err() == nil {
		gen, err := group.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				s.m.report(stagePart, fmt.Errorf("cannot join its group: %w", err))
				_ = pause(ctx, firstBackoff) // ctx says it
			}
			continue
		}
		if over := s.generation(ctx, gen); over || ctx.Err() != nil {
			break // Close leaves; who leaves a generation first joins the next one, and waits for the others
		}
		gen.Leave()
	}
	s.m.clear(stagePart)
	return group.Close()
}

// generation works while this member owns the one partition. It reports whether all
// is done.
func (s *stageRun) generation(ctx context.Context, gen Generation) (over bool) {
	m := s.m
	ctx, cancel := untilDrained(ctx, gen.Done())
	defer cancel(nil)
	if len(gen.Assigned()) == 0 {
		m.clear(stagePart)
		select {
		case <-ctx.Done():
			return false
		case <-s.finish: // another member's work
			return true
		}
	}
	if m.calm(ctx) != nil {
		return false
	}
	m.metrics.Stage.Owner.Set(1)
	defer m.metrics.Stage.Owner.Set(0)
	defer m.stageAt.Store(0)
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		sh := newShift(m, newClaim(m, gen, 0, -1))
		err := sh.run(ctx, s.finish)
		switch {
		case err == nil:
			m.report(stagePart, nil)
			return true
		case ctx.Err() != nil:
			return false
		case errors.Is(err, ErrFenced):
			m.opt.Log.Info("the case stage went to another member")
			<-ctx.Done()
			return false
		}
		m.report(stagePart, err)
		if pause(ctx, wait) != nil {
			return false
		}
	}
}
