package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// follower reads all of recoup.baselines, without a group, into the member's
// shared baselines: at start to the end, then on.
type follower struct {
	m *Member

	mu        sync.Mutex // guards what follows
	positions []int64    // next offset per partition of recoup.baselines
	moved     chan struct{}
}

func newFollower(m *Member) *follower {
	return &follower{m: m, moved: make(chan struct{})}
}

// run follows until ctx ends.
func (f *follower) run(ctx context.Context) {
	f.mu.Lock()
	f.positions = make([]int64, f.m.invoicePartitions)
	f.mu.Unlock()
	var wg sync.WaitGroup
	for p := range f.m.invoicePartitions {
		wg.Go(func() { f.followPartition(ctx, p) })
	}
	wg.Wait()
}

// followPartition folds one partition of recoup.baselines.
func (f *follower) followPartition(ctx context.Context, partition int) {
	topic := f.m.opt.Topics.Baselines
	name := fmt.Sprintf("reading %s/%d", topic, partition)
	seen := map[string]stamp{}
	reader := f.m.log.Open(topic, partition)
	defer reader.Close()
	for at := int64(0); ctx.Err() == nil; {
		var got Fetched
		err := f.m.persist(ctx, name, func(ctx context.Context) error {
			var err error
			got, err = reader.Fetch(ctx, at)
			if errors.Is(err, ErrOutOfRange) {
				at, _, err = f.m.log.Bounds(ctx, topic, partition)
			}
			return err
		})
		if err != nil {
			return // ctx ended: nothing else stops a reader
		}
		for _, r := range got.Records {
			if err := f.fold(r, seen); err != nil {
				f.m.opt.Log.Error("baseline skipped", "topic", topic, "partition", partition,
					"offset", r.Offset, "error", err)
			}
		}
		at = max(at, got.Next)
		f.reached(partition, at)
	}
}

// fold puts one contribution into the shared baselines. The highest epoch wins;
// an owner that meets an older one on its key writes its value again.
func (f *follower) fold(r Record, seen map[string]stamp) error {
	key, source, err := splitSharedKey(r.Key)
	if err != nil {
		return err
	}
	if len(r.Value) == 0 {
		delete(seen, string(r.Key))
		return f.m.shared.Put(key, nil, source, 0)
	}
	at, payload, err := decodeState(r.Value)
	if err != nil {
		return err
	}
	if old, was := seen[string(r.Key)]; was && !at.supersedes(old) {
		if at.epoch < old.epoch {
			f.m.rewrite(source, string(key))
		}
		return nil
	}
	seen[string(r.Key)] = at
	return f.m.shared.Put(key, payload, source, at.applied)
}

// rewrite asks the owner of a source partition, if it is this member, to write a
// shared key again.
func (m *Member) rewrite(source int, key string) {
	m.mu.Lock()
	w := m.workers[source]
	m.mu.Unlock()
	if w != nil {
		w.markDirty(key, true)
	}
}

func (f *follower) reached(partition int, at int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.positions[partition] = at
	close(f.moved)
	f.moved = make(chan struct{})
}

// catchUp returns once everything that recoup.baselines holds now is folded.
func (f *follower) catchUp(ctx context.Context) error {
	topic := f.m.opt.Topics.Baselines
	for p := range f.m.invoicePartitions {
		_, end, err := f.m.log.Bounds(ctx, topic, p)
		if err != nil {
			return fmt.Errorf("cannot read bounds of %s/%d: %w", topic, p, err)
		}
		if err := f.wait(ctx, p, end); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) wait(ctx context.Context, partition int, end int64) error {
	for {
		f.mu.Lock()
		there := partition < len(f.positions) && f.positions[partition] >= end
		moved := f.moved
		f.mu.Unlock()
		if there {
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
