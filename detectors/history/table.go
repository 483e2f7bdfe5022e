// Package history is what one source partition remembers of its sellers'
// products, customers, promotions and sources, so that an invoice can be
// compared with what was usual before it. Everything is learned from the past
// only, a constant amount of work an invoice, and in bounded memory.
//
// A Store belongs to one engine and is not safe for concurrent use. Teaching a
// key reads only that key and the invoice, so that replay after a crash gives
// the same state whatever part of it was stored before.
package history

import (
	"cmp"
	"slices"
)

// bucketBits gives how many buckets a table has. A bucket is what is stored
// under one state key: enough of them that a small change rewrites little, few
// enough that a checkpoint stays far below the number of invoices.
const bucketBits = 11

const buckets = 1 << bucketBits

// pageItems is how many items stand in one page; pages never move, so pointers
// to items stay right until the item is forgotten.
const pageItems = 256

// table holds the items of one kind by the 64-bit hash of their natural key.
// Two keys with one hash share an item: among a million keys that happens with
// a probability of 3 in 100 million.
type table[T any] struct {
	index   map[uint64]uint32
	pages   []*[pageItems]slot[T]
	used    uint32   // slots ever used
	free    []uint32 // slots of forgotten items
	heads   [buckets]bucket
	dirty   []uint16
	most    int32          // items a bucket may hold; the one not met for longest goes first
	hour    func(*T) int32 // event time of an item
	removed uint64         // items ever forgotten
	looked  uint64         // of them before the last find
}

type slot[T any] struct {
	key  uint64
	next uint32 // 1 + slot of the next item of the bucket, 0: none
	item T
}

type bucket struct {
	first   uint32 // 1 + slot of the first item
	items   int32
	applied int64 // the bucket holds every source offset below it
	dirty   bool
	stored  bool // the state topic may hold it
}

func newTable[T any](mostItems int, hour func(*T) int32) *table[T] {
	return &table[T]{index: map[uint64]uint32{}, most: int32(max(1, mostItems/buckets)), hour: hour}
}

func bucketOf(key uint64) uint16 { return uint16(key >> (64 - bucketBits)) }

func (t *table[T]) slot(at uint32) *slot[T] { return &t.pages[at/pageItems][at%pageItems] }

// find returns the item of a key, nil when there is none.
func (t *table[T]) find(key uint64) *T {
	t.looked = t.removed
	if at, ok := t.index[key]; ok {
		return &t.slot(at).item
	}
	return nil
}

// touch returns the item of a key to be taught the record at offset, a new one
// when there is none, or nil when its bucket already holds that record. known
// is what find returned, nil to look it up.
func (t *table[T]) touch(key uint64, offset int64, known *T) *T {
	number := bucketOf(key)
	b := &t.heads[number]
	if b.applied > offset {
		return nil
	}
	if !b.dirty {
		b.dirty = true
		t.dirty = append(t.dirty, number)
	}
	if known != nil && t.looked == t.removed { // else its place may be another's by now
		return known
	}
	if at, ok := t.index[key]; ok {
		return &t.slot(at).item
	}
	return t.add(key)
}

func (t *table[T]) add(key uint64) *T {
	b := &t.heads[bucketOf(key)]
	if b.items >= t.most {
		t.forgetOldest(b)
	}
	var at uint32
	if n := len(t.free); n > 0 {
		at, t.free = t.free[n-1], t.free[:n-1]
	} else {
		at = t.used
		t.used++
		if at/pageItems == uint32(len(t.pages)) {
			t.pages = append(t.pages, new([pageItems]slot[T]))
		}
	}
	s := t.slot(at)
	*s = slot[T]{key: key, next: b.first}
	b.first = at + 1
	b.items++
	t.index[key] = at
	return &s.item
}

// forgetOldest drops the item that was not met for longest. Which one that is
// depends on the items alone and not on the order in which they came back.
func (t *table[T]) forgetOldest(b *bucket) {
	oldest := b.first - 1
	for next := b.first; next != 0; next = t.slot(next - 1).next {
		s, o := t.slot(next-1), t.slot(oldest)
		if c := cmp.Or(cmp.Compare(t.hour(&s.item), t.hour(&o.item)), cmp.Compare(s.key, o.key)); c < 0 {
			oldest = next - 1
		}
	}
	t.remove(b, oldest)
}

func (t *table[T]) remove(b *bucket, at uint32) {
	s := t.slot(at)
	for link := &b.first; ; link = &t.slot(*link - 1).next {
		if *link == at+1 {
			*link = s.next
			break
		}
	}
	delete(t.index, s.key)
	t.removed++
	b.items--
	*s = slot[T]{}
	t.free = append(t.free, at)
}

// sorted returns the slots of a bucket in the order of their keys.
func (t *table[T]) sorted(number uint16) []uint32 {
	var all []uint32
	for next := t.heads[number].first; next != 0; next = t.slot(next - 1).next {
		all = append(all, next-1)
	}
	slices.SortFunc(all, func(a, b uint32) int { return cmp.Compare(t.slot(a).key, t.slot(b).key) })
	return all
}
