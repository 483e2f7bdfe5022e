package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
	"recoup/sinks/memstore"
)

var errAway = errors.New("connection refused")

// away makes the world's store unreachable while down is set.
func (w *world) away(down *atomic.Bool) {
	refuse := func(pipeline.Owner, int64) error {
		if down.Load() {
			return errAway
		}
		return nil
	}
	w.store.SetFaults(memstore.Faults{Before: refuse, Read: func(o pipeline.Owner) error { return refuse(o, 0) }})
}

// start runs a member in the background; the function ends it.
func (w *world) start(name string, change func(*pipeline.Options)) (*pipeline.Member, func()) {
	m, _ := w.member(name, func(o *pipeline.Options) {
		o.UntilCaughtUp = false
		if change != nil {
			change(o)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = m.Run(ctx) })
	return m, func() { cancel(); wg.Wait() }
}

func (w *world) caseCount() (n int) {
	for p := range 3 {
		n += len(w.log.Records(w.opt.Topics.Cases, p))
	}
	return n
}

// design.md §4 "ClickHouse away": alerts do not wait, nothing is committed, and
// nothing is lost once it is back.
func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		var down atomic.Bool
		down.Store(true)
		w.away(&down)
		m, stop := w.start("a", nil)
		defer stop()
		time.Sleep(time.Minute)
		if got := w.caseCount(); got != len(want.cases) {
			t.Errorf("%d cases while the store is away, want %d", got, len(want.cases))
		}
		if at := w.log.Committed(w.opt.Group, w.opt.Topics.Invoices)[0]; at > 0 {
			t.Errorf("committed %d before any row was stored", at)
		}
		if err := m.Ready(); err == nil || !strings.Contains(err.Error(), "clickhouse") {
			t.Errorf("ready says %v, want clickhouse", err)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		if err := m.Ready(); err != nil {
			t.Errorf("ready says %v after the store is back", err)
		}
		w.outcome(t).equal(t, want)
	})
}

// dieUncommitted runs an owner that dies between its rows and their commit.
func (w *world) dieUncommitted(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
	var once sync.Once
	w.store.SetFaults(memstore.Faults{After: func(_ pipeline.Owner, n int64) error {
		if n >= 2 {
			once.Do(func() { group.Evict(); cancel() })
			return errDead
		}
		return nil
	}})
	_ = w.memberOn("first", w.log, group, w.store).Run(ctx)
}

// G2, G4: the first owner dies between row and commit, and the store is away when
// the second takes over: the skip-set is read later, before the first insert.
func TestSkipSetReadLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		w.dieUncommitted(t)
		if len(w.store.Rows()) == 0 {
			t.Fatal("the first owner stored nothing")
		}
		var down atomic.Bool
		down.Store(true)
		w.away(&down)
		_, stop := w.start("second", nil)
		defer stop()
		time.Sleep(time.Minute)
		down.Store(false)
		time.Sleep(time.Minute)
		w.outcome(t).equal(t, want)
	})
}

// G7, G8, G12: a full row buffer pauses fetching and says so; nothing is lost.
func TestRowBufferFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 2000)
		var down atomic.Bool
		down.Store(true)
		w.away(&down)
		var metrics *pipeline.Metrics
		m, stop := w.start("a", func(o *pipeline.Options) { o.RowBuffer, metrics = 64<<10, o.Metrics })
		defer stop()
		time.Sleep(time.Minute)
		before := w.caseCount()
		if age := int(time.Now().Unix()) - total(metrics.Unstored); age < 55 || age > 60 { // K17
			t.Errorf("the oldest row waits for %d s after a minute without the store", age)
		}
		if err := m.Ready(); err == nil || !strings.Contains(err.Error(), "row buffer") {
			t.Errorf("ready says %v, want row buffer", err)
		}
		if full := total(metrics.BufferFull); full != 1 {
			t.Errorf("recoup_row_buffer_full is %d while fetching waits, want 1", full)
		}
		time.Sleep(time.Minute)
		if after := w.caseCount(); after != before {
			t.Errorf("cases went from %d to %d while the buffer is full", before, after)
		}
		down.Store(false)
		time.Sleep(2 * time.Minute)
		w.wantEach(t)
		if since := total(metrics.Unstored); since != 0 {
			t.Errorf("rows wait since %d though all are stored", since)
		}
	})
}

