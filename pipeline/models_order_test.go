package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/pipeline/model"
)

// change is a change of models that a former owner announced.
type change struct {
	offset  int64
	version string
}

// announced writes what an owner left that claimed partition 0, announced changes of
// acme's models and died.
func (w *world) announced(t *testing.T, changes ...change) {
	t.Helper()
	left := []pipeline.Decision{{Kind: "ownership", Member: "gone"}}
	for _, c := range changes {
		left = append(left, pipeline.Decision{Kind: "model", Source: invoice.Position{Offset: c.offset},
			Model: &pipeline.ModelChange{Seller: "acme", Version: c.version}})
	}
	var records []pipeline.Record
	for _, d := range left {
		d.Schema, d.DetectedAt, d.Source.Topic = pipeline.DecisionSchema, start, w.opt.Topics.Invoices
		value, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, pipeline.Record{Key: []byte(d.Kind), Value: value})
	}
	if _, err := w.log.Append(t.Context(), w.opt.Topics.Suspects, 0, records); err != nil {
		t.Fatal(err)
	}
}

// changes counts the changes of models in the decision log.
func (w *world) changes() (n int) {
	for _, r := range w.log.Records(w.opt.Topics.Suspects, 0) {
		if bytes.Contains(r.Value, []byte(`"kind":"model"`)) {
			n++
		}
	}
	return n
}

// G4, G5: a former owner announced a model from offset 100 and another from 200;
// the first is gone. Whoever takes over, and wherever owners die, the prior judges
// up to 200 and the second model from there.
func TestModelGoneBelowAnother(t *testing.T) {
	stored := classifiers(t, 1)
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 2))
				w := newModelWorld(1)
				w.vary(rng)
				w.publish(t, stored[0], encoded(t, stored[0]))
				w.announced(t, change{100, "trained-0000000000000000"}, change{200, stored[0].Version})
				w.fill(t, 1, 300)
				for life := range 8 {
					ctx, cancel := context.WithCancel(t.Context())
					_ = w.mortal(fmt.Sprint("life ", life), rng, 30, cancel).Run(ctx) // it may die or finish
					cancel()
				}
				if got := w.faultFree(t); len(got.rows) != w.sent || got.doubled != 0 {
					t.Errorf("%d rows, %d doubled; want %d", len(got.rows), got.doubled, w.sent)
				}
				for _, r := range w.store.Rows() {
					v, want := r.Verdict, detectors.ModelVersion
					if v.Source.Offset >= 200 {
						want = stored[0].Version
					}
					if v.Model.Version != want {
						t.Errorf("offset %d was judged by %s, want %s", v.Source.Offset, v.Model.Version, want)
					}
				}
				w.check(t, 1)
			})
		})
	}
}

// marker returns the newest marker of partition 0.
func (w *world) marker() (value []byte) {
	for _, r := range w.log.Records(w.opt.Topics.State, 0) {
		if string(r.Key) == "marker" {
			value = r.Value
		}
	}
	return value
}

// G7: the marker names the sellers that a model judges, and forgets one whose model
// was taken back.
func TestMarkerForgetsThePrior(t *testing.T) {
	stored := classifiers(t, 1)
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.publish(t, stored[0], encoded(t, stored[0]))
		w.fillMore(t, 1, 0, 100)
		_, stop := w.start("a", nil)
		defer stop()
		time.Sleep(time.Minute)
		if marker := w.marker(); !bytes.Contains(marker, []byte(stored[0].Version)) {
			t.Errorf("marker %q, want it to name what judges", marker)
		}
		w.publish(t, stored[0], nil)
		time.Sleep(time.Minute)
		w.fillMore(t, 1, 100, 300)
		time.Sleep(time.Minute)
		if marker := w.marker(); bytes.Contains(marker, []byte("models")) {
			t.Errorf("marker %q, want nothing of a seller that the prior judges", marker)
		}
	})
}

