package detectors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// CountPrefix begins the keys of counts in recoup.baselines: "count|acme|release|r42",
// or "count|read" for how far a partition was read. They are advisory: no verdict
// depends on them.
const CountPrefix = "count|"

// readKey is the key of a ReadMark.
const readKey = CountPrefix + "read"

// BucketLength is the event time that one bucket of counts spans.
const BucketLength = 5 * time.Minute

// bucketsAWeek is how many buckets a cell of the past spans.
const bucketsAWeek = int64(7 * 24 * time.Hour / BucketLength)

const (
	// mostRecent is how many buckets of a value are kept apart: those with invoices,
	// the newest. What is older is kept by week.
	mostRecent = 24
	// mostWeeks is how many weeks are kept: 28 days and the one that has begun.
	mostWeeks = 5
)

// countCauses are the causes that suspects are counted by: the code of the first.
var countCauses = [...]string{CauseDataEntry, CauseBillingSystem, CausePromotion, CauseCRMSync, CauseDuplicate,
	CausePriceList, CauseBeforeShipment, CauseMissingAdminData, CauseUnknown}

// Causes is how many causes suspects are counted by.
const Causes = len(countCauses)

// CauseAt returns the code of a cause by its place in Tally.Suspects.
func CauseAt(i int) string { return countCauses[i] }

// CauseIndex is where a cause code is counted; a code nobody knows with CauseUnknown.
func CauseIndex(code string) int {
	if at := slices.Index(countCauses[:], code); at >= 0 {
		return at
	}
	return Causes - 1
}

// Tally is what was counted of invoices. Canaries, drafts and documents that correct
// an invoice are not in it.
type Tally struct {
	Invoices uint32         // scored
	TooLow   uint32         // suspects billed too little
	TooHigh  uint32         // suspects billed too much
	Suspects [Causes]uint32 // by the code of the first cause
	PError   uint64         // sum of p_error over all invoices, in millionths
}

// Add counts what o has counted too.
func (t *Tally) Add(o *Tally) {
	t.Invoices += o.Invoices
	t.TooLow += o.TooLow
	t.TooHigh += o.TooHigh
	t.PError += o.PError
	for i, n := range o.Suspects {
		t.Suspects[i] += n
	}
}

// All returns how many suspects there are, of all causes.
func (t *Tally) All() (n uint32) {
	for _, of := range t.Suspects {
		n += of
	}
	return n
}

// Cell is a Tally of some event time.
type Cell struct {
	At int64 // event time over the cell's length, from 1970 on
	Tally
}

// Count is what one source partition counted of one value.
type Count struct {
	Recent   []Cell    // by BucketLength: the newest with invoices, ascending, at most 24
	Weeks    []Cell    // by week: all before Recent, ascending, at most 5
	Arrivals *Arrivals // of a source; nil for other dimensions
}

// Value names one value of a dimension.
type Value struct {
	Seller    string    // whose invoices
	Dimension Dimension // what they have in common
	Name      string    // which one of it
}

// key writes the natural key of a value's count.
func (v Value) key() string {
	dst := append(make([]byte, 0, 64), "count"...)
	dst = appendKeyPart(dst, v.Seller)
	dst = appendKeyPart(dst, v.Dimension.String())
	return string(appendKeyPart(dst, v.Name))
}

// ParseCountKey reads the natural key of a count. read is true for a ReadMark's.
func ParseCountKey(key string) (v Value, read bool, err error) {
	if key == readKey {
		return v, true, nil
	}
	parts := strings.Split(key, "|")
	if len(parts) == 4 && parts[0] == "count" {
		d, ok := ParseDimension(readKeyPart(parts[2]))
		if ok {
			return Value{Seller: readKeyPart(parts[1]), Dimension: d, Name: readKeyPart(parts[3])}, false, nil
		}
	}
	return v, false, fmt.Errorf("cannot read key %q of a count: want count|<seller>|<dimension>|<value>", key)
}

// countVersion is the first byte of an encoded Count.
const countVersion = 1

