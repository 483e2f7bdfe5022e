// Package arena holds very many short strings of bytes without a pointer to any of them: a
// million are some hundred pieces of memory to the garbage collector, none of which it looks into.
package arena

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"
	"sync/atomic"
	"unsafe"
)

// Arena holds the strings that Cells name. Its zero value is empty. One goroutine at a time may
// change it and call any method, who that is being for its owner to say, as with a lock; Read
// is for everybody at any time.
//
// A string is written once, in one of the sizes that blocks have. To replace it writes another,
// has the cell name that, and only then frees the first one's block, which may be used again at
// once: a reader that is still in it finds that the cell names another block by now, and begins
// anew.
type Arena struct {
	chunks  atomic.Pointer[[]atomic.Pointer[chunk]] // by number; some are nil
	numbers []uint32                                // of chunks that are nil
	count   uint32                                  // chunks that have a number
	next    uint32                                  // place of the next block, in the newest chunk
	end     uint32                                  // of that chunk
	free    []uint32                                // by class: place of the first free block, 0: none
	taken   int                                     // words of all chunks that were handed out
	live    int                                     // of them in blocks that cells name
	lost    int                                     // of them in none right after Compact: rests of chunks
	scratch []uint64
}

// Cell names one string, or none as its zero value does. It stays with its arena and does not move.
type Cell struct {
	// word is the place of the string's block in the lower half, 0: none. The upper half counts
	// how often it changed: a block that was freed and is now used by this very cell again is
	// another one.
	word atomic.Uint64
}

// Version changes with the string, and when that is moved. It is not 0 while there is one.
func (c *Cell) Version() uint64 { return c.word.Load() }

const (
	chunkWords = 1 << 12 // 32 KiB
	wordBytes  = 8
	headBytes  = 4 // length of the string, before its bytes
)

type chunk [chunkWords]uint64

// wordsFor is how many words a string of so many bytes takes.
func wordsFor(size int) int { return (headBytes + size + wordBytes - 1) / wordBytes }

// classOf returns the class of blocks of at least so many words, and how many those have: all
// numbers to 16, and then eight to each power of two.
func classOf(words int) (class, has int) {
	if words <= 16 {
		return words, words
	}
	step := bits.Len(uint(words-1)) - 4
	has = (words + 1<<step - 1) >> step << step
	return 16 + 8*(step-1) + has>>step - 8, has
}

// Set replaces the string of a cell.
func (a *Arena) Set(c *Cell, data []byte) {
	words := wordsFor(len(data))
	a.scratch = slices.Grow(a.scratch[:0], words)[:words]
	a.scratch[words-1] = 0
	b := bytesOf(a.scratch)
	binary.NativeEndian.PutUint32(b, uint32(len(data)))
	copy(b[headBytes:], data)
	before := c.word.Load()
	c.word.Store(newer(before, a.put(a.scratch)))
	a.release(uint32(before))
}

// Clear leaves a cell without a string.
func (a *Arena) Clear(c *Cell) {
	before := c.word.Load()
	c.word.Store(newer(before, 0))
	a.release(uint32(before))
}

// newer is a cell's word with the next version.
func newer(word uint64, place uint32) uint64 { return (word>>32+1)<<32 | uint64(place) }

// Get returns the string of a cell, nil for none, until the arena is changed.
func (a *Arena) Get(c *Cell) []byte {
	place := uint32(c.word.Load())
	if place == 0 {
		return nil
	}
	block := a.block(place)
	return bytesOf(block)[headBytes:][:sizeOf(block[0])]
}

// Buffer is memory that Read uses again.
type Buffer []uint64

// Read returns a copy of the string of a cell, nil for none, in a buffer's memory, and the
// version that it has. It waits for nobody.
func (a *Arena) Read(c *Cell, into *Buffer) (data []byte, version uint64) {
	for {
		word := c.word.Load()
		place := uint32(word)
		if place == 0 {
			return nil, word
		}
		from := a.chunk(place)
		if from == nil {
			continue // it was moved
		}
		first := atomic.LoadUint64(&from[place%chunkWords])
		if c.word.Load() != word {
			continue // else first would be the string's, but for that
		}
		size := sizeOf(first)
		words := wordsFor(size)
		block := unsafe.Slice(&from[place%chunkWords], words) // one piece of memory, also beyond a chunk
		*into = slices.Grow((*into)[:0], words)[:words]
		for i := range block {
			(*into)[i] = atomic.LoadUint64(&block[i])
		}
		if c.word.Load() == word {
			return bytesOf(*into)[headBytes:][:size], word
		}
	}
}

