package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// killable is a member that can be killed, of which nobody hears before it is evicted.
type killable struct {
	view  *mortal
	evict func()
	end   func()
}

func (w *world) killable(t *testing.T, name string) *killable {
	group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
	view := &mortal{Log: w.log, Store: w.store, left: 1 << 30, die: func() {}}
	m := pipeline.NewMember(w.options(name, false), view, &mortalGroup{group, view}, view)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { _ = m.Run(ctx); close(over) }()
	return &killable{view, group.Evict, func() { cancel(); <-over }}
}

// kill lets nothing that it does reach the world any more.
func (k *killable) kill() {
	k.view.mu.Lock()
	defer k.view.mu.Unlock()
	k.view.left = -1
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write takes a line.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// String returns all lines.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// pair is two members with a partition each.
type pair struct {
	*world
	*killable
	said    journal // the second one's
	metrics *pipeline.Metrics
	stop    func() // both, the second one cleanly
	billed  int
}

func newPair(t *testing.T, change func(*pipeline.Options)) *pair {
	t.Helper()
	p := &pair{world: newWorld(2)}
	change(&p.opt)
	p.killable = p.world.killable(t, "first")
	time.Sleep(time.Second)
	_, stop := p.start("second", func(o *pipeline.Options) {
		o.Log, p.metrics = slog.New(slog.NewTextHandler(&p.said, nil)), o.Metrics
	})
	p.stop = func() { stop(); p.end() }
	return p
}

// bill sends ten invoices a second to each partition.
func (p *pair) bill(t *testing.T, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); p.billed++ {
		p.fillMore(t, 2, p.billed, p.billed+1)
		time.Sleep(100 * time.Millisecond)
	}
}

// preparations is how many of the second member's ended so.
func (p *pair) preparations(t *testing.T, result string) (n int) {
	t.Helper()
	for _, owner := range []string{"silent", "leaving"} {
		var m dto.Metric
		if err := p.metrics.Preparations.WithLabelValues(owner, result).Write(&m); err != nil {
			t.Fatal(err)
		}
		n += int(m.GetCounter().GetValue())
	}
	return n
}

// tookOver is what the second member said of its take-over of partition 0.
func (p *pair) tookOver() (line string) {
	for line = range strings.Lines(p.said.String()) {
		if strings.Contains(line, `msg="took over" partition=0 `) {
			return line
		}
	}
	return ""
}

// Design.md §4: the group hears late of a death; who follows has read by then.
func TestPreparedTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, func(*pipeline.Options) {})
		p.bill(t, 20*time.Second)
		p.kill()
		p.bill(t, 10*time.Second)
		p.evict()
		p.bill(t, 10*time.Second)
		time.Sleep(5 * time.Second)
		p.stop()
		if line := p.tookOver(); !strings.Contains(line, "prepared=true replayed=0 ") || p.preparations(t, "used") != 1 {
			t.Errorf("%d were used; %q", p.preparations(t, "used"), line)
		}
		p.wantEach(t)
	})
}

// G9: who leaves says so while it scores on; who follows has read by then, and reads no state
// a second time.
func TestPreparesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, func(o *pipeline.Options) { o.Standby.Silent = time.Hour })
		p.bill(t, 20*time.Second)
		go p.end()
		p.bill(t, time.Second)
		if text := p.said.String(); !strings.Contains(text, `msg="prepared a partition" partition=0 owner=leaving`) {
			t.Errorf("nothing was prepared a second after the first one was to leave: %s", text)
		}
		p.bill(t, 10*time.Second)
		time.Sleep(5 * time.Second)
		p.stop()
		var replayed int
		_, counts, _ := strings.Cut(p.tookOver(), "prepared=true replayed=")
		if _, err := fmt.Sscan(counts, &replayed); err != nil || replayed < 20 || replayed > 60 {
			t.Errorf("%d were replayed, want what was scored in some 4 s; %v; %q", replayed, err, p.tookOver())
		}
		for _, result := range []string{"used", "moved", "released", "failed"} {
			if n := p.preparations(t, result); n != 0 && result != "used" || n != 1 && result == "used" {
				t.Errorf("%d were %s", n, result)
			}
		}
		p.wantEach(t)
	})
}

