package detectors

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"recoup/invoice"
)

// decidedWorld is a partition of which some suspects are decided while it is read.
type decidedWorld struct {
	records  []received
	suspects map[int64]bool
	events   []int64 // source offset of the invoice that each event decides
}

func newDecidedWorld(t *testing.T, rng *rand.Rand) *decidedWorld {
	t.Helper()
	w := &decidedWorld{records: world(rng, 400), suspects: map[int64]bool{}}
	e := NewEngine(worldSettings(), NewShared(), 0)
	for offset := range int64(len(w.records)) {
		_, w.suspects[offset] = step(t, e, w.records, offset)
		if w.suspects[offset] && rng.IntN(2) == 0 {
			w.events = append(w.events, offset)
		}
	}
	return w
}

// teach takes a record through an engine, suspect or not as it was decided once.
func (w *decidedWorld) teach(e *Engine, offset int64) {
	r := w.records[offset]
	if e.Begin(r.inv, at(offset), r.at) == Fresh {
		e.Teach(w.suspects[offset])
	}
}

// learn learns what is decided of the invoices below an offset.
func (w *decidedWorld) learn(e *Engine, below int64) {
	for n := e.Learned(0); n < int64(len(w.events)) && w.events[n]+15 < below; n++ {
		r := w.records[w.events[n]]
		o := &Outcome{Event: invoice.Position{Offset: n}, Kind: NotAnError, At: r.at}
		e.Learn(o, r.inv, at(w.events[n]), r.at)
		e.Pass(o.Event)
	}
}

// counts are how many invoices every segment and every customer was taught.
func (w *decidedWorld) counts(e *Engine) string {
	var b strings.Builder
	segments := byKey(e)
	for _, key := range slices.Sorted(maps.Keys(segments)) {
		fmt.Fprintln(&b, key, segments[key].own.n)
	}
	customers := map[uint64]uint32{}
	var ev evidence
	for _, r := range w.records {
		r.inv.Hash(&ev.hashes)
		ev.factsOf(r.inv, r.inv.IssuedAt.UnixMilli())
		e.history.Look(&ev.facts)
		if c := ev.facts.Known.Customer; c != nil {
			customers[ev.facts.Customer] = c.Invoices
		}
	}
	for _, key := range slices.Sorted(maps.Keys(customers)) {
		fmt.Fprintln(&b, key, customers[key])
	}
	return b.String()
}

// teachAgain teaches what a crash has the next owner read again.
func (w *decidedWorld) teachAgain(e *Engine, offset int64) { e.Teach(w.suspects[offset]) }

// run reads the partition with crashes anywhere, in the middle of a checkpoint too.
func (w *decidedWorld) run(t *testing.T, rng *rand.Rand, keepsOutcomes bool) string {
	t.Helper()
	k, e := newTopics(), NewEngine(worldSettings(), NewShared(), 0)
	var outcomes []byte // of the marker
	committed := int64(0)
	for offset := int64(0); offset < int64(len(w.records)); {
		w.teach(e, offset)
		offset++
		w.learn(e, offset)
		crashed := rng.IntN(30) == 0
		if rng.IntN(20) == 0 {
			committed = offset
			out := e.Checkpoint(offset)
			if crashed = rng.IntN(2) == 0; crashed {
				rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
				out = out[:rng.IntN(len(out)+1)]
			}
			k.publish(out, offset)
			if !crashed {
				k.marker, k.highMarks = offset, e.HighMarks()
				if keepsOutcomes {
					outcomes = e.OutcomeState()
				}
			}
		}
		if crashed {
			e = k.takeOver(t, w.records, w.teachAgain, committed, misread{right, right}, roomy)
			if err := e.RestoreOutcomes(outcomes); err != nil {
				t.Fatal(err)
			}
			offset = max(committed, k.marker)
		}
	}
	w.learn(e, int64(len(w.records))+100)
	return w.counts(e)
}

// Each outcome teaches each segment and the history once, wherever a crash falls. The
// control, whose markers do not say what was learned, teaches the history twice.
func TestOutcomesLearnedOnceThroughCrashes(t *testing.T) {
	seen := false
	for seed := range uint64(10) {
		w := newDecidedWorld(t, rand.New(rand.NewPCG(seed, 9)))
		e := NewEngine(worldSettings(), NewShared(), 0)
		for offset := range int64(len(w.records)) {
			w.teach(e, offset)
			w.learn(e, offset+1)
		}
		w.learn(e, int64(len(w.records))+100)
		want := w.counts(e)
		if got := w.run(t, rand.New(rand.NewPCG(seed, 10)), true); got != want {
			t.Fatalf("seed %d, %d decided: taught through crashes\n%s\nwithout\n%s", seed, len(w.events), got, want)
		}
		seen = seen || w.run(t, rand.New(rand.NewPCG(seed, 10)), false) != want
	}
	if !seen {
		t.Error("markers that do not say what was learned go unnoticed")
	}
}

// G5, G7: an outcome that is learned again meets its segments again, though a checkpoint
// ahead of the marker holds them: what makes room for others is the same.
func TestOutcomeLearnedAgainMeetsItsSegments(t *testing.T) {
	k, e := newTopics(), limited(NewShared())
	offset := int64(0)
	bill := func(e *Engine, family string, net invoice.Amount, suspect bool) *invoice.Invoice {
		inv := usual(net, offset)
		inv.ProductFamily = family
		verdictOn(e, inv, offset)
		e.Teach(suspect)
		offset++
		return inv
	}
	for range 10 {
		bill(e, "fibre", 100*invoice.Unit, false)
	}
	inv, source := bill(e, "fibre", 40*invoice.Unit, true), at(offset-1)
	for i := range 5000 { // fibre makes room
		bill(e, fmt.Sprint("other", i), 100*invoice.Unit, false)
	}
	k.publish(e.Checkpoint(offset), offset)
	k.marker, k.highMarks, k.runs = offset, e.HighMarks(), e.Runs()
	learn := func(e *Engine) {
		o := &Outcome{Kind: NotAnError, At: inv.IssuedAt}
		e.Learn(o, inv, source, inv.IssuedAt)
		e.Pass(o.Event)
		bill(e, "other", 100*invoice.Unit, false)
	}
	learn(e)
	if byKey(e)["segment|acme|EUR|B2C|fibre"] == nil {
		t.Fatal("the outcome did not bring the segment back")
	}
	ahead := e.Checkpoint(offset)
	k.publish(slices.DeleteFunc(ahead, func(r StateRecord) bool { return !r.Shared }), offset)
	again := k.takeOver(t, nil, nil, 0, misread{right, right}, limited)
	offset = k.marker
	learn(again)
	if got, want := dump(again), dump(e); got != want {
		t.Errorf("learned again\n%s\nwant\n%s", got, want)
	}
}
