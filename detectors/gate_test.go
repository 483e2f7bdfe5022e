package detectors

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"recoup/detectors/history"
)

// Detectors, classifier and proofs are asked about invoices only that pass a gate:
// no kind of exact evidence but those of belowGates may hold below all of them.
func TestWhatPassesNoGateProvesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	e := &evidence{inv: threeLineInvoice()}
	e.facts.Known = history.Known{Customer: &history.Customer{}, Country: &history.Group{}}
	for range 20_000 {
		e.x, e.shown = [features]float32{}, featureSet{}
		for f := range feature(features) {
			switch gate := gates[f]; {
			case rng.IntN(2) == 0:
			case gate == 0:
				e.set(f, rng.NormFloat64()*3)
			case gate > always:
				e.set(f, float64(gate)*rng.Float64()*0.999)
			}
		}
		if !e.usual() {
			t.Fatalf("a gate is passed below its value: %v", e.x)
		}
		for kind := range proofs {
			if !slices.Contains(belowGates[:], kind) && proofTable[kind].holds(e) {
				t.Fatalf("evidence %d holds on what passes no gate: %v", kind, e.x)
			}
		}
	}
}

// Each gate is passed at its value, on either side of 0, and not just below it.
func TestGates(t *testing.T) {
	for f, gate := range gates {
		for _, x := range []float32{gate, -gate, math.Nextafter32(gate, 0), 0, 100} {
			e := &evidence{}
			e.set(feature(f), float64(x))
			want := gate == 0 || float32(math.Abs(float64(x))) < gate
			if e.usual() != want {
				t.Errorf("feature %d at %v with gate %v: usual %v", f, x, gate, !want)
			}
		}
	}
}

// A feature that shows without being noted would pass its gate unseen.
func TestWhatShowsIsNoted(t *testing.T) {
	e := engineAmong(1)
	s := newShift(e, 3, 2)
	for round := range 2 {
		shown := 0
		for range 2000 {
			s.workOnSpoilt()
			for f, x := range e.cur.ev.x {
				if x == 0 {
					continue
				}
				shown++
				if e.cur.ev.shown[f/64]>>(f%64)&1 == 0 {
					t.Fatalf("feature %d is %v and not noted", f, x)
				}
			}
		}
		if shown < 2000*5 {
			t.Errorf("round %d: only %d features show", round, shown)
		}
		s.spoil()
	}
}
