package pipeline

import (
	"math/rand/v2"
	"testing"
)

// G7: while no checkpoint is written, as its topic refuses it, what the next one says of the
// decision log stays small, and it names no position behind the first decision that counts.
func TestLoggedStaysSmall(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	w := &Worker{}
	var all []logEntry
	for n := range int64(5 * mostLogged) {
		e := logEntry{log: 3 * n, source: 1000*n + rng.Int64N(3000)} // nearly in order: some of a former owner come between
		all = append(all, e)
		w.noteLogged(e)
		w.decisions.next = e.log + 1
	}
	if n := len(w.logged); n > mostLogged {
		t.Errorf("%d entries are kept, want %d at most", n, mostLogged)
	}
	for _, share := range []float64{0, 0.001, 0.1, 0.5, 0.9, 0.9999, 1.1} {
		at := int64(share * float64(1000*len(all)))
		want := w.decisions.next
		for _, e := range all {
			if e.source >= at {
				want = min(want, e.log)
			}
		}
		near := share >= 0.9 // as those of the next checkpoint are: what is far back is merged most
		if got := w.logPosition(at); got > want || near && want-got > 3*4 {
			t.Errorf("from source offset %d on the log is read from %d, want %d or a little before", at, got, want)
		}
	}
	if len(w.logged) != 0 {
		t.Errorf("%d entries of what lies before are kept", len(w.logged))
	}
}
