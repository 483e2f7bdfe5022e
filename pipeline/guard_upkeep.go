package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"recoup/detectors"
	"recoup/invoice"
)

// Upkeep changes the state of an installation whose members are stopped.

// alone joins the group as its only member, so that nobody scores meanwhile. A member
// that comes later ends the generation: commits are refused then, and with them all
// that follows.
func (m *Member) alone(ctx context.Context, partitions int) (Generation, error) {
	gen, err := m.group.Next(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(gen.Assigned()); n != partitions {
		gen.Leave()
		return nil, fmt.Errorf("cannot change the state: other members of group %q have %d of %d partitions; stop them first",
			m.opt.Group, partitions-n, partitions)
	}
	m.layout = newLayout()
	return gen, nil
}

// seize writes an ownership record and returns its offset in the log, the epoch.
func (m *Member) seize(ctx context.Context, c *claim, source invoice.Position) (epoch int64, err error) {
	d := Decision{Schema: DecisionSchema, Kind: kindOwnership, Member: m.opt.Member, Source: source,
		DetectedAt: m.opt.Now().UTC()}
	value, err := d.encode()
	if err != nil {
		return 0, err
	}
	err = m.persistHeld(ctx, "decision log", c.hold, func(ctx context.Context) (err error) {
		record := Record{Key: []byte(kindOwnership), Value: value}
		epoch, err = m.log.Append(ctx, m.opt.Topics.Suspects, source.Partition, []Record{record})
		if err != nil {
			err = fmt.Errorf("cannot write ownership of partition %d: %w", source.Partition, err)
		}
		return err
	})
	return epoch, err
}

// kept is what counts of a key of recoup.state.
type kept struct {
	stamp
	payload []byte // nil: it is forgotten, or cannot be read
}

// keptState returns what counts of each key that one partition of recoup.state, or of
// recoup.baselines, holds a record of: those too that are forgotten, for compaction may have
// kept an older record of them that comes to count once their tombstone is gone.
func (m *Member) keptState(ctx context.Context, topic string, partition int) (map[string]kept, error) {
	all := map[string]kept{}
	_, end, err := m.log.Bounds(ctx, topic, partition)
	if err != nil {
		return nil, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, partition, err)
	}
	err = m.readRange(ctx, topic, partition, 0, end, func(r Record) error {
		at, payload, err := r.stamped()
		if errors.Is(err, errRefused) {
			return fmt.Errorf("%s/%d offset %d: %w", topic, partition, r.Offset, err)
		}
		old, was := all[string(r.Key)]
		if err != nil {
			if !was {
				all[string(r.Key)] = kept{stamp: unstamped}
			}
			return nil
		}
		if !was || !at.late(old.stamp) {
			all[string(r.Key)] = kept{at, bytes.Clone(payload)}
		}
		return nil
	})
	return all, err
}

// replaceState makes the records all that one partition of a topic keeps, under the epoch
// of who seized it.
func (m *Member) replaceState(ctx context.Context, c *claim, topic string, epoch int64, records []Record) error {
	old, err := m.keptState(ctx, topic, c.partition)
	if err != nil {
		return err
	}
	for _, r := range records {
		delete(old, string(r.Key))
	}
	var out []Record
	for _, key := range slices.Sorted(maps.Keys(old)) {
		out = append(out, stateRecord([]byte(key), stamp{epoch: epoch}, nil))
	}
	for out = append(out, records...); len(out) > 0; {
		n := chunk(out)
		if err := m.appendHeld(ctx, c.hold, topic, c.partition, out[:n]); err != nil {
			return fmt.Errorf("cannot write %s/%d: %w", topic, c.partition, err)
		}
		out = out[n:]
	}
	return nil
}

// beginWith makes records, and the marker of who begins with them, all that one partition of
// recoup.state keeps. The marker goes last: until then an old one refuses.
func (m *Member) beginWith(ctx context.Context, c *claim, first marker, records []Record) error {
	record, err := first.record(first.Epoch)
	if err != nil {
		return err
	}
	return m.replaceState(ctx, c, m.opt.Topics.State, first.Epoch, append(records, record))
}

// writeMarker closes what was written of a partition's state.
func (m *Member) writeMarker(ctx context.Context, c *claim, mark marker) error {
	record, err := mark.record(mark.Epoch)
	if err != nil {
		return err
	}
	return m.appendHeld(ctx, c.hold, m.opt.Topics.State, c.partition, []Record{record})
}

// firstMarker is that of a partition of which nothing is scored under this epoch.
func firstMarker(epoch int64, before marker) marker {
	return marker{Epoch: epoch, Incarnation: before.Incarnation, Partitions: before.Partitions, LogPosition: epoch + 1,
		SweepFrom: -1, BeforeAt: -1, Models: before.Models, Met: true, Outcomes: before.Outcomes}
}

// moved returns the state of a partition at its marker, for another one in which the
// first offset follows all that it contains: everything moves by the marker's offset.
func (m *Member) moved(ctx context.Context, from int, mark marker, epoch int64) ([]Record, error) {
	all, err := m.keptState(ctx, m.opt.Topics.State, from)
	if err != nil {
		return nil, err
	}
	var out []Record
	for _, name := range slices.Sorted(maps.Keys(all)) {
		k := all[name]
		if name == markerKey || k.payload == nil || k.applied > mark.Offset {
			continue // what is ahead of the marker is written again by who goes on with it
		}
		key, payload, err := detectors.MoveState([]byte(name), k.payload, -mark.Offset)
		if err != nil {
			return nil, fmt.Errorf("%s/%d: %w", m.opt.Topics.State, from, err)
		}
		out = append(out, Record{Key: key,
			Value: encodeState(stamp{epoch: epoch, applied: k.applied - mark.Offset}, payload)})
	}
	return out, nil
}
