package sinks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// copyWorld is a log with the copied topics and a database.
type copyWorld struct {
	log   *memlog.Log
	store *Store
	opt   CopyOptions
	sent  map[string]int // records by topic
}

const copyLead = "recoup.lead"

func newCopyWorld(t *testing.T, s *Store) *copyWorld {
	t.Helper()
	w := &copyWorld{log: memlog.New(memlog.Options{MaxWait: 5 * time.Millisecond, FetchBytes: 4 << 10}), store: s,
		sent: map[string]int{}}
	w.opt = CopyOptions{Group: "recoup-copy", FlushInterval: 20 * time.Millisecond, FenceAfter: 50 * time.Millisecond,
		Topics: CopyTopics{Cases: "recoup.cases", CaseEvents: "recoup.case-events", Recoveries: "recoup.recoveries",
			Disputes: "recoup.disputes", DeadLetter: "recoup.dead-letter"},
		Report: func(part string, err error) {
			if err != nil {
				t.Logf("%s: %v", part, err)
			}
		}}
	w.log.CreateTopic(copyLead, 1, 0)
	for _, c := range w.opt.Topics.all() {
		w.log.CreateTopic(c.topic, 3, 0)
	}
	return w
}

func (w *copyWorld) send(t *testing.T, topic string, partition int, values ...string) {
	t.Helper()
	var records []pipeline.Record
	for _, v := range values {
		records = append(records, pipeline.Record{Value: []byte(v), Time: time.UnixMilli(4_000_000_000_000)})
	}
	if _, err := w.log.Append(t.Context(), topic, partition, records); err != nil {
		t.Fatal(err)
	}
	w.sent[topic] += len(values)
}

// start runs a copy until stop is called.
func (w *copyWorld) start(t *testing.T) (c *Copy, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c = NewCopy(w.store, w.opt)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, w.log.Group(w.opt.Group, copyLead), w.log) }()
	return c, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// copyAll copies until everything sent is stored.
func (w *copyWorld) copyAll(t *testing.T) {
	t.Helper()
	c, stop := w.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.WaitCaughtUp(ctx, w.log); err != nil {
		t.Fatal(err)
	}
	stop()
	refresh(t, w.store)
}

// refresh brings the kept views up to what is stored.
func refresh(t *testing.T, s *Store) {
	t.Helper()
	for _, sql := range RefreshStatements(s.client.settings.Database) {
		run(t, s, sql)
	}
}

// check compares what is stored with what was sent, record by record.
func (w *copyWorld) check(t *testing.T) {
	t.Helper()
	for _, c := range w.opt.Topics.all() {
		table := w.store.client.in(c.table)
		rows := count(t, w.store, "SELECT count() FROM "+table)
		once := count(t, w.store, "SELECT uniqExact(source_incarnation, source_partition, source_offset) FROM "+table)
		if rows != w.sent[c.topic] || once != rows {
			t.Errorf("%s: %d rows of %d records, want %d of each", c.table, rows, once, w.sent[c.topic])
		}
	}
}

// examples returns the example records of the contract, valid or invalid ones.
func examples(t *testing.T, schema, kind string) []string {
	t.Helper()
	files, err := filepath.Glob("../docs/contract/examples/" + schema + "/" + kind + "-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s examples of %s: %v", kind, schema, err)
	}
	var records []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, string(text))
	}
	return records
}

