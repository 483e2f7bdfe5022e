package detectors

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

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
	mu       sync.Mutex // guards the rest, and replacing the parts of a segment
	scratch  []byte
	segments map[string]*sharedSegment
}

// sharedSegment is one segment. Its parts are replaced whole, never changed. It is forgotten
// with its last contribution: who holds it then finds its parts gone, and looks it up again.
type sharedSegment struct {
	key   string
	parts atomic.Pointer[parts] // never nil
}

// parts is what all partitions contribute to a segment, ascending by partition as appendPart
// writes them, behind its length in bytes: one piece of memory, where a slice would be two.
type parts [partsHead]byte

const partsHead = 4

func newParts(list []byte) *parts {
	all := make([]byte, partsHead, partsHead+len(list))
	binary.LittleEndian.PutUint32(all, uint32(len(list)))
	return (*parts)(append(all, list...))
}

// list returns the bytes of all parts.
func (p *parts) list() []byte {
	n := binary.LittleEndian.Uint32(p[:])
	return unsafe.Slice(&p[0], partsHead+n)[partsHead:] // as newParts made it
}

func (s *sharedSegment) list() []byte { return s.parts.Load().list() }

// part is what one source partition contributes to a segment. There may be millions: they
// stand as they are stored, in half the memory and without pointers.
type part struct {
	partition int
	applied   int64
	value     []byte // decodeContribution reads it
}

func appendPart(dst []byte, p *part) []byte {
	dst = binary.AppendUvarint(dst, uint64(p.partition))
	dst = binary.AppendVarint(dst, p.applied)
	dst = binary.AppendUvarint(dst, uint64(len(p.value)))
	return append(dst, p.value...)
}

// nextPart reads the first part of a list.
func nextPart(list []byte) (p part, rest []byte) {
	r := stateReader{rest: list}
	p.partition, p.applied = int(r.uvarint()), r.varint()
	p.value = r.bytes(r.uvarint())
	return p, r.rest
}

// baseline is the part's baseline.
func (p *part) baseline() Baseline {
	if p.value[0] == 0 {
		return Baseline{}
	}
	r := stateReader{rest: p.value}
	return r.baseline()
}

// contribution is what a part's value says.
type contribution struct {
	baseline Baseline
	rare     *rare // nil: nothing
}

var (
	noContributions = newParts(nil)
	gone            = newParts(nil) // of a segment that was forgotten
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
// value are those of a StateRecord with Shared set, applied is the offset its
// checkpoint was taken at. A nil value forgets the contribution. Which of
// two records is the newer one is for the caller to know.
func (s *Shared) Put(key, value []byte, partition int, applied int64) error {
	if value == nil {
		s.replace(key, partition, nil)
		return nil
	}
	if _, err := decodeContribution(value); err != nil {
		return fmt.Errorf("key %q of partition %d: %w", key, partition, err)
	}
	s.replace(key, partition, &part{partition, applied, value})
	return nil
}

// replace puts a part in the place of the partition's one before, nil: none.
func (s *Shared) replace(key []byte, partition int, by *part) {
	shard := s.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	seg := shard.segments[string(key)]
	if seg == nil {
		if by == nil {
			return
		}
		seg = shard.add(string(key))
	}
	var before, after []byte
	old := seg.list()
	for list := old; len(list) > 0; {
		p, rest := nextPart(list)
		switch {
		case p.partition < partition:
			before = old[:len(old)-len(rest)]
		case p.partition > partition && after == nil:
			after = list
		}
		list = rest
	}
	list := append(shard.scratch[:0], before...)
	if by != nil {
		list = appendPart(list, by)
	}
	list = append(list, after...)
	shard.scratch = list
	if len(list) == 0 {
		delete(shard.segments, seg.key)
		seg.parts.Store(gone)
		return
	}
	seg.parts.Store(newParts(list))
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
	if len(seg.list()) == 0 && shard.segments[seg.key] == seg {
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

// eachOf calls f with every part of one partition, in no fixed order.
func (s *Shared) eachOf(partition int, f func(seg *sharedSegment, p part)) {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		for _, seg := range shard.segments {
			for list := seg.list(); len(list) > 0; {
				var p part
				if p, list = nextPart(list); p.partition == partition {
					f(seg, p)
				}
			}
		}
		shard.mu.Unlock()
	}
}
