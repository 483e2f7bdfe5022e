package detectors

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// seenPrefix begins the keys of blocks in recoup.state; the block's first
// source offset follows.
const seenPrefix = "seen|"

func seenKey(first int64) []byte { return strconv.AppendInt([]byte(seenPrefix), first, 10) }

// parseSeenKey reads a key that seenKey wrote.
func parseSeenKey(key []byte) (first int64, ok bool) {
	digits, ok := strings.CutPrefix(string(key), seenPrefix)
	if !ok {
		return 0, false
	}
	first, err := strconv.ParseInt(digits, 10, 64)
	return first, err == nil
}

// append writes the stored form of a block: how many entries, then of each the
// offset and hour as differences from the entry before, identity and content,
// and 1 + the length of the invoice_id with the delivery and the id behind it,
// or 0 without a delivery.
func (b *seenBlock) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b.entries)))
	var offset, hour int64
	var start uint32
	for i := range b.entries {
		e := &b.entries[i]
		dst = binary.AppendUvarint(dst, uint64(e.offset-offset))
		dst = binary.AppendVarint(dst, int64(e.hour)-hour)
		offset, hour = e.offset, int64(e.hour)
		dst = binary.LittleEndian.AppendUint64(dst, e.identity)
		dst = binary.LittleEndian.AppendUint64(dst, e.content)
		if e.delivery == 0 {
			dst = append(dst, 0)
		} else {
			id := b.ids[start:e.idEnd]
			dst = binary.AppendUvarint(dst, uint64(len(id))+1)
			dst = binary.LittleEndian.AppendUint64(dst, e.delivery)
			dst = append(dst, id...)
		}
		start = e.idEnd
	}
	return dst
}

// decodeSeenBlock reads what append wrote.
func decodeSeenBlock(data []byte, first int64) (*seenBlock, error) {
	r := stateReader{rest: data}
	n := r.uvarint()
	if n < 1 || n > blockEntries {
		return nil, fmt.Errorf("it claims %d entries, a block has 1 to %d", n, blockEntries)
	}
	b := &seenBlock{entries: make([]seenEntry, 0, n), written: true, lastHour: math.MinInt32}
	var offset, hour int64
	for range n {
		offset += int64(r.uvarint())
		hour += r.varint()
		e := seenEntry{offset: offset, hour: int32(hour), identity: r.fixed(), content: r.fixed()}
		if length := r.uvarint(); length > 0 {
			e.delivery = r.fixed()
			b.ids = append(b.ids, r.bytes(length-1)...)
		}
		if r.failed || hour < math.MinInt32 || hour > math.MaxInt32 {
			return nil, fmt.Errorf("entry %d is cut off or damaged", len(b.entries))
		}
		e.idEnd = uint32(len(b.ids))
		b.entries = append(b.entries, e)
		b.lastHour = max(b.lastHour, hour)
	}
	if len(r.rest) > 0 || b.entries[0].offset != first {
		return nil, fmt.Errorf("it does not fit its key")
	}
	return b, nil
}

// restore takes over a block from the state topic, or forgets it (nil). A later
// form of the same block replaces an earlier one. The next look makes the indexes.
func (s *seen) restore(first int64, value []byte) error {
	s.restored = true
	if number, ok := s.byFirst[first]; ok {
		s.remove(number)
	}
	if value == nil {
		return nil
	}
	block, err := decodeSeenBlock(value, first)
	if err != nil {
		return fmt.Errorf("cannot restore state key %q: %w; delete the key to go on without its invoices",
			seenKey(first), err)
	}
	s.add(block, first)
	s.oldest = min(s.oldest, block.lastHour)
	return nil
}

// checkpoint appends the records of all blocks that are not written yet, and
// tombstones of those that had expired when the last checkpoint was taken:
// whoever replays from there no longer needs them.
func (s *seen) checkpoint(out []StateRecord) []StateRecord {
	for _, number := range s.unwritten {
		block := s.blocks[number]
		block.dirty, block.written = false, true
		first := block.entries[0].offset
		out = append(out, StateRecord{Key: seenKey(first), Value: block.append(nil)})
	}
	for _, first := range s.retired {
		if _, again := s.byFirst[first]; !again {
			out = append(out, StateRecord{Key: seenKey(first)})
		}
	}
	s.unwritten = s.unwritten[:0]
	s.retired, s.retiring = s.retiring, s.retired[:0]
	s.open = 0
	return out
}

// changed returns how many records checkpoint would write.
func (s *seen) changed() int { return len(s.unwritten) + len(s.retired) }

// markDirty has a block written again, or its tombstone if there is none.
func (s *seen) markDirty(first int64) {
	if number, ok := s.byFirst[first]; ok {
		s.write(number)
		return
	}
	s.retired = append(s.retired, first)
}
