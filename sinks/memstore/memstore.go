// Package memstore keeps scored invoices in memory, with the guarantees of the
// ClickHouse store and with faults on request: the store of worker tests, of
// the simulation and of runs that need no database.
package memstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// ErrFault is what an insert returns when a fault hook says so without an
// error of its own.
var ErrFault = errors.New("fault injected")

// Row is one stored invoice.
type Row struct {
	Invoice  invoice.Invoice   // whole, Lines too; shares no memory with what was appended
	Verdict  detectors.Verdict // as it was appended
	Received int64             // Kafka's record timestamp, Unix milliseconds
	Epoch    int64             // of the owner that inserted it
}

// Line is one stored invoice line.
type Line struct {
	Source invoice.Position // of the invoice
	Index  int              // place on the invoice, from 0
	Line   invoice.Line     // as it was appended; shares no memory with it
	Epoch  int64            // of the owner that inserted it
}

// Faults make an insert fail on purpose. The zero value never does. A hook
// runs on the inserting goroutine without the store's lock: it may wait, which
// makes an insert slow, and it may use the store.
type Faults struct {
	// Before runs while the insert of the lines is under way, before anything is
	// stored; an error ends it there.
	Before func(owner pipeline.Owner, n int64) error
	// Between runs while that of the invoices is, after the lines are stored.
	Between func(owner pipeline.Owner, n int64) error
	// After runs when everything is stored; an error is a lost acknowledgement.
	After func(owner pipeline.Owner, n int64) error
	// Read runs before Fence, Stored, Remove and Sweep do anything.
	Read func(owner pipeline.Owner) error
	// NoTokens stores every insert anew, as ClickHouse does without a
	// deduplication window: the control that must fail.
	NoTokens bool
}

// Store is a pipeline.Store in memory. The zero value is not ready: use New.
type Store struct {
	mu       sync.Mutex
	faults   Faults
	rows     []Row
	lines    []Line
	tokens   map[uint64]bool           // of inserts already stored
	removals map[source]int64          // Remove calls; part of the token, see token
	orphans  map[source]map[int64]bool // offsets with lines and no row, as Stored last saw them
	running  map[*insertion]struct{}   // under way
	inserts  int                       // Insert calls that stored something
}

// source is what Stored, Remove and Fence are about: one partition of one
// incarnation of a topic.
type source struct {
	topic       string
	incarnation int64
	partition   int
}

// insertion is an insert of lines or of rows under way.
type insertion struct {
	owner  pipeline.Owner
	killed bool
	done   chan struct{}
}

// New returns an empty store.
func New() *Store {
	return &Store{
		tokens:   map[uint64]bool{},
		removals: map[source]int64{},
		orphans:  map[source]map[int64]bool{},
		running:  map[*insertion]struct{}{},
	}
}

// SetFaults replaces the fault hooks; it applies to calls that start later.
func (s *Store) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Rows returns a copy of the list of rows in the order they were stored.
func (s *Store) Rows() []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows)
}

// EachRow calls do with each row in the order they were stored. do must neither change nor keep
// it, nor call the Store.
func (s *Store) EachRow(do func(*Row)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rows {
		do(&s.rows[i])
	}
}

// Lines returns a copy of the list of lines in the order they were stored.
func (s *Store) Lines() []Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// Inserts returns how many Insert calls stored at least one row.
func (s *Store) Inserts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inserts
}

// DropRows deletes the rows at these offsets of every partition and leaves their
// lines, as a crash between the two inserts does.
func (s *Store) DropRows(offsets []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = slices.DeleteFunc(s.rows, func(r Row) bool { return slices.Contains(offsets, r.Verdict.Source.Offset) })
}

// Killed reports whether an insert that still runs was killed by Fence.
func (s *Store) Killed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for run := range s.running {
		if run.killed {
			return true
		}
	}
	return false
}

// NewBlock returns an empty block.
func (s *Store) NewBlock() pipeline.Block { return &Block{} }

