// Package index finds things by the 64-bit hash of their key.
package index

import "math/bits"

// Index holds one number, not 0, for each hash. Its memory is one array without
// pointers: a look-up mostly reads one cache line of it, and the garbage collector
// none. The zero value is empty. An Index is not safe for concurrent use.
//
// It is open addressing with linear probing.
type Index struct {
	places []place // its length is 0 or a power of two, at most three quarters are in use
	shift  int     // 64 less the bits that number a place
	count  int     // places in use
}

// place is one entry: 12 bytes, which they would not be with a key of 64 bits at a stretch.
type place struct {
	high, low uint32 // of the key
	number    uint32 // 0: free
}

func (p *place) key() uint64 { return uint64(p.high)<<32 | uint64(p.low) }

// fewest is how many places an index has at least.
const fewest = 64

// home is where a hash belongs. Whatever the hashes have in common is spread
// (Knuth's multiplicative hashing): runs of neighbours would make each deletion
// walk over all of them.
func (x *Index) home(key uint64) int { return int(key * 0x9e3779b97f4a7c15 >> x.shift) }

// Len returns how many hashes there are.
func (x *Index) Len() int { return x.count }

// Get returns the number of a hash, 0 when there is none.
func (x *Index) Get(key uint64) uint32 {
	if x.count == 0 {
		return 0
	}
	return x.places[x.find(key)].number
}

// Put sets the number of a hash, which is not 0, and returns the one before.
func (x *Index) Put(key uint64, number uint32) (before uint32) {
	if x.count >= len(x.places)/4*3 {
		x.grow()
	}
	p := &x.places[x.find(key)]
	if before = p.number; before == 0 {
		x.count++
	}
	*p = place{uint32(key >> 32), uint32(key), number}
	return before
}

// find returns where a hash is, or the free place where it would be.
func (x *Index) find(key uint64) int {
	mask := len(x.places) - 1
	at := x.home(key)
	for x.places[at].key() != key && x.places[at].number != 0 {
		at = (at + 1) & mask
	}
	return at
}

func (x *Index) grow() {
	old := x.places
	x.places = make([]place, max(fewest, 2*len(old)))
	x.shift = 64 - bits.Len(uint(len(x.places)-1))
	for _, p := range old {
		if p.number != 0 {
			x.places[x.find(p.key())] = p
		}
	}
}

// Delete forgets a hash.
func (x *Index) Delete(key uint64) {
	if x.count > 0 {
		x.free(x.find(key))
	}
}

// DeleteIf forgets a hash if it has this number, which is not 0, and tells whether it had.
func (x *Index) DeleteIf(key uint64, number uint32) bool {
	if x.count == 0 {
		return false
	}
	at := x.find(key)
	if x.places[at].number != number {
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
		if home := x.home(x.places[i].key()); (i-home)&mask >= (i-hole)&mask {
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
