package pipeline_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/cases"
	"recoup/invoice"
	"recoup/pipeline"
)

// newOutcomeWorld is a world in which people decide cases.
func newOutcomeWorld(partitions int) *world {
	w := newWorld(partitions)
	w.opt.Topics.CaseEvents = "recoup.case-events"
	w.log.CreateTopic(w.opt.Topics.CaseEvents, 2, 0)
	return w
}

// decide appends an event that decides a case.
func (w *world) decide(t *testing.T, c *cases.Case, outcome cases.Outcome, correct string) {
	t.Helper()
	e := cases.Event{EventID: "e-" + c.CaseID + string(outcome), CaseID: c.CaseID, InvoiceID: c.InvoiceID,
		Origin: cases.OriginDetector, Status: cases.StatusDecided, Outcome: outcome, At: w.opt.Now().UTC()}
	if correct != "" {
		amount, err := invoice.ParseAmount(correct)
		if err != nil {
			t.Fatal(err)
		}
		e.CorrectAmount, e.Currency = invoice.OptionalAmount{Value: amount, Set: true}, "EUR"
	}
	w.tell(t, &e)
}

// tell appends what a person says of a case.
func (w *world) tell(t *testing.T, e *cases.Event) {
	t.Helper()
	body, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, w.opt.Topics.CaseEvents, int(e.CaseID[0])%2, pipeline.Record{Key: []byte(e.CaseID), Value: body})
}

// opened returns the cases published so far, the first record of each.
func (w *world) opened(t *testing.T) (list []*cases.Case) {
	t.Helper()
	seen := map[string]bool{}
	for p := range 3 {
		for _, r := range w.log.Records(w.opt.Topics.Cases, p) {
			c := &cases.Case{}
			if err := json.Unmarshal(r.Value, c); err != nil {
				t.Fatal(err)
			}
			if !seen[c.CaseID] {
				seen[c.CaseID] = true
				list = append(list, c)
			}
		}
	}
	return list
}

// learnedInvoices returns how many invoices each source partition's contribution to a
// segment holds, by the newest record of the topic.
func (w *world) learnedInvoices(t *testing.T, segment string, partitions int) []int {
	t.Helper()
	counts := make([]int, partitions)
	for topicPartition := range partitions {
		for _, r := range w.log.Records(w.opt.Topics.Baselines, topicPartition) {
			natural, source, _ := strings.Cut(string(r.Key), "|p")
			if natural != segment {
				continue
			}
			if len(r.Value) == 0 { // forgotten
				counts[source[0]-'0'] = 0
				continue
			}
			value := r.Value[1:] // behind the version
			for range 2 {        // epoch and applied offset
				_, n := binary.Varint(value)
				value = value[n:]
			}
			n, _ := binary.Uvarint(value)
			counts[source[0]-'0'] = int(n)
		}
	}
	return counts
}

// G2, G5: people decide cases while members die anywhere. Each outcome teaches once,
// however often its event is sent, whatever owner began to learn it.
func TestOutcomesArriveCrashAnywhere(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { outcomeCrashRun(t, seed) })
		})
	}
}

func outcomeCrashRun(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 3))
	w := newOutcomeWorld(1)
	w.vary(rng)
	w.fill(t, 1, 200)
	decided := map[string]bool{}
	decideAll := func() {
		for _, c := range w.opened(t) {
			if !decided[c.CaseID] || rng.IntN(4) == 0 { // some are sent again
				decided[c.CaseID] = true
				w.decide(t, c, cases.OutcomeNotAnError, "")
			}
		}
	}
	for life := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		member := w.mortal(fmt.Sprint("life ", life), rng, 40, cancel)
		timer := time.AfterFunc(time.Duration(rng.IntN(400))*time.Millisecond, decideAll)
		_ = member.Run(ctx) // it may die or finish
		cancel()
		timer.Stop()
		synctest.Wait()
		w.fillMore(t, 1, 200+20*life, 220+20*life)
	}
	w.runOn(t, func() {
		time.Sleep(10 * time.Second)
		decideAll()
		time.Sleep(10 * time.Second)
		w.fillMore(t, 1, 600, 700) // so that there is something to write a checkpoint for
		time.Sleep(10 * time.Second)
		decideAll()
		time.Sleep(10 * time.Second)
		w.fillMore(t, 1, 700, 701)
		time.Sleep(10 * time.Second)
	})
	taught := 0
	for _, r := range w.store.Rows() {
		if r.Verdict.Taught {
			taught++
		}
	}
	if len(decided) < 5 {
		t.Fatalf("only %d cases were decided", len(decided))
	}
	for _, segment := range []string{"segment|acme|EUR|B2C|fibre", "seller|acme|EUR"} {
		if n := w.learnedInvoices(t, segment, 1)[0]; n != taught+len(decided) {
			t.Errorf("%s holds %d invoices, want %d usual ones and %d decided", segment, n, taught, len(decided))
		}
	}
	again := w.runOn(t, func() { time.Sleep(10 * time.Second) })
	if n := counter(t, again, "recoup_outcomes_learned_total"); n != 0 {
		t.Errorf("another owner learned %v outcomes that the marker holds", n)
	}
}

