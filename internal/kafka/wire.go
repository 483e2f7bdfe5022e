package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The fetch request is written and its answer read by hand: kafka-go builds an
// object per record from pooled pages, which costs more than decoding the
// invoice does, while the answer's own bytes can be used as they lie.
const (
	fetchKey     = 1
	fetchVersion = 10 // Kafka 2.1: the first that carries zstd
	readStable   = 1  // isolation level read_committed
	correlation  = 1  // a connection carries one request at a time
	maxAnswer    = 512 << 20
)

// fetchAsk is one fetch of one partition.
type fetchAsk struct {
	topic     string
	partition int32
	offset    int64
	maxBytes  int32
	maxWaitMS int32
}

// abortedTx says that a producer's transactional records from first on are void
// until its next abort marker.
type abortedTx struct{ producer, first int64 }

// fetchAnswer is what came back. Its slices point into the buffer it was parsed from.
type fetchAnswer struct {
	code    int16 // Kafka's error code, 0: none
	end     int64 // last stable offset, or the high watermark if the broker has none
	start   int64 // log start offset
	aborted []abortedTx
	set     []byte // record batches; the last may be cut off
}

// encode appends the request, its length before it, to b.
func (a *fetchAsk) encode(b []byte, clientID string) []byte {
	at := len(b)
	be := binary.BigEndian
	b = be.AppendUint32(b, 0)
	b = be.AppendUint16(b, fetchKey)
	b = be.AppendUint16(b, fetchVersion)
	b = be.AppendUint32(b, correlation)
	b = appendString(b, clientID)

	none := ^uint32(0)
	b = be.AppendUint32(b, none) // replica: a consumer
	b = be.AppendUint32(b, uint32(a.maxWaitMS))
	b = be.AppendUint32(b, 1) // at least one byte
	b = be.AppendUint32(b, uint32(a.maxBytes))
	b = append(b, readStable)
	b = be.AppendUint32(b, 0)    // no session
	b = be.AppendUint32(b, none) // and none wanted
	b = be.AppendUint32(b, 1)
	b = appendString(b, a.topic)
	b = be.AppendUint32(b, 1)
	b = be.AppendUint32(b, uint32(a.partition))
	b = be.AppendUint32(b, none) // leader epoch not known
	b = be.AppendUint64(b, uint64(a.offset))
	b = be.AppendUint64(b, ^uint64(0)) // log start: for followers only
	b = be.AppendUint32(b, uint32(a.maxBytes))
	b = be.AppendUint32(b, 0) // nothing to forget

	be.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// readAnswer reads one answer, without its length, into buf, which grows as needed.
func readAnswer(r io.Reader, buf []byte) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return buf, err
	}
	n := int(int32(binary.BigEndian.Uint32(length[:])))
	if n < 0 || n > maxAnswer {
		return buf, fmt.Errorf("cannot read a fetch answer of %d bytes, expected at most %d", n, maxAnswer)
	}
	if cap(buf) < n {
		buf = make([]byte, n+n/8)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return buf, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return buf, nil
}

// parse reads an answer to ask from b.
func (a *fetchAnswer) parse(b []byte, ask *fetchAsk) error {
	c := cursor{b: b}
	if id := c.int32(); id != correlation {
		return fmt.Errorf("cannot read a fetch answer: it answers request %d, expected %d", id, correlation)
	}
	c.int32() // throttled for so long; the broker has waited already
	a.code = c.int16()
	c.int32() // session
	topics := c.int32()
	if topics == 0 && a.code != 0 && !c.short {
		return nil
	}
	topic := c.bytes(int(c.int16()))
	partitions, partition := c.int32(), c.int32()
	if c.short || topics != 1 || partitions != 1 || string(topic) != ask.topic || partition != ask.partition {
		return fmt.Errorf("cannot read a fetch answer: it is not about %s/%d alone", ask.topic, ask.partition)
	}
	if code := c.int16(); code != 0 {
		a.code = code
	}
	high := c.int64()
	a.end = c.int64()
	if a.end < 0 {
		a.end = high
	}
	a.start = c.int64()
	a.aborted = a.aborted[:0]
	for n := c.int32(); n > 0 && !c.short; n-- {
		a.aborted = append(a.aborted, abortedTx{producer: c.int64(), first: c.int64()})
	}
	a.set = nil
	if n := c.int32(); n > 0 {
		a.set = c.bytes(int(n))
	}
	if c.short {
		return fmt.Errorf("cannot read a fetch answer of %d bytes: it ends too early", len(b))
	}
	return nil
}

// cursor reads big-endian numbers; beyond the end it gives zeroes and sets short.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.short, c.b = true, nil
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) int16() int16 {
	if b := c.bytes(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) int32() int32 {
	if b := c.bytes(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (c *cursor) int64() int64 {
	if b := c.bytes(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// varint reads a zigzag number of a record.
func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.short, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

// varbytes reads bytes with their length before them; a negative length is nil.
func (c *cursor) varbytes() []byte {
	n := c.varint()
	if n < 0 {
		return nil
	}
	if b := c.bytes(int(min(n, 1<<31))); b != nil {
		return b[:len(b):len(b)]
	}
	return nil
}
