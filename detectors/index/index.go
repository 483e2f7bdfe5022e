// Package index finds things by the 64-bit hash of their key.
package index

import "math/bits"

// Index holds one number, not 0, for each key. Its memory is one array without
// pointers: a look-up mostly reads one cache line of it, and the garbage collector
// none. The zero value is empty. An Index is not safe for concurrent use.
//
// It is open addressing with linear probing. Of a hash it keeps half, in 8 bytes a
// place, so that two keys may look alike: among a million, one in some thousand look-ups
// meets another's number. Whoever numbers things has the keys, and tells: is(number) says
// whether that number is the one of the key searched for. It is asked only where half the
// hash agrees, mostly once for a key that is there and not at all for one that is not.
type Index struct {
	places []place // its length is 0 or a power of two, at most three quarters are in use
	shift  int     // 32 less the bits that number a place
	count  int     // places in use
}

// place is one entry.
type place struct {
	half   uint32 // of the hash
	number uint32 // 0: free
}

// fewest is how many places an index has at least.
const fewest = 64

// halfOf is what is kept of a hash. Whatever the hashes have in common is spread
// (Knuth's multiplicative hashing): runs of neighbours would make each deletion
// walk over all of them.
func halfOf(hash uint64) uint32 { return uint32(hash * 0x9e3779b97f4a7c15 >> 32) }

// home is where a hash belongs.
func (x *Index) home(half uint32) int { return int(half >> x.shift) }

// Len returns how many keys there are.
func (x *Index) Len() int { return x.count }

// Get returns the number of a key, 0 when there is none.
func (x *Index) Get(hash uint64, is func(number uint32) bool) uint32 {
	if x.count == 0 {
		return 0
	}
	return x.places[x.find(halfOf(hash), is)].number
}

// Put sets the number of a key, which is not 0, and returns the one before.
func (x *Index) Put(hash uint64, number uint32, is func(number uint32) bool) (before uint32) {
	if x.count >= len(x.places)/4*3 {
		x.grow()
	}
	half := halfOf(hash)
	p := &x.places[x.find(half, is)]
	if before = p.number; before == 0 {
		x.count++
	}
	*p = place{half, number}
	return before
}

// find returns where a key is, or the free place where it would be.
func (x *Index) find(half uint32, is func(number uint32) bool) int {
	mask := len(x.places) - 1
	at := x.home(half)
	for {
		if p := x.places[at]; p.number == 0 || p.half == half && is(p.number) {
			return at
		}
		at = (at + 1) & mask
	}
}

func (x *Index) grow() {
	old := x.places
	x.places = make([]place, max(fewest, 2*len(old)))
	x.shift = 32 - bits.Len(uint(len(x.places)-1))
	mask := len(x.places) - 1
	for _, p := range old {
		if p.number == 0 {
			continue
		}
		at := x.home(p.half)
		for x.places[at].number != 0 {
			at = (at + 1) & mask
		}
		x.places[at] = p
	}
}

// Delete forgets a key.
func (x *Index) Delete(hash uint64, is func(number uint32) bool) {
	if x.count > 0 {
		x.free(x.find(halfOf(hash), is))
	}
}

// DeleteIf forgets a key if it has this number, which is not 0 and no other key's, and
// tells whether it had.
func (x *Index) DeleteIf(hash uint64, number uint32) bool {
	if x.count == 0 {
		return false
	}
	at := x.find(halfOf(hash), func(n uint32) bool { return n == number })
	if x.places[at].number == 0 {
		return false
	}
	x.free(at)
	return true
}

// free empties a place and moves up those that had to make room for it.
func (x *Index) free(hole int) {
	if x.places[hole].number == 0 {
		return
	}
	mask := len(x.places) - 1
	for i := (hole + 1) & mask; x.places[i].number != 0; i = (i + 1) & mask {
		if home := x.home(x.places[i].half); (i-home)&mask >= (i-hole)&mask {
			x.places[hole], hole = x.places[i], i
		}
	}
	x.places[hole] = place{}
	x.count--
}

// Clear forgets everything and keeps the memory.
func (x *Index) Clear() {
	clear(x.places)
	x.count = 0
}
