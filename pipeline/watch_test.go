package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// told are the actions on one case, which keeps its moment of detection and counts seq.
func told(t *testing.T, list []*cases.Case) string {
	t.Helper()
	actions := []string{}
	for i, c := range list {
		actions = append(actions, string(c.Action))
		if c.CaseID != list[0].CaseID || !c.DetectedAt.Equal(list[0].DetectedAt) || i > 0 && c.Seq <= list[i-1].Seq {
			t.Errorf("record %d is seq %d of case %s, detected %s", i, c.Seq, c.CaseID, c.DetectedAt)
		}
	}
	return strings.Join(actions, " ")
}

// television bills one of a segment each two seconds, of which a share is a third too low
// for no reason that they have in common.
func (c *company) television(d time.Duration, share float64) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(2 * time.Second) {
		c.n++
		net := 396 + 8*c.rng.Float64()
		if c.rng.Float64() < share {
			net *= 0.66
		}
		now := time.Now().UTC()
		c.w.append(c.t, c.n%c.partitions, pipeline.Record{Value: fmt.Appendf(nil, `{"schema":"invoice.v1",`+
			`"event_id":"e%d","seller":"acme","invoice_id":"i%d","issued_at":%q,"currency":"EUR","net_amount":"%.2f",`+
			`"customer_ref":"c%d","customer_type":"B2C","product_family":"tv","source_system":"erp","batch_id":"B%d"}`,
			c.n, c.n, now.Format(time.RFC3339Nano), net, c.rng.IntN(300), c.n)})
	}
}

// A9: a segment of which eight times as many invoices as usual are suspect, without any
// other value in common, is a rate case: one, whoever owns the stage meanwhile, that
// people can work and that ends by itself.
func TestRateOverOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newStageWorldOf(2)
		c := &company{t: t, w: w, rng: rand.New(rand.NewPCG(3, 1)), partitions: 2}
		rates := func() []*cases.Case { return w.published(t, cases.KindRate) }
		_, stop := w.start("first", nil)
		c.television(25*time.Minute, 0.005)
		if list := rates(); len(list) > 0 {
			t.Errorf("before anything happened: %s", list[0].Summary.EN)
		}
		shifted := time.Now()
		c.television(12*time.Minute, 0.04)
		if list := rates(); len(list) != 1 {
			t.Fatalf("%d records of a rate after 12 minutes, want it opened", len(list))
		}
		stop()
		_, stop = w.start("second", nil)
		c.television(5*time.Minute, 0.04)
		open := rates()[0]
		w.tell(t, &cases.Event{EventID: "a", CaseID: open.CaseID, Status: cases.StatusAcknowledged,
			At: time.Now().UTC()})
		c.television(time.Minute, 0.04)
		stop()
		_, stop = w.start("third", nil)
		ended := time.Now()
		c.television(50*time.Minute, 0.005)
		stop()

		list := rates()
		if got := told(t, list); got != "open update resolve" {
			t.Fatalf("the rate was told by %q, want open update resolve", got)
		}
		t.Logf("%s", open.Summary.EN)
		if late := open.DetectedAt.Sub(shifted); open.Watch.Segment != "B2C/tv" || open.Watch.Lower <= 2*open.Watch.Usual ||
			open.Direction != detectors.DirectionCustomerFavour || late < 0 || late > 12*time.Minute {
			t.Errorf("%s after the shift: %+v, %s", late, open.Watch, open.Direction)
		}
		if list[1].Status != cases.StatusAcknowledged {
			t.Errorf("it was acknowledged, the update says %q", list[1].Status)
		}
		r := list[2].Resolution
		if r == nil || r.By != cases.ResolvedByItself || r.At.Before(ended.Add(30*time.Minute)) {
			t.Errorf("resolved %+v, want by itself half an hour after the last invoices too many", r)
		}
		for _, c := range w.published(t, cases.KindIncident) {
			t.Errorf("incident: %s", c.Summary.EN)
		}
	})
}

// canary sends one of recoup's own wrong invoices, which a recoup that sees finds.
func (c *company) canary(found bool) {
	net := 396 + 8*c.rng.Float64() // twice the same would be a duplicate
	if found {
		net /= 2
	}
	c.n++
	id := fmt.Sprint("canary-", c.n)
	body := invoiceJSON(id, net, time.Now(), "d-"+id)
	c.w.append(c.t, 0, pipeline.Record{Value: with(body, `"canary":true,"source_system":"erp","source_release":"r1"`)})
}

