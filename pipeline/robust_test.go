package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"recoup/pipeline"
)

// G6: records that are odd in every way a producer can choose neither stop a
// partition nor the process: absurd timestamps, huge keys, empty values.
func TestOddRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.log.CreateTopic(w.opt.Topics.Invoices, 1, 4<<20)
		w.log.CreateTopic(w.opt.Topics.DeadLetter, 2, 1<<20)
		w.fill(t, 1, 200)
		absurd := time.UnixMilli(1_800_000_000_000_000) // microseconds for milliseconds
		odd := []pipeline.Record{
			{Value: []byte("garbage"), Time: absurd},
			{Value: invoiceJSON("absurd", 200, start.Add(3*time.Hour), "d-absurd"), Time: absurd},
			{Key: bytes.Repeat([]byte("k"), 700<<10), Value: []byte("garbage"), Time: start},
			{Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 3<<20), Time: start},
			{Key: []byte("k"), Value: nil, Time: start},
		}
		for _, r := range odd {
			if _, err := w.log.Append(t.Context(), w.opt.Topics.Invoices, 0, []pipeline.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		_, stop := w.start("a", nil)
		defer stop()
		time.Sleep(time.Minute)
		got := w.outcome(t)
		if len(got.rows) != w.sent+1 || got.doubled != 0 {
			t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent+1)
		}
		if want := 7 + 4; len(got.dead) != want {
			t.Errorf("%d dead letters, want %d", len(got.dead), want)
		}
		_, end, _ := w.log.Bounds(t.Context(), w.opt.Topics.Invoices, 0)
		if at := w.log.Committed(w.opt.Group, w.opt.Topics.Invoices)[0]; at != end {
			t.Errorf("committed %d of %d", at, end)
		}
	})
}

// A stray record in a topic of recoup's own stops nobody: neither the owner that
// meets it in a gap nor the one that takes over.
func TestForeignRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 200)
		stray := func() {
			for _, topic := range []string{w.opt.Topics.Suspects, w.opt.Topics.State, w.opt.Topics.Baselines} {
				for _, value := range [][]byte{[]byte("hello"), nil, []byte(`{"schema":"other.v1"}`), {1}} {
					_, err := w.log.Append(t.Context(), topic, 0, []pipeline.Record{{Key: []byte("stray"), Value: value}})
					if err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		stray()
		_, stop := w.start("a", nil)
		time.Sleep(10 * time.Second)
		stray()
		w.fillMore(t, 1, 200, 300)
		time.Sleep(10 * time.Second)
		before := len(w.log.Records(w.opt.Topics.Suspects, 0))
		stop()
		stray()
		_, stop = w.start("b", nil)
		defer stop()
		w.fillMore(t, 1, 300, 400)
		time.Sleep(time.Minute)
		got := w.outcome(t)
		if len(got.rows) != w.sent || got.doubled != 0 {
			t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
		}
		if grown := len(w.log.Records(w.opt.Topics.Suspects, 0)) - before; grown > 30 {
			t.Errorf("the decision log grew by %d records for 10 suspects", grown)
		}
	})
}

// G6: a stray record among the baselines is counted, as everywhere.
func TestForeignBaselinesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		metrics := pipeline.NewMetrics(prometheus.NewRegistry())
		_, stop := w.start("a", func(o *pipeline.Options) { o.Metrics = metrics })
		defer stop()
		time.Sleep(5 * time.Second) // a take-over reads counts, and counts them, too
		for _, key := range []string{"stray", "segment|acme|p0", "count|acme|release|r1|p0"} {
			w.put(t, w.opt.Topics.Baselines, 0, pipeline.Record{Key: []byte(key), Value: []byte("hello")})
		}
		time.Sleep(10 * time.Second)
		var got dto.Metric
		if err := metrics.Foreign.Write(&got); err != nil {
			t.Fatal(err)
		}
		if n := got.Counter.GetValue(); n != 2 { // counts are for the case stage, which does not run
			t.Errorf("%v records are counted, want the two that are no baselines", n)
		}
	})
}

