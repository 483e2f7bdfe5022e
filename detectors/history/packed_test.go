package history

import (
	"math/rand/v2"
	"testing"
)

// G7: packed items are what was last taught them however they grow and shrink, and little
// memory is taken beside.
func TestPackedAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	var m marks
	p := newPacked(&m, 8*buckets, func(p *Prints) int32 { return p.Hour }, (*coder).prints)
	want := map[uint64]Prints{}
	p.forgot = func(key uint64) { delete(want, key) }
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
	}
	inUse := uint32(0)
	for at := range p.used {
		inUse += uint32(unitsOf(int(p.slot(at).item.size)))
	}
	if most := inUse + inUse/4 + 2*perPage; p.arena.used > most {
		t.Errorf("%d units of memory are taken for %d in use, want at most %d", p.arena.used, inUse, most)
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
