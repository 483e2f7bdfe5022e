package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/pipeline/model"
)

// closed publishes a case of 100.00 that was closed after some of it had come back.
func (w *world) closed(t *testing.T, seller string, n int, paid invoice.Amount) {
	t.Helper()
	key := cases.DedupKey(seller, fmt.Sprint("closed", n), 0)
	c := &cases.Case{Schema: cases.Schema, CaseID: cases.ID(key), DedupKey: key, Seq: 2, Action: cases.ActionResolve,
		Kind: cases.KindInvoice, Seller: seller, Loss: detectors.Loss{Point: 100 * invoice.Unit},
		Outcome: cases.OutcomeConfirmed, Settlement: &cases.Settlement{Paid: paid},
		Resolution: &cases.Resolution{By: cases.ResolvedByOutcome, At: start}}
	body, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, w.opt.Topics.Cases, 0, pipeline.Record{Key: []byte(key), Value: body})
	c.Seq, c.Action, c.Outcome, c.Resolution = 1, cases.ActionOpen, "", nil // an older record behind it says nothing
	if body, err = c.Encode(); err != nil {
		t.Fatal(err)
	}
	w.put(t, w.opt.Topics.Cases, 0, pipeline.Record{Key: []byte(key), Value: body})
}

// A14: what came back of a seller's closed cases is trained with its model, and decides
// whether its next suspects are worth a case.
func TestRecoveryRateIsLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.log.CreateTopic("recoup.lead", 1, 0)
		w.opt.Topics.CaseEvents = "recoup.case-events"
		w.log.CreateTopic(w.opt.Topics.CaseEvents, 2, 0)
		ahead := time.Until(start.AddDate(0, 0, 9)) // of the bubble's clock, so that it is the invoices' day
		w.opt.Now = func() time.Time { return time.Now().Add(ahead) }
		for n := range 100 { // one of two is paid; another seller's all are
			w.closed(t, "acme", n, invoice.Amount(n%2*100)*invoice.Unit)
			w.closed(t, "other", n, 100*invoice.Unit)
		}
		w.fillDays(t, 1, 0, 9*72)
		_, stop := w.start("a", w.trains)
		defer stop()
		time.Sleep(5 * time.Minute)
		at := start.AddDate(0, 0, 9)
		w.append(t, 0, pipeline.Record{Value: invoiceJSON("low", 290, at, "low"), Time: at})
		time.Sleep(time.Minute)
		rows := w.store.Rows()
		v := rows[len(rows)-1].Verdict
		if v.InvoiceID != "low" || !v.Suspect || v.Decision != detectors.DecisionLogOnly ||
			v.Model.Recovery != (detectors.RecoveryRate{Rate: 0.4038, Cases: 100}) {
			t.Errorf("%s, a loss of %v with p_error %v, is %s, weighed by %+v of %s", v.InvoiceID, v.Loss.Point, v.PError,
				v.Decision, v.Model.Recovery, v.Model.Version)
		}
		for p := range 2 {
			for _, r := range w.log.Records(w.opt.Topics.Models, p) {
				m, err := model.Decode(r.Value)
				if err != nil || m.RecoveryRate != 0.4038 || m.RecoveryCases != 100 {
					t.Errorf("model %+v, %v", m, err)
				}
			}
		}
	})
}

// G4, G5: a model that knows what comes back arrives while members die anywhere. Every
// suspect is decided by what its model knew, and no case contradicts it.
func TestRecoveryRateCrashAnywhere(t *testing.T) {
	few := detectors.RecoveryRate{Rate: 0.4, Cases: 100} // of some 120.00: less than 50.00
	rated := ratedClassifiers(t, 1, few)[0]
	logged, opened := 0, 0
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 4))
				w := newModelWorld(1)
				w.vary(rng)
				w.fill(t, 1, 300)
				for life := range 8 {
					ctx, cancel := context.WithCancel(t.Context())
					member := w.mortal(fmt.Sprint("life ", life), rng, 30, cancel)
					if life == 3 {
						time.AfterFunc(time.Duration(rng.IntN(800))*time.Millisecond, func() { w.publish(t, rated, encoded(t, rated)) })
					}
					_ = member.Run(ctx) // it may die or finish
					cancel()
				}
				w.fillMore(t, 1, 300, 400)
				if got := w.faultFree(t); len(got.rows) != w.sent || got.doubled != 0 {
					t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
				}
				w.check(t, 1)
				has := map[string]bool{}
				for _, c := range w.opened(t) {
					has[c.CaseID] = true
				}
				for _, r := range w.store.Rows() {
					v, want := r.Verdict, detectors.DecisionOpenCase
					if !v.Suspect {
						continue
					}
					opened++
					if v.Model.Version == rated.Version {
						want = detectors.DecisionLogOnly
						logged++
					}
					if v.Decision != want || has[v.CaseID] != (want == detectors.DecisionOpenCase) {
						t.Errorf("%s by %s, weighed by %+v: %s, a case %v; want %s", v.InvoiceID, v.Model.Version, v.Model.Recovery,
							v.Decision, has[v.CaseID], want)
					}
				}
			})
		})
	}
	if opened -= logged; logged < 20 || opened < 20 {
		t.Errorf("%d suspects were logged and %d opened, want some of each", logged, opened)
	}
}