// chunk returns the chunk of a place, nil if there is none any more.
func (a *Arena) chunk(place uint32) *chunk {
	all := a.chunks.Load()
	if n := place / chunkWords; all != nil && int(n) < len(*all) {
		return (*all)[n].Load()
	}
	return nil
}

// block returns the words of the block at a place that is in use.
func (a *Arena) block(place uint32) []uint64 {
	from := a.chunk(place)
	return unsafe.Slice(&from[place%chunkWords], wordsFor(sizeOf(from[place%chunkWords])))
}

func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), wordBytes*len(words))
}

// sizeOf is the length that a block's first word says.
func sizeOf(first uint64) int {
	return int(*(*uint32)(unsafe.Pointer(&first)))
}

// put writes a block and returns its place.
func (a *Arena) put(words []uint64) (place uint32) {
	class, has := classOf(len(words))
	a.live += has
	if class < len(a.free) && a.free[class] != 0 {
		place = a.free[class]
		block := unsafe.Slice(&a.chunk(place)[place%chunkWords], len(words))
		a.free[class] = uint32(block[0])
		store(block, words)
		return place
	}
	if int(a.end-a.next) < has {
		a.grow(has)
	}
	place = a.next
	a.next += uint32(has)
	a.taken += has
	store(unsafe.Slice(&a.chunk(place)[place%chunkWords], len(words)), words)
	return place
}

// store fills a block, of which somebody may still be reading what was there before: also of a
// new chunk, which may have the number of one that was given back.
func store(block, words []uint64) {
	for i, w := range words {
		atomic.StoreUint64(&block[i], w)
	}
}

// release has the block at a place, if it is not 0, used again.
func (a *Arena) release(place uint32) {
	if place == 0 {
		return
	}
	class, has := classOf(len(a.block(place)))
	for len(a.free) <= class {
		a.free = append(a.free, 0)
	}
	atomic.StoreUint64(&a.chunk(place)[place%chunkWords], uint64(a.free[class]))
	a.free[class] = place
	a.live -= has
}

// grow makes room for a block: a chunk, or several numbers in a row of one long piece of memory.
func (a *Arena) grow(words int) {
	n := (words + chunkWords - 1) / chunkWords
	memory := make([]uint64, n*chunkWords)
	number := a.count
	if last := len(a.numbers) - 1; n == 1 && last >= 0 {
		number, a.numbers = a.numbers[last], a.numbers[:last]
	} else {
		if a.count == 0 {
			a.count, number = 1, 1 // place 0 is none
		}
		a.count += uint32(n)
	}
	if uint64(a.count)*chunkWords >= 1<<32 {
		panic("arena: 32 GiB in one arena")
	}
	all := a.chunks.Load()
	if all == nil || len(*all) < int(a.count) {
		more := make([]atomic.Pointer[chunk], max(8, 2*int(a.count)))
		if all != nil {
			for i := range *all {
				more[i].Store((*all)[i].Load())
			}
		}
		all = &more
	}
	for i := range n {
		(*all)[int(number)+i].Store((*chunk)(memory[i*chunkWords:]))
	}
	a.chunks.Store(all)
	a.taken += int(a.end - a.next) // the rest of the chunk before
	a.next = number * chunkWords
	a.end = a.next + uint32(n*chunkWords)
}

// Sparse tells whether much of the arena is in no string: then it is time to Compact it.
func (a *Arena) Sparse() bool { return a.taken-a.live > a.lost+max(chunkWords, a.taken/8) }

// Compact moves the strings together. The cells are all that name one in this arena.
func (a *Arena) Compact(cells iter.Seq[*Cell]) {
	var old []uint32
	if all := a.chunks.Load(); all != nil {
		for number := range *all {
			if (*all)[number].Load() != nil {
				old = append(old, uint32(number))
			}
		}
	}
	a.free, a.taken, a.live, a.next, a.end = nil, 0, 0, 0, 0
	for c := range cells {
		if word := c.word.Load(); uint32(word) != 0 {
			c.word.Store(newer(word, a.put(a.block(uint32(word)))))
		}
	}
	for _, number := range old {
		(*a.chunks.Load())[number].Store(nil)
	}
	a.numbers = append(a.numbers, old...)
	a.lost = a.taken - a.live
}