// TestCopyExamples: every valid record of the contract is read; everything else
// is kept raw with the reason, nothing is lost.
func TestCopyExamples(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	schemas := map[string]string{"recoup.cases": "case.v1", "recoup.case-events": "case_event.v1",
		"recoup.recoveries": "recovery.v1", "recoup.disputes": "dispute.v1", "recoup.dead-letter": "dead_letter.v1"}
	garbage := []string{"", "{", `"text"`, "\x00\xff", `{"schema":"case.v1","seq":"x"}`, `{"at":5}`}
	for topic, schema := range schemas {
		w.send(t, topic, 0, examples(t, schema, "valid")...)
		w.send(t, topic, 1, examples(t, schema, "invalid")...)
		w.send(t, topic, 2, garbage...)
	}
	w.copyAll(t)
	w.check(t)
	for _, c := range w.opt.Topics.all() {
		table := w.store.client.in(c.table)
		if n := count(t, w.store, "SELECT count() FROM "+table+" WHERE source_partition = 0 AND parse_error != ''"); n != 0 {
			t.Errorf("%s: %d valid records could not be read", c.table, n)
		}
		if n := count(t, w.store, "SELECT count() FROM "+table+
			" WHERE source_partition = 2 AND parse_error != ''"); n != len(garbage) {
			t.Errorf("%s: %d of %d garbage records have a reason", c.table, n, len(garbage))
		}
		raw := count(t, w.store, "SELECT sum(length(raw)) FROM "+table+" WHERE source_partition = 2")
		if want := len(strings.Join(garbage, "")); raw != want {
			t.Errorf("%s: %d raw bytes of garbage kept, want %d", c.table, raw, want)
		}
	}
	for sql, want := range map[string]int{
		"SELECT count() FROM %s.cases WHERE kind = 'incident' AND loss_point = 98024 AND length(raw) > 100":                1,
		"SELECT count() FROM %s.case_events WHERE confirmed_loss = toDecimal64('245.06', 4) AND NOT due_date_passed":       1,
		"SELECT count() FROM %s.case_events WHERE payment_term_restart_at = toDateTime64('2026-04-01 00:00:00', 3, 'UTC')": 1,
		"SELECT count() FROM %s.case_events WHERE hold_batch_id = 'run-0301' AND hold_state = 'held'":                      1,
		"SELECT count() FROM %s.recoveries WHERE option = 'instalments' AND due_date IS NOT NULL AND instalments = 3":      1,
		"SELECT count() FROM %s.dead_letters WHERE cut AND length(value) > 0 AND raw = ''":                                 1,
	} {
		if n := count(t, w.store, fmt.Sprintf(sql, w.store.client.settings.Database)+" AND source_partition = 0"); n != want {
			t.Errorf("%s: %d, want %d", sql, n, want)
		}
	}
}

// TestCopyMembers: the members that an incident's records bring along stand in
// incident_members once each, also when a crash left them without their record.
func TestCopyMembers(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	w.send(t, "recoup.cases", 1, incidentRecord(t, 2), incidentRecord(t, 3))
	w.copyAll(t)
	run(t, w.store, "DELETE FROM "+w.store.client.in("cases")+" WHERE source_offset = 1") // a crash between both
	w.send(t, "recoup.cases", 1, incidentRecord(t, 4))
	w.copyAll(t)
	w.check(t)
	table := w.store.client.in("incident_members")
	rows := count(t, w.store, "SELECT count() FROM "+table)
	if once := count(t, w.store, "SELECT uniqExact(invoice_id) FROM "+table+" WHERE incident_id = 'i' AND revision = 1 "+
		"AND loss_low = toDecimal64('49.99', 2) AND toYear(issued_at) = 2026"); rows != 9 || once != 9 {
		t.Errorf("%d members in %d rows, want 9 in 9", once, rows)
	}
}

// incidentRecord is a record of an incident that n members joined.
func incidentRecord(t *testing.T, n int) string {
	joined := []any{}
	for i := range n {
		joined = append(joined, map[string]any{"seller": "acme", "invoice_id": fmt.Sprint("F", n, "-", i), "revision": 1,
			"currency": "EUR", "case_id": "c", "loss": band(50_0000), "issued_at": "2026-11-12T08:00:00Z"})
	}
	return asJSON(t, map[string]any{"schema": "case.v1", "case_id": "i", "seq": n, "kind": "incident",
		"members_joined": joined})
}

// caseEvent is a record of any copied topic that can be read.
func caseEvent(n int) string {
	text, _ := json.Marshal(map[string]any{"schema": "case_event.v1", "event_id": fmt.Sprint("e", n), "seq": 1,
		"case_id": fmt.Sprint("c", n), "at": "2026-03-01T09:40:00Z", "status": "acknowledged", "topic": "t"})
	return string(text)
}

