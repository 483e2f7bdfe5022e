package auditor

import (
	"cmp"
	"slices"
	"sync"

	"recoup/bench/load"
)

// Ledger holds the truth about every record sent. Add may be called concurrently;
// its signature is that of load.Sending.Sent.
type Ledger struct {
	mu          sync.Mutex // guards byPartition
	byPartition [][]load.Truth
	sorted      bool
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger { return &Ledger{} }

// Add notes what was sent.
func (l *Ledger) Add(truths []load.Truth) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range truths {
		for p := truths[i].Partition; p >= len(l.byPartition); {
			l.byPartition = append(l.byPartition, nil)
		}
		l.byPartition[truths[i].Partition] = append(l.byPartition[truths[i].Partition], truths[i])
	}
	l.sorted = false
}

// Records returns how many records were sent.
func (l *Ledger) Records() (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, truths := range l.byPartition {
		n += int64(len(truths))
	}
	return n
}

// Each is told all that was sent so far.
func (l *Ledger) Each(do func(*load.Truth)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, truths := range l.byPartition {
		for i := range truths {
			do(&truths[i])
		}
	}
}

// invoices returns the offsets in [from, to) of a partition that become rows, and the offset
// up to which the ledger knows: what was sent a moment ago may not be noted yet.
func (l *Ledger) invoices(partition int, from, to int64) (offsets []int64, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if partition >= len(l.byPartition) {
		return nil, from
	}
	end = from
	for i := range l.byPartition[partition] {
		t := &l.byPartition[partition][i]
		if t.Offset < from || t.Offset >= to {
			continue
		}
		if end = max(end, t.Offset+1); t.HasRow() {
			offsets = append(offsets, t.Offset)
		}
	}
	return offsets, end
}

// of returns the truths of a partition by offset.
func (l *Ledger) of(partition int) []load.Truth {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sorted {
		for _, truths := range l.byPartition {
			slices.SortFunc(truths, func(a, b load.Truth) int { return cmp.Compare(a.Offset, b.Offset) })
		}
		l.sorted = true
	}
	if partition >= len(l.byPartition) {
		return nil
	}
	return l.byPartition[partition]
}