// What was prepared because an owner was silent is of no use once that one has written its
// state and leaves: it is prepared anew.
func TestPreparesAnewWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, func(*pipeline.Options) {})
		var held atomic.Bool
		p.store.SetFaults(memstore.Faults{Before: func(o pipeline.Owner, _ int64) error {
			for o.Partition == 0 && held.Load() {
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		}})
		p.bill(t, 10*time.Second)
		held.Store(true)
		for !strings.Contains(p.said.String(), "prepared a partition") {
			p.bill(t, 100*time.Millisecond)
		}
		go p.end()
		held.Store(false)
		p.bill(t, 10*time.Second)
		time.Sleep(5 * time.Second)
		p.stop()
		if !strings.Contains(p.tookOver(), "prepared=true") || p.preparations(t, "released") != 1 ||
			p.preparations(t, "used") != 1 {
			t.Errorf("%d were released, %d used, %d had moved; %q", p.preparations(t, "released"),
				p.preparations(t, "used"), p.preparations(t, "moved"), p.tookOver())
		}
	})
}

// Design.md §4, G5: who was prepared while the owner went on knows, to the last bit, what it
// would know if it had read everything once the partition was its own.
func TestPreparedStateIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.opt.CheckpointInterval = time.Minute // one after half a minute, none after that
		owner := w.killable(t, "owner")
		defer owner.end()
		inherit := func(name string, between func()) (map[string]string, int64) {
			t.Helper()
			m, group := w.member(name, nil)
			defer group.Close()
			state, replayed, err := m.Inherit(t.Context(), 0, between)
			if err != nil {
				t.Fatal(err)
			}
			return state, replayed
		}
		bill := func(from, to int) {
			for i := from; i < to; i++ {
				w.fillMore(t, 1, i, i+1)
				time.Sleep(100 * time.Millisecond)
			}
		}
		bill(0, 400)
		got, later := inherit("prepared", func() { bill(400, 500); owner.kill(); owner.evict() })
		want, all := inherit("unprepared", nil)
		if later == 0 || later >= all {
			t.Errorf("%d were replayed behind the preparation, %d without", later, all)
		}
		if !maps.Equal(got, want) || len(got) < 10 {
			t.Errorf("%d and %d keys", len(got), len(want))
			for key := range want {
				if got[key] != want[key] {
					t.Errorf("%s is\n%q, want\n%q", key, got[key], want[key])
				}
			}
		}
	})
}

// asking is a world that goes on whenever who prepares has asked for what is committed, or for
// where the decision log ends.
type asking struct {
	pipeline.Log
	pipeline.Group
	suspects string
	goesOn   func()
}

// Bounds asks where a log ends.
func (a *asking) Bounds(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	start, end, err = a.Log.Bounds(ctx, topic, partition)
	if topic == a.suspects {
		a.goesOn()
	}
	return start, end, err
}

// Committed asks what is committed.
func (a *asking) Committed(ctx context.Context) (map[int]pipeline.Committed, error) {
	committed, err := a.Group.Committed(ctx)
	a.goesOn()
	return committed, err
}

