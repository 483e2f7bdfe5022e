package detectors

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"recoup/detectors/index"
	"recoup/invoice"
)

// blockEntries is the most entries of one block: a stored record stays below
// a few dozen kilobytes.
const blockEntries = 1 << blockBits

// fewestEntries is how many a block has room for at first: a partition may see few invoices.
const fewestEntries = 16

const blockBits = 10

// seen remembers the identities and deliveries of one partition's invoices for
// the retention time. Entries are appended to blocks, never changed, and
// forgotten a block at a time; each block is one state record, so that there
// are far fewer state records than invoices. An invoice costs about 48 bytes,
// its invoice_id when it names a delivery, and one or two index slots of 16
// bytes at half load: 90 to 130 bytes. Nothing of it holds a pointer, so it
// costs the garbage collector nothing.
//
// An entry counts only for records at higher offsets, and only while it is
// within the retention of the partition's clock. So it does not matter when a
// block is dropped or in which order blocks came back from the state topic.
//
// The clock never runs backwards, so of several entries only the one with the
// highest offset matters: when it no longer counts, none does. An entry stands
// in identities while it is the newest of its identity, else in others: whatever
// comes under one invoice_id, a look takes two steps. Entries restored from a
// checkpoint ahead of replay wait in ahead until replay has passed them.
type seen struct {
	retention  int64 // hours
	blocks     []*seenBlock
	free       []uint32         // numbers of dropped blocks, to be used again
	byFirst    map[int64]uint32 // first offset → block number
	open       uint32           // block that takes entries, 0 for none
	unwritten  []uint32         // blocks the next checkpoint writes
	retired    []int64          // blocks to tombstone: expired before the checkpoint before
	retiring   []int64          // blocks that expired since
	oldest     int64            // lowest lastHour of all blocks
	identities seenIndex        // newest entry of an identity
	others     seenIndex        // by pair: newest entry of a content that is not the identity's newest
	deliveries seenIndex        // entry of a delivery added last
	restored   bool             // blocks came back since the indexes were made
	ahead      []seenRef        // restored entries at or above the offset last looked at, ascending
	spare      []*seenBlock     // emptied blocks, to be used again
}

// seenRef names an entry: block number and place within it. Block 0 does not
// exist, so 0 is no entry.
type seenRef uint32

// seenIndex finds entries by a hash, which keyOf tells of an entry.
type seenIndex struct {
	index.Index
	keyOf func(*seenEntry) uint64
	in    *seen
}

func (x *seenIndex) get(key uint64) seenRef {
	return seenRef(x.Get(key, func(ref uint32) bool { return x.keyOf(x.in.entry(seenRef(ref))) == key }))
}

// put returns the entry before.
func (x *seenIndex) put(key uint64, ref seenRef) seenRef {
	return seenRef(x.Put(key, uint32(ref), func(ref uint32) bool { return x.keyOf(x.in.entry(seenRef(ref))) == key }))
}

// seenEntry is one invoice. The entries of one delivery are chained from the
// newest added to the oldest; there are few, as only the first of a retention
// time binds its delivery.
type seenEntry struct {
	identity, content uint64
	delivery          uint64 // hash of seller and delivery_ref; 0: none
	offset            int64
	olderDelivery     seenRef
	hour              int32  // the partition's clock when it was met
	idEnd             uint32 // end of its invoice_id in the block's ids
}

type seenBlock struct {
	entries  []seenEntry
	ids      []byte
	lastHour int64
	dirty    bool // in unwritten
	written  bool // the state topic may hold it
}

func newSeen(retentionHours int64) *seen {
	s := &seen{retention: retentionHours, blocks: make([]*seenBlock, 1), byFirst: map[int64]uint32{},
		oldest: math.MaxInt64}
	s.identities = seenIndex{keyOf: func(e *seenEntry) uint64 { return e.identity }, in: s}
	s.others = seenIndex{keyOf: func(e *seenEntry) uint64 { return pair(e.identity, e.content) }, in: s}
	s.deliveries = seenIndex{keyOf: func(e *seenEntry) uint64 { return e.delivery }, in: s}
	return s
}

func (s *seen) entry(r seenRef) *seenEntry {
	return &s.blocks[r>>blockBits].entries[r&(blockEntries-1)]
}

