package bridge

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/pipeline"
)

// idle is a share of the work without partitions.
type idle struct{ pipeline.Generation }

func (idle) Assigned() map[int]int64 { return nil }
func (idle) Done() <-chan struct{}   { return nil }
func (idle) Leave()                  {}

// lateness is by how much the metric is behind the clock.
func lateness(t *testing.T, registry *prometheus.Registry) time.Duration {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "recoup_bridge_last_success_timestamp_seconds" {
			return time.Since(time.UnixMilli(int64(1000 * family.GetMetric()[0].GetGauge().GetValue())))
		}
	}
	t.Fatal("the metric is not there")
	return 0
}

// A receiver that takes all it is told, but slowly, falls behind in the metric though
// nothing fails; one with nothing to be told does not.
func TestASlowReceiverIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		l := &link{name: "hook", parts: map[int]standing{},
			o: Options{Metrics: NewMetrics(registry), Log: slog.New(slog.DiscardHandler)}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); l.serve(ctx, idle{}) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		if late := lateness(t, registry); late > lookEvery {
			t.Errorf("without partitions it is %v late", late)
		}
		l.stands(0, 0, nil)
		time.Sleep(10 * time.Minute) // partition 0 waits for the answer to what it told
		l.stands(1, 0, nil)
		synctest.Wait()
		if late := lateness(t, registry); late < 10*time.Minute {
			t.Errorf("a partition has told nothing for ten minutes, and it is %v late", late)
		}
		l.stands(0, 0, nil)
		synctest.Wait()
		if late := lateness(t, registry); late > lookEvery {
			t.Errorf("everything is told, and it is %v late", late)
		}
		cancel()
		<-done
	})
}
