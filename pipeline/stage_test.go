package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// newStageWorld is a world with people in it: they work cases, and customers dispute.
func newStageWorld() *world { return newStageWorldOf(1) }

func newStageWorldOf(partitions int) *world {
	w := newWorld(partitions)
	t := &w.opt.Topics
	t.CaseEvents, t.Recoveries, t.Disputes = "recoup.case-events", "recoup.recoveries", "recoup.disputes"
	for _, topic := range []string{t.CaseEvents, t.Recoveries, t.Disputes} {
		w.log.CreateTopic(topic, 2, 0)
	}
	w.log.CreateTopic(leadTopic, 1, 0)
	w.opt.Stage.Group = func() pipeline.Group { return w.log.Group("stage", leadTopic) }
	w.opt.ParkingGroup = func(topic string) pipeline.Group { return w.log.Group("parking", topic) }
	return w
}

const leadTopic = "recoup.lead"

// caseOf is the id of the case of an invoice that fill sends.
func caseOf(id string) string { return cases.ID(cases.DedupKey("acme", id, 0)) }

// people sends what happens to the cases of fill: 90, 100 … are suspect.
func (w *world) people(t *testing.T) {
	t.Helper()
	send := func(topic, key string, body []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		w.put(t, topic, len(key)%2, pipeline.Record{Key: []byte(key), Value: body, Time: start.Add(4 * time.Hour)})
	}
	topics := w.opt.Topics
	event := func(id, invoiceID string, status cases.Status, outcome cases.Outcome, minute int) {
		e := cases.Event{EventID: id, CaseID: caseOf(invoiceID), Status: status, Outcome: outcome,
			At: start.Add(time.Duration(minute) * time.Minute)}
		body, err := e.Encode()
		send(topics.CaseEvents, e.CaseID, body, err)
	}
	for range 2 { // everything comes twice
		event("e1", "0-90", cases.StatusAcknowledged, "", 200)
		event("e2", "0-100", cases.StatusClosed, "", 203)
		event("e3", "0-100", cases.StatusDecided, cases.OutcomeConfirmed, 202)
		event("e4", "0-110", cases.StatusAcknowledged, "", 204)
		r := cases.Recovery{EventID: "r1", RecoveryID: "plan", CaseID: caseOf("0-110"), Option: cases.OptionImmediate,
			Event: cases.StepOffered, Amount: 120 * invoice.Unit, Currency: "EUR", At: start.Add(205 * time.Minute)}
		body, err := r.Encode()
		send(topics.Recoveries, r.CaseID, body, err)
		for id, name := range map[string]string{"d1": "0-120", "d2": "nowhere"} {
			p := cases.Dispute{EventID: id, Seller: "acme", InvoiceID: name, Reason: cases.ReasonPrice,
				At: start.Add(206 * time.Minute)}
			body, err := p.Encode()
			send(topics.Disputes, p.InvoiceID, body, err)
		}
	}
	send(topics.CaseEvents, "?", []byte(`{"schema":"case_event.v1","event_id":"x","at":"2026-03-01T08:00:00Z"}`), nil)
	send(topics.Disputes, "?", []byte(`{`), nil)
	note := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"n","seller":"acme","invoice_id":"note","currency":"EUR",`+
		`"invoice_type":"correction","preceding_invoice_number":"0-130","net_amount":"400","issued_at":%q}`,
		start.Add(210*time.Minute).Format(time.RFC3339))
	send(topics.Invoices, "", note, nil)
}

// standing is the last word on every case, by invoice, without what depends on when
// and where it was decided; and the unreadable records that were parked.
func (w *world) standing(t *testing.T) map[string]string {
	t.Helper()
	best, bodies := map[string]*cases.Case{}, map[string]string{}
	for p := range 3 {
		for _, r := range w.log.Records(w.opt.Topics.Cases, p) {
			if err := contracttest.Validate(r.Value); err != nil {
				t.Errorf("case: %v\n%s", err, r.Value)
			}
			c := &cases.Case{}
			if err := json.Unmarshal(r.Value, c); err != nil {
				t.Fatal(err)
			}
			id := fmt.Sprint(c.DedupKey, " ", c.Seq)
			if c.Seq == 1 { // a customer and recoup may find an invoice at the same time: the next record tells
				id += string(c.Origin)
			}
			if was, again := bodies[id]; again && was != string(r.Value) {
				t.Errorf("%s was published with two contents:\n%s\n%s", id, was, r.Value)
			}
			bodies[id] = string(r.Value)
			if b := best[c.DedupKey]; b == nil || c.Seq >= b.Seq {
				best[c.DedupKey] = c
			}
		}
	}
	out := map[string]string{}
	for key, c := range best {
		resolved, resolvedBy := c.Action == cases.ActionResolve, cases.Resolver("")
		if c.Resolution != nil {
			resolvedBy = c.Resolution.By
		}
		out[key] = fmt.Sprintf("%s %s resolved %v %s status %q outcome %q hold %v incident %q loss %v flags %v options %d",
			c.Kind, c.Origin, resolved, resolvedBy, c.Status, c.Outcome, c.DunningHold, c.IncidentID, c.Loss, c.Flags,
			len(c.Options))
	}
	for p := range 2 {
		for _, r := range w.log.Records(w.opt.Topics.DeadLetter, p) {
			var d pipeline.DeadLetter
			if err := json.Unmarshal(r.Value, &d); err != nil {
				t.Fatal(err)
			}
			if d.Topic != w.opt.Topics.Invoices {
				out[fmt.Sprintf("dead %s/%d/%d", d.Topic, d.Partition, d.Offset)] = d.Stage + " " + d.Reason + " " + d.Field
			}
		}
	}
	return out
}

// staged is what a run without faults leaves.
func staged(t *testing.T) (want map[string]string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newStageWorld()
		w.fill(t, 1, 200)
		w.people(t)
		m, _ := w.member("only", nil)
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want = w.standing(t)
	})
	return want
}

func sameStanding(t *testing.T, got, want map[string]string) {
	t.Helper()
	for key, state := range want {
		if got[key] != state {
			t.Errorf("%s:\n got %s\nwant %s", key, got[key], state)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d cases and dead letters, want %d", len(got), len(want))
	}
}

// B11, E10, G6: what people and customers say comes into the cases, a document that
// corrects an invoice resolves its case, and what cannot be read blocks nothing.
func TestStage(t *testing.T) {
	got := staged(t)
	for id, want := range map[string]string{
		"0-90":    `invoice detector resolved false  status "acknowledged" outcome "" hold false`,
		"0-100":   `invoice detector resolved true outcome status "closed" outcome "confirmed_error" hold false`,
		"0-120":   `invoice detector resolved false  status "" outcome "" hold true`,
		"nowhere": `invoice customer_dispute resolved false  status "" outcome "" hold true`,
		"0-130":   `invoice detector resolved true correction status "" outcome "" hold false`,
		"0-140":   `invoice detector resolved false  status "" outcome "" hold false`,
	} {
		key := cases.DedupKey("acme", id, 0)
		if len(got[key]) < len(want) || got[key][:len(want)] != want {
			t.Errorf("%s:\n got %s\nwant %s", key, got[key], want)
		}
	}
	dead := 0
	for key, state := range got {
		if state == "case_event missing_field case_id" || state == "dispute truncated " {
			dead++
		} else if key[:4] == "dead" {
			t.Errorf("%s: %s", key, state)
		}
	}
	if dead != 2 {
		t.Errorf("%d records of people were parked, want 2: %v", dead, got)
	}
}

// G4, G9: wherever a member dies, the ones after it leave the cases that a run without
// faults leaves, and no action is told twice with two contents.
func TestStageCrashAnywhere(t *testing.T) {
	want := staged(t)
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 3))
				w := newStageWorld()
				w.vary(rng)
				w.fill(t, 1, 200)
				w.people(t)
				for life := range 10 {
					w.mortalStage(t, fmt.Sprint("life ", life), rng)
				}
				m, _ := w.member("last", nil)
				if err := m.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				sameStanding(t, w.standing(t), want)
			})
		})
	}
}

// mortalStage runs a member that dies at one of its first effects, those of the stage
// counted.
func (w *world) mortalStage(t *testing.T, name string, rng *rand.Rand) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
	stage := w.log.Group("stage", leadTopic)
	view := &mortal{Log: w.log, Store: w.store, left: rng.IntN(60), after: rng.IntN(2) == 0,
		takes: time.Duration(rng.IntN(100)) * time.Millisecond}
	view.die = func() { group.Evict(); stage.Evict(); cancel() }
	before := w.opt.Stage.Group
	w.opt.Stage.Group = func() pipeline.Group { return &mortalGroup{stage, view} }
	m := w.memberOn(name, view, &mortalGroup{group, view}, view)
	w.opt.Stage.Group = before
	_ = m.Run(ctx) // it may die or finish
}

// slowly reads one topic late.
type slowly struct {
	pipeline.Log
	topic string
}

func (s slowly) Open(topic string, partition int) pipeline.Reader {
	r := s.Log.Open(topic, partition)
	if topic == s.topic {
		return lateReader{r}
	}
	return r
}

type lateReader struct{ pipeline.Reader }

func (l lateReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	time.Sleep(3 * time.Second)
	return l.Reader.Fetch(ctx, offset)
}

// G4: a new owner says nothing before it has read all inputs, and then nothing that
// was said before, whichever topic is slow.
func TestStageTakeOverSaysNothing(t *testing.T) {
	topics := newStageWorld().opt.Topics
	for _, slow := range []string{topics.CaseEvents, topics.Recoveries, topics.Disputes, topics.Suspects, topics.Cases} {
		synctest.Test(t, func(t *testing.T) {
			w := newStageWorld()
			w.fill(t, 1, 200)
			w.people(t)
			m, _ := w.member("only", nil)
			if err := m.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			said := w.records(topics.Cases)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Minute, cancel)
			group := w.log.Group(w.opt.Group, topics.Invoices)
			if err := w.memberLive("next", slowly{w.log, slow}, group).Run(ctx); err != nil {
				t.Fatal(err)
			}
			if n := w.records(topics.Cases); n != said {
				t.Errorf("with %s slow the next owner wrote %d records", slow, n-said)
			}
		})
	}
}

// records counts what a topic of up to three partitions holds.
func (w *world) records(topic string) (n int) {
	for p := range 3 {
		n += len(w.log.Records(topic, p))
	}
	return n
}

// casesSleeper is a view that stops for a while right before its n-th record for the
// cases that the stage writes, and then goes on as if nothing had happened.
type casesSleeper struct {
	pipeline.Log
	topic string
	mu    sync.Mutex
	left  int
	sleep func()
}

func (s *casesSleeper) Append(ctx context.Context, topic string, p int, r []pipeline.Record) (int64, error) {
	s.mu.Lock()
	now := false
	if topic == s.topic {
		s.left--
		now = s.left == 0
	}
	s.mu.Unlock()
	if now {
		s.sleep()
	}
	return s.Log.Append(ctx, topic, p, r)
}

// G4, G9: an owner of the stage that is paused between its fence and a write, and
// followed by another, leaves the same cases in the end.
func TestStagePaused(t *testing.T) {
	want := staged(t)
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { pausedStage(t, seed, want) })
		})
	}
}

func pausedStage(t *testing.T, seed uint64, want map[string]string) {
	rng := rand.New(rand.NewPCG(seed, 5))
	w := newStageWorld()
	w.fill(t, 1, 200)
	first, _ := w.member("worker", func(o *pipeline.Options) { o.Stage.Group = nil })
	if err := first.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var owner *memlog.Member
	asleep := make(chan struct{})
	view := &casesSleeper{Log: w.log, topic: w.opt.Topics.Cases, left: 1 + rng.IntN(8)}
	view.sleep = func() {
		owner.Evict()
		close(asleep)
		time.Sleep([]time.Duration{time.Second, 20 * time.Second}[seed%2])
		time.AfterFunc(3*time.Second, owner.Heartbeat)
	}
	live := func(o *pipeline.Options) { o.UntilCaughtUp = false }
	opt := w.opt
	w.opt.Stage.Group = func() pipeline.Group { owner = w.log.Group("stage", leadTopic); return owner }
	group := w.log.Group(opt.Group, opt.Topics.Invoices)
	var wg sync.WaitGroup
	sleeping := w.memberLive("sleeper", view, group)
	w.opt = opt
	wg.Go(func() { _ = sleeping.Run(ctx) })
	wg.Go(func() {
		time.Sleep(time.Second)
		w.people(t)
	})
	wg.Go(func() {
		select {
		case <-asleep:
		case <-time.After(time.Minute): // it wrote too little to fall asleep
		}
		m, _ := w.member("follower", live)
		_ = m.Run(ctx)
	})
	time.Sleep(3 * time.Minute)
	cancel()
	wg.Wait()
	sameStanding(t, w.standing(t), want)
}

// memberLive makes a member that sees the world through log and runs on.
func (w *world) memberLive(name string, log pipeline.Log, g pipeline.Group) *pipeline.Member {
	return pipeline.NewMember(w.options(name, false), log, g, w.store)
}
