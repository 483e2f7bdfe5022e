package pipeline

import (
	"context"

	"recoup/detectors"
)

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
