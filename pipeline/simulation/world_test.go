package simulation_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
	"recoup/sinks/memstore"
)

var topics = pipeline.Topics{Invoices: "invoices", Suspects: "suspects", State: "state", Baselines: "baselines",
	Cases: "cases", CaseEvents: "case-events", Recoveries: "recoveries", Disputes: "disputes", DeadLetter: "dead-letter"}

const (
	group      = "recoup"
	stageGroup = "stage"
	leadTopic  = "lead"
)

// pace is how a world is run: it must make no difference to what comes out.
type pace struct {
	fetchBytes                     int
	flushRows                      int
	flush, checkpoint, sweep, step time.Duration
	leave                          time.Duration
	standby                        pipeline.Standby
}

// calm is the pace of a run without faults.
var calm = pace{fetchBytes: 4 << 10, flushRows: 10, flush: 50 * time.Millisecond, checkpoint: 300 * time.Millisecond,
	sweep: 3 * time.Second, step: time.Second}

// fenceAfter is pipeline.Options.FenceAfter of all members.
const fenceAfter = 300 * time.Millisecond

// metrics are shared: nothing here looks at them, and each member's own would cost a
// third of a seed.
var metrics = pipeline.NewMetrics(prometheus.NewRegistry())

// world is a log, a store and who works on them.
type world struct {
	in    *input
	pace  pace
	log   *memlog.Log
	store *memstore.Store
}

func newWorld(in *input, pace pace) *world {
	w := &world{in: in, pace: pace, store: memstore.New(), log: memlog.New(memlog.Options{FetchBytes: pace.fetchBytes})}
	t := topics
	for _, topic := range []string{t.Invoices, t.Suspects, t.State, t.Baselines} {
		w.log.CreateTopic(topic, len(in.partitions), 0)
	}
	for _, topic := range []string{t.Cases, t.CaseEvents, t.Recoveries, t.Disputes, t.DeadLetter, leadTopic} {
		w.log.CreateTopic(topic, 1, 0)
	}
	return w
}

// options are those of every member: baselines that make suspects after a few invoices.
func (w *world) options(name string, untilCaughtUp bool) pipeline.Options {
	opt := pipeline.DefaultOptions()
	opt.Group, opt.Member, opt.Topics, opt.Metrics = group, name, topics, metrics
	if w.in.people == nil {
		opt.Topics.CaseEvents, opt.Topics.Recoveries, opt.Topics.Disputes = "", "", ""
	}
	opt.Log = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	opt.Scoring.MinN, opt.Scoring.MaxCV = 4, 0.5
	opt.Budget = w.in.budget
	opt.FlushRows, opt.FlushInterval = w.pace.flushRows, w.pace.flush
	opt.CheckpointInterval, opt.SweepAfter = w.pace.checkpoint, w.pace.sweep
	opt.FenceAfter, opt.DrainTimeout = fenceAfter, fenceAfter
	opt.LeaveTimeout = w.pace.leave
	opt.Stage.Every = w.pace.step
	opt.Standby = w.pace.standby
	opt.UntilCaughtUp = untilCaughtUp
	return opt
}

// send appends the invoices of a partition from one record up to before another.
func (w *world) send(p, from, to int) {
	for i := from; i < to; i++ {
		if n := w.in.gaps[[2]int{p, i}]; n > 0 {
			must(w.log.Skip(topics.Invoices, p, n))
		}
		_, err := w.log.Append(context.Background(), topics.Invoices, p, w.in.partitions[p][i:i+1])
		must(err)
	}
}

// say appends what people say from one record up to before another.
func (w *world) say(from, to int) {
	for _, s := range w.in.people[from:to] {
		_, err := w.log.Append(context.Background(), s.topic, 0, []pipeline.Record{s.Record})
		must(err)
	}
}

// must is for what cannot fail here.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// settle runs a member without faults until it has caught up, or refuses to go on.
func (w *world) settle(name string) error {
	opt := w.options(name, true)
	if w.in.people != nil {
		opt.Stage.Group = func() pipeline.Group { return w.log.Group(stageGroup, leadTopic) }
	}
	m := pipeline.NewMember(opt, w.log, w.log.Group(group, topics.Invoices), w.store)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	return m.Run(ctx)
}

// faultFree is what a variant comes to without faults.
func faultFree(t *testing.T, variant uint64) (want *outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(newInput(variant), calm)
		for p, records := range w.in.partitions {
			w.send(p, 0, len(records))
		}
		w.say(0, len(w.in.people))
		if err := w.settle("only"); err != nil {
			t.Fatalf("a member without faults: %v", err)
		}
		want = w.outcome()
	})
	return want
}
