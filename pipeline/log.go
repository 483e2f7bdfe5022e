// Package pipeline carries every invoice from its log to its verdict, its case,
// its row and its commit, and brings back the state of a partition after a
// crash. It knows the order of writes that keeps the promises of
// docs/DESIGN.md; Kafka and ClickHouse stand behind the interfaces of this
// package.
package pipeline

import (
	"context"
	"errors"
	"time"
)

// Record is one record of a partitioned log.
type Record struct {
	Offset int64     // assigned by the log; ignored by Append
	Time   time.Time // log's record timestamp; the zero value on Append means now
	Key    []byte    // nil: no key
	Value  []byte    // nil: tombstone
	Stamp  []byte    // of a tombstone, which has no value to say it in: who wrote it; nil: unknown
}

// Fetched is what one Fetch brought.
type Fetched struct {
	// Records in offset order, each at or above the offset asked for. Control
	// records and records of aborted transactions are left out. The bytes are
	// valid until the next Fetch by the same Reader.
	Records []Record
	Next    int64 // offset to fetch from next; past what was filtered out too
	End     int64 // the log's readable end (last stable offset): the offset after the last readable record
	Start   int64 // first offset the log still holds
}

// Errors a Log answers with. A Log wraps them: test with errors.Is.
var (
	// ErrOutOfRange: the offset lies before the log's start or beyond its end.
	ErrOutOfRange = errors.New("offset out of range")
	// ErrNoTopic: the topic or partition does not exist.
	ErrNoTopic = errors.New("no such topic or partition")
	// ErrTooLarge: the log refuses a record for its size; sending it again is useless.
	ErrTooLarge = errors.New("record too large")
	// ErrFenced: this member no longer owns the partition; stop, do not retry.
	ErrFenced = errors.New("fenced: another member owns the partition")
)

// Reader fetches one partition. It is used by one goroutine at a time.
type Reader interface {
	// Fetch returns the records from offset on. It waits at most a quarter of a
	// second when there are none and then returns none without an error. A
	// record larger than the usual fetch size is still returned whole.
	Fetch(ctx context.Context, offset int64) (Fetched, error)
	// Close frees the reader's connections.
	Close() error
}

// Log is a set of partitioned, durable logs: Kafka, or the simulation's. All
// methods may be called concurrently. Errors that are not of this package are a
// broken world: try again with back-off.
type Log interface {
	// Open returns a reader of one partition. It does not check that it exists.
	Open(topic string, partition int) Reader
	// Append writes records to one partition in order and returns base once all
	// in-sync replicas hold them all: base + len(records) is the offset behind the
	// last. They follow each other from base on, unless they took several requests and
	// others wrote between those: then the first stand before base. After an error they
	// may be there wholly, in part (a prefix), or not at all; a caller that repeats may
	// double them. Without one, too, they may stand twice, once before base: where the
	// leader changed, a log repeats what the old one may have passed on.
	Append(ctx context.Context, topic string, partition int, records []Record) (base int64, err error)
	// Bounds returns the first offset held and the offset after the last readable record.
	Bounds(ctx context.Context, topic string, partition int) (start, end int64, err error)
	// Partitions returns how many partitions a topic has, or ErrNoTopic.
	Partitions(ctx context.Context, topic string) (int, error)
}

// Group is a consumer group: it hands out partitions, one owner each.
type Group interface {
	// Next blocks until this member has a new assignment. The generation before
	// must be over and its workers stopped.
	Next(ctx context.Context) (Generation, error)
	// Committed returns what was committed last, by partition of the topic, whoever owns it.
	Committed(ctx context.Context) (map[int]Committed, error)
	// Inherits returns, ascending, what this member would be given beside what it has if those
	// who own some partitions left, or were evicted, now. Nothing while that cannot be told: the
	// group rebalances, or this member is not in it or owns one of them itself.
	Inherits(ctx context.Context, owned []int) ([]int, error)
	// Close leaves the group.
	Close() error
}

// Committed is what a group knows of a partition.
type Committed struct {
	Offset  int64 // to resume from; -1: none was committed yet
	Leaving bool  // the commit says Leaving
}

// Generation is one assignment of partitions to this member.
type Generation interface {
	// Assigned returns this member's partitions of the topic with their committed
	// offsets, -1 where none was committed yet.
	Assigned() map[int]int64
	// Commit stores the offsets to resume from. It returns ErrFenced when the
	// generation is over: the member was evicted or the group rebalances.
	Commit(ctx context.Context, offsets map[int]int64) error
	// SayLeaving has each later commit of a partition by this generation carry the metadata
	// Leaving. The first commit of a later generation clears it.
	SayLeaving(partition int)
	// Done is closed when the generation is over.
	Done() <-chan struct{}
	// Leave tells the group that all workers of this generation have stopped.
	Leave()
}
