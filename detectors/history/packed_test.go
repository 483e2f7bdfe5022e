package history

import (
	"math/rand/v2"
	"testing"
)

// G7: packed items are what was last taught them however they grow and shrink, and the
// places of those that were forgotten are used again.
func TestPackedAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	var m marks
	p := newPacked(&m, 8*buckets, func(p *Prints) int32 { return p.Hour }, (*coder).prints)
	want := map[uint64]Prints{}
	p.forgot = func(key uint64) { delete(want, key) }
	var after uint32
	for step := range 40_000 {
		key := rng.Uint64N(4)<<(64-bucketBits) | rng.Uint64N(12)
		n := rng.IntN(prints + 1)
		p.change(key, func(got *Prints) {
			if *got != want[key] {
				t.Fatalf("step %d: key %x holds %+v, want %+v", step, key, got, want[key])
			}
			*got = Prints{Hour: int32(step), Next: uint32(n)}
			for i := range n {
				got.Items[i].Number = uint32(1) << rng.IntN(32)
				copy(got.Items[i].ID[:rng.IntN(32)], "an invoice_id of thirty-two bytes")
			}
			want[key] = *got
		})
		if step == 20_000 {
			after = p.arena.used
		}
	}
	if p.arena.used > after+after/10 {
		t.Errorf("%d units of memory were taken, %d in the first half: what was forgotten is not used again",
			p.arena.used, after)
	}
	if p.driven == 0 || p.index.Len() != len(want) {
		t.Errorf("%d items, %d forgotten, want %d and some", p.index.Len(), p.driven, len(want))
	}
	for key := range want {
		if got := p.load(key, new(Prints)); got == nil || *got != want[key] {
			t.Errorf("key %x holds %+v in the end, want %+v", key, got, want[key])
		}
	}
}
