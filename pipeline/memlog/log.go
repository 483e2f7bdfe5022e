// Package memlog is a partitioned log and its consumer groups in memory: for
// tests and for the seeded simulation. It behaves like Kafka where pipeline can
// tell the difference, and a program can make it fail at every step through
// Hooks. It starts no goroutine and reads no clock but Options.Now; waits use
// the time package, so a testing/synctest bubble gives it virtual time.
package memlog

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"time"

	"recoup/pipeline"
)

// Options say how a Log behaves. The zero value is a log without faults.
type Options struct {
	// Now stamps records that come without a time. By default time.Now.
	Now func() time.Time
	// MaxWait is how long Fetch waits when there are no records. By default
	// 250 ms; negative: it does not wait.
	MaxWait time.Duration
	// FetchBytes bounds keys and values of one Fetch; the first record is
	// returned whatever its size. By default 1 MiB.
	FetchBytes int
	// MaxRecordBytes is the largest record of a topic that names no limit of its
	// own, key and value counted. By default 1 MiB.
	MaxRecordBytes int
	// Hooks are called around every step. By default none.
	Hooks Hooks
}

// Hooks are called without any lock held, so they may use the Log; they may be
// called from several goroutines at once. An error that a hook returns becomes
// the error of the call. A nil hook does nothing.
type Hooks struct {
	// BeforeAppend stops an append: nothing is written, or, if the error is a
	// *Torn, only the first records.
	BeforeAppend func(topic string, partition int, records []pipeline.Record) error
	// AfterAppend loses the reply of an append that was written from base on.
	AfterAppend func(topic string, partition int, base int64, records []pipeline.Record) error
	// BeforeFetch stops a fetch.
	BeforeFetch func(topic string, partition int, offset int64) error
	// BeforeCommit stops a commit: nothing is stored.
	BeforeCommit func(group, topic string, offsets map[int]int64) error
	// AfterCommit loses the reply of a commit that was stored.
	AfterCommit func(group, topic string, offsets map[int]int64) error
}

// Torn is what a BeforeAppend hook returns to have a prefix written.
type Torn struct {
	Records int   // how many of the records are written
	Err     error // what Append returns
}

// Error returns the text of Err.
func (t *Torn) Error() string { return t.Err.Error() }

// Unwrap returns Err.
func (t *Torn) Unwrap() error { return t.Err }

// Log is a set of partitioned logs in memory. All methods may be called
// concurrently.
type Log struct {
	opt Options

	mu     sync.Mutex // guards all below, groups and members included
	topics map[string]*topic
	groups map[string]*group
}

type topic struct {
	maxBytes   int
	partitions []*partition
}

type partition struct {
	records    []pipeline.Record // in offset order, gaps allowed
	start, end int64
	grown      chan struct{} // closed and replaced when end moves
}

var _ pipeline.Log = (*Log)(nil)

// New returns an empty log without topics.
func New(opt Options) *Log {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.MaxWait == 0 {
		opt.MaxWait = 250 * time.Millisecond
	}
	if opt.FetchBytes == 0 {
		opt.FetchBytes = 1 << 20
	}
	if opt.MaxRecordBytes == 0 {
		opt.MaxRecordBytes = 1 << 20
	}
	return &Log{opt: opt, topics: map[string]*topic{}, groups: map[string]*group{}}
}

// CreateTopic makes a topic with n empty partitions whose records may have
// maxBytes (0: Options.MaxRecordBytes). A topic of that name is replaced, as if
// it had been deleted and made again: its offsets start at 0.
func (l *Log) CreateTopic(name string, n, maxBytes int) {
	if maxBytes == 0 {
		maxBytes = l.opt.MaxRecordBytes
	}
	t := &topic{maxBytes: maxBytes}
	for range n {
		t.partitions = append(t.partitions, &partition{grown: make(chan struct{})})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[name] = t
}

// Grow adds partitions to a topic until it has n.
func (l *Log) Grow(name string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for t := l.topics[name]; t != nil && len(t.partitions) < n; {
		t.partitions = append(t.partitions, &partition{grown: make(chan struct{})})
	}
}

// DeleteTopic removes a topic and its records; committed offsets stay.
func (l *Log) DeleteTopic(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.topics, name)
}

// Partitions returns how many partitions a topic has.
func (l *Log) Partitions(ctx context.Context, name string) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.topics[name]
	if t == nil {
		return 0, fmt.Errorf("cannot find topic %q: %w", name, pipeline.ErrNoTopic)
	}
	return len(t.partitions), ctx.Err()
}

