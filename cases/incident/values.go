package incident

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"recoup/detectors"
)

// value is what all partitions counted of one, as they published it: of 10,000 values
// and 16 partitions that is a tenth of what it takes decoded.
type value struct {
	parts  []part           // by source partition
	sum    *detectors.Count // of all; nil: to be added up
	kept   bool             // the sum stays from round to round: every one looks at it
	newest int64            // bucket in which it was billed last

	records uint32    // of a source, as of the last round
	grew    time.Time // when these became more, by the clock of the rounds
}

// part is what one source partition counted.
type part struct {
	partition int
	body      []byte              // as detectors.Count.Append wrote it
	arrivals  *detectors.Arrivals // of a source
}

// What counts take in memory, about: beside the bytes of its parts, a value, each of its
// parts, and each cell of a sum.
const (
	valueBytes = 300
	partBytes  = 80
	cellBytes  = 72
)

// size is what a value takes in memory.
func (v *value) size(of detectors.Value) (n int64) {
	n = valueBytes + int64(len(of.Seller)+len(of.Name))
	if v.kept && v.sum != nil {
		n += cellBytes * int64(len(v.sum.Recent)+len(v.sum.Weeks))
	}
	for i := range v.parts {
		n += partBytes + int64(len(v.parts[i].body))
	}
	return n
}

func (b *Board) count(key, val []byte, partition int) error {
	v, read, err := detectors.ParseCountKey(string(key))
	switch {
	case err != nil:
		return err
	case read && val == nil:
		delete(b.marks, partition)
		return nil
	case read:
		mark, err := detectors.DecodeReadMark(val)
		if err == nil {
			b.noteMark(partition, mark)
		}
		return err
	case val == nil:
		b.change(v, func(known *value) { known.drop(partition) })
		return nil
	}
	c, err := detectors.DecodeCount(val)
	if err != nil {
		return err
	}
	b.change(v, func(known *value) {
		known.put(part{partition, bytes.Clone(val), c.Arrivals})
		known.newest = max(known.newest, c.Newest())
	})
	if c.Arrivals != nil {
		b.heard[partition] = max(b.heard[partition], c.Arrivals.Last)
	}
	b.changed[v] = true
	b.makeRoom()
	return nil
}

// change has how change what is known of a value, and keeps the account of its size.
func (b *Board) change(v detectors.Value, how func(*value)) {
	known := b.values[v]
	if known == nil {
		known = &value{kept: v.Dimension == detectors.DimensionSeller || v.Dimension == detectors.DimensionSegment}
	} else {
		b.bytes -= known.size(v)
	}
	how(known)
	known.sum = nil
	if len(known.parts) == 0 {
		delete(b.values, v)
		return
	}
	b.values[v] = known
	b.bytes += known.size(v)
}

func (v *value) place(partition int) (at int, there bool) {
	return slices.BinarySearchFunc(v.parts, partition, func(p part, n int) int { return cmp.Compare(p.partition, n) })
}

func (v *value) put(p part) {
	at, there := v.place(p.partition)
	if !there {
		v.parts = slices.Insert(v.parts, at, part{})
	}
	v.parts[at] = p
}

func (v *value) drop(partition int) {
	if at, there := v.place(partition); there {
		v.parts = slices.Delete(v.parts, at, at+1)
	}
}

// makeRoom forgets, when counts take too much memory, an eighth of it: what was billed
// longest ago first. What everything is compared with, sources that may fall silent, and
// values with an open incident stay; where these alone take too much, it tries again only
// when counts have grown by an eighth, or with the next bucket.
func (b *Board) makeRoom() {
	if b.bytes <= max(b.settings.MostBytes, b.vain) {
		return
	}
	oldest := slices.SortedFunc(maps.Keys(b.values), func(x, y detectors.Value) int {
		return cmp.Or(cmp.Compare(b.values[x].newest, b.values[y].newest), compareValues(x, y))
	})
	for _, v := range oldest {
		if b.bytes <= b.settings.MostBytes/8*7 {
			return
		}
		if v.Dimension == detectors.DimensionSeller || v.Dimension == detectors.DimensionSource || len(b.openOf[v]) > 0 {
			continue
		}
		b.change(v, func(known *value) { known.parts = nil })
		delete(b.changed, v)
		b.forgotten++
	}
	if b.bytes > b.settings.MostBytes/8*7 {
		b.vain, b.crowded = b.bytes/8*9, true
	}
}

// total adds up what the partitions counted. What makes no part of a count was refused
// when it came.
func (b *Board) total(v *value) *detectors.Count {
	if v.sum != nil {
		return v.sum
	}
	v.sum = &detectors.Count{}
	for i := range v.parts {
		if c, err := detectors.DecodeCount(v.parts[i].body); err == nil {
			v.sum.Recent, v.sum.Weeks = append(v.sum.Recent, c.Recent...), append(v.sum.Weeks, c.Weeks...)
		}
	}
	v.sum.Recent, v.sum.Weeks = addUp(v.sum.Recent), addUp(v.sum.Weeks)
	if v.kept {
		b.bytes += cellBytes * int64(len(v.sum.Recent)+len(v.sum.Weeks))
	} else {
		b.summed = append(b.summed, v)
	}
	return v.sum
}

// addUp makes one cell of those of a time, in their order.
func addUp(cells []detectors.Cell) []detectors.Cell {
	slices.SortFunc(cells, func(x, y detectors.Cell) int { return cmp.Compare(x.At, y.At) })
	sum := cells[:0]
	for i := range cells {
		if n := len(sum); n > 0 && sum[n-1].At == cells[i].At {
			sum[n-1].Add(&cells[i].Tally)
		} else {
			sum = append(sum, cells[i])
		}
	}
	return slices.Clone(sum)
}

// forgetSums drops the sums that were added up for one round.
func (b *Board) forgetSums() {
	for _, v := range b.summed {
		v.sum = nil
	}
	b.summed = b.summed[:0]
}
