package inject

import (
	"math/rand/v2"
	"testing"

	"recoup/invoice"
)

// One error of any kind in a copy of an invoice with up to 6 lines: about what
// one training example costs before it is scored.
func BenchmarkAny(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var sources []*invoice.Invoice
	s := newSeller(rng)
	for range 256 {
		sources = append(sources, s.invoice())
	}
	ctx := contextOf(s)
	dst := new(invoice.Invoice)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Any(dst, sources[i%len(sources)], rng, ctx)
	}
}

func BenchmarkKind(b *testing.B) {
	for _, k := range Kinds {
		b.Run(k.Cause()+"/"+k.String(), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			s := newSeller(rng)
			src, ctx, dst := s.invoice(), contextOf(s), new(invoice.Invoice)
			b.ReportAllocs()
			for b.Loop() {
				put(dst, src, k, rng, ctx)
			}
		})
	}
}
