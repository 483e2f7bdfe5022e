package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"recoup/detectors"
	"recoup/pipeline"
)

// sleeper is a member's view of the world that stops for a second or twenty right before
// its n-th append, between the fence and the write, and then goes on as if
// nothing had happened: a paused process that wakes up.
type sleeper struct {
	pipeline.Log
	mu    sync.Mutex
	left  int
	sleep func()
}

func (s *sleeper) Append(ctx context.Context, topic string, p int, r []pipeline.Record) (int64, error) {
	if len(r) > 0 && strings.HasPrefix(string(r[0].Key), detectors.CountPrefix) {
		// Counts leave beside everything else: to sleep there would stop nobody.
		return s.Log.Append(ctx, topic, p, r)
	}
	s.mu.Lock()
	s.left--
	now := s.left == 0
	s.mu.Unlock()
	if now {
		s.sleep()
	}
	return s.Log.Append(ctx, topic, p, r)
}

// G4, G9: a member that is paused between the fence and a write, evicted and
// followed by another, changes nothing when it wakes up and writes.
func TestPausedOwner(t *testing.T) {
	var want outcome
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 200)
		want = w.faultFree(t)
	})
	for seed := range uint64(200) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { pausedRun(t, seed, want) })
		})
	}
}

func pausedRun(t *testing.T, seed uint64, want outcome) {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := newWorld(1)
	w.opt.FlushRows = 5 + rng.IntN(60)
	w.opt.CheckpointInterval = time.Duration(1+rng.IntN(400)) * time.Millisecond
	w.opt.FlushInterval = 10 * time.Millisecond
	w.fill(t, 1, 200)

	group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
	asleep, over := make(chan struct{}), make(chan struct{})
	// In a second the fence still trusts the last commit: then only the gap in the
	// decision log tells, and what slips into the store is swept.
	length := []time.Duration{time.Second, 20 * time.Second}[seed%2]
	if length > w.opt.FenceAfter {
		w.opt.SweepAfter = time.Hour // the fence alone must do
	} else {
		w.opt.SweepAfter = 10 * time.Second
	}
	view := &sleeper{Log: w.log, left: 1 + rng.IntN(25)}
	view.sleep = func() {
		if length > w.opt.FenceAfter {
			// A paused process stops whole: what its other goroutine has in flight
			// ends before anybody follows.
			time.Sleep(time.Millisecond)
		}
		group.Evict()
		close(asleep)
		time.Sleep(length)
		time.AfterFunc(3*time.Second, group.Heartbeat)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(over)
		_ = w.memberOn("sleeper", view, group, w.store).Run(ctx)
	})
	wg.Go(func() {
		select {
		case <-asleep:
		case <-over: // before it would have slept
		}
		m, _ := w.member("follower", func(o *pipeline.Options) { o.UntilCaughtUp = false })
		_ = m.Run(ctx)
	})
	time.Sleep(length + 20*time.Second)
	cancel()
	wg.Wait()
	w.outcome(t).equal(t, want)
}
