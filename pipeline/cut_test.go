package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/docs/contract/contracttest"
	"recoup/pipeline"
)

// wordy is an invoice with much to say about it: on each of its lines the comma of
// the amount has moved, and each product has a long name.
func wordy(id string, at time.Time) []byte {
	var lines []string
	for i := range 20 {
		lines = append(lines, fmt.Sprintf(`{"line_id":"%d","product_id":%q,"quantity":"1","unit_price":"10.00",`+
			`"line_net":"100.00"}`, i, strings.Repeat("é", 120)+fmt.Sprint(i)))
	}
	return fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"e-%s","seller":"acme","invoice_id":%q,"issued_at":%q,`+
		`"currency":"EUR","net_amount":"2000.00","customer_ref":"c1","customer_type":"B2C","product_family":"fibre",`+
		`"delivery_ref":%q,"lines":[%s]}`, id, id, at.Format(time.RFC3339), "d-"+id, strings.Join(lines, ","))
}

// newWordyWorld is a world with some wordy invoices among the others, whose topics
// of decisions and of cases take records of so many bytes, 0 for any.
func newWordyWorld(t *testing.T, decision, event int) *world {
	w := newWorld(1)
	w.log.CreateTopic(w.opt.Topics.Suspects, 1, decision)
	w.log.CreateTopic(w.opt.Topics.Cases, 3, event)
	for i := range 4 {
		w.fillMore(t, 1, i*100, (i+1)*100)
		w.append(t, 0, pipeline.Record{Value: wordy(fmt.Sprint("w", i), start.Add(time.Duration(i)*time.Hour)), Time: start})
	}
	return w
}

// evidence returns the sentences on the wordy invoices in published cases.
func (w *world) evidence(t *testing.T) (sentences int, cut bool) {
	t.Helper()
	for p := range 3 {
		for _, r := range w.log.Records(w.opt.Topics.Cases, p) {
			var c cases.Case
			if err := json.Unmarshal(r.Value, &c); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(c.InvoiceID, "w") {
				continue
			}
			for _, f := range c.Causes {
				sentences += len(f.Evidence)
				cut = cut || len(f.Evidence) == 1 && strings.HasSuffix(f.Evidence[0], " …")
			}
		}
	}
	return sentences, cut
}

// G1, G4: a decision that its topic refuses for its size is cut, as is a case; the
// partition goes on, with the same rows and the same cases.
func TestDecisionTooLarge(t *testing.T) {
	const small = 6 << 10
	var want outcome
	synctest.Test(t, func(t *testing.T) {
		w := newWordyWorld(t, 0, 0)
		want = w.faultFree(t)
		if n, cut := w.evidence(t); n < 80 || cut {
			t.Errorf("%d sentences of evidence, cut: %t; want 20 for each of 4 invoices", n, cut)
		}
	})
	for name, limit := range map[string][2]int{"log": {small, 0}, "cases": {0, small}, "both": {small, small}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWordyWorld(t, limit[0], limit[1])
				_, stop := w.start("a", nil)
				time.Sleep(time.Minute)
				stop()
				w.outcome(t).equal(t, want)
				if n, cut := w.evidence(t); n >= 80 || !cut {
					t.Errorf("%d sentences of evidence, cut: %t; want them cut", n, cut)
				}
				for _, r := range w.log.Records(w.opt.Topics.Suspects, 0) {
					if err := contracttest.Validate(r.Value); err != nil {
						t.Errorf("decision log: %v", err)
					}
				}
			})
		})
	}
}

// G2, G4: members that die anywhere publish one content of each cut case, one row
// of each invoice.
func TestDecisionTooLargeCrashAnywhere(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 3))
				w := newWordyWorld(t, []int{0, 6 << 10}[seed%2], 6<<10)
				w.vary(rng)
				for life := range 8 {
					ctx, cancel := context.WithCancel(t.Context())
					_ = w.mortal(fmt.Sprint("life ", life), rng, 60, cancel).Run(ctx)
					cancel()
				}
				got := w.faultFree(t) // fails where one case has two contents
				if len(got.rows) != w.sent || got.doubled != 0 {
					t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
				}
				if _, cut := w.evidence(t); !cut {
					t.Error("no case was cut")
				}
			})
		})
	}
}

// G1, G12: a topic of state that takes no checkpoint stops neither scoring nor
// rows; readiness says it until a person has mended it.
func TestStateTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		w.log.CreateTopic(w.opt.Topics.State, 1, 200)
		m, stop := w.start("a", nil)
		time.Sleep(time.Minute)
		if err := m.Ready(); err == nil || !strings.Contains(err.Error(), "state of partition 0: ") {
			t.Errorf("ready says %v, want the state of partition 0", err)
		}
		if n := m.Copied(); n != 0 {
			t.Errorf("checkpoints of other partitions wait for %d bytes that are refused", n)
		}
		w.outcome(t).equal(t, want)
		w.log.CreateTopic(w.opt.Topics.State, 1, 0)
		time.Sleep(time.Minute)
		if err := m.Ready(); err != nil {
			t.Errorf("ready says %v after the topic was mended", err)
		}
		stop()
		if n := len(w.log.Records(w.opt.Topics.State, 0)); n == 0 {
			t.Error("no state was written after the topic was mended")
		}
	})
}
