package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/docs/contract/contracttest"
	"recoup/pipeline"
)

// company is a seller that bills while a member works, in virtual time.
type company struct {
	t          *testing.T
	w          *world
	rng        *rand.Rand
	partitions int
	n          int  // invoices sent
	mixed      bool // invoices are in any batch
}

// bills sends an invoice now: of about 400.00, a third less if it is wrong.
func (c *company) bills(source, release string, wrong bool) {
	c.t.Helper()
	c.n++
	net := 396 + 8*c.rng.Float64()
	if wrong {
		net *= 0.66
	}
	now := time.Now().UTC()
	body := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"e%d","seller":"acme","invoice_id":"i%d",`+
		`"issued_at":%q,"currency":"EUR","net_amount":"%.2f","customer_ref":"c%d","customer_type":"B2C",`+
		`"product_family":"fibre","delivery_ref":"d%d","source_system":%q,"source_release":%q,"batch_id":"B%d",`+
		`"operator_ref":"o%d"}`, c.n, c.n, now.Format(time.RFC3339Nano), net, c.rng.IntN(300), c.n, source, release,
		c.batch(now), c.rng.IntN(9))
	partition := c.n % c.partitions
	c.w.put(c.t, c.w.opt.Topics.Invoices, partition, pipeline.Record{Key: fmt.Append(nil, c.n), Value: body})
}

// batch is a billing run: of a quarter of an hour, or of any where that is no matter.
func (c *company) batch(now time.Time) int64 {
	if c.mixed {
		return int64(c.rng.IntN(30))
	}
	return now.Unix() / 900
}

// usual bills for a while: usual invoices of two systems, one of each a second.
func (c *company) usual(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		c.bills("erp", "r1", false)
		c.bills("shop", "s1", false)
		time.Sleep(time.Second)
	}
}

// billing runs a member while a company bills.
func billing(t *testing.T, partitions int, play func(c *company)) *world {
	t.Helper()
	w := newStageWorldOf(partitions)
	m, _ := w.member("only", func(o *pipeline.Options) { o.UntilCaughtUp = false })
	during(t, m, func() {
		play(&company{t: t, w: w, rng: rand.New(rand.NewPCG(1, 1)), partitions: partitions})
		if err := m.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}
	})
	return w
}

// published returns every record of a kind, in the order of its partition.
func (w *world) published(t *testing.T, kind cases.Kind) (list []*cases.Case) {
	t.Helper()
	for p := range 3 {
		for _, r := range w.log.Records(w.opt.Topics.Cases, p) {
			c := &cases.Case{}
			if err := json.Unmarshal(r.Value, c); err != nil {
				t.Fatal(err)
			}
			if c.Kind == kind {
				if err := contracttest.Validate(r.Value); err != nil {
					t.Errorf("%v\n%s", err, r.Value)
				}
				list = append(list, c)
			}
		}
	}
	return list
}

// A9, D4: 1,000 errors of one release are one incident, over 16 partitions as over two;
// of the cases opened before it there are at most 50, all join it, and no single
// invoice pages anybody.
func TestThousandErrorsOfOneRelease(t *testing.T) {
	for _, partitions := range []int{2, 16} {
		t.Run(fmt.Sprint(partitions, " partitions"), func(t *testing.T) { thousandErrors(t, partitions) })
	}
}

func thousandErrors(t *testing.T, partitions int) {
	synctest.Test(t, func(t *testing.T) {
		w := billing(t, partitions, func(c *company) {
			c.usual(40 * time.Minute)
			for range 1000 {
				c.bills("erp", "r2", true)
				c.bills("erp", "r1", false)
				c.bills("shop", "s1", false)
				time.Sleep(time.Second)
			}
			c.usual(2 * time.Minute)
		})
		incidents, members := map[string]*cases.Case{}, map[string]bool{}
		for _, c := range w.published(t, cases.KindIncident) {
			incidents[c.CaseID] = c
			for _, m := range c.Joined {
				if members[m.InvoiceID] {
					t.Errorf("%s joined twice", m.InvoiceID)
				}
				members[m.InvoiceID] = true
			}
		}
		if len(incidents) != 1 || len(members) != 1000 {
			t.Errorf("%d incidents with %d members, want 1 with 1,000", len(incidents), len(members))
		}
		for id, c := range incidents {
			t.Logf("%s: %s (%s)", id, c.Summary.EN, c.Severity)
			if c.Incident.Members != int64(len(members)) || c.Incident.Value != "r2" {
				t.Errorf("incident of %s %q counts %d members, %d joined", c.Incident.Dimension, c.Incident.Value,
					c.Incident.Members, len(members))
			}
		}
		singles := map[string]*cases.Case{}
		for _, c := range w.published(t, cases.KindInvoice) {
			if c.Severity == cases.SeverityCritical || c.Severity == cases.SeverityError {
				t.Errorf("invoice %s pages", c.InvoiceID)
			}
			singles[c.InvoiceID] = c
		}
		for id, c := range singles {
			if !members[id] || incidents[c.IncidentID] == nil {
				t.Errorf("the case of %s, a member: %v, does not name its incident: %q", id, members[id], c.IncidentID)
			}
		}
		if n := len(singles); n == 0 || n > 50 {
			t.Errorf("%d single cases, want some, at most 50", n)
		}
		t.Logf("%d single cases", len(singles))
	})
}

// G4, G9: an incident goes on over the deaths of members, at whatever effect: its
// members are listed once each, and every case of a member names it.
func TestIncidentOverCrashes(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { incidentOverCrashes(t, seed) })
		})
	}
}

func incidentOverCrashes(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 11))
	w := newStageWorldOf(2)
	w.opt.FlushInterval, w.opt.CheckpointInterval = time.Second, 5*time.Second
	m, _ := w.member("warm", func(o *pipeline.Options) { o.UntilCaughtUp = false })
	c := &company{t: t, w: w, rng: rand.New(rand.NewPCG(seed, 1)), partitions: 2}
	during(t, m, func() { c.usual(40 * time.Minute) })
	over, done := make(chan struct{}), make(chan struct{})
	lives := 0
	go func() {
		defer close(done)
		for ; ; lives++ {
			select {
			case <-over:
				return
			default:
				w.liveUntilDeath(t, fmt.Sprint("life ", lives), rng)
			}
		}
	}()
	for range 400 {
		c.bills("erp", "r2", true)
		c.bills("erp", "r1", false)
		c.bills("shop", "s1", false)
		time.Sleep(time.Second)
	}
	close(over)
	<-done
	last, _ := w.member("last", nil)
	if err := last.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	incidents, members := map[string]int64{}, map[string]bool{}
	for _, c := range w.published(t, cases.KindIncident) {
		incidents[c.CaseID] = max(incidents[c.CaseID], c.Incident.Members)
		for _, m := range c.Joined {
			if members[m.InvoiceID] {
				t.Errorf("%s joined twice", m.InvoiceID)
			}
			members[m.InvoiceID] = true
		}
	}
	if len(incidents) != 1 || len(members) < 380 {
		t.Errorf("%d incidents with %d members after %d lives, want 1 with nearly 400", len(incidents), len(members), lives)
	}
	for id, n := range incidents {
		if n != int64(len(members)) {
			t.Errorf("incident %s counts %d members, %d joined", id, n, len(members))
		}
	}
	newest := map[string]*cases.Case{}
	for _, c := range w.published(t, cases.KindInvoice) {
		if b := newest[c.InvoiceID]; b == nil || c.Seq >= b.Seq {
			newest[c.InvoiceID] = c
		}
	}
	for id, c := range newest {
		if _, known := incidents[c.IncidentID]; members[id] && !known {
			t.Errorf("the case of %s names incident %q", id, c.IncidentID)
		}
	}
	t.Logf("%d lives, %d members, %d cases", lives, len(members), len(newest))
}

// liveUntilDeath runs a member until its death at some effect, or for a minute.
func (w *world) liveUntilDeath(t *testing.T, name string, rng *rand.Rand) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	group := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
	stage := w.log.Group("stage", leadTopic)
	view := &mortal{Log: w.log, Store: w.store, left: 20 + rng.IntN(300), after: rng.IntN(2) == 0}
	view.die = func() { group.Evict(); stage.Evict(); cancel() }
	opt := w.options(name, false)
	opt.Stage.Group = func() pipeline.Group { return &mortalGroup{stage, view} }
	_ = pipeline.NewMember(opt, view, &mortalGroup{group, view}, view).Run(ctx) // it may die
}

// A9: 50 errors that have nothing in common are no incident.
func TestUnrelatedErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := billing(t, 2, func(c *company) {
			c.mixed = true
			c.usual(30 * time.Minute)
			for range 50 {
				one := c.rng.IntN(2)
				c.bills([]string{"erp", "shop"}[one], []string{"r1", "s1"}[one], true)
				c.usual(time.Minute)
			}
		})
		for _, c := range w.published(t, cases.KindIncident) {
			t.Errorf("incident: %s", c.Summary.EN)
		}
		if n := len(w.published(t, cases.KindInvoice)); n < 40 {
			t.Errorf("%d cases, want about 50: the errors were not found", n)
		}
	})
}

// K17: a source that is silent for 5 minutes is blind within a minute, and no more when
// it speaks again.
func TestSilentSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent, spoke time.Time
		w := billing(t, 1, func(c *company) {
			c.usual(40 * time.Minute)
			silent = time.Now()
			for range 8 * 60 { // the other system goes on
				c.bills("erp", "r1", false)
				time.Sleep(time.Second)
			}
			spoke = time.Now()
			c.usual(3 * time.Minute)
		})
		list := w.published(t, cases.KindBlind)
		if len(list) < 2 {
			t.Fatalf("%d records of blindness, want it opened and resolved", len(list))
		}
		opened, last := list[0], list[len(list)-1]
		t.Logf("%s", opened.Summary.EN)
		if opened.Action != cases.ActionOpen || opened.Watch.Source != "shop" ||
			opened.DetectedAt.Sub(silent) < 5*time.Minute || opened.DetectedAt.Sub(silent) > 6*time.Minute {
			t.Errorf("%s of %q %s after its last invoice; want it opened of the shop after 5 to 6 minutes", opened.Action,
				opened.Watch.Source, opened.DetectedAt.Sub(silent))
		}
		if last.Action != cases.ActionResolve || last.Resolution.At.Before(spoke) {
			t.Errorf("in the end: %s", last.Action)
		}
		for _, c := range list {
			if c.DedupKey != opened.DedupKey {
				t.Errorf("another blindness: %s", c.Summary.EN)
			}
		}
	})
}
