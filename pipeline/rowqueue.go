package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// waiting is a block on its way to the store.
type waiting struct {
	block Block
	since time.Time // when its first row was scored
	bytes int64     // counted against the row buffer
	end   int64     // offset to commit once the block is stored

	stored bool // in a generation that ended before the commit; of the row writer
}

// waitingSince returns Unix seconds, 0 of no block.
func (w *waiting) waitingSince() float64 {
	if w == nil {
		return 0
	}
	return float64(w.since.UnixMilli()) / 1000
}

// rowQueue hands blocks and checkpoints from a worker to its row writer. It
// outlives a generation: a member that keeps its partition keeps its rows.
type rowQueue struct {
	mu       sync.Mutex // guards what follows
	blocks   []*waiting
	ready    *checkpoint // copied, waiting for its commit
	finished bool        // the worker will add no more
	leaving  bool        // the state that the next owner goes on from was copied
	wake     chan struct{}
}

func newRowQueue() *rowQueue {
	return &rowQueue{wake: make(chan struct{}, 1)}
}

func (q *rowQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// push adds a block; one that has to wait behind another is compressed.
func (q *rowQueue) push(w *waiting, buffer *RowBuffer) {
	q.mu.Lock()
	behind := len(q.blocks) > 0
	q.mu.Unlock()
	if behind {
		w.block.Seal()
		sealed := int64(w.block.Bytes())
		buffer.add(sealed - w.bytes)
		w.bytes = sealed
	}
	q.mu.Lock()
	q.blocks = append(q.blocks, w)
	q.mu.Unlock()
	q.signal()
}

// head returns the oldest block without removing it, nil when there is none.
func (q *rowQueue) head() *waiting {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.blocks) == 0 {
		return nil
	}
	return q.blocks[0]
}

// pop removes the oldest block.
func (q *rowQueue) pop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.blocks[0] = nil
	q.blocks = q.blocks[1:]
}

func (q *rowQueue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.blocks) == 0
}

// offer places a checkpoint; there is at most one at a time.
func (q *rowQueue) offer(c *checkpoint) {
	q.mu.Lock()
	q.ready = c
	q.mu.Unlock()
	q.signal()
}

// due returns the waiting checkpoint if its offset is committed.
func (q *rowQueue) due(committed int64) *checkpoint {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ready == nil || committed < q.ready.marker.Offset {
		return nil
	}
	return q.ready
}

// published forgets the waiting checkpoint.
func (q *rowQueue) published() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ready = nil
}

// hasCheckpoint reports whether a checkpoint waits.
func (q *rowQueue) hasCheckpoint() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ready != nil
}

// finish tells the row writer to end once everything is stored; reopen takes it back.
func (q *rowQueue) finish() { q.setFinished(true) }
func (q *rowQueue) reopen() { q.setFinished(false) }

func (q *rowQueue) setFinished(b bool) {
	q.mu.Lock()
	q.finished = b
	q.mu.Unlock()
	q.signal()
}

// depart tells the row writer that behind what waits now the next owner may go on.
func (q *rowQueue) depart() {
	q.mu.Lock()
	q.leaving = true
	q.mu.Unlock()
	q.signal()
}

// departs reports whether all has been published that the next owner goes on from.
func (q *rowQueue) departs() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.leaving && q.ready == nil
}

// done reports whether the worker finished and nothing is left to store.
func (q *rowQueue) done() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.finished && len(q.blocks) == 0
}

// discard drops everything, returning its bytes to the buffer and the copies.
func (q *rowQueue) discard(buffer *RowBuffer, copies *copies) {
	q.mu.Lock()
	blocks, ready := q.blocks, q.ready
	q.blocks, q.ready = nil, nil
	q.mu.Unlock()
	for _, w := range blocks {
		buffer.add(-w.bytes)
	}
	if ready != nil {
		copies.release(ready)
	}
}

// RowBuffer bounds the memory of all rows of a member that are not stored yet.
// While it has room alerts do not wait for the store; when it is full fetching
// pauses. Safe for concurrent use.
type RowBuffer struct {
	limit int64
	used  atomic.Int64
}

// NewRowBuffer returns a buffer of so many bytes.
func NewRowBuffer(limit int64) *RowBuffer { return &RowBuffer{limit: limit} }

func (b *RowBuffer) add(n int64) { b.used.Add(n) }

// Used returns the bytes held now.
func (b *RowBuffer) Used() int64 { return b.used.Load() }

// Full reports whether fetching has to pause.
func (b *RowBuffer) Full() bool { return b.used.Load() >= b.limit }

// waitForRoom returns once there is room, the worker should stop, or ctx ended.
func (b *RowBuffer) waitForRoom(ctx context.Context, stop <-chan struct{}) error {
	for b.Full() {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
