package sinks

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/klauspost/compress/s2"

	"recoup/detectors"
	"recoup/invoice"
)

// Block collects the rows of consecutive invoices of one partition as
// ClickHouse columns. Use Store.NewBlock to make one. It is used by one
// goroutine at a time.
type Block struct {
	rows   *blockRows // nil while the block is sealed
	packed []byte     // the rows, compressed, while the block is sealed

	// What must be known without unpacking, one entry per invoice.
	offsets  []int64
	suspects []bool
	days     []uint16 // cohort day, days since 1970
	lines    []uint32 // number of lines

	size    int // bytes of the rows as last counted
	sizedAt int // rows when it was counted

	salted bool  // salt was set by the first Insert
	salt   int64 // removals from the partition before that, see token
	stored bool  // an insert was acknowledged: the rows are gone

	sent map[string]int // by the token of an insert: how often its rows were sent
}

// blockRows are the columns of both tables.
type blockRows struct {
	invoices *invoiceColumns
	lines    *lineColumns
	filled   int // the most bytes that were in them: about what they hold when empty
}

func newBlockRows() *blockRows {
	return &blockRows{invoices: newInvoiceColumns(), lines: newLineColumns()}
}

func newBlock() *Block { return &Block{rows: spareRows.take(), sent: map[string]int{}} }

// release hands the memory of the rows to the next block.
func (b *Block) release() {
	if b.rows != nil {
		spareRows.keep(b.rows, b.unpackedBytes())
	}
	b.rows, b.packed = nil, nil
}

// Append adds one scored invoice and its lines; it copies all it keeps.
// received is Kafka's record timestamp in Unix milliseconds.
func (b *Block) Append(inv *invoice.Invoice, v *detectors.Verdict, received int64) {
	if b.rows == nil {
		panic("sinks: Append on a sealed block")
	}
	day := cohortDay(inv.IssuedAt, received)
	b.rows.invoices.add(inv, v, received, day)
	b.rows.lines.add(inv, v.Source, day)
	b.offsets = append(b.offsets, v.Source.Offset)
	b.suspects = append(b.suspects, v.Suspect)
	b.days = append(b.days, day)
	b.lines = append(b.lines, uint32(len(inv.Lines)))
}

// Rows returns how many invoices the block holds.
func (b *Block) Rows() int { return len(b.offsets) }

// recount is how many rows Bytes may be behind: counting visits every column.
const recount = 64

// rowIndexBytes is what a row takes in the slices that are never compressed.
const rowIndexBytes = 8 + 1 + 2 + 4

// Bytes returns about how much memory the block holds.
func (b *Block) Bytes() int {
	index := rowIndexBytes * len(b.offsets)
	if b.rows == nil {
		return cap(b.packed) + index
	}
	return b.unpackedBytes() + index
}

// unpackedBytes returns about how much the rows of the block take unpacked.
func (b *Block) unpackedBytes() int {
	if b.rows != nil && (len(b.offsets) < recount || len(b.offsets)-b.sizedAt >= recount || len(b.offsets) < b.sizedAt) {
		b.size, b.sizedAt = 0, len(b.offsets)
		for _, c := range b.rows.named() {
			b.size += c.size()
		}
	}
	return b.size
}

// named returns the columns of both tables.
func (r *blockRows) named() []named { return append(r.invoices.named(), r.lines.named()...) }

// pick returns the columns of both tables for some of the invoices.
func (b *Block) pick(r *blockRows, invoices []int) (rows, lines []named) {
	return pickAll(r.invoices.named(), stretchesOf(invoices)), pickAll(r.lines.named(), b.lineRows(invoices))
}

func pickAll(columns []named, rows []stretch) []named {
	picked := make([]named, len(columns))
	for i, c := range columns {
		picked[i] = named{c.name, c.pick(rows)}
	}
	return picked
}

// Seal compresses the block while it waits; no Append may follow.
func (b *Block) Seal() {
	if b.rows == nil {
		return
	}
	raw := packAll(b.rows.named())
	b.size, b.sizedAt = len(raw), len(b.offsets)
	packed := s2.Encode(nil, raw)
	b.release()
	b.packed = bytes.Clone(packed) // s2 allocates for the worst case
}

func packAll(columns []named) []byte {
	size := 0
	for _, c := range columns {
		size += c.size() + 2*binary.MaxVarintLen64
	}
	raw := make([]byte, 0, size)
	for _, c := range columns {
		raw = c.pack(raw)
	}
	return raw
}

func unpackAll(raw []byte) *blockRows {
	rows := newBlockRows()
	for _, c := range rows.named() {
		raw = c.unpack(raw)
	}
	return rows
}

// unpacked returns the rows, which a sealed block does not keep.
func (b *Block) unpacked() *blockRows {
	if b.rows != nil {
		return b.rows
	}
	raw, err := s2.Decode(nil, b.packed)
	if err != nil {
		panic("sinks: sealed block is damaged: " + err.Error())
	}
	return unpackAll(raw)
}

// Drop removes the invoices at these source offsets, their lines too.
func (b *Block) Drop(offsets map[int64]bool) {
	var kept []int
	for i, offset := range b.offsets {
		if !offsets[offset] {
			kept = append(kept, i)
		}
	}
	if len(kept) == len(b.offsets) || b.stored {
		return
	}
	sealed := b.rows == nil
	rows, lines := b.pick(b.unpacked(), kept)
	b.rows = unpackAll(packAll(append(rows, lines...)))
	for to, from := range kept {
		b.offsets[to], b.suspects[to] = b.offsets[from], b.suspects[from]
		b.days[to], b.lines[to] = b.days[from], b.lines[from]
	}
	b.offsets, b.suspects = b.offsets[:len(kept)], b.suspects[:len(kept)]
	b.days, b.lines = b.days[:len(kept)], b.lines[:len(kept)]
	b.sizedAt = math.MaxInt
	if sealed {
		b.Seal()
	}
}

// Suspects returns source offset → suspect of every row.
func (b *Block) Suspects() map[int64]bool {
	suspects := make(map[int64]bool, len(b.offsets))
	for i, offset := range b.offsets {
		suspects[offset] = b.suspects[i]
	}
	return suspects
}

// lineRows returns the rows of invoice_lines that belong to these invoices.
func (b *Block) lineRows(invoices []int) []stretch {
	var rows []stretch
	first, next := 0, 0
	for _, i := range invoices {
		for ; next < i; next++ {
			first += int(b.lines[next])
		}
		if last := len(rows) - 1; last >= 0 && rows[last].to == first {
			rows[last].to += int(b.lines[i])
		} else {
			rows = append(rows, stretch{first, first + int(b.lines[i])})
		}
	}
	return rows
}

const (
	dayMillis = 24 * 60 * 60 * 1000
	lastDay   = math.MaxUint16 // 2149-06-06, the last Date of ClickHouse
)

// cohortDay is the day an invoice counts for: that of its issue, or that of its
// arrival when the issue lies more than a day after it or before 1970.
func cohortDay(issued time.Time, received int64) uint16 {
	millis := issued.UnixMilli()
	if received > 0 && (millis < 0 || millis > received+dayMillis) {
		millis = received
	}
	return uint16(max(0, min(millis/dayMillis, lastDay)))
}

// monthOf returns the partition of a cohort day, as toYYYYMM does.
func monthOf(day uint16) int {
	year, month, _ := time.Unix(int64(day)*dayMillis/1000, 0).UTC().Date()
	return year*100 + int(month)
}

func floatBits(f float64) uint64 { return math.Float64bits(f) }
