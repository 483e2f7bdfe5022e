package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/cases"
	"recoup/docs/contract/contracttest"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
	"recoup/sinks/memstore"
)

// world is a log, a store and what should come out of them.
type world struct {
	log   *memlog.Log
	store *memstore.Store
	opt   pipeline.Options
	sent  int
	died  atomic.Int32 // mortal members that died
}

func newWorld(partitions int) *world {
	opt := pipeline.DefaultOptions()
	opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	opt.CheckpointInterval = 2 * time.Second
	opt.FlushRows = 40
	w := &world{log: memlog.New(memlog.Options{FetchBytes: 8 << 10}), store: memstore.New(), opt: opt}
	w.createTopics(partitions)
	return w
}

func (w *world) createTopics(partitions int) {
	t := w.opt.Topics
	for _, topic := range []string{t.Invoices, t.Suspects, t.State, t.Baselines} {
		w.log.CreateTopic(topic, partitions, 0)
	}
	w.log.CreateTopic(t.Cases, 3, 0)
	w.log.CreateTopic(t.DeadLetter, 2, 4<<20)
}

// invoiceJSON is a plain invoice of a narrow segment.
func invoiceJSON(id string, net float64, at time.Time, delivery string) []byte {
	return fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"e-%s","seller":"acme","invoice_id":%q,`+
		`"issued_at":%q,"currency":"EUR","net_amount":"%.2f","customer_ref":"c1","customer_type":"B2C",`+
		`"product_family":"fibre","delivery_ref":%q}`, id, id, at.Format(time.RFC3339), net, delivery)
}

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// fill sends n invoices to each partition: around 400.00, every 10th after the
// warm-up 30 % low, with redeliveries and garbage between them.
func (w *world) fill(t *testing.T, partitions, n int) {
	t.Helper()
	w.fillMore(t, partitions, 0, n)
}

// fillMore sends the invoices from up to before to of each partition.
func (w *world) fillMore(t *testing.T, partitions, from, to int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(from)))
	for p := range partitions {
		var records []pipeline.Record
		for i := from; i < to; i++ {
			at := start.Add(time.Duration(i) * time.Minute)
			net := 400 + 8*rng.Float64()
			if i > 80 && i%10 == 0 {
				net *= 0.7
			}
			value := invoiceJSON(fmt.Sprintf("%d-%d", p, i), net, at, fmt.Sprintf("d-%d-%d", p, i))
			records = append(records, pipeline.Record{Key: []byte("c1"), Value: value, Time: at})
			w.sent++
			if i%17 == 3 {
				records = append(records, pipeline.Record{Key: []byte("c1"), Value: value, Time: at})
			}
			if i%29 == 7 {
				records = append(records, pipeline.Record{Value: []byte("garbage"), Time: at})
			}
		}
		if _, err := w.log.Append(context.Background(), w.opt.Topics.Invoices, p, records); err != nil {
			t.Fatal(err)
		}
	}
}

// member makes a member of the world's group.
func (w *world) member(name string, change func(*pipeline.Options)) (*pipeline.Member, pipeline.Group) {
	opt := w.options(name, true)
	if change != nil {
		change(&opt)
	}
	group := w.log.Group(opt.Group, opt.Topics.Invoices)
	return pipeline.NewMember(opt, w.log, group, w.store), group
}

// memberOn makes a member that sees the world through what it is given and ends
// once it has caught up.
func (w *world) memberOn(name string, log pipeline.Log, g pipeline.Group, store pipeline.Store) *pipeline.Member {
	return pipeline.NewMember(w.options(name, true), log, g, store)
}

// options are a member's, with metrics of its own.
func (w *world) options(name string, untilCaughtUp bool) pipeline.Options {
	opt := w.opt
	opt.Member, opt.UntilCaughtUp = name, untilCaughtUp
	opt.Metrics = pipeline.NewMetrics(prometheus.NewRegistry())
	return opt
}

// during runs a member while something is done, and wants it to end well.
func during(t *testing.T, m *pipeline.Member, while func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- m.Run(ctx) }()
	while()
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// put appends a record to a topic.
func (w *world) put(t *testing.T, topic string, partition int, r pipeline.Record) {
	t.Helper()
	if _, err := w.log.Append(context.Background(), topic, partition, []pipeline.Record{r}); err != nil {
		t.Fatal(err)
	}
}

// outcome is everything a run leaves behind that must not depend on crashes.
type outcome struct {
	rows    map[string]string // position → verdict, its level of detail without times
	cases   map[string]bool   // case ids
	dead    map[string]bool   // positions
	doubled int
}

// wantEach wants one row of each invoice that was sent.
func (w *world) wantEach(t *testing.T) {
	t.Helper()
	if got := w.outcome(t); len(got.rows) != w.sent || got.doubled != 0 {
		t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
	}
}

func (w *world) outcome(t *testing.T) outcome {
	t.Helper()
	o := outcome{rows: map[string]string{}, cases: map[string]bool{}, dead: map[string]bool{}}
	for _, r := range w.store.Rows() {
		v := r.Verdict
		key := fmt.Sprintf("%d/%d", v.Source.Partition, v.Source.Offset)
		if _, was := o.rows[key]; was {
			o.doubled++
		}
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		o.rows[key] = string(body)
	}
	bodies := map[string]string{}
	for p := range 3 {
		for _, r := range w.log.Records(w.opt.Topics.Cases, p) {
			if err := contracttest.Validate(r.Value); err != nil {
				t.Errorf("case: %v", err)
			}
			var c cases.Case
			if err := json.Unmarshal(r.Value, &c); err != nil {
				t.Fatal(err)
			}
			if was, again := bodies[c.CaseID]; again && was != string(r.Value) {
				t.Errorf("case %s was published with two contents:\n%s\n%s", c.CaseID, was, r.Value)
			}
			bodies[c.CaseID] = string(r.Value)
			o.cases[c.CaseID] = true
		}
	}
	for p := range 2 {
		for _, r := range w.log.Records(w.opt.Topics.DeadLetter, p) {
			if err := contracttest.Validate(r.Value); err != nil {
				t.Errorf("dead letter: %v", err)
			}
			var d pipeline.DeadLetter
			if err := json.Unmarshal(r.Value, &d); err != nil {
				t.Fatal(err)
			}
			o.dead[fmt.Sprintf("%d/%d", d.Partition, d.Offset)] = true
		}
	}
	return o
}

func (o outcome) equal(t *testing.T, want outcome) {
	t.Helper()
	if o.doubled > 0 {
		t.Errorf("%d rows stand twice", o.doubled)
	}
	for key, body := range want.rows {
		if got, there := o.rows[key]; !there {
			t.Errorf("row %s is missing", key)
		} else if got != body {
			t.Errorf("row %s differs:\n got %s\nwant %s", key, got, body)
		}
	}
	if len(o.rows) != len(want.rows) || len(o.dead) != len(want.dead) || len(o.cases) != len(want.cases) {
		t.Errorf("got %d rows, %d dead letters, %d cases; want %d, %d, %d", len(o.rows), len(o.dead), len(o.cases),
			len(want.rows), len(want.dead), len(want.cases))
	}
	for id := range want.cases {
		if !o.cases[id] {
			t.Errorf("case %s is missing", id)
		}
	}
}

// faultFree runs one member over the world until it has caught up.
func (w *world) faultFree(t *testing.T) outcome {
	t.Helper()
	m, _ := w.member("only", nil)
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w.outcome(t)
}

// twins returns a filled world and what comes out of one like it without faults.
func twins(t *testing.T) (*world, outcome) {
	t.Helper()
	w := newWorld(1)
	w.fill(t, 1, 200)
	want := w.faultFree(t)
	w = newWorld(1)
	w.fill(t, 1, 200)
	return w, want
}

// G1, G2, G3, G6: every invoice has one row, redeliveries none, garbage is parked.
func TestMemberScoresEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.fill(t, 2, 300)
		got := w.faultFree(t)
		if len(got.rows) != w.sent || got.doubled != 0 {
			t.Errorf("got %d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
		}
		if len(got.cases) != 2*21 {
			t.Errorf("got %d cases, want 42", len(got.cases))
		}
		for p := range 2 {
			for _, r := range w.log.Records(w.opt.Topics.Suspects, p) {
				if err := contracttest.Validate(r.Value); err != nil {
					t.Errorf("decision log: %v", err)
				}
			}
		}
		if len(got.dead) != 2*11 {
			t.Errorf("got %d dead letters, want 22", len(got.dead))
		}
		for p := range 2 {
			_, end, err := w.log.Bounds(t.Context(), w.opt.Topics.Invoices, p)
			if err != nil {
				t.Fatal(err)
			}
			if at := w.log.Committed(w.opt.Group, w.opt.Topics.Invoices)[p]; at != end {
				t.Errorf("partition %d: committed %d, log ends at %d", p, at, end)
			}
		}
	})
}

var errDead = errors.New("the process is dead")

// mortal is a member's view of the world: at its n-th outside call the member
// dies, before the call or after it, and nothing it does reaches the world any more.
type mortal struct {
	pipeline.Log
	pipeline.Store
	mu    sync.Mutex
	left  int
	after bool
	takes time.Duration // how long a write takes; without, all is over before the first checkpoint
	die   func()
}

// step runs one outside call, or the end of the member.
func (m *mortal) step(call func() error) error {
	m.mu.Lock()
	if m.left < 0 {
		m.mu.Unlock()
		return errDead
	}
	m.left--
	now := m.left < 0
	m.mu.Unlock()
	if now {
		m.die()
		if !m.after {
			return errDead
		}
	}
	err := call()
	if now {
		return errDead
	}
	return err
}

func (m *mortal) Append(ctx context.Context, topic string, p int, r []pipeline.Record) (base int64, err error) {
	time.Sleep(m.takes)
	err = m.step(func() error { base, err = m.Log.Append(ctx, topic, p, r); return err })
	return base, err
}

func (m *mortal) Insert(ctx context.Context, o pipeline.Owner, n int64, b pipeline.Block,
	hold func(context.Context) error) error {
	time.Sleep(m.takes)
	return m.step(func() error { return m.Store.Insert(ctx, o, n, b, hold) })
}

// mortalGroup lets commits count as outside calls too.
type mortalGroup struct {
	pipeline.Group
	m *mortal
}

func (g *mortalGroup) Next(ctx context.Context) (pipeline.Generation, error) {
	gen, err := g.Group.Next(ctx)
	if err != nil {
		return nil, err
	}
	return &mortalGeneration{gen, g.m}, nil
}

type mortalGeneration struct {
	pipeline.Generation
	m *mortal
}

func (g *mortalGeneration) Commit(ctx context.Context, offsets map[int]int64) error {
	return g.m.step(func() error { return g.Generation.Commit(ctx, offsets) })
}

// G2, G3, G4, G5, G9: whatever outside call a member dies at, with the reply lost
// or not, the members after it leave what a run without faults leaves.
func TestCrashAnywhere(t *testing.T) {
	var want outcome
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 200)
		want = w.faultFree(t)
	})
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { crashRun(t, seed, want) })
		})
	}
}

// vary draws how often members flush and write checkpoints.
func (w *world) vary(rng *rand.Rand) {
	w.opt.FlushRows = 5 + rng.IntN(60)
	w.opt.CheckpointInterval = time.Duration(1+rng.IntN(400)) * time.Millisecond
	w.opt.FlushInterval = 10 * time.Millisecond
}

// mortal returns a member that dies at one of its first effects, drawn below most.
func (w *world) mortal(name string, rng *rand.Rand, most int, cancel func()) *pipeline.Member {
	return w.dies(name, &mortal{left: rng.IntN(most), after: rng.IntN(2) == 0,
		takes: time.Duration(rng.IntN(100)) * time.Millisecond}, cancel)
}

// dies returns a member that sees the world through a view that tells where it dies.
func (w *world) dies(name string, view *mortal, cancel func()) *pipeline.Member {
	group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
	view.Log, view.Store = w.log, w.store
	view.die = func() { w.died.Add(1); group.Evict(); cancel() }
	return w.memberOn(name, view, &mortalGroup{group, view}, view)
}

func crashRun(t *testing.T, seed uint64, want outcome) {
	rng := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(1)
	w.vary(rng)
	w.fill(t, 1, 200)
	for life := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		member := w.mortal(fmt.Sprint("life ", life), rng, 40, cancel)
		_ = member.Run(ctx) // it may die or finish
		cancel()
	}
	m, _ := w.member("last", nil)
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.outcome(t).equal(t, want)
}

// G2, G3, G4, G5, G9: the same, one by one. A run dies at each append, insert and commit that it
// makes, before it and behind it, until it makes no more; and so does, after one that died on its
// way, the run that takes over.
func TestEachWriteCrashAnywhere(t *testing.T) {
	var want outcome
	synctest.Test(t, func(t *testing.T) { _, want = twins(t) })
	for _, lives := range [][]int{{}, {25}} {
		for _, after := range []bool{false, true} {
			n := 0
			for died := true; died; n++ {
				died = false // as it stays when the run cannot be finished
				t.Run(fmt.Sprintf("lives of %v, then of %d writes, the last made %v", lives, n, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { died = diesAt(t, append(slices.Clone(lives), n), after, want) })
				})
			}
			if n <= 20 {
				t.Errorf("after lives of %v a run makes %d writes, want more", lives, n-1)
			}
		}
	}
}

// diesAt runs members that die after so many writes each, and one that lives. It tells whether
// all of them died that were to.
func diesAt(t *testing.T, lives []int, after bool, want outcome) bool {
	w := newWorld(1)
	w.opt.CheckpointInterval, w.opt.FlushInterval = 200*time.Millisecond, 10*time.Millisecond
	w.fill(t, 1, 200)
	for i, left := range lives {
		ctx, cancel := context.WithCancel(t.Context())
		view := &mortal{left: left, after: after, takes: 20 * time.Millisecond}
		_ = w.dies(fmt.Sprint("life ", i), view, cancel).Run(ctx) // it may die or finish
		cancel()
	}
	m, _ := w.member("last", nil)
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.outcome(t).equal(t, want)
	return int(w.died.Load()) == len(lives)
}
