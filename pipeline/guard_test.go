package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"recoup/detectors"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// issue numbers of invoices are "customer-n"; billed sends one to the partition that its
// customer's key has among so many, as producers do.
func (w *world) billed(t *testing.T, partitions, customer, n int, net float64) {
	t.Helper()
	at := start.Add(time.Duration(n) * time.Minute)
	id := fmt.Sprintf("%d-%d", customer, n)
	w.append(t, customer%partitions, pipeline.Record{Key: fmt.Appendf(nil, "c%d", customer), Time: at,
		Value: bytes.ReplaceAll(invoiceJSON(id, net, at, "d-"+id), []byte(`"c1"`), fmt.Appendf(nil, `"c%d"`, customer))})
}

// sell has each of eight customers billed from invoice from up to before to.
func (w *world) sell(t *testing.T, partitions, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		for customer := range 8 {
			w.billed(t, partitions, customer, n, 400+float64((n*7+customer)%9))
		}
	}
}

// caught runs a member until it has caught up.
func (w *world) caught(t *testing.T, name string) {
	t.Helper()
	m, _ := w.member(name, nil)
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// refused wants a member to say why it does not go on, with what mends it, and not to
// spin: each attempt writes an ownership record.
func (w *world) refused(t *testing.T, want ...string) {
	t.Helper()
	claims := len(w.log.Records(w.opt.Topics.Suspects, 0))
	var reporting sync.Mutex
	broken := map[string]error{} // as /readyz and the metric of parts have it
	m, stop := w.start("refused", func(o *pipeline.Options) {
		o.Report = func(part string, err error) {
			reporting.Lock()
			defer reporting.Unlock()
			broken[part] = err
		}
	})
	time.Sleep(10 * time.Second)
	if m.Ready() == nil {
		t.Error("nothing is said after ten seconds (G12: thirty, on a busy machine too)")
	}
	time.Sleep(5 * time.Minute)
	stopped := m.Ready()
	stop()
	if stopped == nil {
		t.Fatalf("the member goes on, want it to refuse: %v", want)
	}
	for _, text := range want {
		if !strings.Contains(stopped.Error(), text) {
			t.Errorf("refused with %q, want %q", stopped, text)
		}
	}
	if grown := len(w.log.Records(w.opt.Topics.Suspects, 0)) - claims; grown > 6 {
		t.Errorf("%d claims in five minutes, want one a minute", grown)
	}
	if len(broken) == 0 {
		t.Error("nothing was reported")
	}
}

// gaveUp wants a member that is to end once it has caught up to end with why it cannot.
func (w *world) gaveUp(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m, _ := w.member("gave up", nil)
	if err := m.Run(ctx); err == nil || !strings.Contains(err.Error(), "refused: ") || ctx.Err() != nil {
		t.Errorf("Run = %v, %v; want it to end by itself with the refusal", err, ctx.Err())
	}
}

// design.md §4, guards: recoup refuses a log that its state was not made from, and names
// the command; the partitions that fit go on.
func TestGuards(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, w *world)
		want   []string
	}{
		"recreated and shorter": {func(t *testing.T, w *world) {
			w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
		}, []string{"partition 0: ", "lies beyond the log's end 0", "recoup state reset --topic billing.invoices"}},
		"recreated and shorter by the last record": {func(t *testing.T, w *world) {
			w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
			for n := range 159 {
				w.billed(t, 2, 0, 100+n, 400)
				w.billed(t, 2, 1, 100+n, 400)
			}
		}, []string{"lies beyond the log's end 159", "recoup state reset"}},
		"recreated with other records": {func(t *testing.T, w *world) {
			w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
			w.sell(t, 2, 100, 160)
		}, []string{"partition 1: ", "another record stands at offset 159", "recoup state reset"}},
		"recreated with a gap": {func(t *testing.T, w *world) {
			w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
			for p := range 2 {
				if err := w.log.Skip(w.opt.Topics.Invoices, p, 300); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{"no record stands at offset 159", "recoup state reset"}},
		"a log of decisions that was recreated": {func(t *testing.T, w *world) {
			w.log.CreateTopic(w.opt.Topics.Suspects, 2, 0)
		}, []string{"recoup.suspects/0 ends at 0, before the owner",
			"delete recoup.suspects, recoup.state and recoup.baselines"}},
		"all topics grew": {func(t *testing.T, w *world) {
			for _, topic := range []string{"billing.invoices", "recoup.suspects", "recoup.state", "recoup.baselines"} {
				w.log.Grow(topic, 4)
			}
		}, []string{"partition 0: ", "partition 3: ", "has 4 partitions and its state was made with 2",
			"recoup state repartition"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(2)
				w.sell(t, 2, 0, 40)
				w.caught(t, "before")
				w.caught(t, "again") // its epoch is above 0
				c.change(t, w)
				w.refused(t, c.want...)
				w.gaveUp(t)
			})
		})
	}
}

