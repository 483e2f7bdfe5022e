package sinks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"recoup/pipeline"
	"recoup/sinks/sinktest"
)

// throughProxy returns a store on a fresh database whose connections go through
// a proxy, and one that goes straight.
func throughProxy(t *testing.T) (*Store, *Store, *proxy) {
	t.Helper()
	straight := openStore(t)
	settings := straight.client.settings
	p := newProxy(t, settings.Addresses[0], nil)
	settings.Addresses = []string{p.addr()}
	s, err := Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, straight, p
}

func sampleBlock(s *Store, partition int, offsets ...int64) *Block {
	b := s.NewBlock().(*Block)
	for _, offset := range offsets {
		inv, v := sinktest.Sample(partition, offset)
		b.Append(inv, v, 1_795_000_000_000)
	}
	return b
}

var testOwner = pipeline.Owner{Group: "g", Topic: sinktest.Topic, Partition: 1, Epoch: 7}

// TestLostAcknowledgement is G2: the answers to both inserts of a block are cut
// off after they were stored, and the repeated block stores nothing. The control
// without the token doubles: it proves that the answers were really lost late.
func TestLostAcknowledgement(t *testing.T) {
	for name, want := range map[string]int{"with tokens": 3, "control without": 6} {
		t.Run(name, func(t *testing.T) {
			s, straight, p := throughProxy(t)
			if want == 6 {
				for _, table := range []string{tableInvoices, tableLines} {
					run(t, straight, "ALTER TABLE "+s.client.in(table)+" MODIFY SETTING non_replicated_deduplication_window = 0")
				}
			}
			b := sampleBlock(s, 1, 1, 2, 3)
			p.cut.Store(1) // lines
			if err := s.Insert(t.Context(), testOwner, 0, b, sinktest.Owned); err == nil {
				t.Fatal("insert without an answer reported success")
			}
			if n := count(t, straight, "SELECT count() FROM "+s.client.in(tableLines)); n != 6 {
				t.Fatalf("%d lines stored when the answer was lost, want 6", n)
			}
			p.cut.Store(1) // the same lines once more, repeated
			if err := s.Insert(t.Context(), testOwner, 1, b, sinktest.Owned); err == nil {
				t.Fatal("insert without an answer reported success")
			}
			// Now the lines pass and the answer to the rows is lost.
			conn, err := s.client.insertConn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			p.turns.Store(5) // on one connection: hello, query, lines, query, rows
			p.cut.Store(1)
			if err := s.Insert(t.Context(), testOwner, 2, b, sinktest.Owned); err == nil {
				t.Fatal("insert without an answer reported success")
			}
			if n := count(t, straight, "SELECT count() FROM "+s.client.in(tableInvoices)); n != 3 {
				t.Fatalf("%d rows stored when the answer was lost, want 3", n)
			}
			if err := s.Insert(t.Context(), testOwner, 3, b, sinktest.Owned); err != nil {
				t.Fatal(err)
			}
			if p.lost.Load() != 3 {
				t.Fatalf("%d answers lost, want 3", p.lost.Load())
			}
			if n := count(t, straight, "SELECT count() FROM "+s.client.in(tableInvoices)); n != want {
				t.Errorf("%d rows stored, want %d", n, want)
			}
			lines := count(t, straight, "SELECT count() FROM "+s.client.in(tableLines))
			if want == 3 && lines != 6 || want == 6 && lines <= 6 {
				t.Errorf("%d lines stored, want 6 only with tokens", lines)
			}
		})
	}
}

