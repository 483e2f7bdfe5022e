package sinks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/pipeline"
)

// epochField is the place of the epoch in a query id split at its slashes,
// counted from 1: recoup/<group>/<topic>/<incarnation>/<partition>/<epoch>/…
const epochField = 6

// fencePoll is how often kill looks whether the inserts have ended.
const fencePoll = 20 * time.Millisecond

// Why inserts are ended stands in the query, for whoever reads ClickHouse's query log, and
// for tests that wait for one of them.
const (
	takeOver   = "take-over"
	repetition = "repetition"
)

// Fence stops inserts of lower epochs of the same partition that are still
// running and returns when none can store anything any more.
func (s *Store) Fence(ctx context.Context, owner pipeline.Owner) error {
	return s.endInserts(ctx, owner, owner.Epoch-1, takeOver)
}

// endInserts ends the inserts into the owner's partition by the epochs up to last, the
// owner's own for one that is about to look what stands: it makes one at a time.
func (s *Store) endInserts(ctx context.Context, owner pipeline.Owner, last int64, why string) error {
	// Names are compared, not matched: in LIKE an underscore of a topic would
	// match any letter.
	earlier := fmt.Sprintf("/* %s */ startsWith(query_id, %s) AND toInt64OrZero(splitByChar('/', query_id)[%d]) <= %d",
		why, quote(partitionPrefix(owner)), epochField, last)
	if err := s.client.kill(ctx, earlier); err != nil {
		return explain(fmt.Sprintf("end earlier inserts of partition %d", owner.Partition), err)
	}
	return nil
}

// kill ends the inserts that a condition on system.processes selects. It looks first, for mostly
// there are none and a take-over waits for each answer; an insert that the server does not know by
// then meets the question to the group (Insert's hold). It does not use SYNC: that waits for the
// rows of a client that was paused in the middle of an insert, for minutes. Such an insert is
// cancelled before it has read a row, and the server refuses the rows when they come after all.
func (c *client) kill(ctx context.Context, condition string) error {
	ctx, cancel := context.WithTimeout(ctx, c.settings.QueryTimeout)
	defer cancel()
	for killed := false; ; killed = true {
		var running uint64
		err := c.each(ctx, statement{sql: "SELECT count() FROM system.processes WHERE " + condition +
			" AND NOT (is_cancelled AND read_rows = 0 AND written_rows = 0)"},
			func(scan func(...any) error) error { return scan(&running) })
		if err != nil || running == 0 {
			return err
		}
		if killed {
			if err := sleep(ctx, fencePoll); err != nil {
				return fmt.Errorf("%d are still running: %w", running, err)
			}
		}
		if err := c.exec(ctx, statement{sql: "KILL QUERY WHERE " + condition + " ASYNC FORMAT Null"}); err != nil {
			return err
		}
	}
}

// quote writes a string literal of ClickHouse's SQL.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// selectSource reads what stands in a table for a partition from an offset on.
func (c *client) selectSource(columns, table string, owner pipeline.Owner, from int64) statement {
	return statement{
		sql: "SELECT " + columns + " FROM " + c.in(table) + " WHERE source_topic = {topic:String} " +
			"AND source_incarnation = {incarnation:Int64} AND source_partition = {partition:UInt32} " +
			"AND source_offset >= {from:Int64}",
		parameters: map[string]string{
			"topic":       owner.Topic,
			"incarnation": fmt.Sprint(owner.Incarnation),
			"partition":   fmt.Sprint(owner.Partition),
			"from":        fmt.Sprint(from),
		},
		// On replicas a read must see every acknowledged insert; one node ignores it.
		settings: map[string]any{"select_sequential_consistency": 1},
	}
}

