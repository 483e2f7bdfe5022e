package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/bench/auditor"
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
	if strings.Contains(text, "none was measured") || !strings.Contains(text, "| event to case, p99 |") {
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

// What each measurement finds, and whether it is good enough.
func TestFiguresAreJudged(t *testing.T) {
	ms := func(n ...time.Duration) (all []time.Duration) {
		for _, n := range n {
			all = append(all, n*time.Millisecond)
		}
		return all
	}
	many := func(n time.Duration) []time.Duration { return slices.Repeat(ms(n), leastCases) }
	at := time.Now()
	watch := &progress{moved: [][]time.Time{{at.Add(-3 * time.Second)}, {}}}
	for _, c := range []struct {
		name string
		tell func(*section)
		want []string // in the text
	}{
		{"times", func(s *section) { s.atMost("a", ms(900, 1000), 1, time.Second, seconds, " in b") },
			[]string{"| a | 1.00 s of 2 in b | ≤ 1.00 s | ok |"}},
		{"a longer one", func(s *section) { s.atMost("a", ms(900, 1010), 1, time.Second, seconds, "") },
			[]string{"| a | 1.01 s of 2 | ≤ 1.00 s | short |"}},
		{"none", func(s *section) { s.atMost("a", nil, 1, time.Second, seconds, " in b") },
			[]string{"| a | none was measured in b | ≤ 1.00 s | short |"}},
		{"the load", func(s *section) { s.loaded(1000, 990); s.aimed("a", "≤ 1", true, "1") },
			[]string{"| invoices a second that came meanwhile | 990 | ≥ 99 % of 1000 | ok |", "| a | 1 | ≤ 1 | ok |"}},
		{"too small a load", func(s *section) { s.loaded(1000, 989); s.aimed("a", "≤ 1", true, "1") },
			[]string{"| 989 | ≥ 99 % of 1000 | short |", "| a | 1 | ≤ 1 | too little came |"}},
		{"as soon without ClickHouse", func(s *section) { s.compare(many(60), many(85)) },
			[]string{"| 60 ms of 100 | ≤ 250 ms | ok |", "| 85 ms of 100 | ≤ 250 ms | ok |", "| 85 ms of 100 | ≤ 85 ms | ok |",
				"| 200, 100 | ≥ 100 each | ok |"}},
		{"later without ClickHouse", func(s *section) { s.compare(many(60), many(86)) },
			[]string{"| 86 ms of 100 | ≤ 250 ms | ok |", "| 86 ms of 100 | ≤ 85 ms | short |"}},
		{"hardly a case", func(s *section) { s.compare(many(60), many(85)[1:]) },
			[]string{"| 199, 99 | ≥ 100 each | short |", "| 60 ms of 100 | ≤ 250 ms | too little came |",
				"| 85 ms of 99 | ≤ 250 ms | too little came |"}},
		{"state", func(s *section) { size{20e6, 10e6}.tell(s) },
			[]string{"| 20.0 MB, 2.0 times the 10.0 MB that are live | ≤ 2 times what is live | ok |"}},
		{"too much state", func(s *section) { size{26e6, 10e6}.tell(s) }, []string{"| 26.0 MB, 2.6 times", "| short |"}},
		{"no state", func(s *section) { size{}.tell(s) }, []string{"| short |"}},
		{"a pause that is not known", func(s *section) {
			var p pauses
			p.add(watch, takeover{partition: 0, at: at})
			p.add(watch, takeover{partition: 1, at: at})
			p.tell(s, "pause", "in 2 leaves")
		}, []string{"| pause, p99 | 3.00 s of 1 in 2 leaves; of 1 more it is not known | ≤ 2.00 s | short |"}},
	} {
		var s section
		c.tell(&s)
		for _, want := range c.want {
			if got := s.text(); !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want %q", c.name, got, want)
			}
		}
	}
}

// What is lost ends the command with an error, behind its figure.
func TestLostInvoicesAreAnError(t *testing.T) {
	for _, c := range []struct {
		ok   bool
		want string
	}{{true, "| 7 records, 0 of 1 checks failed | nothing lost or doubled | ok |"},
		{false, "| 7 records, 1 of 1 checks failed | nothing lost or doubled | short |"}} {
		var s section
		err := s.audited(auditor.Report{Checks: []auditor.Check{{Name: auditor.CheckRowsLost, OK: c.ok}}}, 7)
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), auditor.CheckRowsLost) {
			t.Errorf("ok %v: error %v", c.ok, err)
		}
		if got := s.text(); !strings.Contains(got, c.want) {
			t.Errorf("got %s, want %q", got, c.want)
		}
	}
}

// A second report of a day stands behind the first.
func TestReportsAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.md")
	for _, report := range []string{"# A\n\nx\n\n", "# B\n\ny\n\n"} {
		if err := keep(file, report); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if want := "# A\n\nx\n\n# B\n\ny\n"; err != nil || string(got) != want {
		t.Errorf("kept %q, error %v; want %q", got, err, want)
	}
}
