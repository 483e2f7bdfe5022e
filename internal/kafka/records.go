package kafka

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"recoup/pipeline"
)

// A record batch (format 2, Kafka 0.11) begins with a header of fixed size.
const (
	batchHeader = 61
	batchPrefix = 12 // base offset and length, which the length does not count

	attrCodec         = 0x07
	attrLogAppendTime = 0x08
	attrTransactional = 0x10
	attrControl       = 0x20

	// stampHeader is the header that holds Record.Stamp.
	stampHeader = "recoup-stamp"

	// portionBytes is how much is decompressed before records are handed out: text takes a tenth
	// of its size on the wire, and a whole answer of it, for each partition, ten times its own.
	portionBytes = 1 << 20
	// maxKeptBuffer and maxKeptRecords bound what a reader keeps between two fetches.
	maxKeptBuffer  = 8 << 20
	maxKeptRecords = 64 << 10
	// maxBatchBytes bounds one decompressed batch, so that a small hostile one
	// cannot take all memory.
	maxBatchBytes = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// decoder turns the bytes of a fetch into records and reuses its buffers.
type decoder struct {
	// decompress appends the decompressed src to dst and returns it, or an error
	// if it would have more than limit bytes.
	decompress func(codec int8, dst, src []byte, limit int) ([]byte, error)

	records []pipeline.Record
	arena   []byte // where batches are decompressed to, one behind the other
	used    int    // bytes of all batches handed out together, in and out of arena
}

// undecoded is what of an answer has not been handed out.
type undecoded struct {
	set     []byte
	aborted []abortedTx        // as the broker lists them, in the order of their first offsets
	void    map[int64]struct{} // producers whose transaction goes on and was aborted
}

// batch is the header of a record batch.
type batch struct {
	base, last int64 // offsets, both inclusive
	attributes int16
	firstTime  int64 // milliseconds
	maxTime    int64
	producer   int64
	count      int
	payload    []byte // records, compressed as attributes say
}

// decode takes the next batches from an answer and returns their records from offset on, without
// control records and those of aborted transactions, and the offset behind the last of these batches,
// which is offset if there is none. It ends with the batch that completes a portion. The records
// are valid until the next call.
func (d *decoder) decode(from *undecoded, offset int64) ([]pipeline.Record, int64, error) {
	d.reset()
	next := offset
	for d.used < portionBytes {
		b, rest, err := splitBatch(from.set)
		if err != nil {
			return nil, offset, fmt.Errorf("cannot read the batch after offset %d: %w", next, err)
		}
		if rest == nil {
			break
		}
		from.set = rest
		if b.last < offset {
			continue
		}
		next = max(next, b.last+1)
		if from.skip(b) {
			continue
		}
		if err := d.add(b, offset); err != nil {
			return nil, offset, fmt.Errorf("cannot read the batch at offset %d: %w", b.base, err)
		}
	}
	return d.records, next, nil
}

// reset makes room for as much as was handed out last.
func (d *decoder) reset() {
	if cap(d.arena) < min(d.used, maxKeptBuffer) {
		d.arena = make([]byte, 0, min(d.used+d.used/8, maxKeptBuffer))
	}
	if cap(d.records) > maxKeptRecords {
		d.records = nil
	}
	d.records, d.arena, d.used = d.records[:0], d.arena[:0], 0
}

// splitBatch cuts the first batch off set; rest is nil if no whole one is there.
func splitBatch(set []byte) (b batch, rest []byte, err error) {
	if len(set) < batchPrefix+5 {
		return b, nil, nil
	}
	be := binary.BigEndian
	n := int(int32(be.Uint32(set[8:]))) + batchPrefix
	if magic := set[16]; magic != 2 {
		return b, nil, fmt.Errorf("message format %d, expected 2 (Kafka 0.11 or newer); "+
			"fix: let the topic's producers write the new format and start behind the old records", magic)
	}
	if n < batchHeader {
		return b, nil, fmt.Errorf("its length is %d bytes, expected at least %d", n, batchHeader)
	}
	if n > len(set) {
		return b, nil, nil
	}
	rest, set = set[n:], set[:n]
	if found, want := crc32.Checksum(set[21:], castagnoli), be.Uint32(set[17:]); found != want {
		return b, nil, fmt.Errorf("its checksum is %08x, expected %08x", found, want)
	}
	b.base = int64(be.Uint64(set))
	b.attributes = int16(be.Uint16(set[21:]))
	b.last = b.base + int64(int32(be.Uint32(set[23:])))
	b.firstTime = int64(be.Uint64(set[27:]))
	b.maxTime = int64(be.Uint64(set[35:]))
	b.producer = int64(be.Uint64(set[43:]))
	b.count = int(int32(be.Uint32(set[57:])))
	b.payload = set[batchHeader:]
	return b, rest, nil
}

// skip reports whether b has nothing for a reader: a control batch, or one of an
// aborted transaction. It takes from aborted what b's end has reached.
func (u *undecoded) skip(b batch) bool {
	for len(u.aborted) > 0 && u.aborted[0].first <= b.last {
		if u.void == nil {
			u.void = map[int64]struct{}{}
		}
		u.void[u.aborted[0].producer] = struct{}{}
		u.aborted = u.aborted[1:]
	}
	if b.attributes&attrControl != 0 {
		// Whichever marker it is, the producer's transaction ends here.
		delete(u.void, b.producer)
		return true
	}
	_, void := u.void[b.producer]
	return void && b.attributes&attrTransactional != 0
}

// add appends the records of b from offset on.
func (d *decoder) add(b batch, offset int64) error {
	payload := b.payload
	if codec := int8(b.attributes & attrCodec); codec != 0 {
		at := len(d.arena)
		out, err := d.decompress(codec, d.arena[at:], payload, maxBatchBytes)
		if err != nil {
			return err
		}
		d.used += len(out)
		if at+len(out) <= cap(d.arena) { // else it lies outside, and reset makes more room
			d.arena = d.arena[:at+len(out)]
		}
		payload = out
	}
	if b.count < 0 || b.count > len(payload) {
		return fmt.Errorf("it claims %d records in %d bytes", b.count, len(payload))
	}
	c := cursor{b: payload}
	for i := range b.count {
		r := cursor{b: c.varbytes()}
		r.bytes(1) // attributes: none are defined
		at := b.firstTime + r.varint()
		if b.attributes&attrLogAppendTime != 0 {
			at = b.maxTime
		}
		rec := pipeline.Record{Offset: b.base + r.varint()}
		rec.Key, rec.Value = r.varbytes(), r.varbytes()
		if rec.Value == nil {
			rec.Stamp = r.header(stampHeader)
		}
		if c.short || r.short {
			return fmt.Errorf("its record %d of %d ends too early", i+1, b.count)
		}
		if rec.Offset < offset {
			continue
		}
		rec.Time = time.UnixMilli(at).UTC()
		d.records = append(d.records, rec)
	}
	return nil
}

// header returns the value of the header of a name, nil without one.
func (c *cursor) header(name string) (value []byte) {
	for n := c.varint(); n > 0 && !c.short; n-- {
		key, v := c.varbytes(), c.varbytes()
		if string(key) == name {
			value = v
		}
	}
	return value
}
