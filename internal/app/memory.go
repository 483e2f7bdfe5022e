package app

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// lookAtMemory is how often is looked whether more is in use than before. Until then a
	// process that has outgrown its limit collects without a pause.
	lookAtMemory = 200 * time.Millisecond
	// memoryStep is what limits are rounded up to, so that few of them are set.
	memoryStep = 16 << 20
)

// limitMemory has Go collect more often where the process would grow beyond a limit, unless
// its environment says more about that. What it returns takes that back.
//
// What is remembered and the row buffer may come to more than the limit, while ClickHouse
// is away for one: at a limit below what is in use Go would do little but collect. So the
// limit rises with that.
func limitMemory(least int64) (undo func()) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(least)
	stop := make(chan struct{})
	var following sync.WaitGroup
	following.Go(func() { followMemory(least, stop) })
	return func() {
		close(stop)
		following.Wait()
		debug.SetMemoryLimit(before)
	}
}

// followMemory keeps the limit above what is in use until stop is closed.
func followMemory(least int64, stop <-chan struct{}) {
	tick := time.NewTicker(lookAtMemory)
	defer tick.Stop()
	for set := least; ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if limit := max(least, roomFor(inUse())); limit != set {
			set = limit
			debug.SetMemoryLimit(limit)
		}
	}
}

// roomFor is the limit at which Go collects each time an eighth of what is in use came to it.
func roomFor(used int64) int64 {
	return (used + used/8 + memoryStep - 1) / memoryStep * memoryStep
}

// inUse is what a collection now would leave of that which the limit bounds, as far as the
// last one can tell: the live heap, and what is not heap or lies between its objects.
func inUse() int64 {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(samples)
	bytes := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	return bytes(0) + max(0, bytes(1)-bytes(2)-bytes(3)-bytes(4))
}
