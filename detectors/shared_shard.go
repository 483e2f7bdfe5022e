package detectors

import (
	"bytes"
	"iter"

	"recoup/detectors/arena"
)

// What follows needs the shard's lock, but for at.

func (sh *sharedShard) at(place uint32) *sharedSegment {
	return &(*sh.pages.Load())[place/sharedPage][place%sharedPage]
}

// key and list are those of the segment at a place, until the shard is changed.
func (sh *sharedShard) key(place uint32) []byte {
	key, _ := readText(sh.texts.Get(&sh.at(place).text))
	return key
}

func (sh *sharedShard) list(place uint32) []byte {
	_, list := readText(sh.texts.Get(&sh.at(place).text))
	return list
}

// find returns the place of a key's segment, 0 if there is none.
func (sh *sharedShard) find(hash uint64, key []byte) uint32 {
	return sh.index.Get(hash, func(place uint32) bool { return bytes.Equal(sh.key(place), key) })
}

// add makes the segment of a key that has none.
func (sh *sharedShard) add(hash uint64, key, text []byte) (place uint32) {
	if last := len(sh.free) - 1; last >= 0 {
		place, sh.free = sh.free[last], sh.free[:last]
	} else {
		sh.used++
		place = sh.used
		sh.room(place)
	}
	sh.texts.Set(&sh.at(place).text, text)
	sh.index.Put(hash, place, func(place uint32) bool { return bytes.Equal(sh.key(place), key) })
	return place
}

// room makes the page of a place.
func (sh *sharedShard) room(place uint32) {
	all := sh.pages.Load()
	if all == nil {
		all = new([]*sharedSegments)
	}
	if int(place/sharedPage) == len(*all) {
		more := append(*all, new(sharedSegments)) // behind what others see of it
		sh.pages.Store(&more)
	}
}

// forget gives back the place of a segment that nobody holds.
func (sh *sharedShard) forget(place uint32, hash uint64) {
	sh.index.DeleteIf(hash, place)
	sh.texts.Clear(&sh.at(place).text)
	sh.free = append(sh.free, place)
}

// compact gives back memory where much of it is in no text. Others wait for the shard
// meanwhile: 1.7 ms in the median where a million segments have three contributions each; the
// longest was 16 ms, on a busy machine.
func (sh *sharedShard) compact() {
	if !sh.texts.Sparse() {
		return
	}
	sh.texts.Compact(func(yield func(*arena.Cell) bool) {
		for _, seg := range sh.all() {
			if !yield(&seg.text) {
				return
			}
		}
	})
}

// all lists the segments by their place.
func (sh *sharedShard) all() iter.Seq2[uint32, *sharedSegment] {
	return func(yield func(uint32, *sharedSegment) bool) {
		for place := uint32(1); place <= sh.used; place++ {
			if seg := sh.at(place); sh.texts.Get(&seg.text) != nil && !yield(place, seg) {
				return
			}
		}
	}
}
