package detectors

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/arena"
	"recoup/detectors/index"
)

const (
	sharedShards = 64
	sharedPage   = 1 << 8 // segments
)

// Shared holds the contributions of all partitions to the segment baselines,
// one per process. Every method may be called at any time by any goroutine,
// also while engines score: a scoring engine takes a lock only for a segment that
// its partition has not taught yet.
//
// There may be millions of segments: each is a number to engines, and nothing of them is a
// pointer.
type Shared struct {
	shards [sharedShards]sharedShard
}

// sharedSegments is a page of them.
type sharedSegments [sharedPage]sharedSegment

type sharedShard struct {
	mu      sync.Mutex                        // guards the rest, and changing what engines follow without it
	index   index.Index                       // of a key: its segment's place
	pages   atomic.Pointer[[]*sharedSegments] // by place; they never move
	texts   arena.Arena
	used    uint32   // places ever used, from 1 on
	free    []uint32 // places to be used again
	scratch []byte
}

// sharedSegment is one segment. Its text is replaced whole, never changed: the length of its key
// and the key, and what all partitions contribute, ascending by partition as appendPart writes it.
type sharedSegment struct {
	text arena.Cell // none: nobody has this place
	// holders are how many engines have the segment's number. Without any it is forgotten with its
	// last contribution.
	holders uint32
}

// part is what one source partition contributes to a segment, as it is stored.
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

// NewShared returns shared baselines without any contribution.
func NewShared() *Shared { return &Shared{} }

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
	hash := xxhash.Sum64(key)
	shard := s.lock(hash)
	defer shard.mu.Unlock()
	place := shard.find(hash, key)
	var old []byte
	if place != 0 {
		old = shard.list(place)
	} else if by == nil {
		return
	}
	var before, after []byte
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
	text := append(textOf(shard.scratch[:0], key), before...)
	if by != nil {
		text = appendPart(text, by)
	}
	text = append(text, after...)
	shard.scratch = text
	switch {
	case place == 0:
		shard.add(hash, key, text)
	case by == nil && len(before)+len(after) == 0 && shard.at(place).holders == 0:
		shard.forget(place, hash)
	default:
		shard.texts.Set(&shard.at(place).text, text)
	}
	shard.compact()
}

// textOf appends the text of a segment to which nobody contributes.
func textOf(dst, key []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(key))), key...)
}

// readText reads what textOf made, and the list of parts behind it.
func readText(text []byte) (key, list []byte) {
	n, head := binary.Uvarint(text)
	text = text[head:]
	return text[:n], text[n:]
}

// hold returns the number of a key's segment, never 0, which is made if it is new. It stays the
// segment's until it is given back by release.
func (s *Shared) hold(key []byte) (number uint32) {
	hash := xxhash.Sum64(key)
	shard := s.lock(hash)
	defer shard.mu.Unlock()
	place := shard.find(hash, key)
	if place == 0 {
		shard.scratch = textOf(shard.scratch[:0], key)
		place = shard.add(hash, key, shard.scratch)
	}
	shard.at(place).holders++
	return sharedNumber(place, hash)
}

// release gives the number of a segment back.
func (s *Shared) release(number uint32) {
	shard, place := s.of(number)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	seg := shard.at(place)
	seg.holders--
	if key, list := readText(shard.texts.Get(&seg.text)); seg.holders == 0 && len(list) == 0 {
		shard.forget(place, xxhash.Sum64(key))
		shard.compact()
	}
}

// find returns a copy of the parts of a key's segment, in memory that is used again.
func (s *Shared) find(key, into []byte) []byte {
	hash := xxhash.Sum64(key)
	shard := s.lock(hash)
	defer shard.mu.Unlock()
	if place := shard.find(hash, key); place != 0 {
		return append(into[:0], shard.list(place)...)
	}
	return into[:0]
}

// key returns the key of a segment that is held, in memory of its own.
func (s *Shared) key(number uint32) []byte {
	shard, place := s.of(number)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	key, _ := readText(shard.texts.Get(&shard.at(place).text))
	return append([]byte(nil), key...)
}

// version is another one whenever the parts of a segment that is held have changed.
func (s *Shared) version(number uint32) uint64 {
	shard, place := s.of(number)
	return shard.at(place).text.Version()
}

// read returns a copy of the parts of a segment that is held, in a buffer's memory, and their
// version. It takes no lock.
func (s *Shared) read(number uint32, into *arena.Buffer) (list []byte, version uint64) {
	shard, place := s.of(number)
	text, version := shard.texts.Read(&shard.at(place).text, into)
	_, list = readText(text)
	return list, version
}

// holdOf calls f with every part of one partition, in no fixed order, and the number and key of
// its segment, which is held from then on.
func (s *Shared) holdOf(partition int, f func(number uint32, key []byte, p part)) {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		for place, seg := range shard.all() {
			for key, list := readText(shard.texts.Get(&seg.text)); len(list) > 0; {
				var p part
				if p, list = nextPart(list); p.partition == partition {
					seg.holders++
					f(place*sharedShards+uint32(i), key, p)
				}
			}
		}
		shard.mu.Unlock()
	}
}

// lock returns the shard of a key's hash, locked.
func (s *Shared) lock(hash uint64) *sharedShard {
	shard := &s.shards[hash%sharedShards]
	shard.mu.Lock()
	return shard
}

// of takes a segment's number apart.
func (s *Shared) of(number uint32) (*sharedShard, uint32) {
	return &s.shards[number%sharedShards], number / sharedShards
}

func sharedNumber(place uint32, hash uint64) uint32 {
	return place*sharedShards + uint32(hash%sharedShards)
}
