package pipeline

import (
	"context"
	"fmt"
)

// Inherit has a member that does not run take a partition over, and returns what its first
// checkpoint would hold, without who writes it, and how much it replayed in the take-over.
// If there is something to do between, it is prepared before.
func (m *Member) Inherit(ctx context.Context, partition int, between func()) (map[string]string, int64, error) {
	if err := m.learnTopics(ctx); err != nil {
		return nil, 0, err
	}
	stop, err := m.readShared(ctx)
	defer stop()
	if err != nil {
		return nil, 0, err
	}
	w := newWorker(m, partition)
	defer w.discard()
	if between != nil {
		if err := w.readAhead(ctx); err != nil {
			return nil, 0, err
		}
		between()
	}
	before := w.scoredSince
	gen, err := m.group.Next(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer gen.Leave()
	m.layout = newLayout()
	if err := w.takeOver(ctx, newClaim(m, gen, partition, gen.Assigned()[partition])); err != nil {
		return nil, 0, err
	}
	cp, state := w.copyState(), map[string]string{}
	for _, records := range []packedRecords{cp.local, cp.shared} {
		for chunk := range records {
			for _, r := range records.records(chunk) {
				_, payload, err := r.stamped()
				if err != nil {
					return nil, 0, err
				}
				state[string(r.Key)] = string(payload)
			}
		}
	}
	cp.marker.Epoch, cp.marker.LogPosition = 0, 0
	state[markerKey] = fmt.Sprintf("%+v, kept %d, ahead %v, decided %d, outdated %v", cp.marker, len(w.kept), w.ahead,
		w.decided, w.overwritten)
	return state, w.scoredSince - before, nil
}
