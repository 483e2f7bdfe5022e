package detectors

import (
	"iter"

	"recoup/detectors/index"
)

// segmentTable holds an engine's segments by the hash of their key, many to a page: a
// million are neither a million pieces of memory nor entries of a map to the garbage collector.
// Pages never move, so pointers stay right until the segment is dropped and its place reused.
type segmentTable struct {
	index   index.Index // of a key's hash: 1 + place
	pages   []*[segmentPage]segment
	used    uint32           // places ever used
	free    []uint32         // places to be used again
	dropped []uint32         // places of dropped segments, to which somebody may still point
	rare    map[uint64]*rare // by hash
}

const (
	segmentPage = 128
	// mostDropped segments wait until their places are reused.
	mostDropped = 1 << 10
)

func (t *segmentTable) at(place uint32) *segment {
	return &t.pages[place/segmentPage][place%segmentPage]
}

func (t *segmentTable) len() int { return t.index.Len() }

// get returns the segment of a key's hash, nil when there is none.
func (t *segmentTable) get(hash uint64) *segment {
	if n := t.index.Get(hash, func(n uint32) bool { return t.at(n-1).hash == hash }); n != 0 {
		return t.at(n - 1)
	}
	return nil
}

// add makes the segment of a key's hash that has none. shared is its number in Shared.
func (t *segmentTable) add(hash uint64, shared uint32) *segment {
	var place uint32
	if n := len(t.free) - 1; n >= 0 {
		place, t.free = t.free[n], t.free[:n]
	} else {
		place = t.used
		t.used++
		if int(place/segmentPage) == len(t.pages) {
			t.pages = append(t.pages, new([segmentPage]segment))
		}
	}
	s := t.at(place)
	*s = segment{hash: hash, shared: shared}
	t.index.Put(hash, place+1, func(n uint32) bool { return t.at(n-1).hash == hash })
	return s
}

// drop takes a segment away; its place is not used again before reuse.
func (t *segmentTable) drop(s *segment) {
	is := func(n uint32) bool { return t.at(n-1) == s }
	t.dropped = append(t.dropped, t.index.Get(s.hash, is)-1)
	t.index.Delete(s.hash, is)
	t.setRare(s, nil)
	s.marks |= isDropped
}

// rareOf returns what few segments have, nil: nothing.
func (t *segmentTable) rareOf(s *segment) *rare {
	if !s.is(isRare) {
		return nil
	}
	return t.rare[s.hash]
}

// shade returns the shadow of a segment to be changed; slim must follow.
func (t *segmentTable) shade(s *segment) *shadow {
	if !s.is(isRare) {
		t.setRare(s, &rare{})
	}
	return &t.rare[s.hash].shadow
}

// slim gives back the memory of a shadow that is empty.
func (t *segmentTable) slim(s *segment) {
	if r := t.rareOf(s); r != nil && r.shadow == (shadow{}) && r.learned == nil {
		t.setRare(s, nil)
	}
}

func (t *segmentTable) setRare(s *segment, r *rare) {
	switch {
	case r != nil:
		if t.rare == nil {
			t.rare = map[uint64]*rare{}
		}
		t.rare[s.hash], s.marks = r, s.marks|isRare
	case s.is(isRare):
		delete(t.rare, s.hash)
		s.marks &^= isRare
	}
}

// empty tells whether there is nothing of a segment to be stored of this partition.
func (t *segmentTable) empty(s *segment) bool { return s.own.n == 0 && t.rareOf(s).held().held == 0 }

// reuse gives back the places of dropped segments, to which nobody points any more.
func (t *segmentTable) reuse() {
	for _, place := range t.dropped {
		*t.at(place) = segment{}
	}
	t.free = append(t.free, t.dropped...)
	t.dropped = t.dropped[:0]
}

// all lists the segments, in no order that means anything.
func (t *segmentTable) all() iter.Seq[*segment] {
	return func(yield func(*segment) bool) {
		for place := range t.used {
			if s := t.at(place); s.shared != 0 && !s.is(isDropped) && !yield(s) {
				return
			}
		}
	}
}
