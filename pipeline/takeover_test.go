package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
	"recoup/sinks/memstore"
)

// distant is a log each answer of which takes a while, and that counts its questions.
type distant struct {
	*memlog.Log
	trip  time.Duration
	asked atomic.Int64
}

func (l *distant) travel() {
	l.asked.Add(1)
	time.Sleep(l.trip)
}

func (l *distant) Open(topic string, partition int) pipeline.Reader {
	return &distantReader{l.Log.Open(topic, partition), l}
}

func (l *distant) Append(ctx context.Context, topic string, p int, r []pipeline.Record) (int64, error) {
	l.travel()
	return l.Log.Append(ctx, topic, p, r)
}

func (l *distant) Bounds(ctx context.Context, topic string, p int) (int64, int64, error) {
	l.travel()
	return l.Log.Bounds(ctx, topic, p)
}

func (l *distant) Partitions(ctx context.Context, topic string) (int, error) {
	l.travel()
	return l.Log.Partitions(ctx, topic)
}

type distantReader struct {
	pipeline.Reader
	log *distant
}

func (r *distantReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	r.log.travel()
	return r.Reader.Fetch(ctx, offset)
}

// A take-over waits for few answers one after the other, however many partitions there are:
// each costs a partition that nobody scores.
func TestTakeOverRoundTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const partitions, trip = 8, 10 * time.Millisecond
		w, fetch := newWorld(partitions), memlog.Options{FetchBytes: 1 << 20}
		w.log = memlog.New(fetch)
		w.createTopics(partitions)
		w.fill(t, partitions, 200)
		first, _ := w.member("first", nil)
		if err := first.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		log := &distant{Log: w.log, trip: trip}
		opt := w.options("second", false)
		registry := prometheus.NewRegistry()
		opt.Metrics = pipeline.NewMetrics(registry)
		second := pipeline.NewMember(opt, log, w.log.Group(opt.Group, opt.Topics.Invoices), w.store)
		during(t, second, func() { time.Sleep(5 * time.Second) })
		took := metric(t, registry, "recoup_takeover_duration_seconds").GetHistogram()
		sum, n := took.GetSampleSum(), int(took.GetSampleCount())
		t.Logf("%d take-overs, %.0f ms each, %d questions in all", n, 1000*sum/float64(n), log.asked.Load())
		if n != partitions || sum/float64(n) > 8*trip.Seconds() {
			t.Errorf("%d take-overs took %.0f ms each", n, 1000*sum/float64(n))
		}
	})
}

// marked is the offset of the last marker of partition 0, 0 without one.
func (w *world) marked(t *testing.T) (offset int64) {
	t.Helper()
	for _, r := range w.log.Records(w.opt.Topics.State, 0) {
		if string(r.Key) == "marker" {
			var mark struct{ Offset int64 }
			if err := json.Unmarshal(r.Value[bytes.IndexByte(r.Value, '{'):], &mark); err != nil {
				t.Fatal(err)
			}
			offset = mark.Offset
		}
	}
	return offset
}

// A partition whose owners die before a checkpoint interval is over makes checkpoints all
// the same: else each owner has more to replay than the one before.
func TestCheckpointThoughOwnersDie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.opt.CheckpointInterval = 30 * time.Second
		for life := range 10 {
			m, group := w.member("a", func(o *pipeline.Options) { o.UntilCaughtUp = false })
			during(t, m, func() {
				w.fillMore(t, 1, 100*life, 100*(life+1))
				time.Sleep(20 * time.Second)
				group.(*memlog.Member).Evict() // what it would write at its end is refused
			})
		}
		end := w.log.Committed(w.opt.Group, w.opt.Topics.Invoices)[0]
		if left := end - w.marked(t); end == 0 || left > end/2 {
			t.Errorf("%d of %d invoices are to be replayed", left, end)
		}
	})
}

// shortLog is a log whose fetches of one topic tell an older end for a while, as a broker does that
// has just come to lead a partition. Its bounds are those of before.
type shortLog struct {
	*memlog.Log
	topic string
	end   int64
	until time.Time
}

func (l *shortLog) Open(topic string, partition int) pipeline.Reader {
	if topic != l.topic {
		return l.Log.Open(topic, partition)
	}
	return &shortReader{l.Log.Open(topic, partition), l}
}

type shortReader struct {
	pipeline.Reader
	log *shortLog
}

func (r *shortReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	got, err := r.Reader.Fetch(ctx, offset)
	if end := r.log.end; err == nil && time.Now().Before(r.log.until) {
		got.Records = slices.DeleteFunc(got.Records, func(r pipeline.Record) bool { return r.Offset >= end })
		got.End, got.Next = min(got.End, end), max(offset, min(got.Next, end))
	}
	return got, err
}

// G4, G5: what an owner decided and did not store is read by the next one to its end, though the broker
// tells an older end for some seconds; while it does the take-over says so.
func TestTakeOverReadsToTheEnd(t *testing.T) {
	for _, old := range []time.Duration{2 * time.Second, 20 * time.Second} {
		t.Run(old.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, want := twins(t)
				var down atomic.Bool
				down.Store(true)
				w.away(&down)
				_, stop := w.start("first", nil)
				time.Sleep(time.Minute)
				stop()
				suspects := w.opt.Topics.Suspects
				decided := len(w.log.Records(suspects, 0))
				down.Store(false)
				log := &shortLog{Log: w.log, topic: suspects, end: int64(decided) - 5, until: time.Now().Add(old)}
				m := w.memberLive("second", log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices))
				during(t, m, func() {
					time.Sleep(10 * time.Second)
					if err := m.Ready(); (err != nil) != (old > 10*time.Second) ||
						err != nil && !strings.Contains(err.Error(), "cannot read recoup.suspects/0") {
						t.Errorf("Ready = %v after 10 s of %s", err, old)
					}
					time.Sleep(time.Minute)
				})
				w.outcome(t).equal(t, want)
				for _, r := range w.log.Records(suspects, 0)[decided:] {
					if string(r.Key) != "ownership" {
						t.Errorf("%s was decided again", r.Key)
					}
				}
			})
		})
	}
}

