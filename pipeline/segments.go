package pipeline

import (
	"context"
	"time"

	"recoup/detectors"
)

// countForgotten has metrics know what made room for others since the last time; what
// replay forgot was counted when it was forgotten first.
func (w *Worker) countForgotten() {
	all := w.engine.Forgotten()
	for i := range w.forgotten {
		if n := all[i].Items - w.forgotten[i].Items; n > 0 {
			w.m.metrics.Forgotten.WithLabelValues(all[i].Kind).Add(float64(n))
		}
	}
	w.forgotten = all
}

// countTrimmed has metrics and the log know what was restored and has no room: the budget was
// lowered, or there are more partitions to share it. What replay forgets was counted before.
func (w *Worker) countTrimmed() {
	var dropped []any
	for _, f := range w.read.trimmed {
		if f.Items > 0 {
			w.m.metrics.Forgotten.WithLabelValues(f.Kind).Add(float64(f.Items))
			dropped = append(dropped, f.Kind, f.Items)
		}
	}
	if dropped != nil {
		w.m.opt.Log.Warn("forgot what was not met for longest: the partition's share of pipeline.memory became smaller",
			append([]any{"partition", w.partition}, dropped...)...)
	}
}

// compareBudget warns where the owner before had another budget: what is forgotten follows
// from it, so it has to be the same in all processes.
func (w *Worker) compareBudget(mark marker) {
	was, is := mark.Budget, w.m.opt.Budget
	if was.Pairs == 0 { // of an older recoup, whose bounds of these were each partition's own
		was.Pairs, was.Products = is.Pairs, is.Products
	}
	if was != is && mark.Budget != (detectors.Budget{}) {
		w.m.opt.Log.Warn("pipeline.memory is not what it was for the owner before: what is forgotten depends on it, so "+
			"give all processes the same", "partition", w.partition, "segments", is.Segments, "segments_before", was.Segments,
			"customers", is.Customers, "customers_before", was.Customers, "pairs", is.Pairs, "pairs_before", was.Pairs,
			"products", is.Products, "products_before", was.Products)
	}
}

// watchSegments keeps the count of segments by footing, on a clock of its own:
// they change as checkpoints come in, and scoring does not wait for the count.
func (m *Member) watchSegments(ctx context.Context) {
	for pause(ctx, max(m.opt.CheckpointInterval, time.Second)) == nil {
		counts := m.shared.CountSegments(m.opt.Scoring)
		for _, f := range detectors.Footings {
			m.metrics.Segments.WithLabelValues(string(f)).Set(float64(counts[f]))
		}
	}
}
