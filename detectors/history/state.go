package history

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// bucketBits gives how many buckets a store has. A bucket holds the items of
// every kind whose keys begin with the same bits and is what one state record
// holds: enough of them that a record stays below Kafka's usual limit of 1 MiB
// (about 400 kB when all tables are full), few enough that a checkpoint writes far
// fewer records than there were invoices, however many lines they have.
const bucketBits = 10

const buckets = 1 << bucketBits

func bucketOf(key uint64) uint16 { return uint16(key >> (64 - bucketBits)) }

// marks are what is known of each bucket as a whole.
//
// What an invoice teaches depends on much of what was known before it, so replay
// must start from all of that and from nothing later. Every bucket therefore has
// two slots in the state topic, and a checkpoint writes into the one that the
// checkpoint before does not need. Until its marker is stored the older one is
// whole; which of the two counts, the marker's offset says.
type marks struct {
	buckets [buckets]mark
	dirty   []uint16 // in the order of their first change
}

type mark struct {
	live  uint8 // slot that the last checkpoint needs, 0 or 1
	dirty bool  // in marks.dirty: the next checkpoint writes the other one
	again bool  // and the one after that the live one, as somebody else wrote there
}

func (m *marks) change(number uint16) {
	if b := &m.buckets[number]; !b.dirty {
		b.dirty = true
		m.dirty = append(m.dirty, number)
	}
}

// KeyPrefix and MetPrefix begin the keys of buckets in the state topic, those of which
// segments were met the latter; the bucket's number follows in four digits, then "|" and
// its slot, 0 or 1. An older recoup passes over keys that it does not know, but learns
// anew what stands under the others in a form that it does not know.
const (
	KeyPrefix = "history|"
	MetPrefix = "met|"
)

// shelf is the kinds of items whose buckets are stored together.
type shelf struct {
	prefix   string // of its keys
	format   byte   // first byte of a bucket's stored form
	marks    marks
	tables   []bucketed            // in the order in which they are stored
	restored map[uint16]*[2]stored // by bucket: what waits for adopt
	scratch  []byte
}

func (s *shelf) keyOf(number uint16, slot uint8) []byte {
	return fmt.Appendf(nil, "%s%04d|%d", s.prefix, number, slot)
}

// parseKey reads a key that keyOf wrote.
func (s *shelf) parseKey(key []byte) (number uint16, slot uint8, ok bool) {
	rest, ok := strings.CutPrefix(string(key), s.prefix)
	if !ok || len(rest) != len("0123|0") || rest[4] != '|' || (rest[5] != '0' && rest[5] != '1') {
		return 0, 0, false
	}
	n, err := strconv.ParseUint(rest[:4], 10, 16)
	return uint16(n), rest[5] - '0', err == nil && n < buckets
}

// format and metFormat begin a bucket's stored form under KeyPrefix and MetPrefix. They
// rise whenever an item's stored form or meaning changes: the coder's methods say what
// it is.
const (
	format    = 7
	metFormat = 1
)

// Changed returns how many buckets Checkpoint would write now.
func (s *Store) Changed() int { return len(s.marks.dirty) + len(s.segments.marks.dirty) }

// Checkpoint calls write with key and value of every bucket that changed since
// the one before, whose records and marker must be stored by now; nil is an empty
// bucket. The bytes are the callee's.
func (s *Store) Checkpoint(write func(key, value []byte)) {
	s.shelf.checkpoint(write)
	s.segments.checkpoint(write)
}

func (s *shelf) checkpoint(write func(key, value []byte)) {
	again := s.marks.dirty[:0]
	for _, number := range s.marks.dirty {
		b := &s.marks.buckets[number]
		b.live ^= 1
		write(s.keyOf(number, b.live), s.encode(number))
		if b.dirty, b.again = b.again, false; b.dirty {
			again = append(again, number)
		}
	}
	s.marks.dirty = again
}