// parted is a log that takes records in two requests, between which another owner's claim comes to
// stand, once.
type parted struct {
	*memlog.Log
	topic string
	claim []pipeline.Record
}

func (l *parted) Append(ctx context.Context, topic string, p int, r []pipeline.Record) (int64, error) {
	if topic != l.topic || len(l.claim) == 0 || len(r) < 2 {
		return l.Log.Append(ctx, topic, p, r)
	}
	claim := l.claim
	l.claim = nil
	for _, part := range [][]pipeline.Record{r[:1], claim} {
		if _, err := l.Log.Append(ctx, topic, p, part); err != nil {
			return 0, err
		}
	}
	base, err := l.Log.Append(ctx, topic, p, r[1:])
	return base - 1, err
}

// G4, G9: a claim between two parts of what an owner appends is seen.
func TestClaimBetweenParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		opt := w.options("a", true)
		claim := []byte(`{"schema":"decision.v1","kind":"ownership","member":"late","source":{"topic":"billing.invoices",` +
			`"partition":0,"offset":0},"detected_at":"2026-03-01T08:00:00Z"}`)
		log := &parted{Log: w.log, topic: opt.Topics.Suspects,
			claim: []pipeline.Record{{Key: []byte("ownership"), Value: claim}}}
		m := pipeline.NewMember(opt, log, w.log.Group(opt.Group, opt.Topics.Invoices), w.store)
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := total(opt.Metrics.Fenced); len(log.claim) > 0 || n != 1 {
			t.Errorf("%d claims are left to write, fenced %d times; want one to be written and seen", len(log.claim), n)
		}
		w.outcome(t).equal(t, want)
	})
}

// A take-over asks the row store while it reads the log: none of both waits for the other.
func TestTakeOverAsksTheStoreBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const trip, answer = 10 * time.Millisecond, 40 * time.Millisecond
		w, fetch := newWorld(1), memlog.Options{FetchBytes: 1 << 20}
		w.log = memlog.New(fetch)
		w.createTopics(1)
		w.fill(t, 1, 200)
		first, _ := w.member("first", nil)
		if err := first.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.store.SetFaults(memstore.Faults{Read: func(pipeline.Owner) error { time.Sleep(answer); return nil }})
		opt := w.options("second", false)
		registry := prometheus.NewRegistry()
		opt.Metrics = pipeline.NewMetrics(registry)
		log, group := &distant{Log: w.log, trip: trip}, w.log.Group(opt.Group, opt.Topics.Invoices)
		second := pipeline.NewMember(opt, log, group, w.store)
		during(t, second, func() { time.Sleep(5 * time.Second) })
		took := metric(t, registry, "recoup_takeover_duration_seconds").GetHistogram().GetSampleSum()
		if most := (2*answer + 4*trip).Seconds(); took > most {
			t.Errorf("it took %.0f ms, want what the store takes and %.0f ms before", 1000*took, 1000*(4*trip).Seconds())
		}
	})
}

// G2: the markers that stand last may be a former owner's that came late, and the group may have
// lost its offsets. Rows are looked for from the offset on that the partition is taken over at, also
// when the store goes away in between.
func TestLateMarkerHidesNoRows(t *testing.T) {
	t.Run("store answers", func(t *testing.T) { testLateMarker(t, 0) })
	t.Run("store goes away", func(t *testing.T) { testLateMarker(t, 3) })
}

// testLateMarker has the store refuse so many questions after it has told the rows once.
func testLateMarker(t *testing.T, refused int) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 200)
		var ends []int // of the state, in records
		for life := range 2 {
			m, _ := w.member(fmt.Sprint(life), nil)
			if err := m.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, len(w.log.Records(w.opt.Topics.State, 0)))
			if life == 0 {
				w.fillMore(t, 1, 200, 300)
			}
		}
		state := w.log.Records(w.opt.Topics.State, 0)
		inherited, last := ends[0], ends[1]-1 // of the second owner: what it began with, what it would end with
		for _, i := range []int{inherited, last} {
			if string(state[i].Key) != "marker" {
				t.Fatalf("record %d of %d is %q, want a marker", i, len(state), state[i].Key)
			}
		}
		w.log.DeleteTopic(w.opt.Topics.State) // the second one died in its checkpoint, and one before it wrote late
		w.log.CreateTopic(w.opt.Topics.State, 1, 0)
		for _, r := range state[:last] {
			w.put(t, w.opt.Topics.State, 0, r)
		}
		for range 100 {
			w.put(t, w.opt.Topics.State, 0, state[last-1])
		}
		w.put(t, w.opt.Topics.State, 0, pipeline.Restamped(t, state[last], 0))
		w.opt.Group += " anew"
		reads := 0
		w.store.SetFaults(memstore.Faults{Read: func(pipeline.Owner) error {
			if reads++; reads > 2 && reads <= 2+refused { // each time it asks to end inserts first
				return errors.New("away")
			}
			return nil
		}})
		m, _ := w.member("third", nil)
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.wantEach(t)
	})
}
