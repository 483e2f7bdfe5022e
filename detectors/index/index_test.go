package index

import (
	"math/rand/v2"
	"testing"
)

// An index answers what a map answers, through growth, collisions and deletions.
func TestIndexAgainstMap(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var x Index
		want := map[uint64]uint32{}
		for step := range 20_000 {
			key := rng.Uint64N(400)
			if seed%2 == 1 {
				key *= 1 << 20 // the lower bits of all are the same
			}
			switch rng.IntN(5) {
			case 0, 1:
				x.Delete(key)
				delete(want, key)
			case 2, 3:
				x.Put(key, uint32(step)+1)
				want[key] = uint32(step) + 1
			}
			if got := x.Get(key); got != want[key] {
				t.Fatalf("seed %d, step %d: key %d has %d, want %d", seed, step, key, got, want[key])
			}
			if rng.IntN(5000) == 0 {
				x.Clear()
				clear(want)
			}
		}
		for key, number := range want {
			if got := x.Get(key); got != number {
				t.Errorf("seed %d: key %d has %d in the end, want %d", seed, key, got, number)
			}
		}
		if x.Len() != len(want) {
			t.Errorf("seed %d: %d keys, want %d", seed, x.Len(), len(want))
		}
	}
}