// encode returns the stored form of a bucket: the format, how many bits number a
// bucket, and of each kind how many items there are, each with its key, in the
// order of the keys. Equal buckets give equal bytes.
func (s *shelf) encode(number uint16) []byte {
	c := coder{bytes: append(s.scratch[:0], s.format, bucketBits)}
	items := 0
	for _, t := range s.tables {
		items += t.write(&c, number)
	}
	s.scratch = c.bytes
	if items == 0 {
		return nil
	}
	return append([]byte(nil), c.bytes...)
}

// stored is what the state topic holds of one slot.
type stored struct {
	value   []byte // nil: nothing
	applied int64  // offset of the checkpoint that wrote it
}

// Restore takes note of what Checkpoint wrote, nil for what was forgotten. applied
// is the offset of that checkpoint. Nothing of it counts before Adopt; until then
// the store keeps value.
func (s *Store) Restore(key, value []byte, applied int64) error {
	if strings.HasPrefix(string(key), s.segments.prefix) {
		return s.segments.restore(key, value, applied)
	}
	return s.shelf.restore(key, value, applied)
}

func (s *shelf) restore(key, value []byte, applied int64) error {
	number, slot, ok := s.parseKey(key)
	if !ok {
		return fmt.Errorf("cannot restore state key %q: want %s, a number from 0000 to %04d and a slot, |0 or |1; "+
			"delete the key to go on without its statistics", key, s.prefix, buckets-1)
	}
	if value != nil && (len(value) < 2 || value[0] != s.format || value[1] != bucketBits) {
		return fmt.Errorf("cannot restore state key %q: it begins with %v, want %v, the present format; "+
			"run the recoup that wrote it, or go on: its statistics are learned anew",
			key, value[:min(2, len(value))], [...]byte{s.format, bucketBits})
	}
	if s.restored == nil {
		s.restored = map[uint16]*[2]stored{}
	}
	if s.restored[number] == nil {
		s.restored[number] = new([2]stored)
	}
	s.restored[number][slot] = stored{value, applied}
	return nil
}

// Adopt makes what was restored the state as of offset, the marker's: of each
// bucket the newest record that is not ahead of it. It is called once, before
// anything is taught. The buckets of records that cannot be read are empty, and
// learned anew; the error names them.
func (s *Store) Adopt(offset int64) error {
	return errors.Join(s.shelf.adopt(offset), s.segments.adopt(offset))
}

func (s *shelf) adopt(offset int64) error {
	var damaged []error
	for number := range uint16(buckets) {
		slots := s.restored[number]
		if slots == nil {
			continue
		}
		b := &s.marks.buckets[number]
		held := func(slot uint8) bool { return slots[slot].value != nil && slots[slot].applied <= offset }
		if b.live = 0; held(1) && (!held(0) || slots[1].applied > slots[0].applied) {
			b.live = 1
		}
		for slot := range uint8(2) {
			if slots[slot].value != nil && slots[slot].applied > offset {
				s.markDirty(number, slot) // its marker never came, and must not seem to come later
			}
		}
		if !held(b.live) {
			continue
		}
		if !s.decode(number, slots[b.live].value) {
			for _, t := range s.tables {
				t.clear(number)
			}
			damaged = append(damaged, fmt.Errorf("cannot restore state key %q of offset %d: it is cut off or damaged; "+
				"its statistics are learned anew", s.keyOf(number, b.live), slots[b.live].applied))
		}
	}
	s.restored = nil
	return errors.Join(damaged...)
}

// decode reads what encode wrote, and tells whether it could.
func (s *shelf) decode(number uint16, value []byte) bool {
	c := coder{bytes: value[2:], reading: true}
	for _, t := range s.tables {
		t.read(&c, number)
	}
	return !c.failed && len(c.bytes) == 0
}

// MarkDirty has a key written again: an older owner wrote it late. Keys of no
// bucket are left alone.
func (s *Store) MarkDirty(key []byte) {
	for _, in := range [...]*shelf{&s.shelf, &s.segments} {
		if number, slot, ok := in.parseKey(key); ok {
			in.markDirty(number, slot)
		}
	}
}

func (s *shelf) markDirty(number uint16, slot uint8) {
	b := &s.marks.buckets[number]
	b.again = b.again || slot == b.live
	s.marks.change(number)
}
