package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/pipeline"
	"recoup/pipeline/model"
)

// fillDays sends 72 invoices a day over the partitions.
func (w *world) fillDays(t *testing.T, partitions, from, to int) {
	t.Helper()
	w.fillDaysOf(t, "acme", partitions, from, to)
}

// fillDaysOf sends those of another seller.
func (w *world) fillDaysOf(t *testing.T, seller string, partitions, from, to int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, uint64(from)))
	for i := from; i < to; i++ {
		at := start.Add(time.Duration(i) * 20 * time.Minute)
		id := fmt.Sprint("i", i)
		value := bytes.Replace(invoiceJSON(id, 400+8*rng.Float64(), at, id), []byte("acme"), []byte(seller), 1)
		w.append(t, i%partitions, pipeline.Record{Value: value, Time: at})
	}
}

func (w *world) append(t *testing.T, partition int, r pipeline.Record) {
	t.Helper()
	w.put(t, w.opt.Topics.Invoices, partition, r)
	w.sent++
}

// trains gives a member the right to train.
func (w *world) trains(o *pipeline.Options) {
	o.Training.Group = func() pipeline.Group { return w.log.Group("train", "recoup.lead") }
}

// One of the members trains: when there is no model, and again when a day has
// begun; old versions are deleted; a member that takes over goes on.
func TestTraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(2)
		w.log.CreateTopic("recoup.lead", 1, 0)
		var ahead atomic.Int64 // of the bubble's clock, so that it is the invoices' day
		isDay := func(day int) {
			ahead.Store(int64(time.Until(start.AddDate(0, 0, day))))
		}
		w.opt.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		isDay(6)
		w.fillDays(t, 2, 0, 6*72) // six days: too few
		_, stopA := w.start("a", w.trains)
		_, stopB := w.start("b", w.trains)
		time.Sleep(5 * time.Minute)
		if n := len(w.models(t)); n != 0 {
			t.Errorf("%d models after six days of invoices, want none", n)
		}
		for day := 8; day < 14; day++ {
			isDay(day)
			w.fillDays(t, 2, (day-2)*72, day*72)
			if day == 8 { // a producer's clock that is wrong must not end training for years
				late := time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
				w.append(t, 0, pipeline.Record{Value: invoiceJSON("late", 400, late.AddDate(-6800, 0, 0), "late"), Time: late})
			}
			time.Sleep(5 * time.Minute)
			if day == 10 {
				stopA()
				time.Sleep(5 * time.Minute)
			}
		}
		stopB()
		list := w.models(t)
		if len(list) < 4 || len(list) > 7 {
			t.Errorf("%d versions over six days: %v", len(list), list)
		}
		kept := 0
		for _, there := range list {
			if there {
				kept++
			}
		}
		if kept != 3 {
			t.Errorf("%d versions are kept, want 3", kept)
		}
		if versions := w.check(t, 2); len(versions) < 3 {
			t.Errorf("judged by %v", versions)
		}
	})
}

// models returns the versions that were published, and whether each is still there.
func (w *world) models(t *testing.T) map[string]bool {
	t.Helper()
	versions := map[string]bool{}
	for p := range 2 {
		for _, r := range w.log.Records(w.opt.Topics.Models, p) {
			versions[string(r.Key)] = len(r.Value) > 0
			if len(r.Value) == 0 {
				continue
			}
			if err := contracttest.Validate(r.Value); err != nil {
				t.Error(err)
			}
		}
	}
	return versions
}

// trainedTimes counts the models that were published of each seller.
func (w *world) trainedTimes(t *testing.T) map[string]int {
	t.Helper()
	times := map[string]int{}
	for p := range 2 {
		for _, r := range w.log.Records(w.opt.Topics.Models, p) {
			if seller, _, _ := strings.Cut(string(r.Key), "|"); len(r.Value) > 0 {
				times[seller]++
			}
		}
	}
	return times
}

// Each seller is trained when a day of its own has begun: one that bills later in
// the day, or whose dates are a day behind another's, does not wait for the next,
// and one that bills nothing is not trained again.
func TestTrainingIsDuePerSeller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.log.CreateTopic("recoup.lead", 1, 0)
		const day = 72
		today := start.AddDate(0, 0, 9)
		w.opt.Now = func() time.Time { return today }
		w.fillDaysOf(t, "early", 1, 0, 9*day)
		w.fillDaysOf(t, "late", 1, 0, 8*day)
		_, stop := w.start("a", w.trains)
		defer stop()
		want := map[string]int{"early": 1, "late": 1}
		for step, more := range []func(){
			func() {},
			func() { w.fillDaysOf(t, "late", 1, 8*day, 9*day); want["late"]++ },
			func() { w.fillDaysOf(t, "late", 1, 9*day, 9*day+20) }, // the same day
			func() { w.fillDaysOf(t, "early", 1, 9*day, 10*day); want["early"]++ },
		} {
			more()
			time.Sleep(5 * time.Minute)
			if got := w.trainedTimes(t); !maps.Equal(got, want) {
				t.Errorf("step %d: models published: %v, want %v", step, got, want)
			}
		}
	})
}

