package pipeline

import (
	"context"
	"errors"
	"fmt"
)

// appender writes one partition that this member believes to own alone, and
// notices when it does not: an acknowledged offset that is not the next one
// means that somebody wrote in between, and the gap is read before going on.
type appender struct {
	m         *Member
	topic     string
	partition int
	next      int64              // the offset our next record should get
	onGap     func(Record) error // sees every record of a gap, our own repeats included
}

// append writes records and returns an offset that the first stands at or behind, and
// each other one as much further on. When onGap refuses what it sees, the records stand
// in the log all the same, and whoever reads it judges them by what stands before them.
//
// It appends in chunks that a log takes in one request: between two requests
// somebody else's record may come to stand.
func (a *appender) append(ctx context.Context, records []Record) (int64, error) {
	first := int64(-1)
	for len(records) > 0 {
		n := chunk(records)
		from, err := a.appendChunk(ctx, records[:n])
		if err != nil {
			return 0, err
		}
		if first < 0 {
			first = from
		}
		records = records[n:]
	}
	return first, nil
}

// chunkBytes is well below what one request may hold.
const chunkBytes = 512 << 10

// chunk returns how many of the first records go together, at least one.
func chunk(records []Record) int {
	size := 0
	for i, r := range records {
		size += len(r.Key) + len(r.Value) + recordOverhead
		if size > chunkBytes && i > 0 {
			return i
		}
	}
	return len(records)
}

// recordOverhead is about what a record takes beside its key and value.
const recordOverhead = 32

func (a *appender) appendChunk(ctx context.Context, records []Record) (int64, error) {
	base, err := a.m.log.Append(ctx, a.topic, a.partition, records)
	if err != nil {
		return 0, fmt.Errorf("cannot append to %s/%d: %w", a.topic, a.partition, err)
	}
	seen := a.next
	a.next = base + int64(len(records))
	if base > seen {
		// To the end: what came between may stand among ours.
		if err := a.m.readRange(ctx, a.topic, a.partition, seen, a.next, a.onGap); err != nil {
			a.next = seen // look again
			return 0, err
		}
	}
	return min(seen, base), nil
}

// look reads what others wrote behind the last record of our own.
func (a *appender) look(ctx context.Context) error {
	_, end, err := a.m.log.Bounds(ctx, a.topic, a.partition)
	if err != nil || end <= a.next {
		return err
	}
	if err := a.m.readRange(ctx, a.topic, a.partition, a.next, end, a.onGap); err != nil {
		return err
	}
	a.next = end
	return nil
}

// readRange calls each for every record in [from, to), where to is an end that the log
// was known to have, or an offset in front of it. A range that starts before what the log
// still holds starts there. A broker that has just come to lead the partition may tell an
// older end: that is waited for, and after some seconds it is an error, for who reads a
// part believes that there is no more. Where a new reader, too, brings nothing though there
// is more it gives up.
func (m *Member) readRange(ctx context.Context, topic string, partition int, from, to int64,
	each func(Record) error) error {
	reader := m.open(topic, partition)
	defer reader.Close()
	for at, wait := from, firstBackoff; at < to; {
		f, err := reader.Fetch(ctx, at)
		if errors.Is(err, ErrOutOfRange) && at == from { // rare: to ask first would cost each range a round trip
			start, _, boundsErr := m.log.Bounds(ctx, topic, partition)
			if boundsErr == nil && start > at {
				at, from = start, start
				continue
			}
			err = errors.Join(err, boundsErr)
		}
		if err != nil {
			return fmt.Errorf("cannot read %s/%d at offset %d: %w", topic, partition, at, err)
		}
		for _, r := range f.Records {
			if r.Offset >= to {
				return nil
			}
			if err := each(r); err != nil {
				return err
			}
		}
		if f.Next <= at && at >= f.End {
			if wait > lastBackoff {
				return fmt.Errorf("cannot read %s/%d at offset %d: it ends at %d and was known to reach %d; look at the broker "+
					"that leads the partition, and for a transaction that somebody left open", topic, partition, at, f.End, to)
			}
			if err := pause(ctx, wait); err != nil {
				return err
			}
			wait *= 2
			continue
		}
		if reader.told && reader.stands() {
			return fmt.Errorf("cannot read %s/%d at offset %d: nothing comes, and it ends at %d; look at the broker that leads "+
				"the partition", topic, partition, at, f.End)
		}
		at = max(at, f.Next)
	}
	return nil
}