// One partition whose log is another one does not stop those that fit.
func TestGuardStopsOnePartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.sell(t, 2, 0, 40)
		w.caught(t, "before")
		records := w.log.Records(w.opt.Topics.Invoices, 1)
		w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
		for _, r := range records {
			w.put(t, w.opt.Topics.Invoices, 1, r)
		}
		before := len(w.store.Rows())
		w.billed(t, 2, 1, 99, 404)
		w.refused(t, "partition 0: ", "recoup state reset")
		w.gaveUp(t)
		if got := len(w.store.Rows()) - before; got != 1 {
			t.Errorf("%d rows of the partition that fits, want 1", got)
		}
	})
}

// Partitions that were added while members run stop all of them: customers moved. Kafka's group
// does not rebalance for it, so they look by themselves.
func TestGuardSeesGrowth(t *testing.T) {
	for name, others := range map[string]int{"alone": 0, "beside one without partitions": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { growthSeen(t, others) })
		})
	}
}

func growthSeen(t *testing.T, others int) {
	w := newWorld(2)
	w.sell(t, 2, 0, 40)
	m, stop := w.start("a", nil)
	defer stop()
	all := []*pipeline.Member{m}
	for i := range others {
		m, stop := w.start(fmt.Sprint("other ", i), nil)
		defer stop()
		all = append(all, m)
	}
	time.Sleep(10 * time.Second)
	for i, m := range all {
		if err := m.Ready(); err != nil {
			t.Errorf("member %d before: %v", i, err)
		}
	}
	w.log.Grow(w.opt.Topics.Invoices, 4)
	time.Sleep(15 * time.Second)
	for i, m := range all {
		if err := m.Ready(); err == nil || !strings.Contains(err.Error(), "recoup state repartition") {
			t.Errorf("Ready of member %d = %v, want it to name the command", i, err)
		}
	}
	before := len(w.store.Rows())
	w.billed(t, 2, 1, 99, 404)
	time.Sleep(5 * time.Minute)
	if n := len(w.store.Rows()) - before; n != 0 {
		t.Errorf("%d rows stored behind it, want none", n)
	}
	late, _ := w.member("late", nil)
	if err := late.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "recoup state repartition") {
		t.Errorf("Run = %v, want it to name the command", err)
	}
}

// keeper is a member that changes the state of a world.
func (w *world) keeper(log pipeline.Log) *pipeline.Member {
	return pipeline.NewMember(w.options("keeper", false), log, w.log.Group(w.opt.Group, w.opt.Topics.Invoices), w.store)
}

func (w *world) grow(_ context.Context, topic string, n int) error {
	w.log.Grow(topic, n)
	return nil
}

// repartition runs the command once; it may die after so many appends.
func (w *world) repartition(t *testing.T, lives int) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	view := &mortal{Log: w.log, left: lives, after: lives%2 == 0, die: cancel}
	m := w.keeper(view)
	plan, err := m.PlanRepartition(ctx)
	if err != nil {
		return err
	}
	return m.Repartition(ctx, plan, w.grow, func() {})
}

// causesOf returns the causes of the newest row of an invoice, suspect or not.
func (w *world) causesOf(id string) (codes []string) {
	for _, r := range w.store.Rows() {
		if r.Verdict.InvoiceID == id {
			codes = []string{}
			for _, c := range r.Verdict.Causes {
				codes = append(codes, c.Code)
			}
		}
	}
	return codes
}

// G9, design.md §4: after partitions were added, a redelivery and an invoice for the same
// delivery are recognised though their first records stand in another partition,
// wherever the command crashed; until it has ended nobody goes on.
func TestRepartition(t *testing.T) {
	for lives := range 26 {
		t.Run(fmt.Sprint("dies after ", lives), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { repartitioned(t, lives) })
		})
	}
}