// Insert stores the lines, then the rows, once per block, and asks hold before each.
func (s *Store) Insert(ctx context.Context, owner pipeline.Owner, n int64, block pipeline.Block,
	hold func(context.Context) error) error {
	b, ok := block.(*Block)
	if !ok {
		return fmt.Errorf("cannot insert block: %T is not of this store; make it with NewBlock", block)
	}
	if len(b.rows) == 0 {
		return nil
	}
	s.mu.Lock()
	faults := s.faults
	s.mu.Unlock()
	for _, part := range []struct {
		what  string
		fault func(pipeline.Owner, int64) error
		do    func(pipeline.Owner, *Block)
	}{{"lines", faults.Before, s.storeLines}, {"rows", faults.Between, s.storeRows}} {
		if err := hold(ctx); err != nil {
			return err
		}
		run := s.begin(owner)
		err := fault(ctx, part.fault, owner, n)
		if err == nil {
			err = s.store(run, b, part.what, part.do)
		}
		s.end(run)
		if err != nil {
			return err
		}
	}
	return fault(ctx, faults.After, owner, n)
}

func fault(ctx context.Context, hook func(pipeline.Owner, int64) error, owner pipeline.Owner, n int64) error {
	if hook != nil {
		if err := hook(owner, n); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Store) begin(owner pipeline.Owner) *insertion {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := &insertion{owner: owner, done: make(chan struct{})}
	s.running[run] = struct{}{}
	return run
}

func (s *Store) end(run *insertion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, run)
	close(run.done)
}

// store does one of the two inserts, unless its token was stored before or a
// later owner has killed it.
func (s *Store) store(run *insertion, b *Block, what string, do func(pipeline.Owner, *Block)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if run.killed {
		return fmt.Errorf("cannot insert %s: query was killed by a later owner of partition %d",
			what, run.owner.Partition)
	}
	if !b.salted {
		b.salted, b.salt = true, s.removals[sourceOf(run.owner)]
	}
	token := b.token(run.owner, what)
	if s.tokens[token] && !s.faults.NoTokens {
		return nil
	}
	s.tokens[token] = true
	do(run.owner, b)
	return nil
}

// storeLines leaves out the lines that a crashed owner stored without their rows.
func (s *Store) storeLines(owner pipeline.Owner, b *Block) {
	have := s.orphans[sourceOf(owner)]
	for i := range b.rows {
		pos := b.rows[i].Verdict.Source
		if have[pos.Offset] {
			continue
		}
		for j, l := range b.rows[i].Invoice.Lines {
			s.lines = append(s.lines, Line{Source: pos, Index: j, Line: l, Epoch: owner.Epoch})
		}
	}
}

func (s *Store) storeRows(owner pipeline.Owner, b *Block) {
	for _, r := range b.rows {
		r.Epoch = owner.Epoch
		s.rows = append(s.rows, r)
	}
	s.inserts++
}

// Hurry does nothing: no insert waits for its turn.
func (s *Store) Hurry() {}

// Fence kills running inserts of lower epochs of the owner's partition and
// waits until they have returned.
func (s *Store) Fence(ctx context.Context, owner pipeline.Owner) error {
	if err := s.readFault(owner); err != nil {
		return err
	}
	for _, run := range s.kill(owner) {
		select {
		case <-run.done:
		case <-ctx.Done():
			return fmt.Errorf("cannot fence partition %d: %w", owner.Partition, ctx.Err())
		}
	}
	return nil
}

func (s *Store) kill(owner pipeline.Owner) []*insertion {
	s.mu.Lock()
	defer s.mu.Unlock()
	var killed []*insertion
	for run := range s.running {
		o := run.owner
		if o.Group == owner.Group && sourceOf(o) == sourceOf(owner) && o.Epoch < owner.Epoch {
			run.killed = true
			killed = append(killed, run)
		}
	}
	return killed
}

func (s *Store) readFault(owner pipeline.Owner) error {
	s.mu.Lock()
	hook := s.faults.Read
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(owner)
}

