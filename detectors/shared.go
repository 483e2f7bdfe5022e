package detectors

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

const sharedShards = 64

// Shared holds the contributions of all partitions to the segment baselines,
// one per process. Every method may be called at any time by any goroutine,
// also while engines score: a scoring engine takes a lock only for a segment that
// its partition has not taught yet.
type Shared struct {
	shards [sharedShards]sharedShard
}

type sharedShard struct {
	mu       sync.Mutex // guards segments, and replacing the parts of one
	segments map[string]*sharedSegment
}

// sharedSegment is one segment. Its parts are replaced whole, never changed. It is forgotten
// with its last contribution: who holds it then finds its parts gone, and looks it up again.
type sharedSegment struct {
	key   string
	parts atomic.Pointer[[]contribution] // ascending by partition; never nil
}

// contribution is what one source partition taught a segment.
type contribution struct {
	partition int
	epoch     int64 // of its writer
	applied   int64
	baseline  Baseline
	rare      *rare // nil: nothing
}

var (
	noContributions = &[]contribution{}
	gone            = &[]contribution{} // of a segment that was forgotten
	untaughtSegment = newSharedSegment("")
)

func newSharedSegment(key string) *sharedSegment {
	seg := &sharedSegment{key: key}
	seg.parts.Store(noContributions)
	return seg
}

// NewShared returns shared baselines without any contribution.
func NewShared() *Shared {
	s := &Shared{}
	for i := range s.shards {
		s.shards[i].segments = map[string]*sharedSegment{}
	}
	return s
}

// Put replaces what one source partition contributes to a segment: key and
// value are those of a StateRecord with Shared set, epoch is of its writer and applied
// the offset its checkpoint was taken at. A nil value forgets the contribution. Which of
// two records is the newer one is for the caller to know.
func (s *Shared) Put(key, value []byte, partition int, epoch, applied int64) error {
	if value == nil {
		s.replace(key, partition, nil)
		return nil
	}
	c, err := decodeContribution(value)
	if err != nil {
		return fmt.Errorf("key %q of partition %d: %w", key, partition, err)
	}
	c.partition, c.epoch, c.applied = partition, epoch, applied
	s.replace(key, partition, &c)
	return nil
}

// Stamp returns epoch and offset of what a partition contributes to a segment; found is
// false when it contributes nothing.
func (s *Shared) Stamp(key []byte, partition int) (epoch, applied int64, found bool) {
	for _, c := range *s.find(key).parts.Load() {
		if c.partition == partition {
			return c.epoch, c.applied, true
		}
	}
	return 0, 0, false
}

func (s *Shared) replace(key []byte, partition int, c *contribution) {
	shard := s.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	seg := shard.segments[string(key)]
	if seg == nil {
		if c == nil {
			return
		}
		seg = shard.add(string(key))
	}
	old := *seg.parts.Load()
	at, found := slices.BinarySearchFunc(old, partition, func(c contribution, p int) int {
		return cmp.Compare(c.partition, p)
	})
	parts := make([]contribution, 0, len(old)+1)
	parts = append(parts, old[:at]...)
	if c != nil {
		parts = append(parts, *c)
	}
	if found {
		at++
	}
	parts = append(parts, old[at:]...)
	if len(parts) == 0 {
		delete(shard.segments, seg.key)
		seg.parts.Store(gone)
		return
	}
	seg.parts.Store(&parts)
}

// segment returns the entry of a key, made if it is new.
func (s *Shared) segment(key string) *sharedSegment {
	shard := s.shard([]byte(key))
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if seg := shard.segments[key]; seg != nil {
		return seg
	}
	return shard.add(key)
}

// release forgets a segment to which nobody contributes.
func (s *Shared) release(seg *sharedSegment) {
	shard := s.shard([]byte(seg.key))
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if len(*seg.parts.Load()) == 0 && shard.segments[seg.key] == seg {
		delete(shard.segments, seg.key)
		seg.parts.Store(gone)
	}
}

// find returns the entry of a key, one without contributions if there is none.
func (s *Shared) find(key []byte) *sharedSegment {
	shard := s.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if seg := shard.segments[string(key)]; seg != nil {
		return seg
	}
	return untaughtSegment
}

func (s *Shared) shard(key []byte) *sharedShard {
	return &s.shards[xxhash.Sum64(key)%sharedShards]
}

// add makes an entry; the caller holds the lock.
func (sh *sharedShard) add(key string) *sharedSegment {
	seg := newSharedSegment(key)
	sh.segments[key] = seg
	return seg
}

// eachOf calls f with every contribution of one partition, in no fixed order.
func (s *Shared) eachOf(partition int, f func(seg *sharedSegment, c contribution)) {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		for _, seg := range shard.segments {
			for _, c := range *seg.parts.Load() {
				if c.partition == partition {
					f(seg, c)
				}
			}
		}
		shard.mu.Unlock()
	}
}