// Design.md §4: what is decided and committed while somebody prepares is known to him: what is
// committed he asks for before where the decision log ends.
func TestDecisionsWhilePreparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.opt.CheckpointInterval = time.Hour
		owner := w.killable(t, "owner")
		defer owner.end()
		billed := 0
		goesOn := func() {
			for range 40 {
				w.fillMore(t, 1, billed, billed+1)
				billed++
				time.Sleep(50 * time.Millisecond)
			}
			time.Sleep(2 * time.Second)
		}
		for range 4 {
			goesOn()
		}
		decided, asked := len(w.log.Records(w.opt.Topics.Suspects, 0)), 0
		a := &asking{w.log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices), w.opt.Topics.Suspects, nil}
		a.goesOn = func() {
			if asked++; asked <= 2 {
				goesOn()
			}
		}
		inherit := func(m *pipeline.Member, between func()) map[string]string {
			t.Helper()
			state, _, err := m.Inherit(t.Context(), 0, between)
			if err != nil {
				t.Fatal(err)
			}
			return state
		}
		got := inherit(w.memberOn("prepared", a, a, w.store), func() { owner.kill(); owner.evict() })
		_ = a.Group.Close()
		if n := len(w.log.Records(w.opt.Topics.Suspects, 0)); asked < 2 || n < decided+8 {
			t.Fatalf("%d questions were asked, %d decisions stand before and %d behind them", asked, decided, n)
		}
		m, group := w.member("unprepared", nil)
		defer group.Close()
		if want := inherit(m, nil); !maps.Equal(got, want) {
			for key := range want {
				if got[key] != want[key] {
					t.Errorf("%s is\n%q, want\n%q", key, got[key], want[key])
				}
			}
		}
	})
}

// Design.md §4: what was prepared from state that an owner has written to since is of no use.
func TestPreparedStateMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var held atomic.Bool
		p := newPair(t, func(o *pipeline.Options) { o.Standby.Every = 10 * time.Second })
		p.store.SetFaults(memstore.Faults{Before: func(o pipeline.Owner, _ int64) error {
			for o.Partition == 0 && held.Load() {
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		}})
		p.bill(t, 10*time.Second)
		held.Store(true)
		for !strings.Contains(p.said.String(), "prepared a partition") {
			p.bill(t, 100*time.Millisecond)
		}
		held.Store(false)
		p.bill(t, 5*time.Second) // it makes checkpoints, and nobody looks
		p.kill()
		p.evict()
		p.bill(t, 20*time.Second)
		p.stop()
		if n := p.preparations(t, "moved"); n != 1 || !strings.Contains(p.tookOver(), "prepared=false") {
			t.Errorf("%d had moved; %q", n, p.tookOver())
		}
		p.wantEach(t)
	})
}

// An owner that is only slow costs a preparation, and then fewer and fewer.
func TestSlowOwnerIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, func(*pipeline.Options) {})
		var slow atomic.Int64
		p.store.SetFaults(memstore.Faults{Before: func(o pipeline.Owner, _ int64) error {
			if o.Partition == 0 {
				time.Sleep(time.Duration(slow.Load()))
			}
			return nil
		}})
		p.bill(t, 10*time.Second)
		slow.Store(int64(5 * time.Second))
		for !strings.Contains(p.said.String(), "prepared a partition") {
			p.bill(t, 100*time.Millisecond)
		}
		p.bill(t, 6*time.Second)
		var held dto.Metric
		if err := p.metrics.Prepared.Write(&held); err != nil || held.GetGauge().GetValue() != 0 {
			t.Errorf("%v are prepared, %v, though the owner goes on", held.GetGauge().GetValue(), err)
		}
		p.bill(t, 5*time.Minute)
		slow.Store(0)
		p.bill(t, 10*time.Second)
		released := p.preparations(t, "released")
		p.stop()
		if released == 0 || released > 5 || p.preparations(t, "used") != 0 {
			t.Errorf("%d were released", released)
		}
	})
}

// What stops everybody is no reason to prepare: nobody has died. Nor is it that this member is
// the first to go on.
func TestNobodyPreparesWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, func(*pipeline.Options) {})
		var down [2]atomic.Bool
		p.store.SetFaults(memstore.Faults{Before: func(o pipeline.Owner, _ int64) error {
			if down[o.Partition].Load() {
				return errAway
			}
			return nil
		}})
		p.bill(t, 10*time.Second)
		down[0].Store(true)
		down[1].Store(true)
		p.bill(t, 2*time.Minute)
		down[1].Store(false)
		p.bill(t, time.Second)
		down[0].Store(false)
		p.bill(t, 10*time.Second)
		p.stop()
		if text := p.said.String(); strings.Contains(text, "prepared a partition") || p.preparations(t, "released") != 0 {
			t.Errorf("%d were released; %s", p.preparations(t, "released"), text)
		}
	})
}