// with adds fields to an invoice.
func with(invoice []byte, fields string) []byte {
	return append(bytes.TrimSuffix(invoice, []byte("}")), ","+fields+"}"...)
}

// K17: recoup is blind where two of its canaries in a row are missed, and says so within
// a minute; one alone may have been bad luck. The next that is found ends it.
func TestMissedCanaries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var missed, found time.Time
		w := billing(t, 2, func(c *company) {
			for _, seen := range []bool{true, false, true, false, false} {
				c.usual(4 * time.Minute)
				c.canary(seen)
				missed = time.Now()
			}
			c.usual(3 * time.Minute)
			c.canary(true)
			found = time.Now()
			c.usual(2 * time.Minute)
		})
		list := w.published(t, cases.KindBlind)
		if got := told(t, list); got != "open resolve" {
			t.Fatalf("blindness was told by %q, want open resolve", got)
		}
		open, over := list[0], list[1].Resolution
		t.Logf("%s", open.Summary.EN)
		if open.Watch.Reason != "canary" || open.Watch.Source != "erp" || open.Severity != cases.SeverityCritical {
			t.Errorf("%s of %+v", open.Severity, open.Watch)
		}
		if late := open.DetectedAt.Sub(missed); late < 0 || late > time.Minute {
			t.Errorf("blindness was seen %s after the second canary in a row, want within a minute", late)
		}
		if late := over.At.Sub(found); late < 0 || late > time.Minute {
			t.Errorf("it was over %s after a canary was found, want within a minute", late)
		}
	})
}

// E5: a canary is scored and stored, and that is all: it opens no case, and baselines
// and verdicts of the invoices behind it are those of a run without it, even of the one
// that it is a copy of.
func TestCanariesChangeNothing(t *testing.T) {
	run := func(t *testing.T, canaries bool) (w *world, verdicts map[string]string, learned map[string]int) {
		w = newStageWorld()
		rng := rand.New(rand.NewPCG(1, 1))
		for i := range 200 {
			at, net := start.Add(time.Duration(i)*time.Minute), 396+8*rng.Float64()
			send := func(id string, net float64, canary bool) {
				body := with(invoiceJSON(id, net, at, fmt.Sprint("d", i)), fmt.Sprint(`"canary":`, canary))
				w.append(t, 0, pipeline.Record{Value: body, Time: at})
			}
			if canaries && i >= 100 && i%10 == 0 {
				send(fmt.Sprint("canary-same-", i), net, true)
				send(fmt.Sprint("canary-tenth-", i), net/10, true)
			}
			send(fmt.Sprint("i", i), net, false)
		}
		m, _ := w.member("only", nil)
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		verdicts, learned = map[string]string{}, map[string]int{}
		for _, r := range w.store.Rows() {
			v := r.Verdict
			v.Source = invoice.Position{}
			body, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			verdicts[v.InvoiceID] = string(body)
			if r.Invoice.Canary && (v.Taught || v.CaseID != "" || v.Decision != detectors.DecisionNone ||
				v.Suspect != (r.Invoice.NetAmount < 100*invoice.Unit)) {
				t.Errorf("canary: %s", body)
			}
		}
		for _, segment := range []string{everyone, "seller|acme|EUR"} {
			learned[segment] = w.learnedInvoices(t, segment, 1)[0]
		}
		return w, verdicts, learned
	}
	synctest.Test(t, func(t *testing.T) {
		_, want, usual := run(t, false)
		w, got, learned := run(t, true)
		if len(got) != len(want)+20 {
			t.Errorf("%d invoices are stored, want %d and 20 canaries", len(got), len(want))
		}
		for id, verdict := range want {
			if got[id] != verdict {
				t.Errorf("behind canaries %s is judged\n%s\nwithout\n%s", id, got[id], verdict)
			}
		}
		for segment, n := range usual {
			if learned[segment] != n || n < 150 {
				t.Errorf("%s holds %d invoices, without canaries %d", segment, learned[segment], n)
			}
		}
		for _, c := range w.opened(t) {
			if strings.HasPrefix(c.InvoiceID, "canary") {
				t.Errorf("a canary has a case: %s", c.Summary.EN)
			}
		}
	})
}
