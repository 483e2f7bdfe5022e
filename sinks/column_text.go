package sinks

import (
	"encoding/binary"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// text is a column of strings, each behind its length, in one piece of memory.
type text struct {
	data []byte
	rows int
}

func (c *text) add(s string) {
	if len(s) < 0x80 {
		c.data = append(c.data, byte(len(s)))
	} else {
		c.data = binary.AppendUvarint(c.data, uint64(len(s)))
	}
	c.data = append(c.data, s...)
	c.rows++
}

// Type returns ClickHouse's name of the type.
func (c *text) Type() proto.ColumnType { return proto.ColumnTypeString }

// Rows returns how many strings the column holds.
func (c *text) Rows() int { return c.rows }

// EncodeColumn appends the strings as ClickHouse reads them.
func (c *text) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.data) }

// WriteColumn hands the strings to the writer without copying them.
func (c *text) WriteColumn(w *proto.Writer) { w.ChainWrite(c.data) }

func (c *text) pick(rows []stretch) column {
	kept := &text{rows: rowsIn(rows), data: make([]byte, 0, len(c.data))}
	at, row := 0, 0
	to := func(want int) int {
		for ; row < want; row++ {
			at = c.next(at)
		}
		return at
	}
	for _, s := range rows {
		from := to(s.from)
		kept.data = append(kept.data, c.data[from:to(s.to)]...)
	}
	return kept
}

// next returns where the string after the one at this place begins.
func (c *text) next(at int) int {
	length, n := binary.Uvarint(c.data[at:])
	return at + n + int(length)
}

func (c *text) pack(dst []byte) []byte {
	return packBytes(binary.AppendUvarint(dst, uint64(c.rows)), c.data)
}

func (c *text) unpack(src []byte) (rest []byte) {
	rows, n := binary.Uvarint(src)
	c.rows = int(rows)
	c.data, rest = unpackBytes(src[n:])
	return rest
}

func (c *text) reset() { c.data, c.rows = c.data[:0], 0 }

func (c *text) size() int { return len(c.data) }

// interned is a column of strings with few distinct values, a
// LowCardinality(String): a block keeps each distinct value once.
type interned struct {
	names  []string          // distinct values in the order seen; the first is ""
	bytes  int               // length of all names together
	keys   cells             // per row the place of its value in names
	places map[string]uint32 // value → its place; nil after unpack, until the next new value
	last   string            // value of the row before: most rows repeat it
	lastAt uint32            // its place

	// recent holds places of values seen lately, by a cheap hash: rows that
	// alternate between a few values find theirs without the map.
	recent [32]uint32
}

func newInterned() interned {
	return interned{names: []string{""}, keys: newCells("UInt32", 4), places: map[string]uint32{"": 0}}
}

func (c *interned) add(s string) {
	if s != c.last {
		c.look(s)
	}
	c.keys.add32(c.lastAt)
}

// look makes s the last value.
func (c *interned) look(s string) {
	slot := &c.recent[0] // of the empty string: its place is 0
	if len(s) > 0 {
		slot = &c.recent[1+(len(s)+int(s[0])+5*int(s[len(s)-1]))%(len(c.recent)-1)]
	}
	if c.names[*slot] != s {
		*slot = c.place(s)
	}
	c.last, c.lastAt = c.names[*slot], *slot
}

// place returns where s stands in names, after keeping a copy of one never seen.
func (c *interned) place(s string) uint32 {
	if c.places == nil {
		c.places = make(map[string]uint32, len(c.names))
		for place, name := range c.names {
			c.places[name] = uint32(place)
		}
	}
	place, known := c.places[s]
	if !known {
		s = strings.Clone(s)
		place = uint32(len(c.names))
		c.names = append(c.names, s)
		c.bytes += len(s)
		c.places[s] = place
	}
	return place
}

// Type returns ClickHouse's name of the type.
func (c *interned) Type() proto.ColumnType { return "LowCardinality(String)" }

// Rows returns how many values the column holds.
func (c *interned) Rows() int { return c.keys.Rows() }

// The parts of a LowCardinality column on the wire.
const (
	dictionaryVersion  = 1            // values and keys in one block
	dictionaryComplete = 1<<9 | 1<<10 // the values come along, and replace those of the block before
)

// EncodeState appends what stands before the column.
func (c *interned) EncodeState(b *proto.Buffer) { b.PutInt64(dictionaryVersion) }

