package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// memberSearch looks in a partition's decision log for the members of an incident.
type memberSearch struct {
	incident string
	done     chan struct{} // closed once it is over
	failed   bool          // it came to no end: the worker left
	offsets  []int64       // of the newest members' invoices, ascending
}

// mostMembers is how many members of an incident teach in each partition, the newest
// ones: they are alike.
const mostMembers = 200

// members returns the source offsets of an incident's members in this partition. It
// reads the decision log, beside scoring; done is false as long as that takes.
func (w *Worker) members(ctx context.Context, incident string) (offsets []int64, done bool) {
	if w.search == nil || w.search.incident != incident {
		s := &memberSearch{incident: incident, done: make(chan struct{})}
		w.search = s
		go s.run(ctx, w.m, w.partition)
	}
	select {
	case <-w.search.done:
	default:
		return nil, false
	}
	offsets = w.search.offsets
	if n := len(offsets); n > 0 && offsets[n-1] >= w.next && !w.search.failed {
		return nil, false // an owner before this one decided them and died: they come again
	}
	done = !w.search.failed
	w.search = nil
	return offsets, done
}

func (s *memberSearch) run(ctx context.Context, m *Member, partition int) {
	topic := m.opt.Topics.Suspects
	needle := []byte(s.incident)
	err := m.persist(ctx, fmt.Sprintf("reading %s/%d", topic, partition), func(ctx context.Context) error {
		s.offsets = s.offsets[:0]
		start, end, err := m.log.Bounds(ctx, topic, partition)
		if err != nil {
			return err
		}
		return readRange(ctx, m.log, topic, partition, start, end, func(r Record) error {
			if !bytes.Contains(r.Value, needle) {
				return nil
			}
			d, err := decodeDecision(r.Value)
			if err != nil || d.Kind != kindDecision || d.Verdict == nil || d.Verdict.IncidentID != s.incident {
				return nil
			}
			s.offsets = append(s.offsets, d.Source.Offset)
			return nil
		})
	})
	s.failed = err != nil
	slices.Sort(s.offsets) // some may have been decided by two owners
	s.offsets = slices.Compact(s.offsets)
	s.offsets = s.offsets[max(0, len(s.offsets)-mostMembers):]
	close(s.done)
}
