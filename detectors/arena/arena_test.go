package arena

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// pointers lists cells for Compact.
func pointers(cells []Cell) func(func(*Cell) bool) {
	return func(yield func(*Cell) bool) {
		for i := range cells {
			if !yield(&cells[i]) {
				return
			}
		}
	}
}

// An arena holds what a map holds, whatever is replaced, cleared and compacted, also where
// strings are empty or longer than a chunk.
func TestArenaAgainstMap(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var a Arena
		var buffer Buffer
		cells, want := make([]Cell, 300), map[int][]byte{}
		check := func(step, i int) {
			t.Helper()
			read, version := a.Read(&cells[i], &buffer)
			if got := a.Get(&cells[i]); !bytes.Equal(got, want[i]) || (got == nil) != (want[i] == nil) ||
				!bytes.Equal(read, want[i]) || (read == nil) != (want[i] == nil) || version != cells[i].Version() {
				t.Fatalf("seed %d, step %d, cell %d: %d bytes, %d read; want %d", seed, step, i, len(got), len(read), len(want[i]))
			}
		}
		for step := range 10_000 {
			i := rng.IntN(len(cells))
			version := cells[i].Version()
			switch rng.IntN(8) {
			case 0:
				a.Clear(&cells[i])
				delete(want, i)
			default:
				data := make([]byte, rng.IntN([]int{1, 40, 300, 3000}[rng.IntN(4)]))
				if rng.IntN(500) == 0 {
					data = make([]byte, rng.IntN(5*chunkWords*wordBytes))
				}
				for at := range data {
					data[at] = byte(rng.Uint32())
				}
				a.Set(&cells[i], data)
				want[i] = data
			}
			if cells[i].Version() == version {
				t.Fatalf("seed %d, step %d: the version stays", seed, step)
			}
			check(step, i)
			if a.Sparse() {
				if a.Compact(pointers(cells)); a.Sparse() {
					t.Fatalf("seed %d, step %d: sparse after it was compacted", seed, step)
				}
				for i := range cells {
					check(step, i)
				}
			}
			check(step, rng.IntN(len(cells)))
		}
		if a.live < 0 || a.taken < a.live {
			t.Errorf("seed %d: %d words are in use, of %d", seed, a.live, a.taken)
		}
	}
}

// Blocks that are freed are used again, and what compaction leaves empty is given back.
func TestArenaStaysSmall(t *testing.T) {
	var a Arena
	cells := make([]Cell, 1000)
	for round := range 200 {
		for i := range cells {
			a.Set(&cells[i], make([]byte, 40+round))
			if a.Sparse() {
				a.Compact(pointers(cells))
			}
		}
	}
	chunks, bytes := 0, 0
	all := *a.chunks.Load()
	for i := range all {
		if all[i].Load() != nil {
			chunks++
		}
	}
	for i := range cells {
		bytes += len(a.Get(&cells[i]))
	}
	if held := chunks * chunkWords * wordBytes; held > bytes*5/4+2*chunkWords*wordBytes || len(all) > 64 {
		t.Errorf("%d bytes are held in %d, with %d numbers of chunks", bytes, held, len(all))
	}
}

// signed is a string that tells a mixture of two from itself: of one cell, a number, a length
// that follows from both, and each word of it says so.
func signed(cell, number uint64) []byte {
	data := make([]byte, 8*(2+(cell+number)%5))
	for at := 0; at < len(data); at += 8 {
		binary.LittleEndian.PutUint64(data[at:], cell<<32|number)
	}
	return data
}

func isSigned(data []byte, cell uint64) error {
	if len(data) == 0 {
		return nil // cleared
	}
	if len(data)%8 != 0 || len(data) < 16 {
		return fmt.Errorf("%d bytes", len(data))
	}
	word := binary.LittleEndian.Uint64(data)
	if word>>32 != cell || !bytes.Equal(data, signed(cell, word&(1<<32-1))) {
		return fmt.Errorf("cell %d reads %x", cell, data)
	}
	return nil
}

// Whoever reads while strings are replaced, and their blocks used for others at once, reads one
// string of this cell whole, and each no older than the one before.
func TestReadIsSafeWhileBlocksAreReused(t *testing.T) {
	var a Arena
	cells := make([]Cell, 6) // few, so that freed blocks are used again by others at once
	var stop atomic.Bool
	var readers sync.WaitGroup
	failed := make(chan error, 4)
	for r := range uint64(4) {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(r, 2))
			var buffer Buffer
			newest := make([]uint64, len(cells))
			for !stop.Load() {
				i := rng.IntN(len(cells))
				data, _ := a.Read(&cells[i], &buffer)
				err := isSigned(data, uint64(i))
				if err == nil && len(data) > 0 {
					number := binary.LittleEndian.Uint64(data) & (1<<32 - 1)
					if number < newest[i] {
						err = fmt.Errorf("cell %d reads %d after %d", i, number, newest[i])
					}
					newest[i] = number
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(9, 2))
	for number := range uint64(150_000) {
		switch i := rng.IntN(len(cells)); {
		case number%1000 == 0:
			a.Compact(pointers(cells))
		case number%17 == 0:
			a.Clear(&cells[i])
		default:
			a.Set(&cells[i], signed(uint64(i), number))
		}
	}
	stop.Store(true)
	readers.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}

// Whoever was held up between a cell's word and its block may look into memory that has got the
// chunk's number since, while it is filled. What it finds is dropped; the race detector is what fails here.
func TestLateReadOfANewChunk(t *testing.T) {
	var a Arena
	cells := make([]Cell, 1)
	a.Set(&cells[0], make([]byte, 30_000)) // takes its time to be copied
	late := uint32(cells[0].word.Load())
	var stop atomic.Bool
	var met atomic.Int64
	var reader sync.WaitGroup
	reader.Go(func() {
		for seen := (*chunk)(nil); !stop.Load(); {
			from := a.chunk(late)
			if from == nil || from == seen {
				continue
			}
			atomic.LoadUint64(&from[late%chunkWords]) // the first that Read does with a word
			seen = from
			met.Add(1)
		}
	})
	for met.Load() < 50 {
		a.Compact(pointers(cells))
	}
	stop.Store(true)
	reader.Wait()
}

// A block that was freed and is now used by the same cell again is another version of it.
func TestVersionTellsAReusedBlock(t *testing.T) {
	var a Arena
	var c Cell
	a.Set(&c, signed(0, 1))
	first := c.Version()
	a.Set(&c, signed(0, 6))
	a.Set(&c, signed(0, 11))
	if uint32(c.Version()) != uint32(first) {
		t.Error("the block is not used again")
	}
	if c.Version() == first {
		t.Error("another string in the same block has the version of the first")
	}
}

func TestClasses(t *testing.T) {
	before := 0
	var sizes []int
	for words := 1; words < 100_000; words++ {
		class, has := classOf(words)
		if has < words || has > words+words/8 || class < before || class > before+1 {
			t.Fatalf("%d words: class %d of %d words, after class %d", words, class, has, before)
		}
		if class == before && sizes[len(sizes)-1] != has || slices.Contains(sizes, has) != (class == before) {
			t.Fatalf("%d words: class %d has %d words, and %d", words, class, sizes[len(sizes)-1], has)
		}
		if class != before {
			sizes = append(sizes, has)
		}
		before = class
	}
}