// Bounds returns the first offset held and the offset after the last record.
func (l *Log) Bounds(ctx context.Context, name string, p int) (start, end int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, part, err := l.find(name, p)
	if err != nil {
		return 0, 0, err
	}
	return part.start, part.end, ctx.Err()
}

// Append writes records to the end of a partition. A record above the topic's
// limit refuses them all.
func (l *Log) Append(ctx context.Context, name string, p int, records []pipeline.Record) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("cannot append to %s/%d: %w", name, p, err)
	}
	write, lost := records, error(nil)
	if hook := l.opt.Hooks.BeforeAppend; hook != nil {
		if err := hook(name, p, records); err != nil {
			torn, ok := err.(*Torn)
			if !ok {
				return 0, err
			}
			write, lost = records[:min(torn.Records, len(records))], err
		}
	}
	base, err := l.append(name, p, write)
	if err != nil {
		return 0, err
	}
	if hook := l.opt.Hooks.AfterAppend; hook != nil && lost == nil {
		lost = hook(name, p, base, records)
	}
	if lost != nil {
		return 0, lost
	}
	return base, nil
}

func (l *Log) append(name string, p int, records []pipeline.Record) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, part, err := l.find(name, p)
	if err != nil {
		return 0, err
	}
	for _, r := range records {
		if size := len(r.Key) + len(r.Value); size > t.maxBytes {
			return 0, fmt.Errorf("cannot append %d bytes to %s/%d, the topic takes %d: %w",
				size, name, p, t.maxBytes, pipeline.ErrTooLarge)
		}
	}
	base := part.end
	for _, r := range records {
		if r.Time.IsZero() {
			r.Time = l.opt.Now()
		}
		r.Time = r.Time.Truncate(time.Millisecond).UTC()
		r.Key, r.Value, r.Stamp = clone(r.Key), clone(r.Value), clone(r.Stamp)
		r.Offset = part.end
		part.records = append(part.records, r)
		part.end++
	}
	if len(records) > 0 {
		part.wake()
	}
	return base, nil
}

// Skip leaves a gap of n offsets at the end of a partition, as control records
// and aborted transactions do.
func (l *Log) Skip(name string, p int, n int64) error {
	return l.change(name, p, func(part *partition) {
		part.end += n
		part.wake()
	})
}

// Truncate drops the records below start, as retention does.
func (l *Log) Truncate(name string, p int, start int64) error {
	return l.change(name, p, func(part *partition) {
		part.start = max(part.start, min(start, part.end))
		part.records = part.records[part.index(part.start):]
	})
}

// Compact drops each record that a later record of the same key replaces, and
// tombstones too if asked. Records without a key stay. Offsets do not move.
func (l *Log) Compact(name string, p int, tombstones bool) error {
	return l.change(name, p, func(part *partition) {
		last := map[string]int64{}
		for _, r := range part.records {
			last[string(r.Key)] = r.Offset
		}
		kept := []pipeline.Record{}
		for _, r := range part.records {
			replaced := last[string(r.Key)] != r.Offset
			if r.Key == nil || !replaced && !(tombstones && r.Value == nil) {
				kept = append(kept, r)
			}
		}
		part.records = kept
	})
}

// Records returns a copy of the records of a partition; none if there is no
// such partition.
func (l *Log) Records(name string, p int) []pipeline.Record {
	var out []pipeline.Record
	_ = l.change(name, p, func(part *partition) {
		for _, r := range part.records {
			r.Key, r.Value, r.Stamp = clone(r.Key), clone(r.Value), clone(r.Stamp)
			out = append(out, r)
		}
	})
	return out
}

// Each calls do with each record of a partition, none if there is no such partition. do must
// neither change nor keep what it is given, nor call the Log.
func (l *Log) Each(name string, p int, do func(*pipeline.Record)) {
	_ = l.change(name, p, func(part *partition) {
		for i := range part.records {
			do(&part.records[i])
		}
	})
}

func (l *Log) change(name string, p int, do func(*partition)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, part, err := l.find(name, p)
	if err == nil {
		do(part)
	}
	return err
}

func (l *Log) find(name string, p int) (*topic, *partition, error) {
	t := l.topics[name]
	if t == nil || p < 0 || p >= len(t.partitions) {
		return nil, nil, fmt.Errorf("cannot find partition %d of topic %q: %w", p, name, pipeline.ErrNoTopic)
	}
	return t, t.partitions[p], nil
}

// index returns the place of the first record at or above offset.
func (p *partition) index(offset int64) int {
	return sort.Search(len(p.records), func(i int) bool { return p.records[i].Offset >= offset })
}

func (p *partition) wake() {
	close(p.grown)
	p.grown = make(chan struct{})
}

// clone copies b; nil stays nil and empty stays empty, for a tombstone is not
// an empty value.
func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}
