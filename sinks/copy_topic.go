package sinks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"recoup/pipeline"
)

// piece is what one fetch brought.
type piece struct {
	partition int
	rows      []logRow
	bytes     int
	next      int64 // offset to go on from once the rows are stored
}

// copyTopic copies all partitions of a topic until ctx ends or something fails;
// the caller calls it again. One insert takes what all partitions brought, and
// FlushInterval passes before the next: however many partitions there are, a table gets
// one part at a time, far from where ClickHouse slows inserts (parts_to_delay_insert).
func (t *turn) copyTopic(ctx context.Context, c copied, session string, log pipeline.Log) error {
	partitions, err := log.Partitions(ctx, c.topic)
	if err != nil {
		return fmt.Errorf("cannot learn the partitions of %q: %w", c.topic, err)
	}
	starts, err := t.starts(ctx, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pieces := make(chan piece)
	var fetching sync.WaitGroup
	defer fetching.Wait()
	defer cancel(nil) // before waiting
	for p := range partitions {
		start, err := t.start(ctx, c, log, p, starts)
		if err != nil {
			return err
		}
		t.copy.setStored(c.topic, map[int]int64{p: start})
		fetching.Go(func() {
			if err := t.fetch(ctx, c, log, p, start, pieces); err != nil {
				cancel(err)
			}
		})
	}
	t.copy.report("copy of "+c.topic, nil)
	var rested time.Time
	for {
		stored, err := t.storeNext(ctx, c, session, pieces, rested)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
				return cause
			}
			return err
		}
		if stored { // what inserted nothing made no part to rest from
			rested = time.Now().Add(t.copy.opt.FlushInterval)
		}
	}
}

// starts ends inserts of whoever copied before and then asks for the offset after
// the highest stored of each partition: in this order, so that no row can appear
// afterwards.
func (t *turn) starts(ctx context.Context, c copied) (map[int]int64, error) {
	if err := t.hold(ctx); err != nil {
		return nil, err
	}
	if c.parts != nil {
		var err error
		if t.partsStored, err = t.starts(ctx, *c.parts); err != nil {
			return nil, err
		}
	}
	if err := t.endInserts(ctx, c.table); err != nil {
		return nil, err
	}
	starts, client := map[int]int64{}, t.copy.client
	err := client.each(ctx, statement{
		sql: "SELECT source_partition, max(source_offset) FROM " + client.in(c.table) +
			" WHERE source_topic = {topic:String} AND source_incarnation = {incarnation:Int64} GROUP BY source_partition",
		parameters: map[string]string{"topic": c.topic, "incarnation": fmt.Sprint(t.copy.opt.Incarnation)},
		settings:   map[string]any{"select_sequential_consistency": 1},
	}, func(scan func(...any) error) error {
		var partition uint32
		var highest int64
		err := scan(&partition, &highest)
		starts[int(partition)] = highest + 1
		return err
	})
	if err != nil {
		return nil, explain("read the highest offsets of "+c.table, err)
	}
	return starts, nil
}

// endInserts ends the inserts into a table that this or another member of the group began
// and that still run: whoever copies makes one at a time.
func (t *turn) endInserts(ctx context.Context, table string) error {
	if err := t.copy.client.kill(ctx, "startsWith(query_id, "+quote(t.idPrefix(table))+")"); err != nil {
		return explain("end earlier inserts into "+table, err)
	}
	return nil
}

// start returns where to go on in a partition: after what is stored, or at the
// beginning of the log.
func (t *turn) start(ctx context.Context, c copied, log pipeline.Log, p int, starts map[int]int64) (int64, error) {
	first, end, err := log.Bounds(ctx, c.topic, p)
	if err != nil {
		return 0, fmt.Errorf("cannot learn the bounds of %q, partition %d: %w", c.topic, p, err)
	}
	if starts[p] > end {
		return 0, fmt.Errorf("cannot copy %q, partition %d: table %s has offsets up to %d, the topic ends at %d: it was "+
			"recreated; raise the incarnation of the copied topics", c.topic, p, c.table, starts[p]-1, end)
	}
	return max(starts[p], first), nil
}

// stalledAfter is how long a reader may bring nothing though there is more before a new one,
// with connections of its own, takes its place.
const stalledAfter = 30 * time.Second

