package pipeline_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
)

// truncated deletes what stands below an offset of the invoices, as retention does.
func (w *world) truncated(t *testing.T, partitions int, start int64) {
	t.Helper()
	for p := range partitions {
		if err := w.log.Truncate(w.opt.Topics.Invoices, p, start); err != nil {
			t.Fatal(err)
		}
	}
}

// one sends one invoice to each of two partitions, from one number up to before another.
func (w *world) one(t *testing.T, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		for p := range 2 {
			id, at := fmt.Sprint(p, "-", n), start.Add(time.Duration(n)*time.Minute)
			w.put(t, w.opt.Topics.Invoices, p, pipeline.Record{Value: invoiceJSON(id, 400+float64(n%9), at, id), Time: at})
		}
	}
}

// scoredFor runs a member for a while and returns how many invoices it says to be lost.
func (w *world) scoredFor(t *testing.T, d time.Duration) int {
	t.Helper()
	opt := w.options("a", false)
	m := pipeline.NewMember(opt, w.log, w.log.Group(opt.Group, opt.Topics.Invoices), w.store)
	during(t, m, func() {
		time.Sleep(d)
		if err := m.Ready(); err != nil {
			t.Error(err)
		}
	})
	return total(opt.Metrics.Expired)
}

func wantRows(t *testing.T, w *world, want int) {
	t.Helper()
	if n := len(w.store.Rows()); n != want {
		t.Errorf("%d rows, want %d", n, want)
	}
}

// What retention deleted before there was a recoup is not lost to it, and neither by a reset;
// what it deletes later is, also where nothing was scored yet.
func TestWhatRetentionTook(t *testing.T) {
	for name, run := range map[string]func(*testing.T, *world){
		"before the first start": func(t *testing.T, w *world) {
			w.one(t, 0, 40)
			w.truncated(t, 2, 30)
			if lost := w.scoredFor(t, time.Minute); lost != 0 {
				t.Errorf("%d invoices are said to be lost, want none", lost)
			}
			wantRows(t, w, 2*10)
		},
		"behind a commit": func(t *testing.T, w *world) {
			w.one(t, 0, 40)
			w.caught(t, "before")
			w.one(t, 40, 80)
			w.truncated(t, 2, 60)
			if lost := w.scoredFor(t, time.Minute); lost != 2*20 {
				t.Errorf("%d invoices are said to be lost, want 40", lost)
			}
			wantRows(t, w, 2*60)
		},
		"behind a first start that found nothing": func(t *testing.T, w *world) {
			if lost := w.scoredFor(t, time.Minute); lost != 0 {
				t.Errorf("%d invoices are said to be lost of an empty topic", lost)
			}
			w.one(t, 0, 40)
			w.truncated(t, 2, 30)
			if lost := w.scoredFor(t, time.Minute); lost != 2*30 {
				t.Errorf("%d invoices are said to be lost, want 60", lost)
			}
			wantRows(t, w, 2*10)
		},
		"behind a first start that stored nothing": func(t *testing.T, w *world) {
			w.one(t, 0, 40)
			w.truncated(t, 2, 30)
			var down atomic.Bool
			down.Store(true)
			w.away(&down)
			_, stop := w.start("dies", func(o *pipeline.Options) { o.DrainTimeout = 1 })
			time.Sleep(10 * time.Second)
			stop()
			down.Store(false)
			w.truncated(t, 2, 35)
			if lost := w.scoredFor(t, time.Minute); lost != 2*5 {
				t.Errorf("%d invoices are said to be lost, want the 10 that went behind the first start", lost)
			}
		},
		"before a reset": func(t *testing.T, w *world) {
			w.one(t, 0, 40)
			w.caught(t, "before")
			w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
			w.one(t, 40, 80)
			w.truncated(t, 2, 30)
			if err := w.reset(t, 1000); err != nil {
				t.Fatal(err)
			}
			if lost := w.scoredFor(t, time.Minute); lost != 0 {
				t.Errorf("%d invoices are said to be lost, want none", lost)
			}
			wantRows(t, w, 2*40+2*10)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { run(t, newWorld(2)) })
		})
	}
}