func repartitioned(t *testing.T, lives int) {
	w := newWorld(2)
	w.opt.CheckpointInterval = time.Hour
	w.sell(t, 2, 0, 30)
	w.caught(t, "before") // ends with a checkpoint
	w.sell(t, 2, 30, 40)
	ctx, kill := context.WithCancel(t.Context())
	m, group := w.member("killed", func(o *pipeline.Options) { o.UntilCaughtUp = false; o.DrainTimeout = 1 })
	over := make(chan error, 1)
	go func() { over <- m.Run(ctx) }()
	time.Sleep(20 * time.Second)
	group.(*memlog.Member).Evict() // its last checkpoint is refused: the command has something to replay
	kill()
	<-over
	w.log.Grow(w.opt.Topics.Invoices, 4)
	if err := w.repartition(t, lives); err == nil {
		if lives < 18 {
			t.Errorf("the command ended well though it died after %d appends", lives)
		}
	} else if !errors.Is(err, context.Canceled) && !errors.Is(err, errDead) {
		t.Fatal(err)
	}
	if err := w.repartition(t, 1000); err != nil {
		t.Fatal(err)
	}
	plan, err := w.keeper(w.log).PlanRepartition(t.Context())
	if err != nil || plan.From != plan.To {
		t.Errorf("%+v, %v is still to be done", plan, err)
	}
	before := len(w.store.Rows())
	for _, customer := range []int{1, 2, 3, 6, 7} { // 2, 3, 6, 7 moved
		w.billed(t, 4, customer, 39, 400+float64((39*7+customer)%9)) // a redelivery of what was never in a checkpoint
		w.billed(t, 4, customer, 5, 400+float64((5*7+customer)%9))
		at := start.Add(50 * time.Minute)
		again := invoiceJSON(fmt.Sprint("again-", customer), 404, at, fmt.Sprintf("d-%d-20", customer))
		w.append(t, customer%4, pipeline.Record{Value: again, Time: at})
	}
	w.caught(t, "after")
	if got := len(w.store.Rows()) - before; got != 5 {
		t.Errorf("%d rows, want 5: redeliveries have none", got)
	}
	for _, customer := range []int{1, 2, 3, 6, 7} {
		id := fmt.Sprint("again-", customer)
		if got := w.causesOf(id); len(got) == 0 || got[0] != detectors.CauseDuplicate {
			t.Errorf("%s, an invoice of a delivery that was billed, has causes %v, want a duplicate", id, got)
		}
	}
}

// E2, design.md §4: a topic that was recreated is scored from its start once its
// incarnation was raised, wherever the command crashed. What stood before stays, an
// invoice that comes again is scored again, and its case is the same one.
func TestReset(t *testing.T) {
	for lives := range 20 {
		t.Run(fmt.Sprint("dies after ", lives), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { resetWorld(t, lives) })
		})
	}
}

// design.md §4, guards: a reset that died half-way is refused by all partitions until it
// has ended, those too whose log still is the one that their state was made from: what
// they scored meanwhile, the end of the reset would have scored again.
func TestHalfReset(t *testing.T) {
	for lives := range 20 {
		t.Run(fmt.Sprint("dies after ", lives), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { halfReset(t, lives) })
		})
	}
}