// TestTokenWithoutRows is G2: a server that dies between its note of the token and the part
// acknowledges a repetition whose rows it never had. Here rows are deleted whose answers
// were lost: the token stays.
func TestTokenWithoutRows(t *testing.T) {
	s, straight, p := throughProxy(t)
	b := sampleBlock(s, 1, 1, 2, 3)
	forget := func(table string, offsets string) {
		run(t, straight, "DELETE FROM "+s.client.in(table)+" WHERE source_offset IN ("+offsets+
			") SETTINGS lightweight_deletes_sync = 2")
	}
	for n, c := range []struct {
		turns          int64 // on one connection: hello, query, lines, query, rows
		table, offsets string
	}{{3, tableLines, "1, 2, 3"}, {5, tableInvoices, "2, 3"}} {
		conn, err := s.client.insertConn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		p.turns.Store(c.turns)
		p.cut.Store(1)
		if err := s.Insert(t.Context(), testOwner, int64(n), b, sinktest.Owned); err == nil {
			t.Fatal("insert without an answer reported success")
		}
		forget(c.table, c.offsets)
	}
	if err := s.Insert(t.Context(), testOwner, 2, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{tableLines: 6, tableInvoices: 3} {
		if n := count(t, straight, "SELECT count() FROM "+s.client.in(table)); n != want {
			t.Errorf("%d rows of %s stored, want %d", n, table, want)
		}
	}
}

// TestHold is G4: before each of the four inserts of a block of two months, once its
// turn has come, the store asks whether the owner may still make it.
func TestHold(t *testing.T) {
	straight := openTables(t)
	settings := straight.client.settings
	settings.InsertsPerSecond = 2
	s, err := Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := s.NewBlock()
	for offset := range int64(3) {
		inv, v := sinktest.Sample(1, offset)
		if offset == 2 {
			inv.IssuedAt = inv.IssuedAt.AddDate(0, -2, 0)
		}
		b.Append(inv, v, 1_795_000_000_000)
	}
	gone := errors.New("the group has given the owner up")
	var stood [][2]int // lines and rows when the store asked
	var asked []time.Time
	stand := func() [2]int {
		return [2]int{count(t, straight, "SELECT count() FROM "+s.client.in(tableLines)),
			count(t, straight, "SELECT count() FROM "+s.client.in(tableInvoices))}
	}
	began := time.Now()
	err = s.Insert(t.Context(), testOwner, 0, b, func(context.Context) error {
		asked = append(asked, time.Now())
		if stood = append(stood, stand()); len(stood) == 4 {
			return gone
		}
		return nil
	})
	if want := [][2]int{{0, 0}, {4, 0}, {4, 2}, {6, 2}}; !errors.Is(err, gone) || !slices.Equal(stood, want) {
		t.Fatalf("%v; when the store asked there stood %v lines and rows, want %v", err, stood, want)
	}
	if got := stand(); got != stood[3] {
		t.Errorf("%v lines and rows stand after the refusal, want %v", got, stood[3])
	}
	if waited := asked[2].Sub(began); waited < s.pace.interval {
		t.Errorf("the store asked for the second month after %v, before its turn", waited)
	}
}

// TestBacklogIsNotPaced: of a block that waited behind others a large group goes at once. A small one, as
// of late months, waits for its turn, and so does all of a block that did not wait.
func TestBacklogIsNotPaced(t *testing.T) {
	s := openTables(t)
	s.pace = newPace(1)
	s.pace.next = time.Now().Add(time.Hour)
	insert := func(n int64, invoices, late int, sealed bool) error {
		b := s.NewBlock().(*Block)
		for i := range invoices + late {
			inv, v := sampleInvoice(i, 3)
			v.Source.Offset = 10*n*largeInsert + int64(i)
			if i >= invoices {
				inv.IssuedAt = inv.IssuedAt.AddDate(0, -2, 0)
			}
			b.Append(inv, v, 1_795_000_000_000)
		}
		if sealed {
			b.Seal()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return s.Insert(ctx, testOwner, n, b, sinktest.Owned)
	}
	if err := insert(1, largeInsert, 0, true); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{"small": insert(2, largeInsert-1, 0, true),
		"not behind": insert(3, largeInsert, 0, false), "late": insert(4, largeInsert, 1, true)} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want it to wait for its turn", name, err)
		}
	}
	if n := count(t, s, "SELECT count() FROM "+s.client.in(tableInvoices)); n != 2*largeInsert {
		t.Errorf("%d rows, want those of the two large groups, %d", n, 2*largeInsert)
	}
}

