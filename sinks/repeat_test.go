package sinks

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"recoup/sinks/sinktest"
)

// halfDead begins an insert of what stands in a table: an earlier one whose client has
// given it up, but not the server. It has read its rows and goes on by itself a minute
// later. The tests keep its rows by deleting them from the table meanwhile.
func halfDead(t *testing.T, s *Store, table, id string) (done <-chan error) {
	t.Helper()
	rows := s.client.in(table + "_half_dead")
	run(t, s, "CREATE TABLE "+rows+" ENGINE = Memory AS SELECT * FROM "+s.client.in(table))
	pause := 60 / float64(count(t, s, "SELECT count() FROM "+rows))
	ended := make(chan error, 1)
	go func() {
		ctx := clickhouse.Context(context.WithoutCancel(t.Context()), clickhouse.WithQueryID(id),
			clickhouse.WithSettings(clickhouse.Settings{"function_sleep_max_microseconds_per_block": 0}))
		ended <- s.client.queries.Exec(ctx, fmt.Sprintf("INSERT INTO %s SELECT * FROM %s WHERE sleepEachRow(%f) = 0",
			s.client.in(table), rows, pause))
	}()
	for began := time.Now(); count(t, s, "SELECT count() FROM system.processes WHERE read_rows > 0 AND query_id = "+
		quote(id)) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("the half-dead insert reads no rows")
		}
	}
	return ended
}

// TestRepeatEndsEarlier is G2: whoever repeats an insert ends earlier ones before it looks
// what is missing. One that went on behind the look, as here the repetition before, would
// store its rows a second time: its token is another one.
func TestRepeatEndsEarlier(t *testing.T) {
	s, straight, p := throughProxy(t)
	b := sampleBlock(s, 1, 1, 2, 3)
	p.cut.Store(1)
	if err := s.Insert(t.Context(), testOwner, 0, b, sinktest.Owned); err == nil {
		t.Fatal("insert without an answer reported success")
	}
	earlier := halfDead(t, straight, tableLines, queryID(testOwner)+"1.0/lines.again")
	run(t, straight, "DELETE FROM "+s.client.in(tableLines)+" WHERE 1 SETTINGS lightweight_deletes_sync = 2")
	if err := s.Insert(t.Context(), testOwner, 2, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	if err := <-earlier; err == nil {
		t.Error("the earlier insert went on")
	}
	for table, want := range map[string]int{tableLines: 6, tableInvoices: 3} {
		if n := count(t, straight, "SELECT count() FROM "+s.client.in(table)); n != want {
			t.Errorf("%d rows of %s stored, want %d", n, table, want)
		}
	}
}

// TestCopyRepeatEndsEarlier: as TestRepeatEndsEarlier, of a copied topic.
func TestCopyRepeatEndsEarlier(t *testing.T) {
	w, s, straight, p := disputesCut(t)
	var earlier <-chan error
	p.lose = func() {
		member := &turn{copy: &Copy{opt: w.opt}}
		earlier = halfDead(t, straight, "disputes", member.idPrefix("disputes")+"session/x.1")
		run(t, straight, "DELETE FROM "+s.client.in("disputes")+" WHERE 1 SETTINGS lightweight_deletes_sync = 2")
	}
	w.copyAll(t)
	if err := <-earlier; err == nil {
		t.Error("the earlier insert went on")
	}
	if rows := count(t, straight, "SELECT count() FROM "+s.client.in("disputes")); rows != 2 {
		t.Errorf("%d rows stored, want 2", rows)
	}
}

// TestRefusedIsNoRepetition: what the group refused was not sent, so the next try is the
// first one and ends nothing, nor asks what stands: while a broker is away blocks are tried
// over and over, and ClickHouse need not hear of it.
func TestRefusedIsNoRepetition(t *testing.T) {
	s := openTables(t)
	b, away := sampleBlock(s, 1, 1, 2, 3), errors.New("the broker is away")
	for n := range int64(3) {
		err := s.Insert(t.Context(), testOwner, n, b, func(context.Context) error { return away })
		if !errors.Is(err, away) {
			t.Fatal(err)
		}
	}
	resume, done := stalledInsert(t, s, testOwner, queryID(testOwner)+"of this owner") // a repetition would end it
	if err := s.Insert(t.Context(), testOwner, 3, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	close(resume)
	if err := <-done; err != nil {
		t.Errorf("the insert beside: %v", err)
	}
}