// counter adds up a metric over its labels.
func counter(t *testing.T, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// What an outcome teaches: a confirmed error what was due, a right invoice what was
// billed; an expected change is told to all partitions, and one whose invoice is gone is
// counted. An event that comes before its case waits for it.
func TestOutcomesTeach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutcomeWorld(2)
		w.fill(t, 2, 100)
		registry := w.runOn(t, func() {
			time.Sleep(5 * time.Second)
			opened := w.opened(t)
			if len(opened) != 2 {
				t.Fatalf("%d cases, want 2", len(opened))
			}
			for _, c := range opened {
				outcome, correct := cases.OutcomeConfirmed, "400.00"
				if c.Source.Partition == 1 {
					outcome, correct = cases.OutcomeExpectedChange, ""
				}
				w.decide(t, c, outcome, correct)
				w.decide(t, c, cases.OutcomeUndetermined, "") // teaches nothing
			}
			stranger := *opened[0]
			stranger.CaseID = "00000000-0000-5000-8000-000000000000"
			w.decide(t, &stranger, cases.OutcomeNotAnError, "")
			time.Sleep(5 * time.Second)
			w.fillMore(t, 2, 100, 102)
			time.Sleep(5 * time.Second)
		})
		for name, want := range map[string]float64{"recoup_outcomes_learned_total": 3, "recoup_outcomes_gone_total": 1,
			"recoup_outcomes_waiting": 0} {
			if got := counter(t, registry, name); got != want {
				t.Errorf("%s is %v, want %v: the expected change teaches both partitions", name, got, want)
			}
		}
		taught := map[int]int{}
		asOf := 0
		for _, r := range w.store.Rows() {
			if r.Verdict.Taught {
				taught[r.Verdict.Source.Partition]++
			}
			if r.Verdict.Model.FeedbackAsOf != "" {
				asOf++
			}
		}
		for p, n := range w.learnedInvoices(t, "segment|acme|EUR|B2C|fibre", 2) {
			if n != taught[p]+1 {
				t.Errorf("partition %d holds %d invoices, want %d and the decided one", p, n, taught[p])
			}
		}
		if asOf == 0 {
			t.Error("no verdict names the outcomes it knew")
		}
	})
}

// The members of an incident have no cases of their own: what is decided of it is
// decided of all of them.
func TestOutcomeOfAnIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutcomeWorld(1)
		const incident = "11111111-0000-5000-8000-000000000000"
		w.fill(t, 1, 130)
		_ = w.faultFree(t)
		log := w.log.Records(w.opt.Topics.Suspects, 0)
		w.log.CreateTopic(w.opt.Topics.Suspects, 1, 0) // as workers write it while the incident is open
		members := 0
		for _, r := range log {
			var d pipeline.Decision
			if err := json.Unmarshal(r.Value, &d); err != nil {
				t.Fatal(err)
			}
			if d.Kind == "decision" {
				d.Verdict.IncidentID = incident
				members++
			}
			r.Value, _ = json.Marshal(d)
			if _, err := w.log.Append(t.Context(), w.opt.Topics.Suspects, 0, []pipeline.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		c := &cases.Case{CaseID: incident}
		body := fmt.Appendf(nil, `{"case_id":%q,"kind":"incident"}`, incident)
		if _, err := w.log.Append(t.Context(), w.opt.Topics.Cases, 0, []pipeline.Record{{Value: body}}); err != nil {
			t.Fatal(err)
		}
		w.decide(t, c, cases.OutcomeNotAnError, "")
		before := w.learnedInvoices(t, "segment|acme|EUR|B2C|fibre", 1)[0]
		w.runOn(t, func() {
			time.Sleep(5 * time.Second)
			w.fillMore(t, 1, 131, 132)
			time.Sleep(5 * time.Second)
		})
		if n := w.learnedInvoices(t, "segment|acme|EUR|B2C|fibre", 1)[0]; members < 3 || n != before+members+1 {
			t.Errorf("the segment holds %d invoices, want %d, %d members and a usual one", n, before, members)
		}
	})
}

// runOn runs a member that does not end by itself while something is done.
func (w *world) runOn(t *testing.T, while func()) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewRegistry()
	m, _ := w.member("last", func(o *pipeline.Options) {
		o.UntilCaughtUp = false
		o.Metrics = pipeline.NewMetrics(registry)
	})
	during(t, m, while)
	return registry
}
