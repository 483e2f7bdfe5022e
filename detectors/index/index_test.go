package index

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An index answers what a map answers, through growth, deletions, and collisions: where
// hashes are alike, and where they are one and the same for several keys.
func TestIndexAgainstMap(t *testing.T) {
	hashes := map[string]func(key uint64) uint64{
		"small":          func(key uint64) uint64 { return key },
		"same low bits":  func(key uint64) uint64 { return key << 20 },
		"half the same":  func(key uint64) uint64 { return alike(key%40<<26, key/40) },
		"one and a half": func(key uint64) uint64 { return alike(0, key) },
		"one for three":  func(key uint64) uint64 { return key / 3 },
	}
	for name, hash := range hashes {
		for seed := range uint64(8) {
			if err := againstMap(rand.New(rand.NewPCG(seed, 3)), hash); err != nil {
				t.Errorf("%s, seed %d: %v", name, seed, err)
			}
		}
	}
}

// alike returns hashes of which an index keeps the same half.
func alike(half, n uint64) uint64 {
	const inverse = 0xf1de83e19937733d // of the factor in halfOf, modulo 2^64
	return (half<<32 | n) * inverse
}

func TestAlike(t *testing.T) {
	if a, b := alike(7, 1), alike(7, 2); a == b || halfOf(a) != 7 || halfOf(b) != 7 {
		t.Errorf("halves of %x and %x are %d and %d, want 7", a, b, halfOf(a), halfOf(b))
	}
}

func againstMap(rng *rand.Rand, hash func(uint64) uint64) error {
	var x Index
	keys := []uint64{0} // by number
	want := map[uint64]uint32{}
	for step := range 10_000 {
		key := rng.Uint64N(400)
		is := func(number uint32) bool { return keys[number] == key }
		switch rng.IntN(6) {
		case 0:
			x.Delete(hash(key), is)
			delete(want, key)
		case 1:
			number := want[key]
			if number == 0 {
				number = uint32(len(keys)) // nobody's
			}
			if x.DeleteIf(hash(key), number) != (want[key] != 0) {
				return fmt.Errorf("step %d: deleted number %d of key %d wrongly", step, number, key)
			}
			delete(want, key)
		case 2, 3, 4:
			keys = append(keys, key)
			if before := x.Put(hash(key), uint32(len(keys)-1), is); before != want[key] {
				return fmt.Errorf("step %d: key %d had %d, want %d", step, key, before, want[key])
			}
			want[key] = uint32(len(keys) - 1)
		}
		if got := x.Get(hash(key), is); got != want[key] {
			return fmt.Errorf("step %d: key %d has %d, want %d", step, key, got, want[key])
		}
		if rng.IntN(5000) == 0 {
			x.Clear()
			clear(want)
		}
	}
	for key, number := range want {
		if got := x.Get(hash(key), func(n uint32) bool { return keys[n] == key }); got != number {
			return fmt.Errorf("key %d has %d in the end, want %d", key, got, number)
		}
	}
	if x.Len() != len(want) {
		return fmt.Errorf("%d keys, want %d", x.Len(), len(want))
	}
	return nil
}