// fetch reads one partition and hands over its rows until ctx ends.
func (t *turn) fetch(ctx context.Context, c copied, log pipeline.Log, p int, next int64, pieces chan<- piece) error {
	reader := log.Open(c.topic, p)
	defer func() { _ = reader.Close() }()
	for came := time.Now(); ctx.Err() == nil; {
		fetched, err := reader.Fetch(ctx, next)
		if err != nil {
			return fmt.Errorf("cannot read %q, partition %d, at offset %d: %w", c.topic, p, next, err)
		}
		if fetched.Next > next || fetched.End <= next {
			came = time.Now()
		}
		if time.Since(came) >= stalledAfter {
			return fmt.Errorf("cannot read %q, partition %d, at offset %d: nothing comes, and it ends at %d; look at the "+
				"broker that leads the partition", c.topic, p, next, fetched.End)
		}
		if fetched.Next == next {
			continue
		}
		read := piece{partition: p, next: fetched.Next}
		for _, record := range fetched.Records {
			if record.Value == nil {
				continue // a tombstone: the key is gone from the topic, its rows stay
			}
			read.bytes += len(record.Value)
			read.rows = append(read.rows, c.read(record.Value, origin{
				RecordedAt:  time.UnixMilli(max(0, clampInstant(record.Time.UnixMilli()))).UTC(),
				SourceTopic: c.topic, SourceIncarnation: t.copy.opt.Incarnation,
				SourcePartition: uint32(p), SourceOffset: record.Offset,
			}))
		}
		next = fetched.Next
		select {
		case pieces <- read:
		case <-ctx.Done():
		}
	}
	return nil
}

// storeNext waits for rows, collects more until the table has rested, and stores
// them. It returns whether there were any.
func (t *turn) storeNext(
	ctx context.Context, c copied, session string, pieces <-chan piece, rested time.Time,
) (bool, error) {
	var rows []logRow
	ends, bytes := map[int]int64{}, 0
	var due <-chan time.Time
	for collecting := true; collecting; {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-due:
			collecting = false
		case p := <-pieces:
			rows, bytes, ends[p.partition] = append(rows, p.rows...), bytes+p.bytes, p.next
			collecting = bytes < t.copy.opt.FlushBytes
			if due == nil {
				due = time.After(time.Until(rested))
			}
		}
	}
	if len(rows) > 0 {
		if err := t.storeParts(ctx, c, session, rows); err != nil {
			return false, err
		}
		if err := t.store(ctx, c, session, rows); err != nil {
			return false, err
		}
		t.copy.opt.Copied(c.table, len(rows))
	}
	t.copy.setStored(c.topic, ends)
	return len(rows) > 0, nil
}

// storeParts stores what the rows bring along. It goes first: what a crash leaves
// in front of its rows is known by its offsets and not stored again.
func (t *turn) storeParts(ctx context.Context, c copied, session string, rows []logRow) error {
	if c.parts == nil {
		return nil
	}
	var parts []logRow
	for _, row := range rows {
		if at := row.place(); at.SourceOffset >= t.partsStored[int(at.SourcePartition)] {
			parts = append(parts, c.partsOf(row)...)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	if err := t.store(ctx, *c.parts, session, parts); err != nil {
		return err
	}
	t.copy.opt.Copied(c.parts.table, len(parts))
	return nil
}

// store inserts rows, again and again until it is acknowledged or ctx ends. The
// token makes a repetition store nothing; what it finds missing goes under another.
func (t *turn) store(ctx context.Context, c copied, session string, rows []logRow) error {
	again := 0
	for n := 0; ; n++ {
		token := t.token(c.table, session, again, rows)
		id := fmt.Sprintf("%s%s/%s.%d", t.idPrefix(c.table), session, token[len(token)-16:], n)
		err := t.copy.client.insertRows(ctx, c, rows, id, token, t.hold)
		if err == nil && n > 0 {
			var missing []logRow
			if missing, err = t.missing(ctx, c, rows); err == nil && len(missing) > 0 {
				rows, again = missing, again+1
				continue
			}
		}
		if err == nil || errors.Is(err, pipeline.ErrFenced) || ctx.Err() != nil {
			if n > 0 {
				t.copy.report("copy of "+c.topic, err)
			}
			return err
		}
		t.copy.retry(ctx, "copy of "+c.topic, err, n)
	}
}
