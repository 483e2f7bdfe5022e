package pipeline_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"recoup/detectors"
	"recoup/pipeline"
)

// In how many segments 15 % below the usual means something is a metric: first they
// are known by too few invoices, then by enough, over all partitions together.
func TestSegmentsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		metrics := pipeline.NewMetrics(prometheus.NewRegistry())
		_, stop := w.start("a", func(o *pipeline.Options) { o.Metrics = metrics })
		counted := func() map[detectors.Footing]float64 {
			time.Sleep(3 * w.opt.CheckpointInterval) // twice as many invoices make a checkpoint due
			synctest.Wait()
			got := map[detectors.Footing]float64{}
			for _, f := range detectors.Footings {
				var m dto.Metric
				if err := metrics.Segments.WithLabelValues(string(f)).Write(&m); err != nil {
					t.Fatal(err)
				}
				got[f] = m.Gauge.GetValue()
			}
			return got
		}
		for _, step := range []struct {
			from, to      int // invoices of each partition, around 400.00
			few, enough   float64
			afterThatMany string
		}{
			{0, 0, 0, 0, "none"},
			{0, 10, 3, 0, "20"}, // customer type, product family and both
			{10, 30, 0, 3, "60"},
		} {
			w.fillMore(t, 2, step.from, step.to)
			want := map[detectors.Footing]float64{detectors.FootingTooFew: step.few,
				detectors.FootingEnough: step.enough, detectors.FootingTooSpread: 0}
			if got := counted(); !maps.Equal(got, want) {
				t.Errorf("after %s invoices: got %v, want %v", step.afterThatMany, got, want)
			}
		}
		stop()
	})
}

// G7: what is forgotten depends on the budget, so who takes over from an owner with
// another one says so, once, until the state is its own.
func TestAnotherBudgetIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		for i, run := range []struct {
			segments, warnings int
		}{{4000, 0}, {4000, 0}, {5000, 1}, {5000, 0}} {
			var said strings.Builder
			w.fillMore(t, 1, 10*i, 10*i+10)
			m, _ := w.member(fmt.Sprint("member ", i), func(o *pipeline.Options) {
				o.Budget.Segments = run.segments
				o.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
			})
			if err := m.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(said.String(), "segments_before=4000"); got != run.warnings {
				t.Errorf("run %d, room for %d segments: %d warnings, want %d: %s", i, run.segments, got, run.warnings, &said)
			}
		}
	})
}

// G7: what a new owner has no room for is forgotten aloud: counted, and said once with numbers.
func TestLessRoomIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		const customers = 300
		for i := range customers {
			value := invoiceJSON(fmt.Sprint(i), 400, start, fmt.Sprint(i))
			value = bytes.Replace(value, []byte(`"c1"`), fmt.Appendf(nil, `"c:%d"`, i), 1)
			w.put(t, w.opt.Topics.Invoices, 0, pipeline.Record{Value: value, Time: start})
		}
		run := func(name string, budget detectors.Budget) (counted float64, said string) {
			var log bytes.Buffer
			metrics := pipeline.NewMetrics(prometheus.NewRegistry())
			m, _ := w.member(name, func(o *pipeline.Options) {
				o.Metrics, o.Budget = metrics, budget
				o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			})
			if err := m.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got dto.Metric
			if err := metrics.Forgotten.WithLabelValues("customer").Write(&got); err != nil {
				t.Fatal(err)
			}
			return got.Counter.GetValue(), log.String()
		}
		roomy := detectors.DefaultBudget()
		if n, said := run("roomy", roomy); n != 0 || said != "" {
			t.Fatalf("with room for all %v customers were forgotten: %s", n, said)
		}
		n, said := run("narrow", detectors.Budget{Segments: 1, Customers: 1}) // one in each of 1,024 buckets
		if n == 0 || n > customers/2 || strings.Count(said, "forgot what") != 1 ||
			!strings.Contains(said, fmt.Sprintf(" customer=%v ", n)) {
			t.Errorf("%v of %d customers were counted, and this was said: %s", n, customers, said)
		}
	})
}

// An owner with other bounds of pairs is told of, one from before they were in the marker is not.
func TestOtherPairsAreSaid(t *testing.T) {
	roomy := detectors.DefaultBudget()
	fewer, older := roomy, detectors.Budget{Segments: roomy.Segments, Customers: roomy.Customers}
	fewer.Pairs /= 2
	for _, test := range []struct {
		before detectors.Budget
		want   bool
	}{{roomy, false}, {fewer, true}, {older, false}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(1)
			w.put(t, w.opt.Topics.Invoices, 0, pipeline.Record{Value: invoiceJSON("1", 400, start, "1"), Time: start})
			var log bytes.Buffer
			for _, budget := range []detectors.Budget{test.before, roomy} {
				log.Reset()
				m, _ := w.member("m", func(o *pipeline.Options) {
					o.Budget, o.Log = budget, slog.New(slog.NewTextHandler(&log, nil))
				})
				if err := m.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if said := strings.Contains(log.String(), "is not what it was"); said != test.want {
				t.Errorf("owner before with %+v: %s", test.before, log.String())
			}
		})
	}
}
