package app

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
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

// G8: where more is in use than the limit, as when ClickHouse is away, Go must not collect
// all the time. Once it is free again, the limit of the settings holds.
func TestLimitRisesWithWhatIsInUse(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	const limit, piece, pieces = 64 << 20, 1 << 20, 256
	undo := limitMemory(limit)
	defer undo()
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumGC
	}
	held := make([][]byte, pieces)
	fill := func() {
		for i := range held {
			held[i] = make([]byte, piece)
			time.Sleep(time.Millisecond) // some 1 GB/s: faster than rows come
		}
	}
	fill()
	runtime.GC() // what is in use is known as of the last one
	wait(t, "rise", func(at int64) bool { return at > pieces*piece*9/8 })
	before := collections()
	fill() // one piece goes for each that comes
	if n := collections() - before; n > 40 {
		t.Errorf("%d collections while %d MiB were replaced, want one for each 32 MiB or so", n, pieces*piece>>20)
	}
	runtime.KeepAlive(held)
	held = nil
	runtime.GC()
	wait(t, "fall", func(at int64) bool { return at == limit })
}

// wait ends the test if the limit does not come to where it should within seconds.
func wait(t *testing.T, to string, there func(at int64) bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !there(debug.SetMemoryLimit(-1)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the limit does not %s: it is %d", to, debug.SetMemoryLimit(-1))
		}
	}
}
