package pipeline_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// stuckLog has readers of one topic that come no further from a moment on; those that
// are opened later work.
type stuckLog struct {
	pipeline.Log
	topic string
	era   atomic.Int64 // counts the moments
	how   func(ctx context.Context, offset int64) (pipeline.Fetched, error)
	all   bool // those that are opened later stand still, too
}

type stuckReader struct {
	pipeline.Reader
	log *stuckLog
	era int64
}

func (l *stuckLog) Open(topic string, partition int) pipeline.Reader {
	r := l.Log.Open(topic, partition)
	if topic != l.topic {
		return r
	}
	return &stuckReader{r, l, l.era.Load()}
}

func (r *stuckReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	if r.log.all || r.era != r.log.era.Load() {
		return r.log.how(ctx, offset)
	}
	return r.Reader.Fetch(ctx, offset)
}

// The ways to stand still.
var standstills = map[string]func(context.Context, int64) (pipeline.Fetched, error){
	"hangs": func(ctx context.Context, _ int64) (pipeline.Fetched, error) {
		<-ctx.Done()
		return pipeline.Fetched{}, ctx.Err()
	},
	"fails": func(context.Context, int64) (pipeline.Fetched, error) {
		return pipeline.Fetched{}, errors.New("connection reset by peer")
	},
	"brings nothing": func(_ context.Context, offset int64) (pipeline.Fetched, error) {
		time.Sleep(250 * time.Millisecond)
		return pipeline.Fetched{Next: offset, End: offset + 7}, nil
	},
}

// G12: a reader that comes no further is seen within 30 seconds and opened anew, however
// it stands still, and nothing is lost by it.
func TestReaderStandsStill(t *testing.T) {
	for name, how := range standstills {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(2)
				w.fill(t, 2, 100)
				log := &stuckLog{Log: w.log, topic: w.opt.Topics.Invoices, how: how}
				opt := w.options("a", false)
				m := pipeline.NewMember(opt, log, w.log.Group(opt.Group, opt.Topics.Invoices), w.store)
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { _ = m.Run(ctx) })
				defer running.Wait()
				defer cancel()
				time.Sleep(2 * time.Minute) // with a rest, in which nobody stands still
				if n := total(opt.Metrics.ReaderRebuilds); n != 0 || m.Ready() != nil {
					t.Errorf("%d readers opened anew at rest, ready says %v", n, m.Ready())
				}
				shown := make(chan prometheus.Metric, 100)
				opt.Metrics.ReaderRebuilds.Collect(shown)
				if len(shown) == 0 {
					t.Error("no series before the first reader is opened anew: increase() would not see it")
				}
				log.era.Add(1)
				w.fillMore(t, 2, 100, 200)
				began := time.Now()
				for m.Ready() == nil && time.Since(began) < time.Minute {
					time.Sleep(50 * time.Millisecond)
				}
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("ready said nothing for %v", took)
				}
				time.Sleep(time.Minute)
				if n := total(opt.Metrics.ReaderRebuilds); n != 2 || m.Ready() != nil {
					t.Errorf("%d readers opened anew, want 2; ready says %v", n, m.Ready())
				}
				w.wantEach(t)
			})
		})
	}
}

// firstStuck has the first reader of a topic that is opened come no further.
type firstStuck struct {
	stuckLog
	opened atomic.Int64
}

func (l *firstStuck) Open(topic string, partition int) pipeline.Reader {
	r := l.Log.Open(topic, partition)
	if topic != l.topic || l.opened.Add(1) > 1 {
		return r
	}
	return &stuckReader{r, &l.stuckLog, -1}
}

// G12: a take-over whose reader comes no further is seen within 30 seconds, or over,
// whatever it reads and however it stands still, and ends with another reader.
func TestTakeOverStandsStill(t *testing.T) {
	topics := pipeline.DefaultOptions().Topics
	for name, how := range standstills {
		if name == "fails" {
			continue // it is tried again at once
		}
		for _, topic := range []string{topics.State, topics.Baselines, topics.Suspects, topics.Invoices} {
			t.Run(topic+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { takeOverStandsStill(t, topic, how) })
			})
		}
	}
}

// A command does not wait for ever for a log that brings nothing.
func TestCommandStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.fill(t, 2, 100)
		w.caught(t, "before")
		log := &stuckLog{Log: w.log, topic: w.opt.Topics.State, how: standstills["brings nothing"], all: true}
		began := time.Now()
		_, err := w.keeper(log).PlanReset(t.Context(), nil, 0)
		if took := time.Since(began); err == nil || took > 2*time.Minute {
			t.Errorf("PlanReset = %v after %v, want that nothing comes", err, took)
		}
	})
}

func takeOverStandsStill(t *testing.T, topic string, how func(context.Context, int64) (pipeline.Fetched, error)) {
	w := newWorld(2)
	w.fill(t, 2, 100)
	w.caught(t, "before")
	w.fillMore(t, 2, 100, 200)
	w.dieUncommitted(t)
	w.store.SetFaults(memstore.Faults{})
	log := &firstStuck{stuckLog: stuckLog{Log: w.log, topic: topic, how: how}}
	m := w.memberLive("a", log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices))
	during(t, m, func() {
		began := time.Now()
		for m.Ready() == nil && len(w.store.Rows()) < w.sent && time.Since(began) < time.Minute {
			time.Sleep(50 * time.Millisecond)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("ready said nothing for %v, and not all is stored", took)
		}
		time.Sleep(time.Minute)
		if err := m.Ready(); err != nil {
			t.Errorf("ready says %v a minute later", err)
		}
	})
	w.wantEach(t)
}

// G12: a network that swallows what ClickHouse answers is seen within 30 seconds, not only when
// the time of a query is over, and no longer than it lasts.
func TestStoreSwallowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.fill(t, 2, 100)
		m, stop := w.start("a", nil)
		defer stop()
		time.Sleep(10 * time.Second)
		const queryTimeout = 30 * time.Second
		var swallowed atomic.Bool
		swallowed.Store(true)
		w.store.SetFaults(memstore.Faults{Before: func(pipeline.Owner, int64) error {
			if swallowed.Load() {
				time.Sleep(queryTimeout)
				return errors.New("i/o timeout")
			}
			time.Sleep(20 * time.Second) // slow is not silent
			return nil
		}})
		w.fillMore(t, 2, 100, 120)
		began := time.Now()
		for m.Ready() == nil && time.Since(began) < time.Minute {
			time.Sleep(50 * time.Millisecond)
		}
		if took := time.Since(began); took > 28*time.Second {
			t.Errorf("ready said nothing for %v", took)
		}
		for range 20 { // behind the first try, too
			time.Sleep(5 * time.Second)
			if m.Ready() == nil {
				t.Error("ready while nothing is answered")
			}
		}
		swallowed.Store(false)
		time.Sleep(queryTimeout + 30*time.Second)
		w.fillMore(t, 2, 120, 140)
		for range 100 {
			time.Sleep(time.Second)
			if err := m.Ready(); err != nil {
				t.Errorf("a slow store is told of: %v", err)
			}
		}
		if n := len(w.store.Rows()); n != w.sent {
			t.Errorf("%d of %d rows are stored", n, w.sent)
		}
	})
}
