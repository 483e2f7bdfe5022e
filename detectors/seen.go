package detectors

import (
	"math"

	"github.com/cespare/xxhash/v2"

	"recoup/invoice"
)

// blockEntries is the most entries of one block: a stored record stays below
// a few dozen kilobytes.
const blockEntries = 1 << blockBits

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
type seen struct {
	retention  int64 // hours
	blocks     []*seenBlock
	free       []uint32           // numbers of dropped blocks, to be used again
	byFirst    map[int64]uint32   // first offset → block number
	open       uint32             // block that takes entries, 0 for none
	unwritten  []uint32           // blocks the next checkpoint writes
	retired    []int64            // blocks to tombstone: expired before the checkpoint before
	retiring   []int64            // blocks that expired since
	oldest     int64              // lowest lastHour of all blocks
	identities map[uint64]seenRef // newest entry of an identity
	deliveries map[uint64]seenRef // newest entry of a delivery
}

// seenRef names an entry: block number and place within it. Block 0 does not
// exist, so 0 is no entry.
type seenRef uint32

// seenEntry is one invoice. The entries of one identity, or delivery, are
// chained from the newest added to the oldest.
type seenEntry struct {
	identity, content uint64
	delivery          uint64 // hash of seller and delivery_ref; 0: none
	offset            int64
	olderIdentity     seenRef
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
	return &seen{retention: retentionHours, blocks: make([]*seenBlock, 1), byFirst: map[int64]uint32{},
		identities: map[uint64]seenRef{}, deliveries: map[uint64]seenRef{}, oldest: math.MaxInt64}
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

// look finds what is known of the record at offset.
func (s *seen) look(sight *sighting, offset int64) {
	sight.again, sight.changed, sight.registered, sight.first = false, false, false, 0
	for r := s.identities[sight.identity]; r != 0; {
		e := s.entry(r)
		switch {
		case e.offset == offset:
			sight.registered = true
		case e.offset < offset && s.counts(e, sight.hour):
			sight.again = sight.again || e.content == sight.content
			sight.changed = true
		}
		r = e.olderIdentity
	}
	sight.changed = sight.changed && !sight.again
	if sight.delivery == 0 {
		return
	}
	firstOffset := offset
	for r := s.deliveries[sight.delivery]; r != 0; {
		e := s.entry(r)
		if e.offset < firstOffset && s.counts(e, sight.hour) {
			sight.first, firstOffset = r, e.offset
		}
		r = e.olderDelivery
	}
}

func (s *seen) counts(e *seenEntry, hour int64) bool { return hour-int64(e.hour) <= s.retention }

// register remembers a record. id is kept beside its delivery.
func (s *seen) register(sight *sighting, offset int64, id string) {
	if sight.registered {
		return
	}
	if s.open == 0 || len(s.blocks[s.open].entries) == blockEntries {
		s.open = s.add(&seenBlock{}, offset)
		s.write(s.open)
	}
	block := s.blocks[s.open]
	if sight.delivery != 0 {
		block.ids = append(block.ids, id...)
	}
	block.entries = append(block.entries, seenEntry{identity: sight.identity, content: sight.content,
		delivery: sight.delivery, offset: offset, hour: int32(sight.hour), idEnd: uint32(len(block.ids))})
	s.link(s.open, len(block.entries)-1)
}

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

// link puts an entry in front of its chains.
func (s *seen) link(number uint32, at int) {
	block := s.blocks[number]
	e := &block.entries[at]
	ref := seenRef(number<<blockBits | uint32(at))
	e.olderIdentity = s.identities[e.identity]
	s.identities[e.identity] = ref
	if e.delivery != 0 {
		e.olderDelivery = s.deliveries[e.delivery]
		s.deliveries[e.delivery] = ref
	}
	block.lastHour = max(block.lastHour, int64(e.hour))
	if at == 0 {
		block.lastHour = int64(e.hour)
	}
	s.oldest = min(s.oldest, block.lastHour)
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

// drop forgets a block and returns its first offset.
func (s *seen) drop(number uint32) (first int64) {
	block := s.blocks[number]
	for at := range block.entries {
		e := &block.entries[at]
		ref := seenRef(number<<blockBits | uint32(at))
		s.unlinkIdentity(e, ref)
		if e.delivery != 0 {
			s.unlinkDelivery(e, ref)
		}
	}
	first = block.entries[0].offset
	s.blocks[number] = nil
	s.free = append(s.free, number)
	delete(s.byFirst, first)
	if block.dirty {
		kept := s.unwritten[:0]
		for _, n := range s.unwritten {
			if n != number {
				kept = append(kept, n)
			}
		}
		s.unwritten = kept
	}
	if s.open == number {
		s.open = 0
	}
	return first
}

func (s *seen) unlinkIdentity(e *seenEntry, ref seenRef) {
	head := s.identities[e.identity]
	if head != ref {
		for s.entry(head).olderIdentity != ref {
			head = s.entry(head).olderIdentity
		}
		s.entry(head).olderIdentity = e.olderIdentity
		return
	}
	if e.olderIdentity == 0 {
		delete(s.identities, e.identity)
		return
	}
	s.identities[e.identity] = e.olderIdentity
}

func (s *seen) unlinkDelivery(e *seenEntry, ref seenRef) {
	head := s.deliveries[e.delivery]
	if head != ref {
		for s.entry(head).olderDelivery != ref {
			head = s.entry(head).olderDelivery
		}
		s.entry(head).olderDelivery = e.olderDelivery
		return
	}
	if e.olderDelivery == 0 {
		delete(s.deliveries, e.delivery)
		return
	}
	s.deliveries[e.delivery] = e.olderDelivery
}

// deliveryHash names a delivery within its seller, never 0 when there is one.
func deliveryHash(inv *invoice.Invoice, scratch []byte) (hash uint64, buf []byte) {
	if inv.DeliveryRef == "" {
		return 0, scratch
	}
	scratch = appendKeyPart(scratch[:0], inv.Seller)
	scratch = appendKeyPart(scratch, inv.DeliveryRef)
	return max(xxhash.Sum64(scratch), 1), scratch
}