// The prior of an older recoup is the prior: this one's takes its place in silence.
func TestModelChangeToAnOlderPrior(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		w.announced(t, change{50, "prior-0"})
		w.fill(t, 1, 100)
		w.faultFree(t)
		for _, r := range w.store.Rows() {
			if v := r.Verdict; v.Model.Version != detectors.ModelVersion {
				t.Errorf("offset %d was judged by %s, want %s", v.Source.Offset, v.Model.Version, detectors.ModelVersion)
			}
		}
		if n := w.changes(); n != 1 {
			t.Errorf("%d changes in the decision log, want none but the former owner's", n)
		}
	})
}

// G7: a member may read a seller's first model before it reads, in another
// partition, that those of the seller are deleted whose place it has.
func TestModelReadBeforeItsRoom(t *testing.T) {
	stored := classifiers(t, 1)
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		gone := &model.Record{Schema: model.Schema, Version: "trained-0000000000000000", Through: start, Examples: 1,
			BaseRate: 0.1, Threshold: 0.5, Data: []byte{0}}
		for i := range detectors.MostTrained {
			gone.Seller = fmt.Sprint("gone-", i)
			w.publish(t, gone, encoded(t, gone))
		}
		_, stop := w.start("a", nil)
		defer stop()
		time.Sleep(5 * time.Second)
		record := pipeline.Record{Key: model.Key("acme", stored[0].Version), Value: encoded(t, stored[0])}
		if _, err := w.log.Append(t.Context(), w.opt.Topics.Models, 0, []pipeline.Record{record}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		w.publish(t, gone, nil)
		time.Sleep(5 * time.Second)
		w.fill(t, 1, 50)
		time.Sleep(5 * time.Second)
		if versions := w.check(t, 1); versions[stored[0].Version] != w.sent {
			t.Errorf("judged by %v, want all %d by the model", versions, w.sent)
		}
	})
}

// moved is a log that, once when asked to, says that the offset asked for in the
// topic of models is out of range, and then not where the topic starts. Reading a
// model takes a second.
type moved struct {
	pipeline.Log
	topic         string
	fetch, bounds atomic.Bool // the next one fails
}

var errBounds = errors.New("no bounds")

func (l *moved) Open(topic string, partition int) pipeline.Reader {
	r := l.Log.Open(topic, partition)
	if topic == l.topic && partition == 1 {
		r = &movedReader{r, l}
	}
	return r
}

func (l *moved) Bounds(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	if topic == l.topic && l.bounds.CompareAndSwap(true, false) {
		return 0, 0, errBounds
	}
	return l.Log.Bounds(ctx, topic, partition)
}

type movedReader struct {
	pipeline.Reader
	log *moved
}

func (r *movedReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	time.Sleep(time.Second)
	if r.log.fetch.CompareAndSwap(true, false) {
		r.log.bounds.Store(true)
		return pipeline.Fetched{}, pipeline.ErrOutOfRange
	}
	return r.Reader.Fetch(ctx, offset)
}

// A broker that answers neither a fetch nor where the topic starts has nobody read
// the models again: old ones would judge in turns.
func TestModelsAreNotReadAgain(t *testing.T) {
	stored := classifiers(t, 2)
	synctest.Test(t, func(t *testing.T) {
		w := newModelWorld(1)
		for _, r := range stored {
			w.publish(t, r, encoded(t, r))
		}
		opt := w.opt
		opt.Member, opt.Metrics = "a", pipeline.NewMetrics(prometheus.NewRegistry())
		log := &moved{Log: w.log, topic: w.opt.Topics.Models}
		var running sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		running.Go(func() {
			_ = pipeline.NewMember(opt, log, w.log.Group(opt.Group, opt.Topics.Invoices), w.store).Run(ctx)
		})
		defer func() { cancel(); running.Wait() }()
		for i := range 200 { // 20 seconds
			w.fillMore(t, 1, i, i+1)
			time.Sleep(100 * time.Millisecond)
			if i == 100 {
				log.fetch.Store(true)
			}
		}
		time.Sleep(5 * time.Second)
		if log.fetch.Load() || log.bounds.Load() {
			t.Fatal("no fetch failed")
		}
		if versions := w.check(t, 1); versions[stored[1].Version] != w.sent || w.changes() != 1 {
			t.Errorf("judged by %v after %d changes, want all %d by the newest", versions, w.changes(), w.sent)
		}
	})
}