// TestCopyKilled is G2 for the copied topics: a copy that is killed at any
// moment, and whose successor starts from the tables alone, stores each record
// once.
func TestCopyKilled(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	n := 0
	for round := range 12 {
		for _, c := range w.opt.Topics.all() {
			for p := range 3 {
				for range 10 {
					w.send(t, c.topic, p, caseEvent(n), caseEvent(n+1))
					n += 2
				}
			}
		}
		_, stop := w.start(t)
		time.Sleep(time.Duration(round*17%90) * time.Millisecond)
		stop()
	}
	w.copyAll(t)
	w.check(t)
}

// TestCopyLostAcknowledgement: the answer to an insert is lost after it was
// stored, and the insert is repeated. The control without a window doubles.
func TestCopyLostAcknowledgement(t *testing.T) {
	for name, doubled := range map[string]bool{"with tokens": false, "control without": true} {
		t.Run(name, func(t *testing.T) {
			s, straight, p := throughProxy(t)
			w := newCopyWorld(t, s)
			w.opt.Topics = CopyTopics{Disputes: "recoup.disputes"}
			if doubled {
				run(t, straight, "ALTER TABLE "+s.client.in("disputes")+" MODIFY SETTING non_replicated_deduplication_window = 0")
			}
			w.send(t, "recoup.disputes", 0, caseEvent(1), caseEvent(2))
			p.inserts.Store(true) // one connection serves it all: hello, KILL, questions, INSERT, rows
			p.cut.Store(1)
			w.copyAll(t)
			if p.lost.Load() != 1 {
				t.Fatalf("%d answers lost, want 1", p.lost.Load())
			}
			rows := count(t, straight, "SELECT count() FROM "+s.client.in("disputes"))
			if want := map[bool]int{false: 2, true: 4}[doubled]; rows != want {
				t.Errorf("%d rows stored, want %d", rows, want)
			}
		})
	}
}

// disputesCut returns a world of one copied topic with two disputes, behind a proxy that cuts the
// acknowledgement of the first insert, and a store that goes straight to ClickHouse.
func disputesCut(t *testing.T) (w *copyWorld, s, straight *Store, p *proxy) {
	s, straight, p = throughProxy(t)
	w = newCopyWorld(t, s)
	w.opt.Topics = CopyTopics{Disputes: "recoup.disputes"}
	w.send(t, "recoup.disputes", 0, caseEvent(1), caseEvent(2))
	p.inserts.Store(true)
	p.cut.Store(1)
	return w, s, straight, p
}

// TestCopyTokenWithoutRows: as TestTokenWithoutRows, of a copied topic. The rows that are
// deleted are what the repetition finds missing.
func TestCopyTokenWithoutRows(t *testing.T) {
	w, s, straight, p := disputesCut(t)
	p.lose = func() {
		run(t, straight, "DELETE FROM "+s.client.in("disputes")+" WHERE 1 SETTINGS lightweight_deletes_sync = 2")
	}
	w.copyAll(t)
	if p.lost.Load() != 1 {
		t.Fatalf("%d answers lost, want 1", p.lost.Load())
	}
	if rows := count(t, straight, "SELECT count() FROM "+s.client.in("disputes")); rows != 2 {
		t.Errorf("%d rows stored, want 2", rows)
	}
}

