package pipeline_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/pipeline"
)

// A23: somebody says that a change was meant, and it ends in all partitions with the
// next checkpoints, which do not wait for their turn: each partition's baseline counts in
// the others as of its last one.
func TestExpectedChangeEndsInAllPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const partitions = 3
		w := newOutcomeWorld(partitions)
		w.opt.CheckpointInterval = pipeline.DefaultOptions().CheckpointInterval
		sent := 0
		bill := func(n int, price string) {
			for range n * partitions {
				at := start.Add(time.Duration(sent) * 20 * time.Second)
				body := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"%[1]d","seller":"acme","invoice_id":"%[1]d",`+
					`"issued_at":%[2]q,"currency":"EUR","net_amount":%[3]q,"customer_ref":"c%[4]d","customer_type":"B2C",`+
					`"product_family":"fibre"}`, sent, at.Format(time.RFC3339), price, sent%200)
				w.append(t, sent%partitions, pipeline.Record{Value: body, Time: at})
				sent++
			}
		}
		suspects := func() (n int) {
			for _, r := range w.store.Rows() {
				if r.Verdict.Suspect {
					n++
				}
			}
			return n
		}
		w.runOn(t, func() {
			bill(600, "400.00")
			time.Sleep(40 * time.Second)
			bill(40, "320.00")
			time.Sleep(5 * time.Second)
			if n := suspects(); n != 40*partitions {
				t.Fatalf("%d suspects of a change that nobody knows of, want all %d", n, 40*partitions)
			}
			w.decide(t, w.opened(t)[0], cases.OutcomeExpectedChange, "")
			for range 10 { // of a minute
				time.Sleep(6 * time.Second)
				bill(1, "320.00")
			}
			time.Sleep(5 * time.Second)
			before := suspects()
			bill(100, "320.00")
			time.Sleep(5 * time.Second)
			if n := suspects() - before; n != 0 {
				t.Errorf("%d suspects of %d a minute after somebody said that the change was meant", n, 100*partitions)
			}
		})
	})
}
