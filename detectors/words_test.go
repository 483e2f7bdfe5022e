package detectors

import (
	"fmt"
	"testing"

	"recoup/invoice"
)

// Sentences are those that fmt writes, with every verb and type they have.
func TestSayIsSprintf(t *testing.T) {
	s := &Subject{}
	amount, rate := invoice.Unit*12+3400, invoice.One/8
	for _, c := range []struct {
		format string
		args   []any
	}{
		{"nothing to fill in", nil},
		{"%s and %v, %d of %d", []any{"line 3", "pot", 2, int64(-7)}},
		{"%v %s is %v × %v", []any{amount, "EUR", -amount, rate}},
		{"%.1f %% of %.0f, %.2f", []any{12.25, float32(0.5), -1.005}},
		{"%d invoices, %s, %s", []any{uint32(3_000_000_000), percent(rate), share(0.875)}},
	} {
		if got, want := s.say(c.format, c.args...), fmt.Sprintf(c.format, c.args...); got != want {
			t.Errorf("say %q: %q, want %q", c.format, got, want)
		}
	}
}

// A finding's evidence stays what it is, whatever is said or appended afterwards.
func TestEvidenceStandsApart(t *testing.T) {
	p := newProse()
	s := &Subject{prose: &p}
	first := append(s.list(s.say("one of %d", 2)), s.say("two of %d", 2))
	first = p.take(first)
	second := p.take(s.list(s.say("another")))
	_ = append(first, "a third")
	if got := fmt.Sprint(first, second); got != "[one of 2 two of 2] [another]" {
		t.Errorf("the findings say %s", got)
	}
}

// What an engine says of one invoice costs no allocation (Detector's contract), suspect or not.
func TestNothingIsAllocated(t *testing.T) {
	s := newShift(engineAmong(1), 3, 2)
	s.spoil()
	s.workOnSpoilt()
	if len(s.verdict.Causes) == 0 || len(s.verdict.Causes[0].Evidence) == 0 {
		t.Fatal("nothing was found")
	}
	if n := testing.AllocsPerRun(2000, s.workOnSpoilt); n > 0 {
		t.Errorf("%v allocations for an invoice with evidence", n)
	}
}
