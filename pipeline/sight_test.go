package pipeline

import (
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// That a partition is left is said of it by its present owner only: what a former one committed
// last says so until the next commit, which may take that one's whole take-over.
func TestWhoLeaves(t *testing.T) {
	opt := DefaultOptions()
	opt.Metrics = NewMetrics(prometheus.NewRegistry())
	s := newStandby(&Member{opt: opt, metrics: opt.Metrics})
	for i, c := range []struct {
		turn    int
		is      Committed
		leaving bool
	}{
		{1, Committed{5, false}, false},
		{1, Committed{5, true}, true}, // whether or not there was something to commit
		{1, Committed{5, true}, true},
		{1, Committed{7, true}, true},
		{2, Committed{7, true}, false}, // it has gone
		{2, Committed{7, true}, false},
		{2, Committed{7, false}, false},
		{2, Committed{9, true}, true},
		{2, Committed{9, false}, false},
		{3, Committed{9, true}, false}, // it had said so before this member joined
		{3, Committed{10, true}, true}, // and says so again
	} {
		s.watch(map[int]Committed{4: c.is}, c.turn)
		if got := s.leaving(nil); slices.Equal(got, []int{4}) != c.leaving {
			t.Errorf("look %d: %v is left, want %v", i, got, c.leaving)
		}
		if got := s.leaving(map[int]int64{4: 0}); len(got) > 0 {
			t.Errorf("look %d: %v is left by others, though it is this member's", i, got)
		}
	}
}