// TestHoldRemove: the store asks before each of the two deletes of a removal.
func TestHoldRemove(t *testing.T) {
	s := openTables(t)
	if err := s.Insert(t.Context(), testOwner, 0, sampleBlock(s, 1, 1, 2), sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	gone, asked := errors.New("the group has given the owner up"), 0
	err := s.Remove(t.Context(), testOwner, []int64{1, 2}, func(context.Context) error {
		if asked++; asked == 2 {
			return gone
		}
		return nil
	})
	if !errors.Is(err, gone) {
		t.Errorf("a removal that the group refuses midway: %v", err)
	}
	for table, want := range map[string]int{tableInvoices: 0, tableLines: 4} {
		if n := count(t, s, "SELECT count() FROM "+s.client.in(table)); n != want {
			t.Errorf("%s: %d rows stand, want %d", table, n, want)
		}
	}
}

// stalled is a column that waits before it is sent: an insert of a process that
// was paused in the middle.
type stalled struct {
	column
	sending, resume chan struct{}
}

func (c *stalled) EncodeColumn(b *proto.Buffer) {
	close(c.sending)
	<-c.resume
	c.column.EncodeColumn(b)
}

// stalledInsert starts an insert of one row that stops before it sends it.
func stalledInsert(t *testing.T, s *Store, o pipeline.Owner, id string) (resume chan struct{}, done chan error) {
	t.Helper()
	b := sampleBlock(s, o.Partition, o.Epoch)
	columns := b.rows.invoices.named()
	c := &stalled{column: columns[1].column, sending: make(chan struct{}), resume: make(chan struct{})}
	columns[1].column = c
	done = make(chan error, 1)
	go func() {
		done <- s.client.insert(context.WithoutCancel(t.Context()), insertion{table: tableInvoices, columns: columns,
			queryID: id, token: fmt.Sprint(o), hold: sinktest.Owned})
	}()
	<-c.sending
	return c.resume, done
}

// TestFence: inserts of lower epochs of exactly this partition end and can store
// nothing any more; all others go on (design.md §4, take-over step 2).
func TestFence(t *testing.T) {
	s := openTables(t)
	owner := func(group string, partition int, epoch int64) pipeline.Owner {
		return pipeline.Owner{Group: group, Topic: "my_topic", Partition: partition, Epoch: epoch}
	}
	wildcard := owner("g", 1, 9)
	wildcard.Topic = "myxtopic"
	cases := []struct {
		owner  pipeline.Owner
		killed bool
	}{
		{owner("g", 1, 9), true},
		{owner("g", 1, 99), true},    // lower as a number
		{owner("g", 1, 100), false},  // the owner itself
		{owner("g", 1, 1000), false}, // a later one
		{owner("g", 11, 9), false},
		{owner("g/my_topic/0/1", 1, 9), false},
		{wildcard, false},
	}
	var resumes []chan struct{}
	var dones []chan error
	for _, c := range cases {
		resume, done := stalledInsert(t, s, c.owner, queryID(c.owner)+"0/rows")
		resumes, dones = append(resumes, resume), append(dones, done)
	}
	began := time.Now()
	if err := s.Fence(t.Context(), owner("g", 1, 100)); err != nil {
		t.Fatal(err)
	}
	t.Logf("fence took %v", time.Since(began))
	before := count(t, s, "SELECT count() FROM "+s.client.in(tableInvoices))
	for i, c := range cases {
		close(resumes[i])
		if err := <-dones[i]; (err != nil) != c.killed {
			t.Errorf("insert of %+v ended with %v, killed should be %v", c.owner, err, c.killed)
		}
	}
	if after := count(t, s, "SELECT count() FROM "+s.client.in(tableInvoices)); before != 0 || after != 5 {
		t.Errorf("%d rows before and %d after, want 0 and 5", before, after)
	}
}

// TestRemovedByAnotherProcess: rows that were removed are inserted by a process
// that knows nothing of the removal, with the offsets of an insert that the
// server remembers. The epoch in the token makes them another insert.
func TestRemovedByAnotherProcess(t *testing.T) {
	first := openTables(t)
	if err := first.Insert(t.Context(), testOwner, 0, sampleBlock(first, 1, 1, 2), sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	if err := first.Remove(t.Context(), testOwner, []int64{1, 2}, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	second, err := Open(first.client.settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	later := testOwner
	later.Epoch++
	if err := second.Insert(t.Context(), later, 0, sampleBlock(second, 1, 1, 2), sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	if n := count(t, second, "SELECT count() FROM "+second.client.in(tableInvoices)); n != 2 {
		t.Errorf("%d rows stored, want 2", n)
	}
}

// TestErrors: each kind of trouble is named with its remedy.
func TestErrors(t *testing.T) {
	s := openTables(t)
	run(t, s, "ALTER TABLE "+s.client.in(tableInvoices)+" DROP COLUMN country")
	err := s.Insert(t.Context(), testOwner, 0, sampleBlock(s, 1, 1), sinktest.Owned)
	if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "run `recoup migrate`") {
		t.Errorf("insert into a table without a column: %v", err)
	}
	run(t, s, "DROP TABLE "+s.client.in(tableLines))
	if _, err := s.Stored(t.Context(), testOwner, 0); !errors.Is(err, ErrSchema) {
		t.Errorf("stored without a table: %v", err)
	}
	settings := s.client.settings
	settings.Database = "nowhere"
	other, err := Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if err := other.Insert(t.Context(), testOwner, 0, sampleBlock(s, 1, 1), sinktest.Owned); !errors.Is(err, ErrSchema) {
		t.Errorf("insert without a database: %v", err)
	}
	settings.Addresses = []string{"127.0.0.1:1"}
	if other, err = Open(settings); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	for what, err := range map[string]error{
		"ping":   other.Ping(t.Context()),
		"fence":  other.Fence(t.Context(), testOwner),
		"insert": other.Insert(t.Context(), testOwner, 0, sampleBlock(s, 1, 1), sinktest.Owned),
		"remove": other.Remove(t.Context(), testOwner, []int64{1}, sinktest.Owned),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "cannot ") || errors.Is(err, ErrSchema) {
			t.Errorf("%s without a server: %v", what, err)
		}
	}
}

// TestOnePart: a block of the usual size makes one part in each table, also with
// lines for three times as many rows: parts are stored one by one, and lines of
// an invoice must not be stored in part.
func TestOnePart(t *testing.T) {
	s := openTables(t)
	b := s.NewBlock()
	for offset := range int64(50_000) {
		inv, v := sampleInvoice(int(offset%200), 3)
		v.Source.Offset = offset
		b.Append(inv, v, 1_790_000_000_000)
	}
	if err := s.Insert(t.Context(), testOwner, 0, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{tableInvoices, tableLines} {
		parts := count(t, s, fmt.Sprintf("SELECT count() FROM system.parts WHERE database = '%s' AND table = '%s'",
			s.client.settings.Database, table))
		if parts != 1 {
			t.Errorf("%s: %d parts, want 1", table, parts)
		}
	}
}

// TestPace: all partitions together insert no oftener than the settings say.
func TestPace(t *testing.T) {
	p := newPace(50)
	began := time.Now()
	for range 4 {
		if err := p.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 60*time.Millisecond {
		t.Errorf("four inserts at 50 a second took %v", took)
	}
	slow := newPace(1)
	time.AfterFunc(20*time.Millisecond, slow.end)
	began = time.Now()
	for range 4 {
		if err := slow.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("four inserts of a process that stops took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newPace(1).wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("wait after cancel: %v", err)
	}
}