// EncodeColumn appends the distinct values and the keys, as narrow as possible.
func (c *interned) EncodeColumn(b *proto.Buffer) {
	if c.Rows() == 0 {
		return
	}
	keyType := proto.KeyUInt32
	switch {
	case len(c.names) <= 1<<8:
		keyType = proto.KeyUInt8
	case len(c.names) <= 1<<16:
		keyType = proto.KeyUInt16
	}
	b.PutInt64(dictionaryComplete | int64(keyType))
	b.PutInt64(int64(len(c.names)))
	for _, name := range c.names {
		b.PutString(name)
	}
	b.PutInt64(int64(c.Rows()))
	b.Buf = appendKeys(b.Buf, c.keys.data, keyType)
}

func appendKeys(dst, keys []byte, keyType proto.CardinalityKey) []byte {
	switch keyType {
	case proto.KeyUInt8:
		for i := 0; i < len(keys); i += 4 {
			dst = append(dst, keys[i])
		}
	case proto.KeyUInt16:
		for i := 0; i < len(keys); i += 4 {
			dst = append(dst, keys[i], keys[i+1])
		}
	default:
		dst = append(dst, keys...)
	}
	return dst
}

// WriteColumn writes what EncodeColumn appends.
func (c *interned) WriteColumn(w *proto.Writer) { w.ChainBuffer(c.EncodeColumn) }

func (c *interned) pick(rows []stretch) column {
	kept := *c
	kept.keys = c.keys.picked(rows)
	return &kept
}

func (c *interned) pack(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.names)))
	for _, name := range c.names {
		dst = packBytes(dst, []byte(name))
	}
	return c.keys.pack(dst)
}

func (c *interned) unpack(src []byte) []byte {
	count, n := binary.Uvarint(src)
	src = src[n:]
	c.names, c.bytes = make([]string, count), 0
	for i := range c.names {
		var name []byte
		name, src = unpackBytes(src)
		c.names[i] = string(name)
		c.bytes += len(name)
	}
	c.places, c.last, c.lastAt, c.recent = nil, "", 0, [32]uint32{}
	return c.keys.unpack(src)
}

func (c *interned) reset() {
	if c.places != nil {
		clear(c.places)
		c.places[""] = 0
	}
	clear(c.names[1:])
	c.names, c.bytes = c.names[:1], 0
	c.last, c.lastAt, c.recent = "", 0, [32]uint32{}
	c.keys.reset()
}

// nameBytes is about what a distinct value takes besides its letters.
const nameBytes = 64

func (c *interned) size() int { return c.keys.size() + c.bytes + nameBytes*len(c.names) }

// list is a column of arrays.
type list struct {
	ends   cells // per row the number of elements up to its end
	values column
	count  uint64 // elements in all rows
}

func newList(values column) list { return list{ends: newCells("UInt64", 8), values: values} }

// end closes the array of one row, whose n elements were just added.
func (c *list) end(n int) {
	c.count += uint64(n)
	c.ends.add64(c.count)
}

// Type returns ClickHouse's name of the type.
func (c *list) Type() proto.ColumnType { return "Array(" + c.values.Type() + ")" }

// Rows returns how many arrays the column holds.
func (c *list) Rows() int { return c.ends.Rows() }

// EncodeState appends what stands before the column.
func (c *list) EncodeState(b *proto.Buffer) {
	if values, ok := c.values.(proto.StateEncoder); ok {
		values.EncodeState(b)
	}
}

// EncodeColumn appends the ends and the elements.
func (c *list) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.values.EncodeColumn(b)
}

// WriteColumn writes what EncodeColumn appends.
func (c *list) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.values.WriteColumn(w)
}

func (c *list) pick(rows []stretch) column {
	kept := &list{ends: newCells(c.ends.kind, c.ends.width)}
	elements := make([]stretch, 0, len(rows))
	for _, s := range rows {
		from := c.endOf(s.from - 1)
		for row := s.from; row < s.to; row++ {
			kept.ends.add64(kept.count + uint64(c.endOf(row)-from))
		}
		elements = append(elements, stretch{from, c.endOf(s.to - 1)})
		kept.count += uint64(c.endOf(s.to-1) - from)
	}
	kept.values = c.values.pick(elements)
	return kept
}

// endOf returns the number of elements up to the end of a row, 0 before the first.
func (c *list) endOf(row int) int {
	if row < 0 {
		return 0
	}
	return int(binary.LittleEndian.Uint64(c.ends.data[8*row:]))
}

func (c *list) pack(dst []byte) []byte { return c.values.pack(c.ends.pack(dst)) }

func (c *list) unpack(src []byte) []byte {
	src = c.ends.unpack(src)
	c.count = uint64(c.endOf(c.ends.Rows() - 1))
	return c.values.unpack(src)
}

func (c *list) reset() {
	c.ends.reset()
	c.values.reset()
	c.count = 0
}

func (c *list) size() int { return c.ends.size() + c.values.size() }
