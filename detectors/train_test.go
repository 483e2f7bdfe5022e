package detectors

import "testing"

// A9: the share of errors follows from those that look like altered rows alone.
func TestLeastErrors(t *testing.T) {
	for _, tc := range []struct {
		name         string
		clear, usual int // real rows that look altered, and those that do not
		low, high    float64
	}{
		{"3 % errors, half of which show", 60, 3940, 0.03, 0.036},
		{"none shows", 0, 4000, 0, 0.001},
		{"few rows say little", 1, 49, 0.1, 0.13},
		{"never above what is believed", 900, 100, mostErrors, mostErrors},
	} {
		tr := &training{}
		var logits []float64
		add := func(n int, y uint8, logit float64) {
			for range n {
				tr.set.Y = append(tr.set.Y, y)
				logits = append(logits, logit)
			}
			tr.wrong += float64(n) * float64(y)
		}
		add(tc.clear, 0, 4)
		add(500, 1, 4) // of the altered rows half look so
		add(500, 1, -4)
		add(tc.usual, 0, -4)
		if got := tr.leastErrors(logits); got < tc.low || got > tc.high {
			t.Errorf("%s: got %v, want %v to %v", tc.name, got, tc.low, tc.high)
		}
	}
}