// "A decision, once published, is never contradicted": the first owner decides
// all while the store is away; the second keeps its decisions, takes a checkpoint
// amid them and dies; the third still keeps what the first decided.
func TestDecisionsOutliveTwoOwners(t *testing.T) {
	for calls := 2; calls < 60; calls += 2 {
		t.Run(fmt.Sprint("second owner dies after ", calls), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { threeOwners(t, calls) })
		})
	}
}

func threeOwners(t *testing.T, calls int) {
	w := newWorld(1)
	w.opt.CheckpointInterval = 30 * time.Millisecond
	w.opt.FlushInterval = 10 * time.Millisecond
	w.opt.FlushRows = 10
	w.fill(t, 1, 300)
	var down atomic.Bool
	down.Store(true)
	w.away(&down)
	_, stop := w.start("first", nil)
	time.Sleep(4 * time.Second)
	stop()
	down.Store(false)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
	view := &mortal{Log: w.log, Store: w.store, left: calls, takes: 20 * time.Millisecond}
	view.die = func() { group.Evict(); cancel() }
	_ = w.memberOn("second", view, &mortalGroup{group, view}, view).Run(ctx)

	got := w.faultFree(t) // fails where one case has two contents
	if len(got.rows) != w.sent || got.doubled != 0 {
		t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
	}
	decided := map[int64]int{}
	for _, r := range w.log.Records(w.opt.Topics.Suspects, 0) {
		var d pipeline.Decision
		if err := json.Unmarshal(r.Value, &d); err != nil {
			t.Fatal(err)
		}
		if d.Verdict != nil {
			decided[d.Source.Offset]++
		}
	}
	for offset, n := range decided {
		if n > 1 {
			t.Errorf("offset %d was decided %d times", offset, n)
		}
	}
	if len(decided) != 21 {
		t.Errorf("%d decisions, want 21", len(decided))
	}
}

// A decision of a lower epoch behind a higher ownership record is void: nobody
// takes its verdict over, nobody publishes its case.
func TestVoidDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		owner := `{"schema":"decision.v1","kind":"ownership","epoch":0,"member":"m","source":{"topic":"t","incarnation":0,` +
			`"partition":0,"offset":0},"detected_at":"2026-03-01T08:00:00Z"}`
		void := `{"schema":"decision.v1","kind":"decision","epoch":0,"source":{"topic":"billing.invoices",` +
			`"incarnation":0,"partition":0,"offset":5},"detected_at":"2026-03-01T08:00:00Z","verdict":{"schema":"verdict.v1",` +
			`"seller":"acme","invoice_id":"0-4","stage":"issued","suspect":true,"decision":"open_case"},` +
			`"case":{"schema":"case.v1","case_id":"void"}}`
		var records []pipeline.Record
		for _, value := range []string{owner, owner, void} { // the second owner's epoch is 1
			records = append(records, pipeline.Record{Key: []byte("k"), Value: []byte(value)})
		}
		if _, err := w.log.Append(t.Context(), w.opt.Topics.Suspects, 0, records); err != nil {
			t.Fatal(err)
		}
		w.faultFree(t).equal(t, want)
	})
}

// shy is a log that does not answer how many partitions a topic has while asked to.
type shy struct {
	pipeline.Log
	silent atomic.Bool
}

func (s *shy) Partitions(ctx context.Context, topic string) (int, error) {
	if s.silent.Load() {
		return 0, errAway
	}
	return s.Log.Partitions(ctx, topic)
}

// A cluster that does not answer for a moment when partitions are assigned costs
// that moment, not the minute of a fault that a person has to mend.
func TestNoAnswerAtAssignment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		view := &shy{Log: w.log}
		group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
		m := w.memberOn("a", view, &delayedGroup{group, func() {
			view.silent.Store(true)
			time.AfterFunc(time.Second, func() { view.silent.Store(false) })
		}}, w.store)
		began := time.Now()
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %v, want little more than the second without an answer", took)
		}
		w.outcome(t).equal(t, want)
	})
}

// delayedGroup does something before it hands out an assignment.
type delayedGroup struct {
	pipeline.Group
	before func()
}

func (g *delayedGroup) Next(ctx context.Context) (pipeline.Generation, error) {
	g.before()
	return g.Group.Next(ctx)
}
