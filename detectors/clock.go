package detectors

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/invoice"
)

const msPerHour = int64(time.Hour / time.Millisecond)

// clock is the event time of one partition: the newest plausible event time
// seen per seller, in milliseconds since 1970, and over all sellers.
type clock struct {
	sellers map[string]*highMark
	last    *highMark // of the seller last asked for, who most often is the next one too
	hour    int64     // newest of all sellers; noHour before the first invoice
}

type highMark struct {
	seller string
	ms     int64
}

// noHour is earlier than any event.
const noHour = -1 << 40

func newClock() *clock { return &clock{sellers: map[string]*highMark{}, hour: noHour} }

// mark returns the high mark of a seller, nil for one never seen.
func (c *clock) mark(seller string) *highMark {
	if c.last == nil || c.last.seller != seller {
		c.last = c.sellers[seller]
	}
	return c.last
}

// saw notes an event time.
func (c *clock) saw(seller string, ms int64) {
	c.hour = max(c.hour, hourOf(ms))
	mark := c.mark(seller)
	if mark == nil {
		mark = &highMark{seller: strings.Clone(seller), ms: ms}
		c.sellers[mark.seller] = mark
	}
	mark.ms = max(mark.ms, ms)
}

// hourOf returns the whole hour of an instant, rounding towards the past.
func hourOf(ms int64) int64 {
	hour := ms / msPerHour
	if ms%msPerHour < 0 {
		hour--
	}
	return hour
}

// eventTime is issued_at, or the record's own time when issued_at lies too far
// after it. A record without a time of its own is believed.
func eventTime(inv *invoice.Invoice, received time.Time, tolerance time.Duration) (ms int64, implausible bool) {
	if received.UnixMilli() > 0 && inv.IssuedAt.After(received.Add(tolerance)) {
		return received.UnixMilli(), true
	}
	return inv.IssuedAt.UnixMilli(), false
}

// append writes the stored form: per seller, in the order of their names, the
// length of the name, the name and the mark.
func (c *clock) append(dst []byte) []byte {
	for _, seller := range slices.Sorted(maps.Keys(c.sellers)) {
		dst = binary.AppendUvarint(dst, uint64(len(seller)))
		dst = append(dst, seller...)
		dst = binary.AppendVarint(dst, c.sellers[seller].ms)
	}
	return dst
}

// restore reads what append wrote.
func (c *clock) restore(data []byte) error {
	r := stateReader{rest: data}
	for len(r.rest) > 0 {
		seller := string(r.bytes(r.uvarint()))
		ms := r.varint()
		if r.failed {
			return errors.New("cannot restore event times per seller: they are cut off or damaged")
		}
		c.saw(seller, ms)
	}
	return nil
}
