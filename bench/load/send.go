package load

import (
	"context"
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

// Send appends all records of the plan, each partition in order. An error ends
// it: whatever is repeated after one could double records that the ledger holds once.
func Send(ctx context.Context, log pipeline.Log, g *Generator, how Sending) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queues := make([]chan *batch, g.plan.Partitions)
	var senders sync.WaitGroup
	for partition := range queues {
		queues[partition] = make(chan *batch, 2)
		senders.Go(func() {
			for b := range queues[partition] {
				if ctx.Err() != nil {
					continue // drain, so that the generator never blocks
				}
				if _, err := log.Append(ctx, how.Topic, partition, b.records); err != nil {
					cancel(fmt.Errorf("cannot send %d records to %s partition %d: %w",
						len(b.records), how.Topic, partition, err))
				} else if how.Sent != nil {
					how.Sent(b.truths)
				}
			}
		})
	}
	generate(ctx, g, how.Rate, queues)
	for _, queue := range queues {
		close(queue)
	}
	senders.Wait()
	return context.Cause(ctx)
}

// generate fills the queues at the rate until the plan ends or ctx is done.
func generate(ctx context.Context, g *Generator, rate float64, queues []chan *batch) {
	open := make([]batch, len(queues))
	flush := func(partition int) {
		if len(open[partition].records) > 0 {
			full := open[partition]
			queues[partition] <- &full
			open[partition] = batch{}
		}
	}
	started, made := time.Now(), 0
	for record, truth := range g.All() {
		b := &open[record.Partition]
		if b.bytes+len(record.Value) > appendBytes || len(b.records) >= appendRecords {
			flush(record.Partition)
		}
		b.records = append(b.records, pipeline.Record{Key: record.Key, Value: record.Value})
		b.truths = append(b.truths, truth)
		b.bytes += len(record.Value)
		made++
		if rate > 0 && float64(made) >= rate*time.Since(started).Seconds() {
			for partition := range open {
				flush(partition)
			}
			time.Sleep(sendTick)
		}
		if ctx.Err() != nil {
			return
		}
	}
	for partition := range open {
		flush(partition)
	}
}