// Stored returns source offset → suspect of the rows stored at or after from.
// It also remembers lines that a crash left without their row, so that Insert
// does not store them twice.
func (s *Store) Stored(ctx context.Context, owner pipeline.Owner, from int64) (map[int64]bool, error) {
	stored, lined := map[int64]bool{}, map[int64]bool{}
	read := s.client.selectSource("1 AS row, source_offset, suspect", tableInvoices, owner, from)
	lines := s.client.selectSource("DISTINCT 0 AS row, source_offset, false AS suspect", tableLines, owner, from)
	read.sql += " UNION ALL " + lines.sql // a take-over waits for each answer
	err := s.client.each(ctx, read, func(scan func(...any) error) error {
		var row uint8
		var offset int64
		var suspect bool
		err := scan(&row, &offset, &suspect)
		if row == 1 {
			stored[offset] = suspect
		} else {
			lined[offset] = true
		}
		return err
	})
	if err != nil {
		return nil, explain(fmt.Sprintf("read the stored rows and lines of partition %d", owner.Partition), err)
	}
	maps.DeleteFunc(lined, func(offset int64, _ bool) bool { _, hasRow := stored[offset]; return hasRow })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orphans[sourceOf(owner)] = lined
	return stored, nil
}

// removeChunk is how many offsets one DELETE names: the statement stays well
// below the server's limit on the size of a query.
const removeChunk = 5000

// Remove deletes the rows and lines at these source offsets, but for those that a
// later owner has stored. Inserting them again afterwards stores them, although an
// insert of the same offsets is remembered.
func (s *Store) Remove(ctx context.Context, owner pipeline.Owner, offsets []int64,
	hold func(context.Context) error) error {
	s.mu.Lock()
	s.removals[sourceOf(owner)]++
	for _, offset := range offsets {
		delete(s.orphans[sourceOf(owner)], offset)
	}
	s.mu.Unlock()
	for chunk := range slices.Chunk(offsets, removeChunk) {
		for _, table := range []string{tableInvoices, tableLines} {
			if err := hold(ctx); err != nil {
				return err
			}
			err := s.remove(ctx, owner, table, chunk, fmt.Sprintf(" AND owner_epoch <= %d", owner.Epoch))
			if err != nil {
				return explain(fmt.Sprintf("remove %d rows of partition %d from %s", len(chunk), owner.Partition, table), err)
			}
		}
	}
	return nil
}

func (s *Store) remove(ctx context.Context, owner pipeline.Owner, table string, offsets []int64, also string) error {
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(offsets), " ", ","), "[]")
	return s.client.exec(ctx, statement{
		sql: fmt.Sprintf("DELETE FROM %s WHERE source_topic = %s AND source_incarnation = %d "+
			"AND source_partition = %d AND source_offset IN (%s)%s",
			s.client.in(table), quote(owner.Topic), owner.Incarnation, owner.Partition, list, also),
		settings: map[string]any{"lightweight_deletes_sync": 2, "mutations_sync": 2},
	})
}

// Sweep removes what several epochs stored at one offset, but for the highest.
// Each table is looked at by itself: lines of a crashed owner whose row this one
// has stored are not doubled.
func (s *Store) Sweep(ctx context.Context, owner pipeline.Owner, from, to int64) (int, error) {
	if _, err := s.sweep(ctx, owner, tableLines, from, to); err != nil {
		return 0, err
	}
	return s.sweep(ctx, owner, tableInvoices, from, to)
}

// sweep returns how many offsets of a table several epochs stored.
func (s *Store) sweep(ctx context.Context, owner pipeline.Owner, table string, from, to int64) (int, error) {
	doubled := map[int64][]int64{} // highest epoch → offsets
	found := s.client.selectSource("source_offset, max(owner_epoch)", table, owner, from)
	found.sql += fmt.Sprintf(" AND source_offset < %d GROUP BY source_offset HAVING uniqExact(owner_epoch) > 1", to)
	n := 0
	err := s.client.each(ctx, found, func(scan func(...any) error) error {
		var offset, epoch int64
		err := scan(&offset, &epoch)
		doubled[epoch] = append(doubled[epoch], offset)
		n++
		return err
	})
	if err != nil {
		return 0, explain(fmt.Sprintf("look for doubled rows of partition %d in %s", owner.Partition, table), err)
	}
	for epoch, offsets := range doubled {
		for chunk := range slices.Chunk(offsets, removeChunk) {
			if err := s.remove(ctx, owner, table, chunk, fmt.Sprintf(" AND owner_epoch < %d", epoch)); err != nil {
				return 0, explain(fmt.Sprintf("remove doubled rows of partition %d from %s", owner.Partition, table), err)
			}
		}
	}
	return n, nil
}
