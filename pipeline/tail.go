package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// tail reads every partition of a topic from its start, or from where positions
// stand before it runs, without a group, and goes on as it grows.
type tail struct {
	m     *Member
	topic string
	// read is given what one fetch brought, in order within a partition;
	// partitions are read at the same time. The records are valid until it returns.
	read func(partition int, got *Fetched)

	mu        sync.Mutex // guards what follows
	positions []int64    // next offset, by partition
	moved     chan struct{}
}

// newTail follows a topic of so many partitions; of none it has nothing to read.
func newTail(m *Member, topic string, partitions int, read func(int, *Fetched)) *tail {
	return &tail{m: m, topic: topic, read: read, positions: make([]int64, partitions), moved: make(chan struct{})}
}

// run reads until ctx ends.
func (t *tail) run(ctx context.Context) {
	var wg sync.WaitGroup
	for p := range t.positions {
		wg.Go(func() { t.follow(ctx, p) })
	}
	wg.Wait()
}

func (t *tail) follow(ctx context.Context, partition int) {
	name := fmt.Sprintf("reading %s/%d", t.topic, partition)
	reader := t.m.open(t.topic, partition)
	defer reader.Close()
	for at := t.position(partition); ctx.Err() == nil; {
		var got Fetched
		err := t.m.persist(ctx, name, func(ctx context.Context) error {
			var err error
			got, err = reader.Fetch(ctx, at)
			if errors.Is(err, ErrOutOfRange) {
				var start int64
				if start, _, err = t.m.log.Bounds(ctx, t.topic, partition); err == nil {
					at = start
				}
			}
			return err
		})
		if err != nil {
			return // ctx ended: nothing else stops a reader
		}
		t.read(partition, &got)
		at = max(at, got.Next)
		t.reached(partition, at)
	}
}

// position returns the next offset to read of a partition.
func (t *tail) position(partition int) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.positions[partition]
}

func (t *tail) reached(partition int, at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.positions[partition] == at {
		return
	}
	t.positions[partition] = at
	close(t.moved)
	t.moved = make(chan struct{})
}

// asked is how many ends of partitions are asked for at once: each partition that is taken
// over asks for all, and each question may dial.
const asked = 4

// catchUp returns once everything that the topic holds now is read.
func (t *tail) catchUp(ctx context.Context) error { return t.catchUpSeen(ctx, func() {}) }

// catchUpSeen is catchUp; step is called with each step forward, by several goroutines.
func (t *tail) catchUpSeen(ctx context.Context, step func()) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(asked)
	for p := range t.positions {
		all.Go(func() error {
			_, end, err := t.m.log.Bounds(ctx, t.topic, p)
			if err != nil {
				return fmt.Errorf("cannot read bounds of %s/%d: %w", t.topic, p, err)
			}
			return t.wait(ctx, p, end, step)
		})
	}
	return all.Wait()
}

func (t *tail) wait(ctx context.Context, partition int, end int64, step func()) error {
	for last := int64(-1); ; {
		t.mu.Lock()
		at, moved := t.positions[partition], t.moved
		t.mu.Unlock()
		if at > last {
			step()
			last = at
		}
		if at >= end {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-moved:
		case <-time.After(lastBackoff):
		}
	}
}
