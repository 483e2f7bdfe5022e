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
// those rows; in.token is the end of the token, whose beginning names the invoices. After a repetition it makes
// sure that they are there.
func (s *Store) insertSome(ctx context.Context, owner pipeline.Owner, in insertion, b *Block, invoices []int,
	columns func(invoices []int) []named) error {
	token := in.token
	in.columns, in.token = columns(invoices), b.token(owner, invoices)+token
	if err := s.client.insert(ctx, in); err != nil || !b.repeated {
		return err
	}
	// Of this owner nothing else is being inserted that should go on.
	if err := s.client.kill(ctx, "startsWith(query_id, "+quote(queryID(owner))+")"); err != nil {
		return explain(fmt.Sprintf("end earlier inserts of partition %d", owner.Partition), err)
	}
	missing, err := s.missing(ctx, owner, in.table, b, invoices)
	if err != nil || len(missing) == 0 {
		return err
	}
	b.again++
	in.columns, in.queryID = columns(missing), fmt.Sprintf("%s.again%d", in.queryID, b.again)
	in.token = fmt.Sprintf("%s%s-again%d", b.token(owner, missing), token, b.again)
	return s.client.insert(ctx, in)
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
func (t *turn) missing(ctx context.Context, c copied, session string, rows []logRow) ([]logRow, error) {
	client := t.copy.client
	if err := client.kill(ctx, "startsWith(query_id, "+quote(t.idPrefix(c.table)+session+"/")+")"); err != nil {
		return nil, explain("end earlier inserts into "+c.table, err)
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