// Append appends the encoded count to dst.
func (c *Count) Append(dst []byte) []byte {
	dst = append(dst, countVersion)
	dst = appendCells(dst, c.Recent)
	dst = appendCells(dst, c.Weeks)
	if c.Arrivals == nil {
		return append(dst, 0)
	}
	return c.Arrivals.append(append(dst, 1))
}

func appendCells(dst []byte, cells []Cell) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(cells)))
	before := int64(0)
	for i := range cells {
		c := &cells[i]
		dst = binary.AppendVarint(dst, c.At-before)
		before = c.At
		for _, n := range []uint64{uint64(c.Invoices), c.PError, uint64(c.TooLow), uint64(c.TooHigh)} {
			dst = binary.AppendUvarint(dst, n)
		}
		causes := 0
		for _, n := range c.Suspects {
			if n > 0 {
				causes++
			}
		}
		dst = append(dst, byte(causes))
		for cause, n := range c.Suspects {
			if n > 0 {
				dst = binary.AppendUvarint(append(dst, byte(cause)), uint64(n))
			}
		}
	}
	return dst
}

// errCount is the error of a value that no recoup of this version wrote.
var errCount = errors.New("cannot read count: want what recoup of this version writes")

// DecodeCount reads what Append wrote; it keeps nothing of value.
func DecodeCount(value []byte) (*Count, error) {
	r := countReader{left: value}
	if r.byte() != countVersion {
		return nil, errCount
	}
	c := &Count{Recent: r.cells(mostRecent), Weeks: r.cells(mostWeeks)}
	if r.byte() == 1 {
		c.Arrivals = r.arrivals()
	}
	if r.bad || len(r.left) > 0 {
		return nil, errCount
	}
	return c, nil
}

// countReader reads numbers; what is cut off makes it bad.
type countReader struct {
	left []byte
	bad  bool
}

func (r *countReader) byte() byte {
	if len(r.left) == 0 {
		r.bad = true
		return 0
	}
	b := r.left[0]
	r.left = r.left[1:]
	return b
}

func (r *countReader) unsigned(most uint64) uint64 {
	n, size := binary.Uvarint(r.left)
	if size <= 0 || n > most {
		r.bad = true
		return 0
	}
	r.left = r.left[size:]
	return n
}

func (r *countReader) signed() int64 {
	n, size := binary.Varint(r.left)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.left = r.left[size:]
	return n
}

func (r *countReader) cells(most uint64) []Cell {
	n := r.unsigned(most)
	if r.bad || n == 0 {
		return nil
	}
	cells := make([]Cell, n)
	at := int64(0)
	for i := range cells {
		c := &cells[i]
		at += r.signed()
		c.At = at
		c.Invoices = uint32(r.unsigned(1<<32 - 1))
		c.PError = r.unsigned(1<<63 - 1)
		c.TooLow = uint32(r.unsigned(1<<32 - 1))
		c.TooHigh = uint32(r.unsigned(1<<32 - 1))
		for range min(r.byte(), byte(Causes)) {
			cause := r.byte()
			if int(cause) >= Causes {
				r.bad = true
				return nil
			}
			c.Suspects[cause] = uint32(r.unsigned(1<<32 - 1))
		}
	}
	return cells
}

// ReadMark says how far a source partition was read: whatever came before Until is
// counted. Its key is the same for every partition.
type ReadMark struct {
	Until time.Time // record time; the time of writing when nothing waited
	At    time.Time // when it was written
	Lag   int64     // records that waited then
}

// Record returns the mark as a record of the counts.
func (m ReadMark) Record() StateRecord {
	value := binary.AppendVarint([]byte{countVersion}, m.Until.UnixMilli())
	value = binary.AppendVarint(value, m.At.UnixMilli())
	return StateRecord{Key: []byte(readKey), Value: binary.AppendVarint(value, m.Lag), Shared: true}
}

// DecodeReadMark reads the value of a ReadMark's record.
func DecodeReadMark(value []byte) (m ReadMark, err error) {
	r := countReader{left: value}
	version := r.byte()
	m.Until, m.At = time.UnixMilli(r.signed()).UTC(), time.UnixMilli(r.signed()).UTC()
	m.Lag = r.signed()
	if version != countVersion || r.bad || len(r.left) > 0 {
		return ReadMark{}, errCount
	}
	return m, nil
}
