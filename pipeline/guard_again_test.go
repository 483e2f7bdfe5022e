package pipeline_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
)

// oldEnd tells older ends of a topic for some time, as a broker does that has just come to
// lead its partitions.
type oldEnd struct {
	pipeline.Log
	topic string
	until time.Time
	ends  map[int]int64 // by partition; others are told as they are
}

func (l *oldEnd) Bounds(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	start, end, err = l.Log.Bounds(ctx, topic, partition)
	if old, is := l.ends[partition]; is && topic == l.topic && time.Now().Before(l.until) {
		end = old
	}
	return start, end, err
}

// G9: a log whose end is told late is not taken for another one.
func TestGuardWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.sell(t, 2, 0, 40)
		w.caught(t, "before")
		log := &oldEnd{Log: w.log, topic: w.opt.Topics.Invoices, until: time.Now().Add(2 * time.Second),
			ends: map[int]int64{0: 157, 1: 157}}
		m := w.memberLive("after", log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices))
		during(t, m, func() {
			time.Sleep(10 * time.Second)
			if err := m.Ready(); err != nil {
				t.Errorf("Ready = %v, want a member that goes on", err)
			}
		})
	})
}

// A layout that refuses is asked for again: where the end of a reset is told late, all
// partitions refuse, and go on once it is told, though nobody joins or leaves.
func TestGuardAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.sell(t, 2, 0, 40)
		w.caught(t, "before")
		w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
		w.sell(t, 2, 0, 10)
		if err := w.reset(t, 1000); err != nil {
			t.Fatal(err)
		}
		announced := 1 + slices.IndexFunc(w.log.Records(w.opt.Topics.State, 0), func(r pipeline.Record) bool {
			return bytes.Contains(r.Value, []byte(`"reset_to":1`))
		})
		log := &oldEnd{Log: w.log, topic: w.opt.Topics.State, until: time.Now().Add(30 * time.Second),
			ends: map[int]int64{0: int64(announced)}}
		m := w.memberLive("after", log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices))
		before := len(w.store.Rows())
		during(t, m, func() {
			time.Sleep(20 * time.Second)
			if err := m.Ready(); announced == 0 || err == nil || !strings.Contains(err.Error(), "has not ended") {
				t.Errorf("Ready = %v with %d records of state, want the reset to be refused", err, announced)
			}
			time.Sleep(2 * time.Minute)
			if err := m.Ready(); err != nil {
				t.Errorf("Ready = %v once the reset's end is told, want a member that goes on", err)
			}
		})
		if got := len(w.store.Rows()) - before; got != 80 {
			t.Errorf("%d rows of 80 invoices behind the reset", got)
		}
	})
}
