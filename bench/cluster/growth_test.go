package cluster

import "testing"

// What comes and goes is not growth, nor is what further partitions take; what stays is.
func TestGrowth(t *testing.T) {
	var g growth
	look := func(times, owned, goroutines int, heap int64) (grown int, bytes int64) {
		for range times {
			grown, bytes = g.see(owned, goroutines, heap)
		}
		return grown, bytes
	}
	look(calmLooks, 2, 50, 100) // first with two
	look(3, 2, 90, 900)
	if grown, bytes := look(calmLooks-3, 2, 50, 100); grown != 0 || bytes != 0 {
		t.Errorf("a burst: grown by %d and %d", grown, bytes)
	}
	if grown, bytes := look(2*calmLooks, 4, 80, 300); grown != 0 || bytes != 0 {
		t.Errorf("two more partitions: grown by %d and %d", grown, bytes)
	}
	if grown, bytes := look(2*calmLooks, 0, 500, 900); grown != 0 || bytes != 0 {
		t.Errorf("none is owned: grown by %d and %d", grown, bytes)
	}
	look(4, 4, 80, 300) // what these say is not of two partitions
	if grown, bytes := look(calmLooks-1, 2, 57, 160); grown != 0 || bytes != 0 {
		t.Errorf("after too few looks: grown by %d and %d", grown, bytes)
	}
	if grown, bytes := look(1, 2, 57, 160); grown != 7 || bytes != 60 {
		t.Errorf("what stays: grown by %d and %d, want 7 and 60", grown, bytes)
	}
}
