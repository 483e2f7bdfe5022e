package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/invoice"
	"recoup/pipeline"
)

const everyone = "segment|acme|EUR|B2C|fibre"

// publishCase appends a record to the topic of cases.
func (w *world) publishCase(t *testing.T, body string, args ...any) {
	t.Helper()
	w.put(t, w.opt.Topics.Cases, 0, pipeline.Record{Value: fmt.Appendf(nil, body, args...)})
}

// moreInvoices sends a few and waits, so that there is something to write a checkpoint for.
func (w *world) moreInvoices(t *testing.T, from int) {
	time.Sleep(5 * time.Second)
	w.fillMore(t, 1, from, from+2)
	time.Sleep(5 * time.Second)
}

// Case events may be kept longer than cases: what was learned long ago is no loss at each
// start from then on.
func TestOutcomesOfForgottenCasesAreSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutcomeWorld(1)
		w.fill(t, 1, 100)
		first := w.runOn(t, func() {
			time.Sleep(5 * time.Second)
			known := w.opened(t)[0]
			for i := range 3 { // in the same partition, before one that is learned
				w.decide(t, &cases.Case{InvoiceID: "F-0", CaseID: fmt.Sprintf("%c000000%d-0000-5000-8000-000000000000",
					known.CaseID[0], i)}, cases.OutcomeNotAnError, "")
			}
			w.decide(t, known, cases.OutcomeNotAnError, "")
			w.moreInvoices(t, 101)
		})
		if n := counter(t, first, "recoup_outcomes_gone_total"); n != 3 {
			t.Errorf("%v outcomes are gone, want 3: no topic names their cases", n)
		}
		again := w.runOn(t, func() { w.moreInvoices(t, 105) })
		if n := counter(t, again, "recoup_outcomes_gone_total"); n != 0 {
			t.Errorf("the next start says again that %v outcomes are gone", n)
		}
	})
}

// The case of an invoice in a topic that was deleted since must not hold up the outcomes
// behind it, and one whose place another invoice took teaches nothing.
func TestOutcomesOfInvoicesThatAreNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutcomeWorld(1)
		w.fill(t, 1, 100)
		registry := w.runOn(t, func() {
			time.Sleep(5 * time.Second)
			right := w.opened(t)[0]
			first := right.CaseID[0]
			old, other := *right, *right
			old.CaseID = string(first) + "1111111-0000-5000-8000-000000000000"
			w.publishCase(t, `{"case_id":%q,"kind":"invoice","source":{"topic":"billing.invoices","partition":0,`+
				`"offset":1000000,"incarnation":7}}`, old.CaseID)
			other.CaseID = string(first) + "2222222-0000-5000-8000-000000000000"
			w.publishCase(t, `{"case_id":%q,"kind":"invoice","source":{"topic":"billing.invoices","partition":0,"offset":1}}`,
				other.CaseID)
			for _, c := range []*cases.Case{&old, &other, right} {
				w.decide(t, c, cases.OutcomeNotAnError, "")
			}
			w.moreInvoices(t, 101)
		})
		for name, want := range map[string]float64{"recoup_outcomes_learned_total": 1, "recoup_outcomes_gone_total": 2,
			"recoup_outcomes_waiting": 0} {
			if got := counter(t, registry, name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	})
}

// A case system whose clock is in another century does not say so in each verdict.
func TestOutcomeOfAnotherCentury(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutcomeWorld(1)
		w.fill(t, 1, 100)
		w.runOn(t, func() {
			time.Sleep(5 * time.Second)
			c := w.opened(t)[0]
			now := w.opt.Now
			w.opt.Now = func() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }
			w.decide(t, c, cases.OutcomeNotAnError, "")
			w.opt.Now = now
			w.moreInvoices(t, 101)
		})
		latest := ""
		for _, r := range w.store.Rows() {
			latest = max(latest, r.Verdict.Model.FeedbackAsOf)
		}
		if want := w.opt.Now().Add(48 * time.Hour).Format(time.RFC3339); latest == "" || latest > want {
			t.Errorf("verdicts know outcomes up to %q, want %s at most", latest, want)
		}
	})
}

