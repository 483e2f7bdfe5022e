package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// manyLines is an invoice over ten of 3,000 products, of one of 1,000 customers.
func manyLines(rng *rand.Rand, id string, at time.Time) []byte {
	var lines []string
	for range 10 {
		lines = append(lines, fmt.Sprintf(`{"product_id":"p%d","quantity":"1","unit_price":"10.00","line_net":"10.00"}`,
			rng.IntN(3000)))
	}
	return fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":%q,"seller":"acme","invoice_id":%q,"issued_at":%q,`+
		`"currency":"EUR","net_amount":"100.00","customer_ref":"c%d","customer_type":"B2C","product_family":"fibre",`+
		`"lines":[%s]}`, id, id, at.Format(time.RFC3339), rng.IntN(1000), strings.Join(lines, ","))
}

// stateRecords counts what was ever written of the state of partition 0.
func (w *world) stateRecords() int {
	return len(w.log.Records(w.opt.Topics.State, 0)) + len(w.log.Records(w.opt.Topics.Baselines, 0))
}

// gauge returns the value of a metric that has one, 0 where it has none yet.
func gauge(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	return metric(t, registry, name).GetGauge().GetValue()
}

// metric returns the first of a name, nil where there is none yet.
func metric(t *testing.T, registry *prometheus.Registry, name string) *dto.Metric {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0]
		}
	}
	return nil
}

// design.md §4: state records stay below a fifth of the invoices, in a partition of
// two invoices a second too; and what a crash would have to replay stays small.
func TestStateRecordsBelowAFifth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.opt.CheckpointInterval = pipeline.DefaultOptions().CheckpointInterval
		rng := rand.New(rand.NewPCG(1, 1))
		registry := prometheus.NewRegistry()
		metrics := pipeline.NewMetrics(registry)
		_, stop := w.start("a", func(o *pipeline.Options) { o.Metrics = metrics })
		defer stop()
		sent, records, most := 0, 0, 0.0
		for minute := range 240 {
			if minute == 90 { // before, a checkpoint is due whenever the partition has doubled
				sent, records = w.sent, w.stateRecords()
			}
			at := start.Add(time.Duration(minute) * time.Minute)
			for i := range 120 {
				id := fmt.Sprint(minute, "-", i)
				w.append(t, 0, pipeline.Record{Value: manyLines(rng, id, at), Time: at})
			}
			time.Sleep(time.Minute)
			most = max(most, gauge(t, registry, "recoup_partition_committed_offset")-
				gauge(t, registry, "recoup_checkpoint_offset"))
		}
		sent, records = w.sent-sent, w.stateRecords()-records
		t.Logf("%d state records for %d invoices, at most %.0f to replay", records, sent, most)
		const one = 1_100 // a checkpoint more may fall into the time
		if records == 0 || 5*(records-one) > sent {
			t.Errorf("%d state records for %d invoices, want some, at most a fifth", records, sent)
		}
		if most > 7_000 {
			t.Errorf("up to %.0f invoices would be replayed, want at most 7,000", most)
		}
	})
}

// A stop finds the writer idle, woken by the end of the queue: its checkpoint is
// written all the same, so that the next owner has nothing to replay.
func TestStopWritesState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.opt.CheckpointInterval = time.Hour
		_, stop := w.start("a", nil)
		w.fill(t, 1, 500)
		time.Sleep(time.Minute)
		before := w.stateRecords()
		stop()
		if after := w.stateRecords(); after == before {
			t.Errorf("%d records of state before the stop and behind it", before)
		}
	})
}

// A partition that gets few invoices of many segments writes its state an hour after the
// marker, whoever wrote that, though no owner lives for an hour.
func TestHourCountsFromTheMarker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.opt.CheckpointInterval = pipeline.DefaultOptions().CheckpointInterval
		rng := rand.New(rand.NewPCG(1, 2))
		bill := func(n int) {
			for range n {
				at := start.Add(time.Duration(w.sent) * time.Minute)
				w.append(t, 0, pipeline.Record{Value: manyLines(rng, fmt.Sprint(w.sent), at), Time: at})
			}
		}
		bill(600)
		w.caught(t, "first") // ends with a checkpoint
		const first = 600
		for life := range 4 {
			m, group := w.member("short", func(o *pipeline.Options) { o.UntilCaughtUp = false })
			during(t, m, func() {
				bill(20)
				time.Sleep(20*time.Minute + 10*time.Second) // the group has not just accepted it
				group.(*memlog.Member).Evict()              // what it would write at its end is refused
			})
			switch marked := w.marked(t); {
			case life < 2 && marked != first:
				t.Fatalf("the marker is at %d after %d minutes, want it at %d for an hour", marked, 20*(life+1), first)
			case life == 3 && marked == first:
				t.Errorf("no checkpoint in %d minutes of four owners, want one after an hour", 20*(life+1))
			}
		}
	})
}

// What was copied for checkpoints is given back when they are published: else none would be taken any more.
func TestCopiesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(3)
		w.fill(t, 3, 300)
		m, _ := w.member("m", func(o *pipeline.Options) { o.UntilCaughtUp = false })
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var running sync.WaitGroup
		running.Go(func() { _ = m.Run(ctx) })
		for range 3 {
			time.Sleep(10 * w.opt.CheckpointInterval)
			before := w.stateRecords()
			if n := m.Copied(); n != 0 || before == 0 {
				t.Errorf("%d bytes of copies wait though all %d records were published", n, before)
			}
			w.fill(t, 3, 300)
		}
		stop()
		running.Wait()
		if n := m.Copied(); n != 0 {
			t.Errorf("%d bytes of copies wait though the member has stopped", n)
		}
	})
}