// invoiceID returns the id that an entry keeps beside its delivery. It points
// into the block.
func (s *seen) invoiceID(r seenRef) []byte {
	block := s.blocks[r>>blockBits]
	at := r & (blockEntries - 1)
	var start uint32
	if at > 0 {
		start = block.entries[at-1].idEnd
	}
	return block.ids[start:block.entries[at].idEnd]
}

// sighting is what is known of an invoice when it comes.
type sighting struct {
	identity, content, delivery uint64
	hour                        int64   // the partition's clock
	again                       bool    // same identity and content at a lower offset
	changed                     bool    // same identity, only other contents, at a lower offset
	registered                  bool    // this very record is remembered already
	first                       seenRef // of the same delivery at a lower offset, 0: none
}

// look finds what is known of the record at offset. Offsets ascend from one
// look to the next.
func (s *seen) look(sight *sighting, offset int64) {
	if s.restored {
		s.index(offset)
	}
	for len(s.ahead) > 0 && s.entry(s.ahead[0]).offset < offset {
		s.link(s.ahead[0])
		s.ahead = s.ahead[1:]
	}
	sight.registered = len(s.ahead) > 0 && s.entry(s.ahead[0]).offset == offset
	sight.again, sight.changed, sight.first = false, false, 0
	if newest := s.identities.get(sight.identity); newest != 0 && s.counts(newest, sight.hour, offset) {
		sight.again = s.entry(newest).content == sight.content
		if !sight.again {
			other := s.others.get(pair(sight.identity, sight.content))
			sight.again = other != 0 && s.counts(other, sight.hour, offset)
		}
		sight.changed = !sight.again
	}
	if sight.delivery == 0 {
		return
	}
	firstOffset := offset
	for r := s.deliveries.get(sight.delivery); r != 0; {
		e := s.entry(r)
		if s.counts(r, sight.hour, firstOffset) {
			sight.first, firstOffset = r, e.offset
		}
		r = e.olderDelivery
	}
}

// counts tells whether an entry is to be considered at an hour for records at
// an offset.
func (s *seen) counts(r seenRef, hour, offset int64) bool {
	e := s.entry(r)
	return e.offset < offset && hour-int64(e.hour) <= s.retention
}

// pair names a content of an identity.
func pair(identity, content uint64) uint64 { return bits.RotateLeft64(identity, 32) ^ content }

// register remembers a record. id is kept beside its delivery.
func (s *seen) register(sight *sighting, offset int64, id string) {
	if sight.registered {
		return
	}
	if s.open == 0 || len(s.blocks[s.open].entries) == blockEntries {
		s.open = s.add(s.empty(), offset)
		s.write(s.open)
	}
	block := s.blocks[s.open]
	if sight.delivery != 0 {
		block.ids = append(block.ids, id...)
	}
	if n := len(block.entries); n == cap(block.entries) {
		block.entries = append(make([]seenEntry, 0, min(max(2*n, fewestEntries), blockEntries)), block.entries...)
	}
	block.entries = append(block.entries, seenEntry{identity: sight.identity, content: sight.content,
		delivery: sight.delivery, offset: offset, hour: int32(sight.hour), idEnd: uint32(len(block.ids))})
	block.lastHour = sight.hour // the clock never runs backwards
	s.oldest = min(s.oldest, block.lastHour)
	s.link(refTo(s.open, len(block.entries)-1))
}

// mostSpare blocks wait to be used again: where about as many invoices expire as
// come, nothing is allocated.
const mostSpare = 8

// empty returns a block without entries.
func (s *seen) empty() *seenBlock {
	n := len(s.spare) - 1
	if n < 0 {
		return &seenBlock{}
	}
	block := s.spare[n]
	s.spare = s.spare[:n]
	*block = seenBlock{entries: block.entries[:0], ids: block.ids[:0]}
	return block
}

func refTo(number uint32, at int) seenRef { return seenRef(number<<blockBits | uint32(at)) }

// add gives a block a number and its place by first offset.
func (s *seen) add(block *seenBlock, first int64) uint32 {
	var number uint32
	if n := len(s.free); n > 0 {
		number, s.free = s.free[n-1], s.free[:n-1]
		s.blocks[number] = block
	} else {
		number = uint32(len(s.blocks))
		s.blocks = append(s.blocks, block)
	}
	s.byFirst[first] = number
	return number
}

