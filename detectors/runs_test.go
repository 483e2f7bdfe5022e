package detectors

import (
	"bytes"
	"fmt"
	"testing"
	"unsafe"

	"recoup/invoice"
)

// sold is an invoice of a release and batch, to one of some customers.
func sold(n int, release, batch string, customers int) *invoice.Invoice {
	return &invoice.Invoice{Seller: "acme", ID: fmt.Sprint("i", n), SourceRelease: release, BatchID: batch,
		CustomerRef: fmt.Sprint("c", n%customers)}
}

// seen is the current invoice of an engine.
func begun(inv *invoice.Invoice, cause string) *current {
	c := &current{inv: inv, cause: CauseIndex(cause)}
	c.ev.facts.Hour = 490_000
	return c
}

// The first three suspects of one cause and value may have cases of their own, the
// fourth joins: if half of the value's invoices since the first are suspect, and they
// are not all of one customer.
func TestRunsOfSuspects(t *testing.T) {
	for _, c := range []struct {
		name      string
		past      string // of release r1, in order: x a suspect, o another cause, . a right one
		customers int
		joins     bool
	}{
		{"the third", "xx", 9, false},
		{"the fourth", "xxx", 9, true},
		{"with right ones between", "x..x...x", 9, false},
		{"half of them", "x.x.x.", 9, true},
		{"of another cause", "oxxo", 9, false},
		{"of one customer", "xxx", 1, false},
		{"recognised before, with right ones since", "xxxxx.........", 9, true},
		{"over", "xxxx" + string(bytes.Repeat([]byte("."), 80)), 9, false},
	} {
		var s runs
		for n, what := range c.past {
			cause := CausePriceList
			if what == 'o' {
				cause = CauseUnknown
			}
			s.teach(begun(sold(n, "r1", fmt.Sprint("b", n), c.customers), cause), what != '.')
		}
		v, run, ok := s.find(sold(len(c.past), "r1", "new", c.customers), CauseIndex(CausePriceList))
		if ok != c.joins || ok && (v != Value{"acme", DimensionRelease, "r1"}) {
			t.Errorf("%s: joins %v of %v (%+v), want %v", c.name, ok, v, run, c.joins)
		}
	}
}

// G5: a run outlives the memory of the invoices that made it, which the next ones use again.
func TestRunsKeepTheirNames(t *testing.T) {
	var s runs
	memory := []byte("r1")
	release := unsafe.String(&memory[0], len(memory))
	for n := range 3 {
		copy(memory, "r1")
		s.teach(begun(sold(n, release, "b", 9), CausePriceList), true)
		copy(memory, "r2")
	}
	if run := s.of(Value{"acme", DimensionRelease, "r1"}); len(run) != 1 || run[0].suspects != 3 {
		t.Errorf("the run of release r1 is %+v, want one of 3 suspects", run)
	}
}

// G5, G7: what the marker holds is all there is, in the same bytes; it stays bounded.
func TestRunsOfSuspectsComeBack(t *testing.T) {
	e, back := NewEngine(DefaultSettings(), NewShared(), 0), NewEngine(DefaultSettings(), NewShared(), 0)
	for n := range 3000 {
		c := begun(sold(n, fmt.Sprint("r", n%7), fmt.Sprint("b", n%900), 50), CauseAt(n%Causes))
		c.ev.facts.Hour += int32(n / 60)
		e.runs.teach(c, n%3 > 0)
	}
	if n := len(e.runs.byValue); n > mostRuns || n < 100 {
		t.Errorf("%d values have runs, want at most %d", n, mostRuns)
	}
	stored := e.Runs()
	if err := back.RestoreRuns(stored); err != nil {
		t.Fatal(err)
	}
	c := begun(sold(1, "r1", "b1", 50), CauseUnknown)
	e.runs.teach(c, true)
	back.runs.teach(c, true)
	if !bytes.Equal(back.Runs(), e.Runs()) || len(stored) > 40_000 {
		t.Errorf("they go on otherwise, or take %d bytes", len(stored))
	}
	for cut := range stored {
		if cut == 0 {
			continue
		}
		_ = back.RestoreRuns(stored[:cut]) // whatever it says, it ends
	}
	if err := back.RestoreRuns([]byte{9}); err == nil {
		t.Error("another version is read")
	}
}
