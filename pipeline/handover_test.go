package pipeline_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"recoup/detectors"
	"recoup/pipeline"
)

// E2: who joins or follows does not wait for the rows of those who stay: after a moment
// they hand over, and nothing is lost. Who stops takes the time it is given.
func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		var down atomic.Bool
		down.Store(true)
		w.away(&down)
		_, stop := w.start("stays", func(o *pipeline.Options) { o.DrainTimeout = 20 * time.Second })
		time.Sleep(10 * time.Second)

		joins := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
		began := time.Now()
		gen, err := joins.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 300*time.Millisecond {
			t.Errorf("who joined waited %v for rows that find no room", took)
		}
		gen.Leave()
		if err := joins.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		began = time.Now()
		time.AfterFunc(5*time.Second, func() { down.Store(false) })
		stop()
		if took := time.Since(began); took < 5*time.Second || took > 20*time.Second {
			t.Errorf("who stopped took %v, expected to store its rows once the store is back", took)
		}
		w.outcome(t).equal(t, want)
	})
}

// deafLog does not answer who publishes counts.
type deafLog struct {
	pipeline.Log
	asked atomic.Int64
}

func (l *deafLog) Append(ctx context.Context, topic string, p int, r []pipeline.Record) (int64, error) {
	if len(r) == 0 || !strings.HasPrefix(string(r[0].Key), detectors.CountPrefix) {
		return l.Log.Append(ctx, topic, p, r)
	}
	l.asked.Add(1)
	<-ctx.Done()
	return 0, ctx.Err()
}

// E2: nobody waits for the counts of those who stay either, and they are kept for the next time.
func TestHandOverWithoutCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.opt.CheckpointInterval = time.Hour
		w.fill(t, 2, 100)
		log := &deafLog{Log: w.log}
		during(t, w.memberLive("stays", log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices)), func() {
			time.Sleep(10 * time.Second)
			joins := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
			began := time.Now()
			gen, err := joins.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 300*time.Millisecond || log.asked.Load() == 0 {
				t.Errorf("who joined waited %v for counts that are not taken, asked %d times", took, log.asked.Load())
			}
			gen.Leave()
			if err := joins.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		})
		if n := len(w.store.Rows()); n != w.sent {
			t.Errorf("%d of %d rows are stored", n, w.sent)
		}
	})
}

// turns counts the generations that a member is given.
type turns struct {
	pipeline.Group
	n atomic.Int64
}

func (g *turns) Next(ctx context.Context) (pipeline.Generation, error) {
	gen, err := g.Group.Next(ctx)
	if err == nil {
		g.n.Add(1)
	}
	return gen, err
}

// A member that has no partitions rests: if it joined again now and then, all others would
// stop for it each time.
func TestNothingToDoDisturbsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.fill(t, 2, 50)
		_, stopA := w.start("a", nil)
		_, stopB := w.start("b", nil)
		group := &turns{Group: w.log.Group(w.opt.Group, w.opt.Topics.Invoices)}
		idle := w.memberLive("idle", w.log, group)
		during(t, idle, func() {
			time.Sleep(10 * time.Second)
			begun := group.n.Load()
			time.Sleep(10 * time.Minute)
			if n := group.n.Load() - begun; n != 0 || begun == 0 {
				t.Errorf("the group shared out anew %d times in ten minutes without a reason", n)
			}
			stopA()
			time.Sleep(10 * time.Second)
			w.fillMore(t, 2, 50, 100)
			time.Sleep(10 * time.Second)
			if n := group.n.Load() - begun; n == 0 || len(w.store.Rows()) != w.sent {
				t.Errorf("%d of %d rows stored once another one left, %d generations", len(w.store.Rows()), w.sent, n)
			}
			stopB()
		})
	})
}