// incidentWorld is one in which an incident is about all suspects: some name it by an
// alias, some joined it when they were decided already, and those from the third on, whose
// offset is returned, have cases that name it.
func incidentWorld(t *testing.T) (w *world, incident *cases.Case, members int, third int64) {
	t.Helper()
	w = newOutcomeWorld(1)
	incident = &cases.Case{CaseID: "11111111-0000-5000-8000-000000000000"}
	const alias = "22222222-0000-5000-8000-000000000000"
	w.fill(t, 1, 130)
	_ = w.faultFree(t)
	log := w.log.Records(w.opt.Topics.Suspects, 0)
	w.log.CreateTopic(w.opt.Topics.Suspects, 1, 0) // as workers write it while the incident is open
	joined := []byte("[]")
	for _, r := range log {
		var d pipeline.Decision
		if err := json.Unmarshal(r.Value, &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind == "decision" {
			members++
			switch members {
			case 1:
				d.Verdict.IncidentID = alias
			case 3:
				third = d.Source.Offset
			case 2:
				at := invoice.Position{Topic: w.opt.Topics.Suspects, Offset: r.Offset}
				joined, _ = json.Marshal([]cases.Member{{At: at}})
			}
		}
		r.Value, _ = json.Marshal(d)
		if _, err := w.log.Append(t.Context(), w.opt.Topics.Suspects, 0, []pipeline.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range w.opened(t) {
		if c.Source.Offset >= third {
			c.IncidentID, c.Action = incident.CaseID, cases.ActionUpdate
			body, _ := json.Marshal(c)
			w.publishCase(t, "%s", body)
		}
	}
	w.publishCase(t, `{"case_id":%q,"kind":"incident","incident":{"aliases":[%q]},"members_joined":%s}`,
		incident.CaseID, alias, joined)
	if opened := len(w.opened(t)) - 1; members < 4 || opened != members {
		t.Fatalf("%d members, %d cases; want 4 at least, and each with a case", members, opened)
	}
	return w, incident, members, third
}

// What is decided of an incident is said of all its members, however they became some.
func TestOutcomeOfAnIncidentReachesAllMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, incident, members, _ := incidentWorld(t)
		w.decide(t, incident, cases.OutcomeNotAnError, "")
		before := w.learnedInvoices(t, everyone, 1)[0]
		w.runOn(t, func() { w.moreInvoices(t, 131) })
		if n := w.learnedInvoices(t, everyone, 1)[0]; n != before+members+2 {
			t.Errorf("the segment holds %d invoices, want %d, %d members and two usual ones", n, before, members)
		}
	})
}

// An invoice that is decided by itself and as a member teaches once, whichever is first.
func TestMembersTeachOnce(t *testing.T) {
	for _, incidentFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("incident first ", incidentFirst), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, incident, members, third := incidentWorld(t)
				list := []*cases.Case{incident}
				for _, c := range w.opened(t) {
					if len(list) == 1 && c.Kind == cases.KindInvoice && c.Source.Offset >= third {
						list = append(list, c)
					}
				}
				if !incidentFirst {
					slices.Reverse(list)
				}
				before := w.learnedInvoices(t, everyone, 1)[0]
				w.runOn(t, func() {
					for _, c := range list {
						w.decide(t, c, cases.OutcomeNotAnError, "")
						time.Sleep(10 * time.Second)
					}
					w.moreInvoices(t, 131)
				})
				if n := w.learnedInvoices(t, everyone, 1)[0]; n != before+members+2 {
					t.Errorf("the segment holds %d invoices, want %d, %d members and two usual ones", n, before, members)
				}
			})
		})
	}
}

// tardyLog takes long to read an invoice again.
type tardyLog struct{ pipeline.Log }

type tardyReader struct {
	pipeline.Reader
	reads int
}

func (l tardyLog) Open(topic string, partition int) pipeline.Reader {
	r := l.Log.Open(topic, partition)
	if topic == pipeline.DefaultOptions().Topics.Invoices {
		return &tardyReader{Reader: r}
	}
	return r
}

func (r *tardyReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	if r.reads++; r.reads == 1 && offset > 0 {
		time.Sleep(time.Minute)
	}
	return r.Reader.Fetch(ctx, offset)
}

// C2: however long it takes to read a decided invoice again, scoring goes on.
func TestOutcomesDoNotDelayScoring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutcomeWorld(1)
		w.fill(t, 1, 100)
		scored := 0
		m := w.memberLive("slow", tardyLog{w.log}, w.log.Group(w.opt.Group, w.opt.Topics.Invoices))
		during(t, m, func() {
			time.Sleep(5 * time.Second)
			w.decide(t, w.opened(t)[0], cases.OutcomeNotAnError, "")
			time.Sleep(5 * time.Second)
			w.fillMore(t, 1, 101, 111)
			time.Sleep(10 * time.Second)
			scored = len(w.store.Rows())
			time.Sleep(2 * time.Minute)
		})
		if all := len(w.store.Rows()); scored != all {
			t.Errorf("%d of %d invoices are scored while a decided one is read again", scored, all)
		}
	})
}
