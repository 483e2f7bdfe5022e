package machine

import (
	"os"
	"runtime/debug"
	"testing"
)

// What was given back still counts.
func TestPeak(t *testing.T) {
	if Peak(-1) != 0 {
		t.Error("a process that is not there has a peak")
	}
	before := Peak(os.Getpid())
	if before == 0 {
		t.Fatal("the system does not say")
	}
	const size = 64 << 20
	take(before + size)
	debug.FreeOSMemory()
	if after := Peak(os.Getpid()); after < before+size {
		t.Errorf("peak %d, want %d more than %d", after, size, before)
	}
}

// take has so many bytes resident until it returns.
func take(bytes int64) {
	taken := make([]byte, bytes)
	for i := 0; i < len(taken); i += 1 << 10 {
		taken[i] = 1
	}
}
