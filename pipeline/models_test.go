package pipeline_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/pipeline/model"
)

// classifiers trains some classifiers of the seller of the world's invoices, each
// on more of them.
func classifiers(t *testing.T, n int) (list []*model.Record) {
	t.Helper()
	return ratedClassifiers(t, n, detectors.RecoveryRate{})
}

// ratedClassifiers trains some that know how much comes back.
func ratedClassifiers(t *testing.T, n int, recovery detectors.RecoveryRate) (list []*model.Record) {
	t.Helper()
	e := detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)
	trainer := detectors.NewTrainer(detectors.TrainerOptions{})
	decoder := invoice.NewDecoder(invoice.Limits{})
	rng := rand.New(rand.NewPCG(7, 7))
	var inv invoice.Invoice
	var v detectors.Verdict
	for i := 0; len(list) < n; i++ {
		at := start.Add(time.Duration(i-10_000) * time.Minute)
		id := fmt.Sprint("x", i)
		if err := decoder.Decode(invoiceJSON(id, 400+8*rng.Float64(), at, id), &inv); err != nil {
			t.Fatal(err)
		}
		e.Begin(&inv, invoice.Position{Offset: int64(i)}, at)
		e.Score(&v)
		trainer.Observe(e)
		e.Teach(v.Suspect)
		if i < 600 || i%50 > 0 {
			continue
		}
		trainer.Recovered("acme", recovery)
		c := trainer.Train("acme")
		if c == nil {
			t.Fatalf("%d invoices train no model", i)
		}
		r, err := model.New(c, at)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// newModelWorld is a world with a topic of models.
func newModelWorld(partitions int) *world {
	w := newWorld(partitions)
	w.opt.Topics.Models = "recoup.models"
	w.log.CreateTopic(w.opt.Topics.Models, 2, 0)
	return w
}

// publish appends a model to its topic, a tombstone for nil bytes.
func (w *world) publish(t *testing.T, r *model.Record, value []byte) {
	t.Helper()
	record := pipeline.Record{Key: []byte(r.Seller + "|" + r.Version), Value: value}
	if _, err := w.log.Append(context.Background(), w.opt.Topics.Models, 1, []pipeline.Record{record}); err != nil {
		t.Fatal(err)
	}
}

func encoded(t *testing.T, r *model.Record) []byte {
	t.Helper()
	body, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// named returns what the decision log says judges each source offset of a
// partition, and fails where a record contradicts the schema.
func (w *world) named(t *testing.T, partition int) func(offset int64) string {
	t.Helper()
	var changes []pipeline.Decision
	highest := int64(-1)
	for _, r := range w.log.Records(w.opt.Topics.Suspects, partition) {
		if err := contracttest.Validate(r.Value); err != nil {
			t.Errorf("decision log: %v\n%s", err, r.Value)
		}
		var d pipeline.Decision
		if err := json.Unmarshal(r.Value, &d); err != nil {
			t.Fatal(err)
		}
		switch {
		case d.Kind == "ownership":
			highest = r.Offset
		case d.Kind == "model" && d.Epoch >= highest:
			changes = append(changes, d)
		}
	}
	slices.SortStableFunc(changes, func(a, b pipeline.Decision) int {
		return cmp.Compare(a.Source.Offset, b.Source.Offset)
	})
	return func(offset int64) string {
		version := detectors.ModelVersion
		for _, d := range changes {
			if d.Source.Offset <= offset {
				version = d.Model.Version
			}
		}
		return version
	}
}

// check compares the model of every row with what the decision log names.
func (w *world) check(t *testing.T, partitions int) (versions map[string]int) {
	t.Helper()
	versions = map[string]int{}
	for p := range partitions {
		named := w.named(t, p)
		for _, r := range w.store.Rows() {
			v := r.Verdict
			if v.Source.Partition != p {
				continue
			}
			versions[v.Model.Version]++
			if want := named(v.Source.Offset); v.Model.Version != want {
				t.Errorf("offset %d/%d was judged by %s, the log names %s", p, v.Source.Offset, v.Model.Version, want)
			}
		}
	}
	return versions
}

// G3, G4, G5: models arrive while members die anywhere. What the log names judges
// every invoice, no decision is contradicted, nothing is lost or doubled.
func TestModelsArriveCrashAnywhere(t *testing.T) {
	stored := classifiers(t, 4)
	seen := map[string]int{}
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for version, n := range modelCrashRun(t, seed, stored) {
					seen[version] += n
				}
			})
		})
	}
	if len(seen) < 4 {
		t.Errorf("only %v judged", seen)
	}
}

func modelCrashRun(t *testing.T, seed uint64, stored []*model.Record) map[string]int {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := newModelWorld(1)
	w.vary(rng)
	w.fill(t, 1, 200)
	for life := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		member := w.mortal(fmt.Sprint("life ", life), rng, 30, cancel)
		if r := stored[rng.IntN(len(stored))]; rng.IntN(2) == 0 {
			value := encoded(t, r)
			if rng.IntN(5) == 0 {
				value = nil
			}
			time.AfterFunc(time.Duration(rng.IntN(800))*time.Millisecond, func() { w.publish(t, r, value) })
		}
		_ = member.Run(ctx) // it may die or finish
		cancel()
	}
	time.Sleep(time.Second)
	m, _ := w.member("last", nil)
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantEach(t)
	return w.check(t, 1)
}

