package sinks

import (
	"encoding/binary"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// column is one column of a block, kept in the form ClickHouse reads: adding a
// value appends bytes, and an insert only copies them. Indexes are rows,
// ascending.
type column interface {
	proto.ColInput
	// pick returns a column of these rows. It may share memory with this one, which
	// must not grow afterwards.
	pick(rows []stretch) column
	// pack appends the column's content to dst, for unpack of an empty column of
	// the same kind.
	pack(dst []byte) []byte
	// unpack takes the content from src and returns what is left of src. The
	// column shares memory with src until it grows.
	unpack(src []byte) []byte
	// reset empties the column and keeps its memory.
	reset()
	// size returns about how many bytes of memory the content takes.
	size() int
}

// stretch is neighbouring rows: from the first up to the one before to. Those of one
// list ascend.
type stretch struct{ from, to int }

// stretchesOf joins neighbouring rows, which ascend.
func stretchesOf(rows []int) (stretches []stretch) {
	for i, row := range rows {
		if i > 0 && row == rows[i-1]+1 {
			stretches[len(stretches)-1].to++
			continue
		}
		stretches = append(stretches, stretch{row, row + 1})
	}
	return stretches
}

func rowsIn(stretches []stretch) (n int) {
	for _, s := range stretches {
		n += s.to - s.from
	}
	return n
}

// cells is a column of values of one fixed width: numbers, instants, flags.
type cells struct {
	kind  proto.ColumnType
	width int
	data  []byte // little-endian
}

func newCells(kind proto.ColumnType, width int) cells { return cells{kind: kind, width: width} }

func (c *cells) add8(v uint8)   { c.data = append(c.data, v) }
func (c *cells) add16(v uint16) { c.data = binary.LittleEndian.AppendUint16(c.data, v) }
func (c *cells) add32(v uint32) { c.data = binary.LittleEndian.AppendUint32(c.data, v) }
func (c *cells) add64(v uint64) { c.data = binary.LittleEndian.AppendUint64(c.data, v) }

func (c *cells) addBool(v bool) {
	if v {
		c.add8(1)
	} else {
		c.add8(0)
	}
}

// Type returns ClickHouse's name of the type.
func (c *cells) Type() proto.ColumnType { return c.kind }

// Rows returns how many values the column holds.
func (c *cells) Rows() int { return len(c.data) / c.width }

// EncodeColumn appends the values as ClickHouse reads them.
func (c *cells) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.data) }

// WriteColumn hands the values to the writer without copying them.
func (c *cells) WriteColumn(w *proto.Writer) { w.ChainWrite(c.data) }

func (c *cells) pick(rows []stretch) column {
	kept := c.picked(rows)
	return &kept
}

func (c *cells) picked(rows []stretch) cells {
	kept := cells{kind: c.kind, width: c.width, data: make([]byte, 0, rowsIn(rows)*c.width)}
	for _, s := range rows {
		kept.data = append(kept.data, c.data[s.from*c.width:s.to*c.width]...)
	}
	return kept
}

func (c *cells) pack(dst []byte) []byte { return packBytes(dst, c.data) }

func (c *cells) unpack(src []byte) (rest []byte) {
	c.data, rest = unpackBytes(src)
	return rest
}

func (c *cells) reset() { c.data = c.data[:0] }

func (c *cells) size() int { return len(c.data) }

// decimals is a column of exact decimals that are kept as int64 and sent as the
// 128 bits of a Decimal with 19 digits, which holds every int64.
type decimals struct{ cells }

// The types of the two exact decimals of package invoice.
const (
	typeAmount = "Decimal(19, 4)" // invoice.Amount
	typeFixed  = "Decimal(19, 8)" // invoice.Fixed
)

func newDecimals(kind proto.ColumnType) decimals { return decimals{newCells(kind, 8)} }

func (c *decimals) add(v int64) { c.add64(uint64(v)) }

// EncodeColumn appends the values with their sign extended to 128 bits.
func (c *decimals) EncodeColumn(b *proto.Buffer) {
	b.Buf = slices.Grow(b.Buf, 2*len(c.data))
	for data := c.data; len(data) >= 8; data = data[8:] {
		v := binary.LittleEndian.Uint64(data)
		b.Buf = binary.LittleEndian.AppendUint64(b.Buf, v)
		b.Buf = binary.LittleEndian.AppendUint64(b.Buf, uint64(int64(v)>>63))
	}
}

// WriteColumn writes what EncodeColumn appends.
func (c *decimals) WriteColumn(w *proto.Writer) { w.ChainBuffer(c.EncodeColumn) }

func (c *decimals) pick(rows []stretch) column { return &decimals{c.picked(rows)} }

// nullable is a column of values that may be absent.
type nullable struct {
	values cellColumn
	absent []byte // 1 for each absent value
}

// cellColumn is a column of 64-bit values: cells or decimals.
type cellColumn interface {
	column
	add64(v uint64)
}

func (c *nullable) add(v int64, set bool) {
	if set {
		c.values.add64(uint64(v))
		c.absent = append(c.absent, 0)
		return
	}
	c.values.add64(0)
	c.absent = append(c.absent, 1)
}

// Type returns ClickHouse's name of the type.
func (c *nullable) Type() proto.ColumnType { return "Nullable(" + c.values.Type() + ")" }

// Rows returns how many values the column holds, absent ones included.
func (c *nullable) Rows() int { return len(c.absent) }

// EncodeColumn appends the mask of absent values and the values.
func (c *nullable) EncodeColumn(b *proto.Buffer) {
	b.PutRaw(c.absent)
	c.values.EncodeColumn(b)
}

// WriteColumn writes what EncodeColumn appends.
func (c *nullable) WriteColumn(w *proto.Writer) {
	w.ChainWrite(c.absent)
	c.values.WriteColumn(w)
}

func (c *nullable) pick(rows []stretch) column {
	kept := &nullable{values: c.values.pick(rows).(cellColumn), absent: make([]byte, 0, rowsIn(rows))}
	for _, s := range rows {
		kept.absent = append(kept.absent, c.absent[s.from:s.to]...)
	}
	return kept
}

func (c *nullable) pack(dst []byte) []byte { return c.values.pack(packBytes(dst, c.absent)) }

func (c *nullable) unpack(src []byte) []byte {
	c.absent, src = unpackBytes(src)
	return c.values.unpack(src)
}

func (c *nullable) reset() {
	c.absent = c.absent[:0]
	c.values.reset()
}

func (c *nullable) size() int { return len(c.absent) + c.values.size() }

// packBytes appends a length and the bytes.
func packBytes(dst, data []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(data))), data...)
}

// unpackBytes takes what packBytes appended from the front of src.
func unpackBytes(src []byte) (data, rest []byte) {
	length, n := binary.Uvarint(src)
	end := n + int(length)
	return src[n:end:end], src[end:]
}
