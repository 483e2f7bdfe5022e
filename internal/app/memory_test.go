package app

import (
	"runtime/debug"
	"testing"
)

// G7: the limit of the settings holds while a run lasts, unless the environment names one.
func TestLimitMemory(t *testing.T) {
	read := func() int64 { return debug.SetMemoryLimit(-1) }
	before := read()
	t.Setenv("GOMEMLIMIT", "")
	undo := limitMemory(1 << 40)
	if got := read(); got != 1<<40 {
		t.Errorf("the limit is %d, want that of the settings", got)
	}
	undo()
	t.Setenv("GOMEMLIMIT", "2GiB")
	undo = limitMemory(1 << 41)
	if got := read(); got != before {
		t.Errorf("the limit is %d, want %d of the environment", got, before)
	}
	undo()
	if got := read(); got != before {
		t.Errorf("the limit is %d in the end, want %d as before", got, before)
	}
}