// G7: where 64 sellers have models, one that is trained now gets its place from one
// that is not any more.
func TestModelsOfThoseTrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.log.CreateTopic("recoup.lead", 1, 0)
		now := start.AddDate(0, 0, 9)
		w.opt.Now = func() time.Time { return now }
		for i := range 64 {
			r := &model.Record{Schema: model.Schema, Seller: fmt.Sprint("gone-", i), Version: "trained-0000000000000000",
				Through: now.AddDate(0, 0, -i), Examples: 1, BaseRate: 0.1, Threshold: 0.5, Data: []byte{0}}
			w.publish(t, r, encoded(t, r))
		}
		w.fillDays(t, 1, 0, 9*72)
		_, stop := w.start("a", w.trains)
		defer stop()
		time.Sleep(5 * time.Minute)
		var deleted []string
		for p := range 2 {
			for _, r := range w.log.Records(w.opt.Topics.Models, p) {
				if len(r.Value) == 0 {
					deleted = append(deleted, string(r.Key))
				}
			}
		}
		if len(deleted) != 1 || deleted[0] != "gone-63|trained-0000000000000000" {
			t.Errorf("deleted %v, want the seller alone that was trained longest ago", deleted)
		}
		w.fillDays(t, 1, 9*72, 9*72+40)
		time.Sleep(time.Minute)
		rows := w.store.Rows()
		if v := rows[len(rows)-1].Verdict; v.Model.Version == detectors.ModelVersion {
			t.Errorf("the newest invoice was judged by %s, want what was trained", v.Model.Version)
		}
	})
}

// slow is a log whose invoices take 15 seconds to fetch.
type slow struct{ pipeline.Log }

func (s slow) Open(topic string, partition int) pipeline.Reader {
	r := s.Log.Open(topic, partition)
	if topic == pipeline.DefaultOptions().Topics.Invoices {
		r = slowReader{r}
	}
	return r
}

type slowReader struct{ pipeline.Reader }

func (r slowReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	time.Sleep(15 * time.Second)
	return r.Reader.Fetch(ctx, offset)
}

// Sellers whose days begin one after the other do not keep a core busy: behind a
// training its owner rests twenty times as long.
func TestTrainingRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.log.CreateTopic("recoup.lead", 1, 0)
		today, began := start.AddDate(0, 0, 1), time.Now()
		registry := prometheus.NewRegistry()
		opt := w.opt
		opt.Member, opt.Metrics, opt.Now = "a", pipeline.NewMetrics(registry), func() time.Time {
			return today.Add(time.Since(began))
		}
		w.trains(&opt)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = pipeline.NewMember(opt, slow{w.log}, w.log.Group(opt.Group, opt.Topics.Invoices), w.store).Run(ctx)
		})
		for i := range 60 {
			w.fillDaysOf(t, fmt.Sprint("seller ", i), 1, 1, 2)
			time.Sleep(time.Minute)
		}
		cancel()
		wg.Wait()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		n := 0.0
		for _, f := range families {
			if f.GetName() == "recoup_trainings_total" {
				for _, m := range f.GetMetric() {
					n += m.GetCounter().GetValue()
				}
			}
		}
		if n < 2 || n > 15 {
			t.Errorf("%v trainings in an hour in which 60 sellers' days began, want few", n)
		}
	})
}

// hesitant is a log whose invoices a reader's third fetch does not bring.
type hesitant struct{ pipeline.Log }

func (h hesitant) Open(topic string, partition int) pipeline.Reader {
	r := h.Log.Open(topic, partition)
	if topic == pipeline.DefaultOptions().Topics.Invoices {
		r = &hesitantReader{Reader: r}
	}
	return r
}

type hesitantReader struct {
	pipeline.Reader
	asked int
}

func (r *hesitantReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	got, err := r.Reader.Fetch(ctx, offset)
	if r.asked++; r.asked == 3 {
		got.Records, got.Next = nil, offset
	}
	return got, err
}

// A fetch that brings nothing below the end of a partition does not end it: a model
// is trained with all of its invoices.
func TestTrainingReadsToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.log.CreateTopic("recoup.lead", 1, 0)
		today := start.AddDate(0, 0, 9)
		opt := w.opt
		opt.Member, opt.Metrics = "a", pipeline.NewMetrics(prometheus.NewRegistry())
		opt.Now = func() time.Time { return today }
		w.trains(&opt)
		w.fillDays(t, 1, 0, 9*72)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			_ = pipeline.NewMember(opt, hesitant{w.log}, w.log.Group(opt.Group, opt.Topics.Invoices), w.store).Run(ctx)
		})
		time.Sleep(5 * time.Minute)
		cancel()
		running.Wait()
		if got := w.trainedTimes(t); got["acme"] != 1 {
			t.Errorf("models published: %v, want one of nine days", got)
		}
	})
}
