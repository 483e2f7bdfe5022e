package auditor

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"recoup/pipeline"
)

// watch looks while a row, or a line of an invoice, is missing below what is committed: the
// report says so although they stand when the run is audited, and whatever stands too much.
func (b *bench) watch(t *testing.T) {
	const rows, lines = "scored_invoices", "invoice_lines"
	last := " WHERE source_partition = 0 AND source_offset = (SELECT max(source_offset) FROM scored_invoices " +
		"WHERE source_partition = 0)"
	in := b.in
	for _, c := range []struct {
		table string
		sql   []string
	}{
		{},
		{rows, []string{"DELETE FROM scored_invoices" + last}},
		{lines, []string{"DELETE FROM invoice_lines" + last}},
		{lines, []string{"DELETE FROM invoice_lines" + last + " AND line_index = 0"}},
		{rows, []string{"INSERT INTO scored_invoices SELECT * REPLACE (" + b.redelivery() + " AS source_offset) FROM " +
			"(SELECT * FROM scored_invoices" + last + ")", "DELETE FROM scored_invoices" + last}}, // as many as before
	} {
		w, err := NewWatch(b.in.Config, b.in.Kafka, b.in.Ledger, b.in.Config.ClickHouse.Addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		in.Watch = w
		wrong := func(want int64) {
			t.Helper()
			a := &audit{Input: in}
			if err := a.judgeWatch(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := a.checks.get(CheckCommitsAhead); got.Wrong != want {
				t.Errorf("%q: %d wrong, want %d: %q", c.sql, got.Wrong, want, got.Examples)
			}
		}
		look := func() {
			t.Helper()
			if err := w.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		wrong(1) // nobody has looked
		if c.table == "" {
			look()
			wrong(0)
			continue
		}
		restore := b.keep(c.table)
		b.exec(c.sql...)
		look()
		restore()
		wrong(1)
		look()
		wrong(1)
	}
	b.wants(t, in, CheckCommitsAhead)
}

// contents changes what topics say on the way to the auditor.
func (b *bench) contents(t *testing.T) {
	topics := &b.in.Config.Kafka.Topics
	var invoices [2]string // that have a case
	for i, which := range []string{"min", "max"} {
		invoices[i] = b.text("SELECT " + which + "(invoice_id) FROM cases WHERE kind = 'invoice'")
	}
	// Decision and case agree with each other, and neither with the invoice.
	other := func(from []byte) []byte {
		return bytes.ReplaceAll(from, []byte(`"invoice_id":"`+invoices[0]+`"`), []byte(`"invoice_id":"`+invoices[1]+`"`))
	}
	t.Run("a case of another invoice", func(t *testing.T) {
		in := b.in
		in.log = doctored{doctored{in.Kafka.Log(), topics.Cases, func(r *pipeline.Record) bool {
			r.Value = other(r.Value)
			return true
		}}, topics.Suspects, func(r *pipeline.Record) bool {
			if at := bytes.Index(r.Value, []byte(`"case":{`)); at >= 0 {
				r.Value = append(bytes.Clone(r.Value[:at]), other(r.Value[at:])...)
			}
			return true
		}}
		b.wants(t, in, CheckCaseBytes, CheckCopies)
	})
	t.Run("no checkpoint", func(t *testing.T) {
		in := b.in
		in.log = doctored{in.Kafka.Log(), topics.State, func(r *pipeline.Record) bool { return string(r.Key) != "marker" }}
		b.wants(t, in, CheckMarkers)
	})
	for _, c := range []struct {
		name string
		edit func(*pipeline.DeadLetter)
	}{
		{"other bytes", func(d *pipeline.DeadLetter) { d.Value[len(d.Value)-1]++ }},
		{"no bytes", func(d *pipeline.DeadLetter) { d.Value, d.Cut = nil, true }},
		{"an invoice that can be read", func(d *pipeline.DeadLetter) { d.Offset = b.in.Ledger.of(0)[0].Offset }},
		{"a record that was never sent", func(d *pipeline.DeadLetter) { d.Offset = b.end + 7 }},
	} {
		t.Run("a dead letter holds "+c.name, func(t *testing.T) {
			in, done := b.in, false // the copies are compared with what stands
			in.log = doctored{in.Kafka.Log(), topics.DeadLetter, func(r *pipeline.Record) bool {
				var d pipeline.DeadLetter
				if err := json.Unmarshal(r.Value, &d); err != nil {
					t.Fatal(err)
				}
				if !done && d.Partition == 0 && len(d.Value) > 0 {
					done = true
					c.edit(&d)
					r.Value = encode(t, d)
				}
				return true
			}}
			b.wants(t, in, CheckDeadLetters)
		})
	}
}

// Two valid decisions that open the case of one invoice are told as such, though each has
// published its own; nothing else is wrong with them.
func TestCaseOpenedTwice(t *testing.T) {
	a := &audit{
		decisions: []map[int64]*decided{{3: {dedup: "acme|1", body: 11}, 9: {dedup: "acme|2", body: 13}},
			{5: {dedup: "acme|1", body: 12}, 6: {dedup: "acme|1"}}},
		cases: map[string]*publishedCase{
			"acme|1": {opened: map[uint64]opening{11: {offset: 3}, 12: {offset: 5, partition: 1}}},
			"acme|2": {opened: map[uint64]opening{13: {offset: 9}}},
		},
	}
	if err := a.judgeCases(t.Context()); err != nil {
		t.Fatal(err)
	}
	report := a.checks.report(time.Now())
	if got := report.Failed(); !slices.Equal(got, []string{CheckCasesDoubled}) {
		t.Errorf("failed %v, want %s", got, CheckCasesDoubled)
	}
}
