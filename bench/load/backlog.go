package load

import "sync"

// mostBacklog is how many bytes of records may wait for their partitions to take them.
const mostBacklog = 64 << 20

// backlog is what was made and is not being sent yet, a queue for each partition. One whose
// leader is away takes nothing for a while: it holds up the others only when all that waits
// has become too much.
type backlog struct {
	mu      sync.Mutex // guards what follows
	changed sync.Cond  // when any of it changes
	queues  [][]*batch
	bytes   int
	ended   bool // nothing more will be put
}

func newBacklog(partitions int) *backlog {
	b := &backlog{queues: make([][]*batch, partitions)}
	b.changed.L = &b.mu
	return b
}

// put adds a batch, when there is room for it.
func (b *backlog) put(partition int, full *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.bytes >= mostBacklog {
		b.changed.Wait()
	}
	b.queues[partition] = append(b.queues[partition], full)
	b.bytes += full.bytes
	b.changed.Broadcast()
}

// take waits for the next batch of a partition; ok is false behind the last one.
func (b *backlog) take(partition int) (next *batch, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queues[partition]) == 0 {
		if b.ended {
			return nil, false
		}
		b.changed.Wait()
	}
	queue := b.queues[partition]
	next, queue[0] = queue[0], nil
	b.queues[partition] = queue[1:]
	b.bytes -= next.bytes
	b.changed.Broadcast()
	return next, true
}

// end says that nothing more is put.
func (b *backlog) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.changed.Broadcast()
}
