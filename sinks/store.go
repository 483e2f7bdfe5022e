package sinks

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"recoup/pipeline"
)

// Store keeps scored invoices in ClickHouse. It is a pipeline.Store.
type Store struct {
	client *client
	pace   *pace
	room   *semaphore.Weighted // bytes of rows that may still be unpacked for inserts

	mu       sync.Mutex                // guards what follows
	removals map[source]int64          // Remove calls; part of the token
	orphans  map[source]map[int64]bool // offsets whose lines are stored and whose row was not when Stored last looked
}

// source is one partition of one incarnation of a topic.
type source struct {
	topic       string
	incarnation int64
	partition   int
}

func sourceOf(o pipeline.Owner) source { return source{o.Topic, o.Incarnation, o.Partition} }

// Open returns a store. Nothing is dialled before the first use. The caller
// closes it.
func Open(s Settings) (*Store, error) {
	c, err := connect(s)
	if err != nil {
		return nil, err
	}
	return &Store{client: c, pace: newPace(c.settings.InsertsPerSecond), room: semaphore.NewWeighted(mostUnpacked),
		removals: map[source]int64{}, orphans: map[source]map[int64]bool{}}, nil
}

// Close closes the connections. Calls that run end with an error.
func (s *Store) Close() error { return s.client.close() }

// Ping reports whether ClickHouse answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.ping(ctx); err != nil {
		return explain("reach ClickHouse", err)
	}
	return nil
}

// NewBlock returns an empty block.
func (s *Store) NewBlock() pipeline.Block { return newBlock() }

// mostUnpacked is how many bytes of rows are unpacked at a time, but for a block that has
// more by itself: an insert takes two to three times as much, for its rows are encoded and
// compressed beside. A server that is slow would have the inserts of all partitions wait in
// memory, beyond the row buffer.
const mostUnpacked = 32 << 20

// Insert stores the lines first, then the invoices, once however often it is
// called with the same block. A block that was stored has given its memory back:
// inserting it again does nothing.
//
// Rows of other months than most go in inserts of their own: ClickHouse makes a
// part per month, and a few late invoices must not slow down all others.
func (s *Store) Insert(ctx context.Context, owner pipeline.Owner, n int64, block pipeline.Block,
	hold func(context.Context) error) error {
	b, ok := block.(*Block)
	if !ok {
		return fmt.Errorf("cannot insert block: %T is not of this store; make it with NewBlock", block)
	}
	if b.stored || b.Rows() == 0 {
		return nil
	}
	s.salt(owner, b)
	unpacked := min(int64(b.unpackedBytes()), mostUnpacked)
	if err := s.room.Acquire(ctx, unpacked); err != nil {
		return fmt.Errorf("cannot insert into %s: %w", tableInvoices, err)
	}
	defer s.room.Release(unpacked)
	behind := b.packed != nil
	rows := b.unpacked()
	id := queryID(owner) + strconv.FormatInt(n, 10)
	for i, group := range b.byMonth() {
		if !behind || len(group) < largeInsert {
			if err := s.pace.wait(ctx); err != nil {
				return fmt.Errorf("cannot insert into %s: %w", tableInvoices, err)
			}
		}
		if err := s.insertGroup(ctx, owner, fmt.Sprintf("%s.%d", id, i), b, rows, group, hold); err != nil {
			return err
		}
	}
	b.release()
	b.stored = true
	return nil
}

// largeInsert is how many invoices ClickHouse's documentation would like an insert to have at least
// (Selecting an insert strategy). The pace keeps parts few by having blocks grow. One that was full
// before the store came to it cannot: of it so many go at once, and one after the other in each partition.
const largeInsert = 1000

// Hurry ends the pace of inserts.
func (s *Store) Hurry() { s.pace.end() }

// salt fixes the part of the token that tells rows inserted again after their
// removal from a repeated insert.
func (s *Store) salt(owner pipeline.Owner, b *Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !b.salted {
		b.salted, b.salt = true, s.removals[sourceOf(owner)]
	}
}

