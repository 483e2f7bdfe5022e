package pipeline

import (
	"maps"
	"slices"
	"sync"

	"recoup/detectors"
)

// follower reads all of recoup.baselines into the member's shared baselines.
type follower struct {
	*tail

	mu sync.Mutex // guards late
	// late are the segments, per partition, on which an older owner wrote behind a newer
	// one: compaction would keep what stands last.
	late []map[string]bool
}

// newFollower reads as many partitions as the invoices have.
func newFollower(m *Member, partitions int) *follower {
	f := &follower{late: make([]map[string]bool, partitions)}
	for p := range f.late {
		f.late[p] = map[string]bool{}
	}
	f.tail = newTail(m, m.opt.Topics.Baselines, partitions, f.foldAll)
	return f
}

func (f *follower) foldAll(partition int, got *Fetched) {
	for _, r := range got.Records {
		if isCount(r.Key) {
			continue // advisory: the case stage follows them
		}
		if err := f.fold(r, partition); err != nil {
			f.m.opt.Log.Error("baseline skipped", "topic", f.topic, "partition", partition,
				"offset", r.Offset, "error", err)
		}
	}
}

// fold puts one contribution into the shared baselines; an owner that meets an older
// one on its key writes its value again.
func (f *follower) fold(r Record, partition int) error {
	key, source, stale, err := foldBaseline(f.m.shared, r)
	if err != nil {
		return err
	}
	f.mu.Lock()
	if stale {
		f.late[partition][string(key)] = true
	} else {
		delete(f.late[partition], string(key))
	}
	f.mu.Unlock()
	if stale {
		f.m.rewrite(source, string(key))
	}
	return nil
}

// lateOn returns the segments of a partition that who takes it over has to write again.
func (f *follower) lateOn(partition int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.late[partition]))
}

// foldBaseline puts one contribution into shared baselines: the segment's key and the
// partition it was learned from. Of two the higher epoch wins; stale tells that this
// one is of a lower epoch than the one seen before.
func foldBaseline(shared *detectors.Shared, r Record) (key []byte, source int, stale bool, err error) {
	if key, source, err = splitSharedKey(r.Key); err != nil {
		return nil, 0, false, err
	}
	if len(r.Value) == 0 {
		return key, source, false, shared.Put(key, nil, source, 0, 0)
	}
	at, payload, err := decodeState(r.Value)
	if err != nil {
		return nil, 0, false, err
	}
	var old stamp
	var was bool
	if old.epoch, old.applied, was = shared.Stamp(key, source); was && !at.supersedes(old) {
		return key, source, at.epoch < old.epoch, nil
	}
	return key, source, false, shared.Put(key, payload, source, at.epoch, at.applied)
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
