package reference

import (
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/index"
)

// keyed is a key of a table.
type keyed interface {
	comparable
	hash() uint64
	of() string // seller
}

// name is a key within a seller: a customer, a code, a delivery, a product.
type name struct{ seller, name string }

func (k name) of() string { return k.seller }

func (k name) hash() uint64 { return index.Mix(textHash(k.seller), textHash(k.name)) }

// priceKey says for which product and for whom a price holds; an empty
// customerType or customerRef is everybody.
type priceKey struct{ seller, product, customerType, customerRef string }

func (k priceKey) of() string { return k.seller }

func (k priceKey) hash() uint64 {
	return forWhom(name{k.seller, k.product}.hash(), textHash(k.customerType), textHash(k.customerRef))
}

// forWhom narrows the hash of a product to a customer type and a customer, of
// which each may be 0.
func forWhom(product, customerType, customerRef uint64) uint64 {
	return index.Mix(index.Mix(product, customerType), customerRef)
}

// textHash is 0 for the empty text only, but for one text in 2^64.
func textHash(s string) uint64 {
	if s == "" {
		return 0
	}
	return xxhash.Sum64String(s)
}

// table is a hash table for one writer at a time and any number of readers,
// who never wait: they load pointers. The writer replaces the versions of an
// entry whole, and the slots whole when they fill up; a reader that still looks at
// the old slots may miss what was added since, as if it had come a moment before.
type table[K keyed, V any] struct {
	slots atomic.Pointer[slots[K, V]]
	live  int // entries with versions; of the writer
	used  int // slots ever taken in the present array; of the writer
}

type slots[K keyed, V any] []atomic.Pointer[entry[K, V]]

type entry[K keyed, V any] struct {
	hash     uint64
	key      K
	versions atomic.Pointer[version[V]] // newest first; nil: deleted
}

const leastSlots = 16 // a power of two, like every number of slots

// versions returns what is known of a key with this hash, newest first.
func (t *table[K, V]) versions(hash uint64, key K) *version[V] {
	if e := t.find(hash, func(e *entry[K, V]) bool { return e.key == key }); e != nil {
		return e.versions.Load()
	}
	return nil
}

// find returns the entry of a hash that same accepts, or nil.
func (t *table[K, V]) find(hash uint64, same func(*entry[K, V]) bool) *entry[K, V] {
	p := t.slots.Load()
	if p == nil {
		return nil
	}
	array := *p
	mask := uint64(len(array) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if e := array[i].Load(); e == nil || (e.hash == hash && same(e)) {
			return e
		}
	}
}

// set replaces the versions of an entry and returns by how many keys the table
// grew: -1, 0 or 1.
func (t *table[K, V]) set(e *entry[K, V], versions *version[V]) int {
	grown := 0
	if was := e.versions.Load(); was == nil && versions != nil {
		grown = 1
	} else if was != nil && versions == nil {
		grown = -1
	}
	t.live += grown
	e.versions.Store(versions)
	return grown
}

// add makes an entry without versions; the array is at most five eighths full.
func (t *table[K, V]) add(hash uint64, key K) *entry[K, V] {
	e := &entry[K, V]{hash: hash, key: key}
	p := t.slots.Load()
	if p == nil || (t.used+1)*8 > len(*p)*5 {
		p = t.rebuilt()
		t.slots.Store(p)
	}
	place(*p, e)
	t.used++
	return e
}

// rebuilt returns a new array with the live entries, at most three eighths full.
func (t *table[K, V]) rebuilt() *slots[K, V] {
	size := leastSlots
	for (t.live+1)*8 > size*3 {
		size *= 2
	}
	array := make(slots[K, V], size)
	t.used = 0
	t.each(func(e *entry[K, V]) {
		place(array, e)
		t.used++
	})
	return &array
}

func place[K keyed, V any](array slots[K, V], e *entry[K, V]) {
	mask := uint64(len(array) - 1)
	i := e.hash & mask
	for array[i].Load() != nil {
		i = (i + 1) & mask
	}
	array[i].Store(e)
}

// each calls do with every entry that has versions, in no order that means
// anything; do may delete it.
func (t *table[K, V]) each(do func(*entry[K, V])) {
	p := t.slots.Load()
	if p == nil {
		return
	}
	for i := range *p {
		if e := (*p)[i].Load(); e != nil && e.versions.Load() != nil {
			do(e)
		}
	}
}