func halfReset(t *testing.T, lives int) {
	w := newWorld(3)
	w.sell(t, 3, 0, 40)
	w.caught(t, "before")
	kept := [][]pipeline.Record{nil, w.log.Records(w.opt.Topics.Invoices, 1), w.log.Records(w.opt.Topics.Invoices, 2)}
	w.log.CreateTopic(w.opt.Topics.Invoices, 3, 0)
	for p, records := range kept {
		for _, r := range records {
			w.put(t, w.opt.Topics.Invoices, p, r)
		}
	}
	before := fmt.Sprint(w.log.Committed(w.opt.Group, w.opt.Topics.Invoices))
	died := w.reset(t, lives)
	announced := slices.ContainsFunc(w.log.Records(w.opt.Topics.State, 0), func(r pipeline.Record) bool {
		return bytes.Contains(r.Value, []byte(`"reset_to":1`))
	})
	if died == nil && lives < 15 || !announced && lives > 8 {
		t.Errorf("the command ended with %v, announced %v", died, announced)
	}
	if now := fmt.Sprint(w.log.Committed(w.opt.Group, w.opt.Topics.Invoices)); !announced && now != before {
		t.Errorf("offsets moved from %s to %s before the reset was announced", before, now)
	}
	w.billed(t, 3, 1, 99, 404)
	w.billed(t, 3, 2, 99, 404)
	m, stop := w.start("meanwhile", nil)
	time.Sleep(2 * time.Minute)
	ready := m.Ready()
	stop()
	if rows := w.rowsOf("1-99", "2-99"); died != nil && announced {
		for p := range 3 {
			part := fmt.Sprintf("partition %d: refused: ", p)
			if rows > 0 || !strings.Contains(fmt.Sprint(ready), part) {
				t.Errorf("%d rows meanwhile, ready says %v; want none, and %q", rows, ready, part)
			}
		}
	} else if rows != 2 {
		t.Errorf("%d rows meanwhile, want 2 of partitions that nothing was done to", rows)
	}
	if err := w.reset(t, 1000); err != nil {
		t.Fatal(err)
	}
	w.caught(t, "after")
	want := 2
	if !announced {
		want = 4 // as of all that was scored before a reset
	}
	if rows := w.rowsOf("1-99", "2-99"); rows != want {
		t.Errorf("%d rows of what came after the reset had begun, want %d", rows, want)
	}
}

// rowsOf counts the rows of invoices.
func (w *world) rowsOf(ids ...string) (n int) {
	for _, r := range w.store.Rows() {
		if slices.Contains(ids, r.Verdict.InvoiceID) {
			n++
		}
	}
	return n
}

func (w *world) reset(t *testing.T, lives int) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	view := &mortal{Log: w.log, left: lives, after: lives%2 == 0, die: cancel}
	plan, err := w.planReset(t)
	if err != nil || !plan.Due() {
		return err
	}
	group := &mortalGroup{w.log.Group(w.opt.Group, w.opt.Topics.Invoices), view}
	return pipeline.NewMember(w.options("keeper", false), view, group, w.store).Reset(ctx, plan, w.grow, func() {})
}

func (w *world) planReset(t *testing.T) (pipeline.Reset, error) {
	t.Helper()
	stored := int64(-1)
	for _, r := range w.store.Rows() {
		stored = max(stored, r.Verdict.Source.Incarnation)
	}
	return w.keeper(w.log).PlanReset(t.Context(), w.log.Committed(w.opt.Group, w.opt.Topics.Invoices), stored)
}

func resetWorld(t *testing.T, lives int) {
	w := newWorld(2)
	w.fill(t, 2, 150)
	before := w.faultFree(t)
	if plan, err := w.planReset(t); err != nil || plan.Due() {
		t.Fatalf("nothing happened and %+v, %v is to be done", plan, err)
	}
	w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
	w.sent = 0
	w.fill(t, 2, 150)
	records := w.log.Records(w.opt.Topics.Invoices, 0)
	w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
	for _, r := range records[1:] { // one invoice is missing: the others stand elsewhere
		w.put(t, w.opt.Topics.Invoices, 0, r)
	}
	sent := w.sent/2 - 1
	died := w.reset(t, lives)
	if died == nil && lives < 11 {
		t.Errorf("the command ended well though it died after %d appends", lives)
	}
	if err := w.reset(t, 1000); err != nil {
		t.Fatal(err)
	}
	if plan, err := w.planReset(t); err != nil || plan.Due() || plan.Incarnation != 1 {
		t.Errorf("%+v, %v is still to be done", plan, err)
	}
	w.caught(t, "after")
	rows := map[int64]int{}
	for _, r := range w.store.Rows() {
		rows[r.Verdict.Source.Incarnation]++
	}
	if rows[0] != len(before.rows) || rows[1] != sent || len(rows) != 2 {
		t.Errorf("%v rows by incarnation, want %d and %d", rows, len(before.rows), sent)
	}
	ids := map[string]bool{}
	for p := range 3 {
		for _, r := range w.log.Records(w.opt.Topics.Cases, p) {
			var c struct {
				CaseID string `json:"case_id"`
			}
			if err := json.Unmarshal(r.Value, &c); err != nil {
				t.Fatal(err)
			}
			ids[c.CaseID] = true
		}
	}
	if len(ids) != len(before.cases) {
		t.Errorf("%d cases, want the same %d as before", len(ids), len(before.cases))
	}
}
