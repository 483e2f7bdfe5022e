package sinks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"recoup/pipeline"
)

// An insert whose answer was lost is repeated, and ClickHouse acknowledges it when it
// knows the token. That does not prove that the rows are there: where a table is not
// replicated the server writes the token down before it takes the part on
// (MergeTreeSink::commitPart), and one that dies in between remembers rows that it never
// had. So after a repetition recoup looks, and stores what is missing under a new token.

// insertSome inserts the rows of some invoices of a block into one table. columns returns
// those rows; in.token is the end of the token, whose beginning names the invoices. Where
// these rows were sent before it makes sure that they are there.
func (s *Store) insertSome(ctx context.Context, owner pipeline.Owner, in insertion, b *Block, invoices []int,
	columns func(invoices []int) []named) error {
	again, token := in, b.token(owner, invoices)+in.token
	before := b.sent[token]
	in.columns, in.token = columns(invoices), token
	in.hold = func(ctx context.Context) error {
		err := again.hold(ctx)
		if err == nil {
			b.sent[token]++
		}
		return err
	}
	if err := s.client.insert(ctx, in); err != nil || before == 0 {
		return err
	}
	// An earlier try that still runs would add its rows behind the look.
	if err := s.endInserts(ctx, owner, owner.Epoch, repetition); err != nil {
		return err
	}
	missing, err := s.missing(ctx, owner, in.table, b, invoices)
	if err != nil || len(missing) == 0 {
		return err
	}
	again.columns, again.queryID = columns(missing), again.queryID+".again"
	again.token = fmt.Sprintf("%s%s-again%d", b.token(owner, missing), again.token, before)
	return s.client.insert(ctx, again)
}

// missing returns those of the invoices of a block of which this owner has no row in a
// table, though it should.
func (s *Store) missing(ctx context.Context, owner pipeline.Owner, table string, b *Block,
	invoices []int) ([]int, error) {
	if table == tableLines {
		invoices = slices.DeleteFunc(slices.Clone(invoices), func(i int) bool { return b.lines[i] == 0 })
	}
	if len(invoices) == 0 {
		return nil, nil
	}
	first, last := b.offsets[invoices[0]], b.offsets[invoices[0]]
	for _, i := range invoices {
		first, last = min(first, b.offsets[i]), max(last, b.offsets[i])
	}
	look := s.client.selectSource("DISTINCT source_offset", table, owner, first)
	look.sql += fmt.Sprintf(" AND source_offset <= %d AND owner_epoch = %d", last, owner.Epoch)
	there := map[int64]bool{}
	err := s.client.each(ctx, look, func(scan func(...any) error) error {
		var offset int64
		err := scan(&offset)
		there[offset] = true
		return err
	})
	if err != nil {
		return nil, explain("look for what was inserted into "+table, err)
	}
	return slices.DeleteFunc(slices.Clone(invoices), func(i int) bool { return there[b.offsets[i]] }), nil
}

// missing returns those of the rows that are not in the table.
func (t *turn) missing(ctx context.Context, c copied, rows []logRow) ([]logRow, error) {
	client := t.copy.client
	if err := t.endInserts(ctx, c.table); err != nil {
		return nil, err
	}
	type place struct {
		partition uint32
		offset    int64
	}
	bounds := map[uint32][2]int64{} // first and last offset of each partition
	for _, row := range rows {
		at := row.place()
		b, is := bounds[at.SourcePartition]
		if !is {
			b = [2]int64{at.SourceOffset, at.SourceOffset}
		}
		bounds[at.SourcePartition] = [2]int64{min(b[0], at.SourceOffset), max(b[1], at.SourceOffset)}
	}
	var ranges []string
	for partition, b := range bounds {
		ranges = append(ranges,
			fmt.Sprintf("source_partition = %d AND source_offset BETWEEN %d AND %d", partition, b[0], b[1]))
	}
	there := map[place]bool{}
	err := client.each(ctx, statement{
		sql: "SELECT DISTINCT source_partition, source_offset FROM " + client.in(c.table) + " WHERE source_topic = " +
			"{topic:String} AND source_incarnation = {incarnation:Int64} AND (" + strings.Join(ranges, " OR ") + ")",
		parameters: map[string]string{"topic": c.topic, "incarnation": fmt.Sprint(t.copy.opt.Incarnation)},
		settings:   map[string]any{"select_sequential_consistency": 1},
	}, func(scan func(...any) error) error {
		var at place
		err := scan(&at.partition, &at.offset)
		there[at] = true
		return err
	})
	if err != nil {
		return nil, explain("look for what was inserted into "+c.table, err)
	}
	return slices.DeleteFunc(slices.Clone(rows), func(row logRow) bool {
		at := row.place()
		return there[place{at.SourcePartition, at.SourceOffset}]
	}), nil
}