// Stored returns source offset → suspect of the rows at or after from.
func (s *Store) Stored(_ context.Context, owner pipeline.Owner, from int64) (map[int64]bool, error) {
	if err := s.readFault(owner); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := map[int64]bool{}
	for i := range s.rows {
		v := &s.rows[i].Verdict
		if positionOf(v.Source) == sourceOf(owner) && v.Source.Offset >= from {
			stored[v.Source.Offset] = v.Suspect
		}
	}
	orphans := map[int64]bool{}
	for i := range s.lines {
		pos := s.lines[i].Source
		if _, hasRow := stored[pos.Offset]; !hasRow && positionOf(pos) == sourceOf(owner) && pos.Offset >= from {
			orphans[pos.Offset] = true
		}
	}
	s.orphans[sourceOf(owner)] = orphans
	return stored, nil
}

// Remove deletes the rows and lines at these offsets, of no later owner.
func (s *Store) Remove(ctx context.Context, owner pipeline.Owner, offsets []int64,
	hold func(context.Context) error) error {
	if err := s.readFault(owner); err != nil {
		return err
	}
	if err := hold(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := func(pos invoice.Position, epoch int64) bool {
		return positionOf(pos) == sourceOf(owner) && slices.Contains(offsets, pos.Offset) && epoch <= owner.Epoch
	}
	s.rows = slices.DeleteFunc(s.rows, func(r Row) bool { return gone(r.Verdict.Source, r.Epoch) })
	s.lines = slices.DeleteFunc(s.lines, func(l Line) bool { return gone(l.Source, l.Epoch) })
	for _, offset := range offsets {
		delete(s.orphans[sourceOf(owner)], offset)
	}
	s.removals[sourceOf(owner)]++
	return nil
}

// Sweep removes what several epochs stored at one offset, but for the highest.
func (s *Store) Sweep(_ context.Context, owner pipeline.Owner, from, to int64) (int, error) {
	if err := s.readFault(owner); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reached := func(pos invoice.Position) bool {
		return positionOf(pos) == sourceOf(owner) && pos.Offset >= from && pos.Offset < to
	}
	rows, lines := map[int64]int64{}, map[int64]int64{} // offset → highest epoch
	for i := range s.rows {
		if !reached(s.rows[i].Verdict.Source) {
			continue
		}
		at := s.rows[i].Verdict.Source.Offset
		rows[at] = max(rows[at], s.rows[i].Epoch)
	}
	for i := range s.lines {
		if !reached(s.lines[i].Source) {
			continue
		}
		at := s.lines[i].Source.Offset
		lines[at] = max(lines[at], s.lines[i].Epoch)
	}
	doubled := map[int64]bool{}
	s.rows = slices.DeleteFunc(s.rows, func(r Row) bool {
		at := r.Verdict.Source
		if !reached(at) || r.Epoch == rows[at.Offset] {
			return false
		}
		doubled[at.Offset] = true
		return true
	})
	s.lines = slices.DeleteFunc(s.lines, func(l Line) bool {
		return reached(l.Source) && l.Epoch < lines[l.Source.Offset]
	})
	return len(doubled), nil
}

func sourceOf(o pipeline.Owner) source {
	return source{topic: o.Topic, incarnation: o.Incarnation, partition: o.Partition}
}

func positionOf(p invoice.Position) source {
	return source{topic: p.Topic, incarnation: p.Incarnation, partition: p.Partition}
}

// token names an insert by its owner and offsets. The owner's epoch and the
// number of removals are part of it: rows that were removed must be insertable
// again although an insert of the same offsets is remembered.
func (b *Block) token(owner pipeline.Owner, table string) uint64 {
	h := xxhash.New()
	fmt.Fprintf(h, "%q %q %d %d %d %d %s", owner.Group, owner.Topic, owner.Incarnation, owner.Partition,
		owner.Epoch, b.salt, table)
	offsets := make([]int64, len(b.rows))
	for i := range b.rows {
		offsets[i] = b.rows[i].Verdict.Source.Offset
	}
	slices.Sort(offsets)
	for _, offset := range offsets {
		_ = binary.Write(h, binary.LittleEndian, offset)
	}
	return h.Sum64()
}
