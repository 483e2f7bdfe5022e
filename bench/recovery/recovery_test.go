package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"recoup/internal/testservers"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// The measurements keep working: one of them, small, on servers of its own. What it finds
// on a busy machine is no matter, that it finds cases in both of its windows is.
func TestLatencyIsMeasured(t *testing.T) {
	f := flags{Partitions: 2, Rate: 1_000, Warm: 3 * time.Second, Steady: 3 * time.Second, Away: 3 * time.Second}
	r, err := f.start(t.Context(), "latency")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	found, err := f.latency(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	text := found.text()
	if strings.Contains(text, " of 0 |") || !strings.Contains(text, "| event to case, p99 |") {
		t.Errorf("no cases were measured:\n%s", text)
	}
	taken, err := r.takeovers()
	if err != nil {
		t.Fatal(err)
	}
	if len(taken) != 2 || taken[0].took <= 0 || taken[0].at.IsZero() {
		t.Errorf("the log tells of take-overs %+v, want one of each of 2 partitions", taken)
	}
	if scored, err := metric(t.Context(), r.oldest(), "recoup_invoices_scored_total"); err != nil || scored < 3_000 {
		t.Errorf("the member tells of %v scored invoices, error %v", scored, err)
	}
}

// The smallest time that so many do not exceed: of 100 times the 99th, of 20 the last.
func TestQuantile(t *testing.T) {
	var hundred []time.Duration
	for n := range 100 {
		hundred = append(hundred, time.Duration(100-n))
	}
	for _, c := range []struct {
		of    []time.Duration
		share float64
		want  time.Duration
	}{
		{hundred, 0.99, 99}, {hundred, 0.5, 50}, {hundred, 1, 100}, {hundred, 0, 1}, {hundred[80:], 0.99, 20},
		{hundred[:1], 0.5, 100}, {nil, 0.99, 0},
	} {
		if got := quantile(c.of, c.share); got != c.want {
			t.Errorf("quantile %v of %d times is %d, want %d", c.share, len(c.of), got, c.want)
		}
	}
}

// A figure that misses its aim is short, one without an aim is neither.
func TestSectionTellsWhatIsShort(t *testing.T) {
	s := section{title: "T", setting: "S."}
	s.aimed("a", "≤ 1", true, "1")
	s.aimed("b", "≤ 1", false, "2")
	s.tell("c", "3")
	want := "## T\n\nS.\n\n| figure | measured | aim | |\n|---|---|---|---|\n" +
		"| a | 1 | ≤ 1 | ok |\n| b | 2 | ≤ 1 | short |\n| c | 3 |  |  |\n\n"
	if got := s.text(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
