package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"recoup/detectors"
)

// Baselines are the baselines of all segments for somebody who does not score: they
// read recoup.baselines, and go on where they stopped, each time they are asked.
// They may be used by several goroutines.
type Baselines struct {
	log   Log
	topic string

	mu     sync.Mutex // held while the topic is read; guards what follows
	shared *detectors.Shared
	next   []int64 // by partition, the offset to read from
	newest []stamp // by partition, of the records read
	broken int     // records that could not be read
}

// NewBaselines reads nothing before it is asked.
func NewBaselines(log Log, topic string) *Baselines {
	return &Baselines{log: log, topic: topic, shared: detectors.NewShared()}
}

// Read returns the baselines as the topic holds them now, and how many of its
// records could not be read.
func (b *Baselines) Read(ctx context.Context) (shared *detectors.Shared, broken int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	partitions, err := b.log.Partitions(ctx, b.topic)
	if err != nil {
		return nil, 0, err
	}
	for p := range partitions {
		if p == len(b.next) {
			b.next, b.newest = append(b.next, 0), append(b.newest, stamp{})
		}
		if err := b.readPartition(ctx, p); err != nil {
			return nil, 0, fmt.Errorf("cannot read the baselines: %w", err)
		}
	}
	return b.shared, b.broken, nil
}

// readPartition reads one partition to the end that it has now.
func (b *Baselines) readPartition(ctx context.Context, p int) error {
	start, end, err := b.log.Bounds(ctx, b.topic, p)
	if err != nil {
		return err
	}
	if b.next[p] > end {
		b.shared, b.next, b.newest = detectors.NewShared(), nil, nil
		return errors.New("their topic was made anew; ask again")
	}
	b.next[p] = max(b.next[p], start)
	reader := b.log.Open(b.topic, p)
	defer reader.Close()
	for b.next[p] < end {
		got, err := reader.Fetch(ctx, b.next[p])
		if err != nil {
			return err
		}
		for i := range got.Records {
			r := &got.Records[i]
			if isCount(r.Key) {
				continue
			}
			if _, _, _, err := foldBaseline(b.shared, &b.newest[p], r); err != nil {
				b.broken++
			}
		}
		b.next[p] = max(b.next[p], got.Next)
	}
	return nil
}
