// Package history is what one source partition remembers of its sellers'
// products, customers, promotions and sources, so that an invoice can be
// compared with what was usual before it. Everything is learned from the past
// only, a constant amount of work an invoice, and in bounded memory.
//
// A Store belongs to one engine and is not safe for concurrent use. It is stored in
// buckets, each in two slots, so that replay after a crash starts from exactly what
// was known at the marker, whatever part of a later checkpoint was stored.
//
// Bytes an item, stored (mean over the bundled retail corpus) and in memory with
// its place in the index: a product 225 and 680, a pair of customer and product 33
// and 75, a customer 82 and 120, its up to five recent invoices 139 and 175, a
// customer type or country 79 and 675, a seller's conduct 680 and 1,960, a
// discount code 25 and 125, a source 34 and 230, a description of goods 32 and 50, a
// deal 16 and 35.
package history

import (
	"cmp"
	"slices"

	"recoup/detectors/index"
)

// pageItems is how many items stand in one page; pages never move, so pointers
// to items stay right until the item is forgotten. As many pages as there are, but
// mostPages, are made at a time: a partition may have few items of a kind.
const pageItems, mostPages = 16, 16

// table holds the items of one kind by the 64-bit hash of their natural key.
// Two keys with one hash share an item: among a million keys that happens with
// a probability of 3 in 100 million.
type table[T any] struct {
	index   index.Index // of a key: 1 + slot
	pages   []*[pageItems]slot[T]
	used    uint32   // slots ever used
	free    []uint32 // slots of forgotten items
	lists   []list   // by bucket; nil: no item was ever held
	marks   *marks
	most    int32            // items a bucket may hold; those not met for longest go first
	hour    func(*T) int32   // event time of an item
	code    func(*coder, *T) // its stored form
	removed uint64           // items ever forgotten
	driven  uint64           // of them to make room for others
	forgot  func(key uint64) // told of those that made room; nil: nobody is
	release func(*T)         // gives back what an item has elsewhere; nil: it has nothing
	looked  uint64           // of them before the last find
	scratch []uint32         // slots of one bucket
}

type slot[T any] struct {
	key  uint64
	next uint32 // 1 + slot of the next item of the bucket, 0: none
	item T
}

// list is the items of one kind in one bucket.
type list struct {
	first uint32 // 1 + slot of the first item
	items int32
}

func newTable[T any](m *marks, mostItems int, hour func(*T) int32, code func(*coder, *T)) *table[T] {
	return &table[T]{marks: m, most: int32(max(1, mostItems/buckets)), hour: hour, code: code}
}

// list returns the items of a bucket.
func (t *table[T]) list(number uint16) list {
	if t.lists == nil {
		return list{}
	}
	return t.lists[number]
}

func (t *table[T]) slot(at uint32) *slot[T] { return &t.pages[at/pageItems][at%pageItems] }

// find returns the item of a key, nil when there is none.
func (t *table[T]) find(key uint64) *T {
	t.looked = t.removed
	return t.get(key)
}

// again is find, given what it returned for the key before, if nothing was forgotten
// since.
func (t *table[T]) again(key, before uint64, known *T) *T {
	if key == before && known != nil {
		return known
	}
	return t.find(key)
}

func (t *table[T]) get(key uint64) *T {
	if at := t.index.Get(key, func(at uint32) bool { return t.slot(at-1).key == key }); at != 0 {
		return &t.slot(at - 1).item
	}
	return nil
}

// place returns 1 + slot of the item of a key, 0 when there is none. It mostly is where it was.
func (t *table[T]) place(key uint64, was uint32) uint32 {
	t.looked = t.removed
	if was != 0 && t.slot(was-1).key == key {
		return was
	}
	return t.index.Get(key, func(at uint32) bool { return t.slot(at-1).key == key })
}

// touch returns the item of a key to be taught, a new one when there is none.
// known is what find returned, nil to look it up.
func (t *table[T]) touch(key uint64, known *T) *T {
	t.marks.change(bucketOf(key))
	if known != nil && t.looked == t.removed { // else its place may be another's by now
		return known
	}
	if item := t.get(key); item != nil {
		return item
	}
	return t.add(key)
}

// add makes the item of a key that has none. In a full bucket it drops the eighth that was not
// met for longest: looking for one at a time would cost every new item a walk over its bucket.
func (t *table[T]) add(key uint64) *T {
	if items := t.list(bucketOf(key)).items; items >= t.most {
		t.forgetOldest(bucketOf(key), max(1, int(items)/8))
	}
	return t.insert(key)
}

// insert is add where the bucket may become too full.
func (t *table[T]) insert(key uint64) *T {
	if t.lists == nil {
		t.lists = make([]list, buckets)
	}
	l := &t.lists[bucketOf(key)]
	var at uint32
	if n := len(t.free); n > 0 {
		at, t.free = t.free[n-1], t.free[:n-1]
	} else {
		at = t.used
		t.used++
		if at/pageItems == uint32(len(t.pages)) {
			t.grow()
		}
	}
	s := t.slot(at)
	*s = slot[T]{key: key, next: l.first}
	l.first = at + 1
	l.items++
	t.index.Put(key, at+1, func(at uint32) bool { return t.slot(at-1).key == key })
	return &s.item
}

func (t *table[T]) grow() {
	for more := make([]slot[T], pageItems*min(max(1, len(t.pages)), mostPages)); len(more) > 0; more = more[pageItems:] {
		t.pages = append(t.pages, (*[pageItems]slot[T])(more))
	}
}

// trim drops what a bucket has too much, as one that was stored when there was more room.
func (t *table[T]) trim(number uint16) {
	if over := t.list(number).items - t.most; over > 0 {
		t.forgetOldest(number, int(over))
	}
}

// forgetOldest drops n items of a bucket, those that were not met for longest. Which ones
// that are depends on the items alone and not on the order in which they came back.
func (t *table[T]) forgetOldest(number uint16, n int) {
	all := t.slots(number)
	slices.SortFunc(all, func(a, b uint32) int {
		x, y := t.slot(a), t.slot(b)
		return cmp.Or(cmp.Compare(t.hour(&x.item), t.hour(&y.item)), cmp.Compare(x.key, y.key))
	})
	t.driven += uint64(n)
	if t.forgot != nil {
		for _, at := range all[:n] {
			t.forgot(t.slot(at).key)
		}
	}
	t.keep(number, all, n)
}

// clear drops all items of a bucket.
func (t *table[T]) clear(number uint16) {
	if all := t.slots(number); len(all) > 0 {
		t.keep(number, all, len(all))
	}
}

// keep drops the first n of a bucket's slots.
func (t *table[T]) keep(number uint16, all []uint32, n int) {
	for _, at := range all[:n] {
		s := t.slot(at)
		t.index.DeleteIf(s.key, at+1)
		if t.release != nil {
			t.release(&s.item)
		}
		*s = slot[T]{}
		t.free = append(t.free, at)
		t.removed++
	}
	l := list{items: int32(len(all) - n)}
	for _, at := range all[n:] {
		t.slot(at).next = l.first
		l.first = at + 1
	}
	t.lists[number] = l
}

// slots returns the slots of a bucket, until it is called again.
func (t *table[T]) slots(number uint16) []uint32 {
	all := t.scratch[:0]
	for next := t.list(number).first; next != 0; next = t.slot(next - 1).next {
		all = append(all, next-1)
	}
	t.scratch = all
	return all
}