// A member reads the models before its first score, adopts a newer one between two
// batches, and passes over one it cannot read; a pin holds against all of them.
func TestModelAdopted(t *testing.T) {
	stored := classifiers(t, 2)
	for name, c := range map[string]struct {
		pin  string
		want [3]string // judges before, between and after the second and a broken model
	}{
		"newest":           {"", [3]string{stored[0].Version, stored[1].Version, stored[1].Version}},
		"prior":            {pipeline.PinPrior, [3]string{"prior-1", "prior-1", "prior-1"}},
		"a version":        {stored[0].Version, [3]string{stored[0].Version, stored[0].Version, stored[0].Version}},
		"one that is gone": {"trained-0000000000000000", [3]string{"prior-1", "prior-1", "prior-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newModelWorld(1)
				w.publish(t, stored[0], encoded(t, stored[0]))
				registry := prometheus.NewRegistry()
				metrics := pipeline.NewMetrics(registry)
				_, stop := w.start("a", func(o *pipeline.Options) { o.PinModel, o.Metrics = c.pin, metrics })
				defer stop()
				w.fillMore(t, 1, 0, 100)
				time.Sleep(5 * time.Second)
				w.publish(t, stored[1], encoded(t, stored[1]))
				time.Sleep(5 * time.Second)
				w.fillMore(t, 1, 100, 200)
				time.Sleep(5 * time.Second)
				broken := &model.Record{Seller: "acme", Version: "trained-ffffffffffffffff"}
				w.publish(t, broken, []byte(`{"schema":"model.v9"}`))
				time.Sleep(5 * time.Second)
				w.fillMore(t, 1, 200, 300)
				time.Sleep(5 * time.Second)
				var got [3]string
				for _, r := range w.store.Rows() {
					var p, i int
					if _, err := fmt.Sscanf(r.Verdict.InvoiceID, "%d-%d", &p, &i); err != nil {
						t.Fatal(err)
					}
					if was := got[i/100]; was != "" && was != r.Verdict.Model.Version {
						t.Errorf("part %d was judged by %s and %s", i/100, was, r.Verdict.Model.Version)
					}
					got[i/100] = r.Verdict.Model.Version
				}
				if got != c.want {
					t.Errorf("judged by %q, want %q", got, c.want)
				}
				shown := map[string]int{}
				families, err := registry.Gather()
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range families {
					shown[f.GetName()] = len(f.GetMetric())
					if f.GetName() == "recoup_models_refused_total" && f.GetMetric()[0].GetCounter().GetValue() != 1 {
						t.Errorf("refused: %v, want 1", f)
					}
				}
				if want := map[bool]int{true: 0, false: 1}[c.want[2] == "prior-1"]; shown["recoup_model_info"] != want {
					t.Errorf("metrics show %d models, want %d", shown["recoup_model_info"], want)
				}
				w.check(t, 1)
			})
		})
	}
}

// A model that is taken back, and one that the log names and nobody has any more:
// the prior judges, and the log says so.
func TestModelGone(t *testing.T) {
	stored := classifiers(t, 1)
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.publish(t, stored[0], encoded(t, stored[0]))
		w.fillMore(t, 1, 0, 100)
		first := w.faultFree(t)
		w.publish(t, stored[0], nil)
		w.fillMore(t, 1, 100, 200)
		got := w.faultFree(t)
		if len(got.rows) != w.sent || len(first.rows) >= len(got.rows) {
			t.Errorf("%d rows, then %d; want %d", len(first.rows), len(got.rows), w.sent)
		}
		versions := w.check(t, 1)
		if versions[stored[0].Version] != len(first.rows) || versions["prior-1"] != len(got.rows)-len(first.rows) {
			t.Errorf("judged by %v", versions)
		}
	})
}

// G4, G5: the first owner dies between row and commit; a newer model comes, and the
// store is away when the second owner takes over. Until it knows which rows stand it
// adopts no model: those rows say who judged them.
func TestModelComesWhileStoreIsAway(t *testing.T) {
	stored := classifiers(t, 2)
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.publish(t, stored[0], encoded(t, stored[0]))
		w.fillMore(t, 1, 0, 80) // none of them suspect: the log has no decision
		w.dieUncommitted(t)
		committed := w.log.Committed(w.opt.Group, w.opt.Topics.Invoices)[0]
		if n := len(w.store.Rows()); int64(n) <= committed {
			t.Fatalf("the first owner stored %d rows and committed %d, want fewer", n, committed)
		}
		w.publish(t, stored[1], encoded(t, stored[1]))
		var down atomic.Bool
		down.Store(true)
		w.away(&down)
		_, stop := w.start("second", nil)
		defer stop()
		time.Sleep(time.Minute)
		down.Store(false)
		time.Sleep(time.Minute)
		w.fillMore(t, 1, 80, 300)
		time.Sleep(time.Minute)
		w.wantEach(t)
		if versions := w.check(t, 1); versions[stored[0].Version] == 0 || versions[stored[1].Version] == 0 {
			t.Errorf("judged by %v, want both models", versions)
		}
	})
}
