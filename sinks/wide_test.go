package sinks

import (
	"testing"

	"github.com/ClickHouse/ch-go"

	"recoup/sinks/sinktest"
)

// TestInsertIsOnePart: what is looked for by offset after a crash was stored whole or not at
// all, because ClickHouse makes one part of the rows of a month. It does so too where the
// settings of its users would have it cut them.
func TestInsertIsOnePart(t *testing.T) {
	s := openTables(t)
	run(t, s, "SYSTEM STOP MERGES "+s.client.in(tableLines))
	conn, err := s.client.insertConn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Do(t.Context(), ch.Query{Body: "SET use_strict_insert_block_limits = 1, max_insert_block_size = 1000, " +
		"min_insert_block_size_rows = 0, min_insert_block_size_bytes = 0"})
	if err != nil {
		t.Fatal(err)
	}
	s.client.keep(conn) // both inserts go through it
	b := s.NewBlock().(*Block)
	for i := range 100 {
		inv, v := sampleInvoice(i, 60)
		v.Source.Topic, v.Source.Partition, v.Source.Offset = sinktest.Topic, 1, int64(i)
		b.Append(inv, v, 1_795_000_000_000)
	}
	if err := s.Insert(t.Context(), testOwner, 0, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "SELECT count() FROM "+s.client.in(tableLines)); n != 6000 {
		t.Errorf("%d lines stored, want 6000", n)
	}
	if n := count(t, s, "SELECT uniqExact(_part) FROM "+s.client.in(tableLines)); n != 1 {
		t.Errorf("the lines stand in %d parts, want 1", n)
	}
}
