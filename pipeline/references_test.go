package pipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

const (
	referenceTopic  = "billing.reference"
	deliveriesTopic = "billing.deliveries"
)

// withReferences adds both topics of references, with n deliveries, n/10 contracts
// and one record in each that cannot be read.
func (w *world) withReferences(t *testing.T, n int) {
	t.Helper()
	w.opt.Topics.Reference, w.opt.Topics.Deliveries = referenceTopic, deliveriesTopic
	w.opt.ParkingGroup = func(topic string) pipeline.Group { return w.log.Group(w.opt.Group+"-"+topic, topic) }
	w.log.CreateTopic(referenceTopic, 2, 0)
	w.log.CreateTopic(deliveriesTopic, 3, 0)
	for i := range n {
		w.sendReference(t, deliveriesTopic, i%3, fmt.Sprintf(`{"schema":"reference.delivery.v1","seller":"acme",`+
			`"delivery_ref":"d-0-%d","shipped_at":"2026-03-01T00:00:00Z","units":"1","lines":1}`, i))
		if i%10 == 0 {
			w.sendReference(t, referenceTopic, i/10%2, fmt.Sprintf(`{"schema":"reference.customer.v1","seller":"acme",`+
				`"customer_ref":"c%d","valid_from":"2026-01-01T00:00:00Z"}`, i))
		}
	}
	w.sendReference(t, deliveriesTopic, 0, `{"schema":"reference.delivery.v1"}`)
	w.sendReference(t, referenceTopic, 1, "garbage")
}

func (w *world) sendReference(t *testing.T, topic string, partition int, value string) {
	t.Helper()
	w.put(t, topic, partition, pipeline.Record{Key: []byte(value), Value: []byte(value), Time: start})
}

// total adds up a metric over its labels.
func total(c prometheus.Collector) (sum int) {
	all := make(chan prometheus.Metric, 100)
	c.Collect(all)
	close(all)
	for one := range all {
		var m dto.Metric
		if one.Write(&m) == nil {
			sum += int(m.GetCounter().GetValue() + m.GetGauge().GetValue())
		}
	}
	return sum
}

// design.md §3.7: references are read to the end before the first score; until
// then the member is not ready, and while they cannot be read it waits.
func TestReferencesAreReadBeforeTheFirstScore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		var metrics *pipeline.Metrics
		var down, early atomic.Bool
		down.Store(true)
		w.log = memlog.New(memlog.Options{FetchBytes: 4 << 10, Hooks: memlog.Hooks{
			BeforeFetch: func(topic string, _ int, _ int64) error {
				if topic == deliveriesTopic && down.Load() {
					return errors.New("connection reset")
				}
				if topic == w.opt.Topics.Invoices && total(metrics.References) < 330 {
					early.Store(true)
				}
				return nil
			},
		}})
		for _, topic := range []string{w.opt.Topics.Invoices, w.opt.Topics.Suspects, w.opt.Topics.State,
			w.opt.Topics.Baselines, w.opt.Topics.Cases, w.opt.Topics.DeadLetter} {
			w.log.CreateTopic(topic, 1, 0)
		}
		w.withReferences(t, 300)
		w.fill(t, 1, 100)
		m, stop := w.start("a", func(o *pipeline.Options) { metrics = o.Metrics })
		time.Sleep(time.Minute)
		err := m.Ready()
		if text := fmt.Sprint(err); !strings.Contains(text, "references: ") || !strings.Contains(text, "connection reset") {
			t.Errorf("not ready for %v, want references that cannot be read", err)
		}
		if n := total(metrics.Scored); n != 0 {
			t.Errorf("%d invoices scored without references", n)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		if err := m.Ready(); err != nil || early.Load() || total(metrics.Scored) != w.sent {
			t.Errorf("ready: %v; invoices fetched early: %v; %d scored", err, early.Load(), total(metrics.Scored))
		}
		read, refused, lag := total(metrics.References), total(metrics.ReferencesRefused), total(metrics.ReferenceLag)
		if read != 330 || refused != 2 || lag != 0 {
			t.Errorf("%d read, %d refused, lag %d", read, refused, lag)
		}
		w.sendReference(t, deliveriesTopic, 1, `{"schema":"reference.delivery.v1","seller":"acme",`+
			`"delivery_ref":"later","shipped_at":"2026-03-01T00:00:00Z"}`)
		time.Sleep(time.Second)
		if n := total(metrics.References); n != 331 {
			t.Errorf("%d read after one came later, want 331", n)
		}
		stop()
	})
}

// G6: what cannot be read goes to the dead letters with its position, once for
// all members and starts, and nothing waits for it.
func TestBadReferencesAreParkedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.withReferences(t, 30)
		w.fill(t, 2, 50)
		parked := func() (n int) {
			for p := range 2 {
				for _, r := range w.log.Records(w.opt.Topics.DeadLetter, p) {
					if strings.Contains(string(r.Value), `"stage":"reference"`) {
						n++
					}
				}
			}
			return n
		}
		for range 2 {
			_, stopA := w.start("a", nil)
			_, stopB := w.start("b", nil)
			time.Sleep(time.Minute)
			w.outcome(t) // every dead letter is as the contract says
			stopA()
			stopB()
		}
		if n := parked(); n != 2 {
			t.Errorf("%d references parked, want 2", n)
		}
		w.sendReference(t, referenceTopic, 0, `[]`)
		m, _ := w.member("c", nil)
		if err := m.Run(t.Context()); err != nil { // until caught up
			t.Fatal(err)
		}
		if n := parked(); n != 3 {
			t.Errorf("%d references parked, want 3", n)
		}
	})
}

// A broken world is retried: the dead letter comes once the topic takes it.
func TestParkingWaitsForTheDeadLetterTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		w := newWorld(1)
		topics := w.opt.Topics
		w.log = memlog.New(memlog.Options{Hooks: memlog.Hooks{
			BeforeAppend: func(topic string, _ int, _ []pipeline.Record) error {
				if topic == topics.DeadLetter && down.Load() {
					return errors.New("connection reset")
				}
				return nil
			},
		}})
		for _, topic := range []string{topics.Invoices, topics.Suspects, topics.State, topics.Baselines, topics.Cases} {
			w.log.CreateTopic(topic, 1, 0)
		}
		w.log.CreateTopic(topics.DeadLetter, 2, 0)
		w.withReferences(t, 10)
		m, stop := w.start("a", nil)
		defer stop()
		time.Sleep(time.Minute)
		if err := m.Ready(); err == nil || !strings.Contains(err.Error(), "connection reset") {
			t.Errorf("ready: %v", err)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		if got := w.outcome(t); m.Ready() != nil || len(got.dead) != 2 {
			t.Errorf("ready: %v, %d parked, want 2", m.Ready(), len(got.dead))
		}
	})
}
