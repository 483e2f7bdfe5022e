package cluster

import "testing"

// What comes and goes is not growth, nor is what further partitions take; what stays is.
func TestGrowth(t *testing.T) {
	var g growth
	look := func(times, owned, goroutines int, heap int64) {
		for range times {
			if err := g.see(owned, goroutines, func() (int64, error) { return heap, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	wants := func(what string, heap int64, goroutines int, bytes int64) {
		t.Helper()
		if gotGoroutines, gotBytes := g.grown(heap); gotGoroutines != goroutines || gotBytes != bytes {
			t.Errorf("%s: grown by %d and %d, want %d and %d", what, gotGoroutines, gotBytes, goroutines, bytes)
		}
	}
	wants("nothing seen", 900, 0, 0)
	look(calmLooks-1, 2, 50, 100)
	wants("too few looks", 900, 0, 0)
	look(1, 2, 90, 100)
	wants("the first", 100, 0, 0)
	look(3, 2, 90, 900)
	look(calmLooks-3, 2, 50, 900)
	wants("a burst", 100, 0, 0)
	look(2*calmLooks, 4, 80, 300)
	wants("two more partitions", 300, 0, 0)
	look(2*calmLooks, 0, 500, 900)
	wants("none is owned", 900, 0, 0)
	look(4, 4, 80, 300)            // what these say is not of two partitions
	look(calmLooks-1, 2, 150, 160) // the next look makes a series
	look(1, 2, 57, 160)
	wants("what stays", 160, 7, 60)
}