// TestCopyAtOnce: what comes after a rest is stored at once, what comes soon behind it
// waits until the table has rested, so that there are no more inserts than intervals.
func TestCopyAtOnce(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	w.opt.Topics, w.opt.FlushInterval = CopyTopics{Disputes: "recoup.disputes"}, 5*time.Second
	c, stop := w.start(t)
	took := func() time.Duration {
		began := time.Now()
		w.send(t, "recoup.disputes", 0, caseEvent(1))
		if err := c.WaitCaughtUp(t.Context(), w.log); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	if first, second := took(), took(); first > 3*time.Second || second < 3*time.Second {
		t.Errorf("the first record took %v and the next one %v, want no wait, then the interval of 5 s", first, second)
	}
	stop()
	w.check(t)
}

// TestCopyTakeOver is G9: several members of the group, of which one copies at a
// time, while the group is shaken.
func TestCopyTakeOver(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	_, stopFirst := w.start(t)
	second, stopSecond := w.start(t)
	for n := range 30 {
		for _, c := range w.opt.Topics.all() {
			w.send(t, c.topic, n%3, caseEvent(n))
		}
		if n == 15 {
			stopFirst()
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := second.WaitCaughtUp(t.Context(), w.log); err != nil {
		t.Fatal(err)
	}
	stopSecond()
	w.check(t)
}

// TestCopyFence: an insert of a member that was paused while it copied can store
// nothing once another member copies; inserts of other groups are left alone.
func TestCopyFence(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	w.opt.Topics = CopyTopics{Disputes: "recoup.disputes"}
	turns := func(group string) *turn { return &turn{copy: &Copy{opt: CopyOptions{Group: group}}} }
	paused, pausedDone := stalledInsert(t, w.store, testOwner, turns(w.opt.Group).idPrefix("disputes")+"old-0/x.0")
	other, otherDone := stalledInsert(t, w.store, testOwner, turns(w.opt.Group+"x").idPrefix("disputes")+"old-0/x.0")
	w.copyAll(t)
	close(paused)
	close(other)
	if err := <-pausedDone; err == nil {
		t.Error("the paused insert went on")
	}
	if err := <-otherDone; err != nil {
		t.Errorf("insert of another group: %v", err)
	}
}

// TestCopyRecreatedTopic: offsets that start anew are noticed, and a raised
// incarnation copies them.
func TestCopyRecreatedTopic(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	w.opt.Topics = CopyTopics{Disputes: "recoup.disputes"}
	w.send(t, "recoup.disputes", 0, caseEvent(1), caseEvent(2), caseEvent(3))
	w.copyAll(t)
	w.log.CreateTopic("recoup.disputes", 1, 0)
	w.send(t, "recoup.disputes", 0, caseEvent(4))
	var mu sync.Mutex
	var reported []error
	w.opt.Report = func(_ string, err error) {
		mu.Lock()
		defer mu.Unlock()
		reported = append(reported, err)
	}
	c, stop := w.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := c.WaitCaughtUp(ctx, w.log); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("copy of a recreated topic: %v", err)
	}
	stop()
	if !slices.ContainsFunc(reported, func(err error) bool {
		return err != nil && strings.Contains(err.Error(), "raise the incarnation")
	}) {
		t.Errorf("reported %v", reported)
	}
	w.opt.Incarnation = 1
	w.copyAll(t)
	w.check(t)
}

// TestCopyTruncated: what the runbook of parts that cannot be read has one do: tables that
// are emptied while nobody copies are copied anew, whole; the members of incidents that
// stayed are not doubled.
func TestCopyTruncated(t *testing.T) {
	w := newCopyWorld(t, openStore(t))
	for topic, schema := range map[string]string{"recoup.case-events": "case_event.v1",
		"recoup.recoveries": "recovery.v1", "recoup.disputes": "dispute.v1", "recoup.dead-letter": "dead_letter.v1"} {
		w.send(t, topic, 0, examples(t, schema, "valid")...)
	}
	w.send(t, "recoup.cases", 0, incidentRecord(t, 2), incidentRecord(t, 3))
	w.copyAll(t)
	for _, tables := range [][]string{
		{"case_events", "recoveries", "disputes", "dead_letters", "cases", "incident_members"}, {"cases"},
	} {
		for _, table := range tables {
			run(t, w.store, "TRUNCATE TABLE "+w.store.client.in(table))
		}
		w.send(t, "recoup.case-events", 0, caseEvent(1))
		w.copyAll(t)
		w.check(t)
		if n := count(t, w.store, "SELECT count() FROM "+w.store.client.in("incident_members")); n != 5 {
			t.Errorf("%d members of incidents behind a truncation of %v, want 5", n, tables)
		}
	}
}