// insertGroup inserts the lines and rows of some invoices of a block.
func (s *Store) insertGroup(ctx context.Context, owner pipeline.Owner, id string, b *Block, all *blockRows,
	group []int, hold func(context.Context) error) error {
	rows := func(invoices []int) []named {
		columns := all.invoices.named()
		if len(invoices) < b.Rows() {
			columns = pickAll(columns, stretchesOf(invoices))
		}
		return append(columns, epochColumn(owner, columns))
	}
	lines := func(invoices []int) []named {
		columns := all.lines.named()
		if len(invoices) < b.Rows() {
			columns = pickAll(columns, b.lineRows(invoices))
		}
		return append(columns, epochColumn(owner, columns))
	}
	err := s.insertSome(ctx, owner, insertion{table: tableLines, queryID: id + "/lines", token: "-lines", hold: hold}, b,
		s.withoutOrphans(owner, b, group), lines)
	if err != nil {
		return err
	}
	return s.insertSome(ctx, owner, insertion{table: tableInvoices, queryID: id + "/rows", hold: hold}, b, group, rows)
}

// epochColumn says which owner stored the rows; Sweep tells doubled ones by it.
func epochColumn(owner pipeline.Owner, beside []named) named {
	c := newCells("Int64", 8)
	for range beside[0].Rows() {
		c.add64(uint64(owner.Epoch))
	}
	return named{"owner_epoch", &c}
}

// withoutOrphans leaves out the invoices whose lines a crashed owner has stored
// without their rows: its successor batches differently, so the token does not
// know them.
func (s *Store) withoutOrphans(owner pipeline.Owner, b *Block, group []int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	orphans := s.orphans[sourceOf(owner)]
	if len(orphans) == 0 {
		return group
	}
	return slices.DeleteFunc(slices.Clone(group), func(i int) bool { return orphans[b.offsets[i]] })
}

// token names the insert of some invoices of a block. It is made of the offsets
// because ClickHouse believes the token whatever the rows are. The epoch is part
// of it, and the salt, because rows that were removed must be insertable again:
// between epochs Fence and Stored keep rows from being doubled.
func (b *Block) token(owner pipeline.Owner, group []int) string {
	offsets := make([]int64, len(group))
	for to, i := range group {
		offsets[to] = b.offsets[i]
	}
	slices.Sort(offsets)
	raw := fmt.Appendf(nil, "%q %q %d %d %d %d ", owner.Group, owner.Topic, owner.Incarnation, owner.Partition,
		owner.Epoch, b.salt)
	for _, offset := range offsets {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(offset))
	}
	return fmt.Sprintf("recoup-%x", sha256.Sum256(raw))
}

// queryID begins the id of every insert of an owner.
func queryID(o pipeline.Owner) string {
	return partitionPrefix(o) + strconv.FormatInt(o.Epoch, 10) + "/"
}

// partitionPrefix begins the id of every insert into the owner's partition, by
// any epoch. Names are escaped: a group may hold a slash.
func partitionPrefix(o pipeline.Owner) string {
	return fmt.Sprintf("recoup/%s/%s/%d/%d/", url.PathEscape(o.Group), url.PathEscape(o.Topic), o.Incarnation, o.Partition)
}

// maxMonths is how many months one insert of late invoices may touch: the
// server refuses more than 100 parts.
const maxMonths = 50

// byMonth groups the rows: those of the most frequent month, then all others,
// at most maxMonths months a group. Groups hold row numbers, ascending.
func (b *Block) byMonth() [][]int {
	months := map[int][]int{}
	var last uint16
	var month int
	for i, day := range b.days {
		if i == 0 || day != last {
			last, month = day, monthOf(day)
		}
		months[month] = append(months[month], i)
	}
	order := make([]int, 0, len(months))
	main := month
	for m, rows := range months {
		order = append(order, m)
		if len(rows) > len(months[main]) || len(rows) == len(months[main]) && m > main {
			main = m
		}
	}
	slices.Sort(order)
	order = slices.DeleteFunc(order, func(m int) bool { return m == main })
	groups := [][]int{months[main]}
	for chunk := range slices.Chunk(order, maxMonths) {
		var group []int
		for _, m := range chunk {
			group = append(group, months[m]...)
		}
		slices.Sort(group)
		groups = append(groups, group)
	}
	return groups
}

// pace spaces inserts, but for large ones of a backlog: each makes a part, and a server that cannot merge as fast
// as parts come refuses all of them in the end.
type pace struct {
	interval time.Duration
	mu       sync.Mutex // guards next
	next     time.Time
	end      context.CancelFunc // has nobody wait any longer
	over     <-chan struct{}    // closed then
}

func newPace(perSecond int64) *pace {
	over, end := context.WithCancel(context.Background())
	return &pace{interval: time.Second / time.Duration(perSecond), over: over.Done(), end: end}
}

// wait returns when the next insert may start.
func (p *pace) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.interval)
	p.mu.Unlock()
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.over:
		return nil
	case <-timer.C:
		return nil
	}
}
