package demo

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// K1's own examples: 3 % of 500, of 10,000 and of a million.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want string
	}{
		{15, 500, "3.0 % [1.8–4.9]"}, {300, 10_000, "3.0 % [2.7–3.4]"}, {30_000, 1_000_000, "3.0 % [3.0–3.0]"},
		{0, 0, "0.0 % [0.0–100.0]"}, {0, 50, "0.0 % [0.0–7.1]"}, {50, 50, "100.0 % [92.9–100.0]"},
	} {
		if got := wilson(c.k, c.n).String(); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.k, c.n, got, c.want)
		}
	}
}

// The live figures count each verdict once, by day, and net no direction.
func TestTally(t *testing.T) {
	f := testTally().figures()
	if f.Scored != 3 || f.Suspects != 2 || f.Cases != 2 || f.Total != 4 || f.Trained != 1 || f.FirstScored == 0 {
		t.Errorf("figures %+v", f)
	}
	if len(f.Money) != 1 || f.Money[0] != (Money{"GBP", 50_0000, 20_0000}) {
		t.Errorf("money %v, want 50 too low and 20 too high", f.Money)
	}
	if len(f.Latest) != 2 || f.Latest[0].InvoiceID != "3" || !f.Latest[0].TooHigh || f.Latest[1].Expected != 150_0000 {
		t.Errorf("latest %+v, want invoice 3 first", f.Latest)
	}
	want := []Day{{"2011-05-18", 2, 1}, {"2011-05-19", 1, 1}}
	if len(f.Days) != 2 || f.Days[0] != want[0] || f.Days[1] != want[1] {
		t.Errorf("days %v, want %v", f.Days, want)
	}
}

// Only the latest cases are kept, whatever their number; counting is safe from
// many goroutines.
func TestTallyIsBounded(t *testing.T) {
	tally := newTally(time.Now(), nil)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for range 100 {
				tally.observe(verdict("x", true, 1))
				tally.figures()
			}
		})
	}
	workers.Wait()
	if f := tally.figures(); f.Scored != 400 || f.Cases != 400 || len(f.Latest) != latestCases {
		t.Errorf("scored %d, cases %d, latest %d", f.Scored, f.Cases, len(f.Latest))
	}
}

// The last line comes when the stream has ended.
func TestFollow(t *testing.T) {
	var out strings.Builder
	stop := make(chan struct{})
	close(stop)
	follow(&out, testTally(), time.Hour, stop)
	for _, want := range []string{
		"3 of 4 scored", "flagged 66.7 % [20.8–93.9]", "cases 2", "GBP 50 too low, 20 too high",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in %q", want, out.String())
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -999: "-999"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
