package pipeline

import (
	"context"

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
// lowered, or there are more partitions to share it.
func (w *Worker) countTrimmed() {
	w.forgotten = make([]detectors.Forgotten, len(w.engine.Forgotten()))
	w.countForgotten()
	var dropped []any
	for _, f := range w.forgotten {
		if f.Items > 0 {
			dropped = append(dropped, f.Kind, f.Items)
		}
	}
	if w.forgotten = nil; dropped != nil { // what replay forgets from here on was counted before
		w.m.opt.Log.Warn("forgot what was not met for longest: the partition's share of pipeline.memory became smaller",
			append([]any{"partition", w.partition}, dropped...)...)
	}
}

// watchSegments keeps the count of segments by footing, on a clock of its own:
// they change as checkpoints come in, and scoring does not wait for the count.
func (m *Member) watchSegments(ctx context.Context) {
	for pause(ctx, m.opt.CheckpointInterval) == nil {
		counts := m.shared.CountSegments(m.opt.Scoring)
		for _, f := range detectors.Footings {
			m.metrics.Segments.WithLabelValues(string(f)).Set(float64(counts[f]))
		}
	}
}
