package auditor

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	kafkago "github.com/segmentio/kafka-go"

	"recoup/bench/cluster"
	"recoup/bench/load"
	"recoup/internal/config"
	"recoup/internal/testservers"
	"recoup/pipeline"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// bench is a finished run that tests break by hand.
type bench struct {
	*testing.T
	in  Input
	db  driver.Conn
	end int64 // of partition 0
}

// newBench sends a small plan through two members and lets them finish.
func newBench(t *testing.T) *bench {
	c, err := cluster.Install(t.Context(), cluster.Options{Dir: t.TempDir(), Broker: testservers.Kafka(t),
		ClickHouse: testservers.ClickHouse(t), Name: testservers.Database(t), Partitions: 3,
		Adjust: func(c *config.Config) {
			c.Models.Train = false
			c.Pipeline.CheckpointInterval = config.Duration(time.Second)
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ledger := NewLedger()
	plan := load.Plan{Invoices: 3_000, Partitions: 3, Segments: 5, Seed: 3, Separated: true, Injected: 0.03,
		Redelivered: 0.05, Late: 0.02, LateBy: 40 * 24 * time.Hour, Garbage: 0.02, WarmUp: 60}
	err = load.Send(t.Context(), c.Kafka.Log(), load.New(plan), load.Sending{Topic: c.Config.Kafka.Topics.Invoices,
		Patience: time.Minute, Sent: ledger.Add})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Join(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Drain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	c.MeasureGrowth(t.Context())
	if err := c.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, in: Input{Config: c.Config, Kafka: c.Kafka, Ledger: ledger, Exact: true, Patience: time.Second}}
	for _, m := range c.Members() {
		b.in.Members = append(b.in.Members, m.Usage())
	}
	ch := &c.Config.ClickHouse
	b.db, err = clickhouse.Open(&clickhouse.Options{Addr: ch.Addresses, Auth: clickhouse.Auth{Database: ch.Database},
		Settings: clickhouse.Settings{"mutations_sync": 1, "insert_deduplicate": 0, "lightweight_deletes_sync": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	if _, b.end, err = c.Kafka.Log().Bounds(t.Context(), c.Config.Kafka.Topics.Invoices, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) exec(statements ...string) {
	b.Helper()
	for _, s := range statements {
		if err := b.db.Exec(context.Background(), s); err != nil {
			b.Fatalf("%s: %v", s, err)
		}
	}
}

// text asks for one text.
func (b *bench) text(query string) (s string) {
	b.Helper()
	if err := b.db.QueryRow(b.Context(), query).Scan(&s); err != nil {
		b.Fatalf("%s: %v", query, err)
	}
	return s
}

// wants audits and expects exactly these checks to fail.
func (b *bench) wants(t *testing.T, in Input, names ...string) {
	t.Helper()
	report, err := Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Failed(); !slices.Equal(got, names) {
		var out strings.Builder
		report.Print(&out)
		t.Errorf("failed %v, want %v\n%s", got, names, out.String())
	}
}

// append writes a record by hand.
func (b *bench) append(topic string, partition int, key, value []byte) (offset int64) {
	b.Helper()
	offset, err := b.in.Kafka.Log().Append(b.Context(), topic, partition, []pipeline.Record{{Key: key, Value: value}})
	if err != nil {
		b.Fatal(err)
	}
	return offset
}

// A good run is ok, and each thing that is broken by hand is told by its own check,
// or by those that follow from it.
func TestControls(t *testing.T) {
	b := newBench(t)
	b.wants(t, b.in)
	t.Run("tables", b.tables)
	t.Run("ledger", b.ledger)
	t.Run("limits", b.limits)
	t.Run("watch", b.watch)
	t.Run("contents", b.contents)
	t.Run("topics", b.topics)
	t.Run("commits", b.commits)
	t.Run("views", b.views)
}

// tables breaks what ClickHouse holds and puts it back.
func (b *bench) tables(t *testing.T) {
	good := b.text(`SELECT toString(min(source_offset)) FROM scored_invoices WHERE source_partition = 0 AND NOT suspect
		AND taught`)
	suspect := b.text("SELECT toString(min(source_offset)) FROM scored_invoices WHERE source_partition = 0 AND suspect")
	again := b.redelivery()
	at := func(offset string) string { return " WHERE source_partition = 0 AND source_offset = " + offset }
	const rows, lines = "scored_invoices", "invoice_lines"
	for _, c := range []struct {
		name, table, sql string
		want             []string
	}{
		{"a row is missing", rows, "DELETE FROM scored_invoices" + at(good), []string{CheckRowsLost}},
		{"a row stands twice", rows, "INSERT INTO scored_invoices SELECT * FROM scored_invoices" + at(good),
			[]string{CheckRowsDoubled}},
		{"a redelivery has a row", rows, "INSERT INTO scored_invoices SELECT * REPLACE (" + again +
			" AS source_offset) FROM (SELECT * FROM scored_invoices" + at(good) + ")", []string{CheckRowsExtra}},
		{"a row of nothing sent", rows, fmt.Sprintf("INSERT INTO scored_invoices SELECT * REPLACE (%d AS source_offset) "+
			"FROM (SELECT * FROM scored_invoices%s)", b.end+7, at(good)), []string{CheckRowsExtra}},
		{"another amount", rows, "ALTER TABLE scored_invoices UPDATE net_amount = net_amount + 0.0001" + at(good),
			[]string{CheckRowContent}},
		{"another lateness", rows, "ALTER TABLE scored_invoices UPDATE late_by_ms = late_by_ms + 1" + at(good),
			[]string{CheckLate}},
		{"taught and not said", rows, "ALTER TABLE scored_invoices UPDATE taught = false" + at(good),
			[]string{CheckTaught, CheckBaselines, CheckFolded}},
		{"another verdict than decided", rows, "ALTER TABLE scored_invoices UPDATE p_error = p_error / 2" + at(suspect),
			[]string{CheckDecisions}},
		{"a suspect that nobody decided", rows,
			"ALTER TABLE scored_invoices UPDATE suspect = true, taught = false" + at(good),
			[]string{CheckErrors, CheckDecisions, CheckBaselines, CheckFolded}},
		{"a row after its commit", rows, "ALTER TABLE scored_invoices UPDATE inserted_at = inserted_at + 60" + at(good),
			[]string{CheckCommitsEarly}},
		{"a line is missing", lines, "DELETE FROM invoice_lines" + at(good) + " AND line_index = 1", []string{CheckLines}},
		{"a line stands twice", lines, "INSERT INTO invoice_lines SELECT * FROM invoice_lines" + at(good) +
			" AND line_index = 1", []string{CheckLinesDoubled}},
		{"another amount of a line", lines, "ALTER TABLE invoice_lines UPDATE line_net = line_net + 0.01" + at(good) +
			" AND line_index = 1", []string{CheckLines}},
		{"a dead letter stands twice", "dead_letters", "INSERT INTO dead_letters SELECT * FROM dead_letters LIMIT 1",
			[]string{CheckCopies}},
		{"a copied case has other bytes", "cases", "ALTER TABLE cases UPDATE raw = '{}' WHERE source_offset = 0",
			[]string{CheckCopies}},
		{"a copied dead letter has other bytes", "dead_letters",
			"ALTER TABLE dead_letters UPDATE value = 'x' WHERE source_offset = 0", []string{CheckCopies}},
		{"a roll-up is gone", rows, "ALTER TABLE scored_invoices CLEAR PROJECTION source_hours", []string{CheckRollups}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer b.keep(c.table)()
			b.exec(c.sql)
			b.wants(t, b.in, c.want...)
		})
	}
	b.wants(t, b.in)
}

// keep copies a table and returns what puts its rows back.
func (b *bench) keep(table string) (restore func()) {
	b.exec("CREATE OR REPLACE TABLE backup AS "+table, "INSERT INTO backup SELECT * FROM "+table)
	return func() {
		b.exec("TRUNCATE TABLE "+table, "INSERT INTO "+table+" SELECT * FROM backup", "DROP TABLE backup")
	}
}

// redelivery returns the offset of one on partition 0.
func (b *bench) redelivery() string {
	for _, truth := range b.in.Ledger.of(0) {
		if truth.Redelivery {
			text, _ := json.Marshal(truth.Offset)
			return string(text)
		}
	}
	b.Fatal("the plan has no redelivery on partition 0")
	return ""
}

// ledger breaks what was sent.
func (b *bench) ledger(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*load.Truth)
		want string
	}{
		{"another amount", func(truth *load.Truth) { truth.Net++ }, CheckLedger},
		{"an error that nobody saw", func(truth *load.Truth) { truth.Injected = true }, CheckErrors},
	} {
		t.Run(c.name, func(t *testing.T) {
			truth := &b.in.Ledger.of(0)[0]
			was := *truth
			defer func() { *truth = was }()
			c.edit(truth)
			b.wants(t, b.in, c.want)
		})
	}
	t.Run("a record that was never sent", func(t *testing.T) {
		in := b.in
		in.Ledger = NewLedger()
		for p := range 3 {
			in.Ledger.Add(b.in.Ledger.of(p))
		}
		in.Ledger.Add([]load.Truth{{Offset: b.end + 1, InvoiceID: "x"}})
		b.wants(t, in, CheckLedger)
	})
}

// limits sets them below what members took.
func (b *bench) limits(t *testing.T) {
	in := b.in
	in.MostResident = 1
	b.wants(t, in, CheckMemory)
	in = b.in
	in.MostGoroutines = 1
	b.wants(t, in, CheckGoroutines)
	for _, c := range []struct {
		member cluster.Usage
		want   []string
	}{
		{cluster.Usage{Member: "never seen"}, []string{CheckMemory, CheckMemoryGrown, CheckGrown}},
		{cluster.Usage{Resident: 1}, []string{CheckMemoryGrown, CheckGrown}},
		{cluster.Usage{Resident: 1, GrowthMeasured: true}, nil},
		{cluster.Usage{Resident: 1, GrowthMeasured: true, HeapGrown: 40 << 20}, []string{CheckMemoryGrown}},
		{cluster.Usage{Resident: 1, GrowthMeasured: true, GoroutinesGrown: 40}, []string{CheckGrown}},
	} {
		a := &audit{Input: Input{Members: []cluster.Usage{c.member}, MostResident: 1, MostHeapGrown: 32 << 20,
			MostGoroutines: 1, MostGrown: 32}}
		if err := a.judgeMembers(t.Context()); err != nil {
			t.Fatal(err)
		}
		report := a.checks.report(time.Now())
		if got := report.Failed(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: failed %v, want %v", c.member, got, c.want)
		}
	}
}

// doctored is a log in which records of a topic are changed, or dropped, on the way.
type doctored struct {
	pipeline.Log
	topic string
	edit  func(*pipeline.Record) (keep bool)
}

func (d doctored) Open(topic string, partition int) pipeline.Reader {
	reader := d.Log.Open(topic, partition)
	if topic != d.topic {
		return reader
	}
	return doctoredReader{reader, d.edit}
}

type doctoredReader struct {
	pipeline.Reader
	edit func(*pipeline.Record) (keep bool)
}

func (d doctoredReader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	f, err := d.Reader.Fetch(ctx, offset)
	kept := f.Records[:0]
	for _, r := range f.Records {
		if d.edit(&r) {
			kept = append(kept, r)
		}
	}
	f.Records = kept
	return f, err
}

// topics breaks what stands in Kafka. A record cannot be taken back from there, so
// what is lost is lost on the way to the auditor, and what is written too much is
// void, or written over, afterwards.
func (b *bench) topics(t *testing.T) {
	topics := &b.in.Config.Kafka.Topics
	t.Run("a case is lost", func(t *testing.T) {
		key := b.text("SELECT any(dedup_key) FROM cases WHERE kind = 'invoice' AND seq = 1 AND (dedup_key, 1) IN " +
			"(SELECT dedup_key, count() FROM cases GROUP BY dedup_key)")
		in := b.in
		in.log = doctored{in.Kafka.Log(), topics.Cases, func(r *pipeline.Record) bool { return string(r.Key) != key }}
		defer b.keep("cases")()
		b.exec("DELETE FROM cases WHERE dedup_key = '" + key + "'")
		b.wants(t, in, CheckCases)
	})
	t.Run("a dead letter is lost", func(t *testing.T) {
		in := b.in
		in.log = doctored{in.Kafka.Log(), topics.DeadLetter, func(r *pipeline.Record) bool { return r.Offset != 0 }}
		defer b.keep("dead_letters")()
		b.exec("DELETE FROM dead_letters WHERE source_offset = 0")
		b.wants(t, in, CheckDeadLetters)
	})
	for _, topic := range []string{topics.Suspects, topics.Cases, topics.DeadLetter} {
		t.Run("after its commit in "+topic, func(t *testing.T) {
			in := b.in
			in.log = doctored{in.Kafka.Log(), topic, func(r *pipeline.Record) bool {
				r.Time = r.Time.Add(time.Minute)
				return true
			}}
			b.wants(t, in, CheckCommitsEarly)
		})
	}
	t.Run("a baseline is falsified", func(t *testing.T) {
		record := b.last(topics.Baselines, func(r *pipeline.Record) bool {
			return strings.HasPrefix(string(r.Key), "segment|")
		})
		c, payload, _ := stamped(record.Value)
		n, width := binary.Uvarint(payload)
		falsified := binary.AppendVarint(binary.AppendVarint([]byte{2}, c.epoch), c.applied)
		falsified = append(binary.AppendUvarint(falsified, n+1), payload[width:]...)
		b.append(topics.Baselines, 0, record.Key, falsified)
		b.wants(t, b.in, CheckBaselines, CheckFolded)
		b.append(topics.Baselines, 0, record.Key, record.Value)
		b.wants(t, b.in)
	})
	b.decisions(t)
}

// decisions breaks what was decided and published.
func (b *bench) decisions(t *testing.T) {
	topics := &b.in.Config.Kafka.Topics
	t.Run("a void decision", func(t *testing.T) {
		record := b.last(topics.Suspects, func(r *pipeline.Record) bool { return string(r.Key) != "ownership" })
		var d pipeline.Decision
		if err := json.Unmarshal(record.Value, &d); err != nil {
			t.Fatal(err)
		}
		d.Verdict.PError /= 2
		d.Epoch--
		b.append(topics.Suspects, 0, record.Key, encode(t, d))
		b.wants(t, b.in)
	})
	t.Run("a decision is contradicted", func(t *testing.T) {
		owner := b.last(topics.Suspects, func(r *pipeline.Record) bool { return string(r.Key) == "ownership" })
		record := b.last(topics.Suspects, func(r *pipeline.Record) bool { return string(r.Key) != "ownership" })
		var d pipeline.Decision
		if err := json.Unmarshal(record.Value, &d); err != nil {
			t.Fatal(err)
		}
		d.Verdict.PError /= 2
		d.Epoch = owner.Offset
		b.append(topics.Suspects, 0, record.Key, encode(t, d))
		b.wants(t, b.in, CheckDecidedOnce)
	})
	t.Run("a case is published with other bytes", func(t *testing.T) {
		record := b.last(topics.Cases, func(r *pipeline.Record) bool { return true })
		other := append(slices.Clone(record.Value), ' ')
		offset := b.append(topics.Cases, 0, record.Key, other)
		b.exec("INSERT INTO cases SELECT * REPLACE (raw || ' ' AS raw, " + string(encode(t, offset)) +
			" AS source_offset) FROM (SELECT * FROM cases WHERE source_partition = 0 AND source_offset = " +
			string(encode(t, record.Offset)) + ")")
		b.wants(t, b.in, CheckDecidedOnce, CheckCaseBytes)
	})
}

// last returns the last record of partition 0 of a topic that is one of these.
func (b *bench) last(topic string, is func(*pipeline.Record) bool) (found pipeline.Record) {
	b.Helper()
	a := &audit{}
	a.Input.log = b.in.Kafka.Log()
	err := cluster.EachRecord(b.Context(), a.log, topic, 0, func(r *pipeline.Record) error {
		if len(r.Value) > 0 && is(r) {
			found = *r
			found.Key, found.Value = slices.Clone(r.Key), slices.Clone(r.Value)
		}
		return nil
	})
	if err != nil || found.Value == nil {
		b.Fatalf("no such record in %s: %v", topic, err)
	}
	return found
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// commits commits what is not there, takes that back, and promises it in a marker.
// What the topics have of the controls before stays.
func (b *bench) commits(t *testing.T) {
	before := []string{CheckDecidedOnce, CheckCaseBytes}
	b.commit(b.end + 5)
	b.wants(t, b.in, append(before, CheckCommitted)...)
	b.commit(b.end)
	before = append(before, CheckCommitsBack)
	b.wants(t, b.in, before...)
	const ahead = 100
	marker := binary.AppendVarint(binary.AppendVarint([]byte{2}, 1<<40), b.end+ahead)
	marker = append(marker, encode(t, map[string]int64{"offset": b.end + ahead})...)
	b.append(b.in.Config.Kafka.Topics.State, 0, []byte("marker"), marker)
	b.wants(t, b.in, append(before, CheckMarkers)...)
}

// commit commits an offset of partition 0 as nobody's member.
func (b *bench) commit(offset int64) {
	b.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(b.in.Config.Kafka.Brokers...)}
	topic := b.in.Config.Kafka.Topics.Invoices
	got, err := client.OffsetCommit(b.Context(), &kafkago.OffsetCommitRequest{GroupID: b.in.Config.Kafka.Group,
		GenerationID: -1, Topics: map[string][]kafkago.OffsetCommit{topic: {{Partition: 0, Offset: offset}}}})
	if err != nil {
		b.Fatal(err)
	}
	if err := got.Topics[topic][0].Error; err != nil {
		b.Fatal(err)
	}
}

// views has a kept view leave out what it should hold.
func (b *bench) views(t *testing.T) {
	b.exec("ALTER TABLE case_current MODIFY QUERY SELECT *, now64(3, 'UTC') AS refreshed_at FROM case_now LIMIT 3")
	b.wants(t, b.in, CheckDecidedOnce, CheckCaseBytes, CheckKeptViews, CheckCommitsBack, CheckMarkers)
}