// index makes the indexes anew for records from an offset on. Blocks may
// overlap, and come in any order.
func (s *seen) index(offset int64) {
	s.restored, s.ahead = false, nil
	s.identities.Clear()
	s.others.Clear()
	s.deliveries.Clear()
	for number, block := range s.blocks {
		if block == nil {
			continue
		}
		for at := range block.entries {
			ref := refTo(uint32(number), at)
			block.entries[at].olderDelivery = 0
			if block.entries[at].offset < offset {
				s.link(ref)
			} else {
				s.ahead = append(s.ahead, ref)
			}
		}
	}
	slices.SortFunc(s.ahead, func(a, b seenRef) int {
		return cmp.Or(cmp.Compare(s.entry(a).offset, s.entry(b).offset), cmp.Compare(a, b))
	})
}

// link has an entry found. Of two entries it does not matter which is linked first.
func (s *seen) link(ref seenRef) {
	e := s.entry(ref)
	if newest := s.identities.put(e.identity, ref); newest != 0 {
		if s.entry(newest).offset < e.offset {
			s.linkOther(newest)
		} else {
			s.identities.put(e.identity, newest)
			s.linkOther(ref)
		}
	}
	if e.delivery != 0 {
		e.olderDelivery = s.deliveries.put(e.delivery, ref)
	}
}

func (s *seen) linkOther(ref seenRef) {
	e := s.entry(ref)
	key := pair(e.identity, e.content)
	if other := s.others.get(key); other == 0 || s.entry(other).offset < e.offset {
		s.others.put(key, ref)
	}
}

// write has the next checkpoint write a block.
func (s *seen) write(number uint32) {
	if block := s.blocks[number]; !block.dirty {
		block.dirty = true
		s.unwritten = append(s.unwritten, number)
	}
}

// expire drops the blocks of which no entry counts any more.
func (s *seen) expire(hour int64) {
	if hour-s.oldest <= s.retention || s.oldest == math.MaxInt64 {
		return
	}
	s.oldest = math.MaxInt64
	for number, block := range s.blocks {
		switch {
		case block == nil:
		case hour-block.lastHour > s.retention:
			if first := s.drop(uint32(number)); block.written {
				s.retiring = append(s.retiring, first)
			}
		default:
			s.oldest = min(s.oldest, block.lastHour)
		}
	}
}

// drop forgets a block of which no entry counts any more, so that no older entry
// of their identities does either, and returns its first offset.
func (s *seen) drop(number uint32) (first int64) {
	block := s.blocks[number]
	for at := range block.entries {
		e := &block.entries[at]
		ref := refTo(number, at)
		if !s.identities.DeleteIf(e.identity, uint32(ref)) {
			s.others.DeleteIf(pair(e.identity, e.content), uint32(ref))
		}
		if e.delivery != 0 {
			s.unlinkDelivery(e, ref)
		}
	}
	s.ahead = slices.DeleteFunc(s.ahead, func(r seenRef) bool { return r>>blockBits == seenRef(number) })
	return s.remove(number)
}

// remove takes a block away, which no index may name any more, and returns its
// first offset.
func (s *seen) remove(number uint32) (first int64) {
	block := s.blocks[number]
	first = block.entries[0].offset
	s.blocks[number] = nil
	s.free = append(s.free, number)
	delete(s.byFirst, first)
	if block.dirty {
		s.unwritten = slices.DeleteFunc(s.unwritten, func(n uint32) bool { return n == number })
	}
	if s.open == number {
		s.open = 0
	}
	if len(s.spare) < mostSpare {
		s.spare = append(s.spare, block)
	}
	return first
}

func (s *seen) unlinkDelivery(e *seenEntry, ref seenRef) {
	if e.olderDelivery == 0 && s.deliveries.DeleteIf(e.delivery, uint32(ref)) {
		return // as nearly always
	}
	head := s.deliveries.get(e.delivery)
	switch {
	case head != ref:
		for r := head; r != 0; r = s.entry(r).olderDelivery {
			if newer := s.entry(r); newer.olderDelivery == ref {
				newer.olderDelivery = e.olderDelivery
			}
		}
	default:
		s.deliveries.put(e.delivery, e.olderDelivery)
	}
}

// deliveryHash names a delivery within its seller, never 0 when there is one.
func deliveryHash(inv *invoice.Invoice, hashes *invoice.Hashes) uint64 {
	if inv.DeliveryRef == "" {
		return 0
	}
	return max(index.Mix(hashes.Seller, hashes.DeliveryRef), 1)
}
