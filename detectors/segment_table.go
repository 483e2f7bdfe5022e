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
	used    uint32   // places ever used
	free    []uint32 // places to be used again
	dropped []uint32 // places of dropped segments, to which somebody may still point
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
	if n := t.index.Get(hash); n != 0 {
		return t.at(n - 1)
	}
	return nil
}

// add makes the segment of a key's hash that has none.
func (t *segmentTable) add(hash uint64, shared *sharedSegment) *segment {
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
	t.index.Put(hash, place+1)
	s := t.at(place)
	*s = segment{hash: hash, shared: shared}
	return s
}

// drop takes a segment away; its place is not used again before reuse.
func (t *segmentTable) drop(s *segment) {
	s.dropped = true
	t.dropped = append(t.dropped, t.index.Get(s.hash)-1)
	t.index.Delete(s.hash)
}

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
			if s := t.at(place); s.shared != nil && !s.dropped && !yield(s) {
				return
			}
		}
	}
}