// G7: a block is stored by the bytes it has, too, however few invoices and however busy the store.
func TestBlocksAreBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.opt.FlushRows, w.opt.FlushInterval, w.opt.FlushBytes = 1_000_000, time.Hour, 64<<10
		w.fill(t, 1, 300)
		most := 0
		store := &measured{w.store, &most}
		m := w.memberOn("a", w.log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices), store)
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if limit := 2 * int(w.opt.FlushBytes); most == 0 || most > limit { // a batch more, at most
			t.Errorf("a block of %d bytes was stored, want %d at most", most, limit)
		}
		w.wantEach(t)
	})
}

// measured notes the bytes of the largest block that it stores.
type measured struct {
	pipeline.Store
	most *int
}

func (m *measured) Insert(ctx context.Context, o pipeline.Owner, n int64, b pipeline.Block,
	hold func(context.Context) error) error {
	*m.most = max(*m.most, b.Bytes())
	return m.Store.Insert(ctx, o, n, b, hold)
}

// A redelivery and a second invoice of a delivery are recognised after a
// take-over although their first copies lie before the committed offset.
func TestDuplicateAcrossTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 200)
		first := w.faultFree(t)
		again := w.log.Records(w.opt.Topics.Invoices, 0)[5]
		second := invoiceJSON("again", 403, start.Add(time.Hour), "d-0-7")
		records := []pipeline.Record{{Value: again.Value, Time: again.Time}, {Value: second, Time: again.Time}}
		base, err := w.log.Append(t.Context(), w.opt.Topics.Invoices, 0, records)
		if err != nil {
			t.Fatal(err)
		}
		got := w.faultFree(t)
		if len(got.rows) != len(first.rows)+1 {
			t.Errorf("%d rows after the take-over, want %d", len(got.rows), len(first.rows)+1)
		}
		row := got.rows[fmt.Sprintf("0/%d", base+1)]
		if !strings.Contains(row, "duplicate:delivery") {
			t.Errorf("the second invoice of delivery d-0-7 is not recognised: %s", row)
		}
	})
}

// G9: members that join and leave share the partitions without loss or doubles.
func TestMembersJoinAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(4)
		w.fill(t, 4, 100)
		_, stopA := w.start("a", nil)
		time.Sleep(500 * time.Millisecond)
		_, stopB := w.start("b", nil)
		w.fillMore(t, 4, 100, 200)
		time.Sleep(700 * time.Millisecond)
		stopA()
		w.fillMore(t, 4, 200, 300)
		_, stopC := w.start("c", nil)
		time.Sleep(time.Minute)
		stopB()
		stopC()
		got := w.outcome(t)
		if len(got.rows) != w.sent || got.doubled != 0 {
			t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
		}
		if len(got.cases) != 4*21 {
			t.Errorf("%d cases, want %d", len(got.cases), 4*21)
		}
	})
}

// A block that was stored and not committed when its generation ended is counted once, though its worker
// goes on with it in the next one.
func TestRowsAreCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 200)
		var metrics *pipeline.Metrics
		m, group := w.member("a", func(o *pipeline.Options) { metrics = o.Metrics })
		evicted := false
		w.store.SetFaults(memstore.Faults{After: func(_ pipeline.Owner, n int64) error {
			if n == 2 && !evicted {
				evicted = true
				group.(*memlog.Member).Evict()
			}
			return nil
		}})
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := total(metrics.Rows); !evicted || n != len(w.store.Rows()) || n != w.sent {
			t.Errorf("%d rows were counted of %d stored, want %d; evicted: %v", n, len(w.store.Rows()), w.sent, evicted)
		}
	})
}
