package detectors

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"recoup/invoice"
)

const msPerHour = int64(time.Hour / time.Millisecond)

// clock is the event time of one partition: the newest plausible event time
// seen per seller, in milliseconds since 1970, and over all sellers.
//
// Sellers are known by a hash of their name, and when there are more than
// mostSellers, those heard of longest ago are forgotten, as if never seen. So
// the marker that carries the marks stays small whatever the sellers are called
// and however many there are. What is forgotten depends on the marks alone and
// not on when a checkpoint was taken: replay forgets the same sellers.
type clock struct {
	sellers map[uint64]*highMark
	last    *highMark // of the seller last asked for, who most often is the next one too
	hour    int64     // newest of all sellers; noHour before the first invoice
}

type highMark struct {
	seller uint64 // hash of the name
	ms     int64
}

const (
	// mostSellers marks take at most 90 kB in the marker.
	mostSellers = 5000
	// keptSellers are left when they became too many. The gap makes forgetting
	// cost little even where every invoice brings a new seller.
	keptSellers = 4000
)

// noHour is earlier than any event.
const noHour = -1 << 40

func newClock() *clock { return &clock{sellers: map[uint64]*highMark{}, hour: noHour} }

// mark returns the high mark of a seller, given the hash of its name, nil for one
// never seen or forgotten.
func (c *clock) mark(seller uint64) *highMark {
	if c.last == nil || c.last.seller != seller {
		c.last = c.sellers[seller]
	}
	return c.last
}

// saw notes an event time of a seller, given the hash of its name.
func (c *clock) saw(seller uint64, ms int64) {
	c.hour = max(c.hour, hourOf(ms))
	if mark := c.mark(seller); mark != nil {
		mark.ms = max(mark.ms, ms)
		return
	}
	c.sellers[seller] = &highMark{seller: seller, ms: ms}
	if len(c.sellers) > mostSellers {
		c.forget()
	}
}

// forget leaves the keptSellers with the newest marks, of equal ones those with
// the higher hash. The newest mark of all, from which hour is restored, stays.
// last is nil here: it was just asked for a seller without a mark.
func (c *clock) forget() {
	marks := slices.SortedFunc(maps.Values(c.sellers), func(a, b *highMark) int {
		return cmp.Or(cmp.Compare(a.ms, b.ms), cmp.Compare(a.seller, b.seller))
	})
	for _, mark := range marks[:len(marks)-keptSellers] {
		delete(c.sellers, mark.seller)
	}
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
	if inv.IssuedAt.After(received) && received.UnixMilli() > 0 && inv.IssuedAt.After(received.Add(tolerance)) {
		return received.UnixMilli(), true
	}
	return inv.IssuedAt.UnixMilli(), false
}

// append writes the stored form: how many sellers, then of each, in the order
// of their hashes, the hash and the mark.
func (c *clock) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.sellers)))
	for _, seller := range slices.Sorted(maps.Keys(c.sellers)) {
		dst = binary.LittleEndian.AppendUint64(dst, seller)
		dst = binary.AppendVarint(dst, c.sellers[seller].ms)
	}
	return dst
}

// restore reads what append wrote; nothing at all is a clock that saw nothing.
func (c *clock) restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	r := stateReader{rest: data}
	for range r.uvarint() {
		mark := &highMark{seller: r.fixed(), ms: r.varint()}
		if r.failed {
			break
		}
		c.sellers[mark.seller] = mark
		c.hour = max(c.hour, hourOf(mark.ms))
	}
	if r.failed || len(r.rest) > 0 {
		return errors.New("cannot restore event times per seller: they are cut off or damaged")
	}
	return nil
}
