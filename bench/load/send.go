package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"recoup/pipeline"
)

// The records of one append stay below what a broker takes in one batch by default.
const (
	appendRecords = 1_000
	appendBytes   = 512 << 10
)

// sendTick is how often a stream with a rate sends what is due.
const sendTick = 50 * time.Millisecond

// Sending says how to send a stream.
type Sending struct {
	Topic string // one that exists, with at least the partitions of the plan
	// Rate is records per second. By default as fast as the log takes them.
	Rate float64
	// Patience is how long a partition that does not take records is tried again.
	// Nobody else may write to it. By default not at all: the first error ends it.
	Patience time.Duration
	// Until ends the stream when it is closed, as if the plan ended there: what was made
	// is still sent. By default the plan's end does.
	Until <-chan struct{}
	// Sent is called after each append with the truths of its records, by one
	// goroutine per partition at a time. By default nothing.
	Sent func(truths []Truth)
}

// batch is what one append carries.
type batch struct {
	records []pipeline.Record
	truths  []Truth
	bytes   int
}

// Send appends all records of the plan, each partition in order, and completes
// their truths with the offsets they got.
func Send(ctx context.Context, log pipeline.Log, g *Generator, how Sending) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	made := newBacklog(g.plan.Partitions)
	var senders sync.WaitGroup
	for partition := range g.plan.Partitions {
		senders.Go(func() {
			s := sender{log: log, how: how, partition: partition, next: -1}
			for b, ok := made.take(partition); ok; b, ok = made.take(partition) {
				if ctx.Err() != nil {
					continue // drain, so that the generator never blocks
				}
				if err := s.send(ctx, b); err != nil {
					cancel(fmt.Errorf("cannot send %d records to %s partition %d: %w",
						len(b.records), how.Topic, partition, err))
				} else if how.Sent != nil {
					how.Sent(b.truths)
				}
			}
		})
	}
	generate(ctx, g, how, made)
	made.end()
	senders.Wait()
	return context.Cause(ctx)
}

// sender appends to one partition.
type sender struct {
	log       pipeline.Log
	how       Sending
	partition int
	next      int64 // offset the next record should get, -1 when unknown
}

// retryPause is how long a sender waits before it looks what became of an append
// without an answer.
const retryPause = 500 * time.Millisecond

// send appends a batch. After an error some of it may stand in the log, and more
// may come to stand there, so nothing is sent again before the log told its end.
func (s *sender) send(ctx context.Context, b *batch) error {
	began := time.Now()
	if s.next < 0 {
		_, end, err := s.log.Bounds(ctx, s.how.Topic, s.partition)
		if err != nil {
			return err
		}
		s.next = end
	}
	truths := b.truths // of what is not known to stand
	for {
		base, err := s.log.Append(ctx, s.how.Topic, s.partition, b.records[len(b.records)-len(truths):])
		if err == nil {
			s.stand(b, truths, base)
			return nil
		}
		for err != nil {
			if errors.Is(err, pipeline.ErrTooLarge) || time.Since(began) >= s.how.Patience {
				return err
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(retryPause):
			}
			truths, err = s.look(ctx, truths)
		}
		if len(truths) == 0 {
			return nil
		}
	}
}

// look sets the offsets of those records of which the log has told meanwhile that
// they stand, and returns the others.
func (s *sender) look(ctx context.Context, truths []Truth) ([]Truth, error) {
	_, end, err := s.log.Bounds(ctx, s.how.Topic, s.partition)
	if err != nil {
		return truths, err
	}
	for len(truths) > 0 && s.next < end {
		truths[0].Offset = s.next
		s.next++
		truths = truths[1:]
	}
	return truths, nil
}

// stand sets the offsets of records that were acknowledged. Where an append that had
// no answer came through after all, those before base are the same records: then
// the acknowledged ones are their redeliveries.
func (s *sender) stand(b *batch, truths []Truth, base int64) {
	var twice []Truth
	for i := range truths {
		if s.next+int64(i) < base {
			first := truths[i]
			first.Offset = s.next + int64(i)
			twice = append(twice, first)
			truths[i].Redelivery = truths[i].GarbageKind == ""
		}
		truths[i].Offset = base + int64(i)
	}
	s.next = base + int64(len(truths))
	b.truths = append(b.truths, twice...)
}

// generate fills the backlog at the rate until the plan ends, or is ended, or ctx is done.
func generate(ctx context.Context, g *Generator, how Sending, made *backlog) {
	open := make([]batch, g.plan.Partitions)
	flush := func(partition int) {
		if len(open[partition].records) > 0 {
			full := open[partition]
			made.put(partition, &full)
			open[partition] = batch{}
		}
	}
	flushAll := func() {
		for partition := range open {
			flush(partition)
		}
	}
	defer flushAll()
	started, records := time.Now(), 0
	for record, truth := range g.All() {
		b := &open[record.Partition]
		if b.bytes+len(record.Value) > appendBytes || len(b.records) >= appendRecords {
			flush(record.Partition)
		}
		b.records = append(b.records, pipeline.Record{Key: record.Key, Value: record.Value})
		b.truths = append(b.truths, truth)
		b.bytes += len(record.Value)
		records++
		if how.Rate > 0 && float64(records) >= how.Rate*time.Since(started).Seconds() {
			flushAll()
			time.Sleep(sendTick)
		}
		select {
		case <-ctx.Done():
			return
		case <-how.Until:
			return
		default:
		}
	}
}
