package auditor

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"recoup/bench/cluster"
	"recoup/bench/load"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// row is what the walk reads of a row of scored_invoices.
type row struct {
	offset, incarnation int64
	insertedAt          time.Time
	told                told
	net                 invoice.Amount
	suspect             bool
	lateMS              int64
	lines               uint32
}

const rowColumns = `source_offset, source_incarnation, inserted_at, seller, invoice_id, revision,
	toInt64(net_amount * 10000), line_count, suspect, taught, late_by_ms, p_error, decision, case_id, incident_id,
	toInt64(billed * 10000), toInt64(expected * 10000), toInt64(expected_low * 10000), toInt64(expected_high * 10000),
	toInt64(loss_point * 10000), toInt64(loss_low * 10000), toInt64(loss_high * 10000), model_version,
	if(empty(causes.code), '', causes.code[1])`

func (r *row) scan(rows driver.Rows) error {
	t := &r.told
	return rows.Scan(&r.offset, &r.incarnation, &r.insertedAt, &t.Seller, &t.ID, &t.Revision, (*int64)(&r.net), &r.lines,
		&r.suspect, &t.Taught, &r.lateMS, &t.PError, &t.Decision, &t.CaseID, &t.IncidentID, (*int64)(&t.Billed),
		(*int64)(&t.Expected), (*int64)(&t.ExpectedLow), (*int64)(&t.ExpectedHi), (*int64)(&t.Loss), (*int64)(&t.LossLow),
		(*int64)(&t.LossHigh), &t.ModelVersion, &t.FirstCause)
}

// lines is what invoice_lines holds of one invoice.
type lines struct {
	offset          int64
	count, distinct uint64
	net             int64 // Σ of line_net, in 1/10,000
}

const lineColumns = `source_offset, count(), uniqExact(line_index), toInt64(ifNull(sum(line_net), 0) * 10000)`

func (l *lines) scan(rows driver.Rows) error {
	return rows.Scan(&l.offset, &l.count, &l.distinct, &l.net)
}

// cursor goes through the answer of a query that is ordered by offset.
type cursor[T any] struct {
	rows    driver.Rows
	scan    func(*T, driver.Rows) error
	offset  func(*T) int64
	next    T
	waiting bool // next was read and not taken
}

// take returns everything at or below an offset, in order.
func (c *cursor[T]) take(offset int64) (got []T, err error) {
	for {
		if !c.waiting {
			if !c.rows.Next() {
				return got, c.rows.Err()
			}
			if err := c.scan(&c.next, c.rows); err != nil {
				return nil, err
			}
			c.waiting = true
		}
		if c.offset(&c.next) > offset {
			return got, nil
		}
		got = append(got, c.next)
		c.waiting = false
	}
}

// walk goes through all partitions, record by record, with the ledger, the rows and
// the lines beside it.
func (a *audit) walk(ctx context.Context) error {
	for _, name := range []string{CheckRowsDoubled, CheckRowsExtra, CheckLinesDoubled} {
		a.checks.expect(name, 0)
	}
	for p := range a.partitions {
		if err := a.walkPartition(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (a *audit) walkPartition(ctx context.Context, p int) error {
	w := &walker{audit: a, partition: p, truths: a.Ledger.of(p),
		decoder: invoice.NewDecoder(a.Config.Pipeline.Limits.Invoice()), reference: a.newReference(), all: a.Ledger.Records()}
	a.references = append(a.references, w.reference)
	topic := a.Config.Kafka.Topics.Invoices
	query := func(columns, table, group string) (driver.Rows, error) {
		raw := clickhouse.WithSettings(clickhouse.Settings{"optimize_use_projections": 0})
		return a.db.Query(clickhouse.Context(ctx, raw),
			fmt.Sprintf("SELECT %s FROM %s WHERE source_topic = $1 AND source_partition = $2 %s ORDER BY source_offset",
				columns, table, group), topic, p)
	}
	rows, err := query(rowColumns, "scored_invoices", "")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	w.rows = cursor[row]{rows: rows, scan: (*row).scan, offset: func(r *row) int64 { return r.offset }}
	grouped, err := query(lineColumns, "invoice_lines", "GROUP BY source_offset")
	if err != nil {
		return err
	}
	defer func() { _ = grouped.Close() }()
	w.lines = cursor[lines]{rows: grouped, scan: (*lines).scan, offset: func(l *lines) int64 { return l.offset }}
	if err := cluster.EachRecord(ctx, a.log, topic, p, w.record); err != nil {
		return err
	}
	return w.finish()
}

// walker compares one partition.
type walker struct {
	*audit
	partition int
	truths    []load.Truth // not met yet
	rows      cursor[row]
	lines     cursor[lines]
	decoder   *invoice.Decoder
	inv       invoice.Invoice
	reference *reference
	all       int64
}

// record compares one record of the topic.
func (w *walker) record(r *pipeline.Record) error {
	for len(w.truths) > 0 && w.truths[0].Offset < r.Offset {
		w.checks.right(CheckLedger, false, "%s is not in the topic", w.at(w.truths[0].Offset))
		w.truths = w.truths[1:]
	}
	rows, err := w.rows.take(r.Offset)
	if err != nil {
		return err
	}
	lines, err := w.lines.take(r.Offset)
	if err != nil {
		return err
	}
	for len(rows) > 0 && rows[0].offset < r.Offset {
		w.checks.never(CheckRowsExtra, "%s has a row and no record", w.at(rows[0].offset))
		rows = rows[1:]
	}
	for len(lines) > 0 && lines[0].offset < r.Offset {
		w.checks.right(CheckLines, false, "%s has lines and no record", w.at(lines[0].offset))
		lines = lines[1:]
	}
	if w.done++; w.done%1000 == 0 {
		w.Progress(w.done, w.all)
	}
	if len(w.truths) == 0 || w.truths[0].Offset > r.Offset {
		w.checks.never(CheckLedger, "%s is not in the ledger", w.at(r.Offset))
		return nil
	}
	truth := &w.truths[0]
	w.truths = w.truths[1:]
	w.compare(r, truth, rows, lines)
	return nil
}

// compare judges a record of which the truth is known.
func (w *walker) compare(r *pipeline.Record, truth *load.Truth, rows []row, lines []lines) {
	err := w.decoder.Decode(r.Value, &w.inv)
	same := (err != nil) == (truth.GarbageKind != "") &&
		(err != nil || w.inv.ID == truth.InvoiceID && w.inv.NetAmount == truth.Net)
	w.checks.right(CheckLedger, same, "%s holds %q, the ledger says %q %s", w.at(r.Offset), w.inv.ID, truth.InvoiceID,
		truth.GarbageKind)
	w.compareDead(r, truth)
	d := w.decisions[w.partition][r.Offset]
	if !truth.HasRow() {
		for range rows {
			w.checks.never(CheckRowsExtra, "%s has a row: redelivery %v, garbage %q", w.at(r.Offset), truth.Redelivery,
				truth.GarbageKind)
		}
		for range lines {
			w.checks.right(CheckLines, false, "%s has lines and wants none", w.at(r.Offset))
		}
		if d != nil {
			w.checks.never(CheckDecisions, "%s is decided: redelivery %v, garbage %q", w.at(r.Offset), truth.Redelivery,
				truth.GarbageKind)
		}
		return
	}
	w.checks.right(CheckRowsLost, len(rows) > 0, "%s, invoice %s of %s, has no row", w.at(r.Offset), truth.InvoiceID,
		truth.Seller)
	if len(rows) > 1 {
		w.checks.never(CheckRowsDoubled, "%s, invoice %s of %s, has %d rows", w.at(r.Offset), truth.InvoiceID, truth.Seller,
			len(rows))
	}
	if err == nil {
		w.compareLines(r.Offset, lines)
		w.compareVerdict(r, truth, rows, d)
	}
}

// compareLines judges the lines of the invoice last decoded.
func (w *walker) compareLines(offset int64, got []lines) {
	var want, have lines
	want.count = uint64(len(w.inv.Lines))
	want.distinct = want.count
	for i := range w.inv.Lines {
		if net := w.inv.Lines[i].Net; net.Set {
			want.net += int64(net.Value)
		}
	}
	if len(got) > 0 {
		have = got[0]
	}
	if have.count > have.distinct {
		w.checks.never(CheckLinesDoubled, "%s has %d lines, %d of them distinct", w.at(offset), have.count, have.distinct)
		have.count, have.net = have.distinct, want.net // what the doubled ones add up to says nothing
	}
	want.offset = have.offset
	w.checks.right(CheckLines, have == want, "%s has %d lines of %d/10000; want %d of %d/10000",
		w.at(offset), have.count, have.net, want.count, want.net)
}

// compareVerdict judges the row of the invoice last decoded and teaches the reference.
func (w *walker) compareVerdict(r *pipeline.Record, truth *load.Truth, rows []row, d *decided) {
	event, late := w.reference.see(&w.inv, r.Time)
	suspect, taught := d != nil, w.reference.teaches(&w.inv, d != nil, late)
	if len(rows) > 0 {
		got := &rows[0]
		suspect = got.suspect
		w.checks.right(CheckRowContent, got.told.Seller == w.inv.Seller && got.told.ID == w.inv.ID && got.incarnation == 0 &&
			got.told.Revision == w.inv.Revision && got.net == w.inv.NetAmount && int(got.lines) == len(w.inv.Lines),
			"%s says %s %s, net %v, %d lines; want %s %s, net %v, %d lines", w.at(r.Offset), got.told.Seller, got.told.ID,
			got.net, got.lines, w.inv.Seller, w.inv.ID, w.inv.NetAmount, len(w.inv.Lines))
		w.checks.right(CheckLate, got.lateMS == late, "%s is late by %d ms, want %d", w.at(r.Offset), got.lateMS, late)
		want := w.reference.teaches(&w.inv, suspect, late)
		w.checks.right(CheckTaught, got.told.Taught == want, "%s: taught %v, want %v", w.at(r.Offset), got.told.Taught, want)
		taught = got.told.Taught
		w.early(w.partition, r.Offset, "row", got.insertedAt)
		w.compareDecision(r, got, d)
	}
	if taught {
		w.reference.teach(&w.inv, event)
	}
	if w.Exact && (suspect || truth.Injected) {
		w.checks.right(CheckErrors, suspect == truth.Injected,
			"%s: suspect %v, injected %q", w.at(r.Offset), suspect, truth.Kind)
	}
}

// compareDecision judges a row against the decision log.
func (w *walker) compareDecision(r *pipeline.Record, got *row, d *decided) {
	offset := r.Offset
	switch {
	case d != nil:
		d.hasRow = true
		w.checks.right(CheckDecisions, got.suspect && got.told == d.told, "%s: the row says suspect %v, %+v; the log %+v",
			w.at(offset), got.suspect, got.told, d.told)
		w.early(w.partition, offset, "decision", d.at)
		w.compareCase(r, got, d)
	case got.suspect:
		w.checks.never(CheckDecisions, "%s has a suspect row and no decision", w.at(offset))
	case got.told.Decision != string(detectors.DecisionNone) || got.told.CaseID != "":
		w.checks.never(CheckDecisions, "%s is not suspect and says %s, case %q",
			w.at(offset), got.told.Decision, got.told.CaseID)
	}
}

// compareCase judges when the case of a decision stood, and whether it is of this invoice.
func (w *walker) compareCase(r *pipeline.Record, got *row, d *decided) {
	known := w.cases[d.dedup]
	if d.body == 0 || known == nil {
		return
	}
	open, is := known.opened[d.body]
	if !is {
		return // judgeCases says so
	}
	want := opening{at: open.at, seller: w.inv.Seller, id: w.inv.ID, caseID: got.told.CaseID,
		partition: w.partition, offset: r.Offset}
	if open != want {
		w.checks.never(CheckCaseBytes, "%s: its case says %+v, want %+v", w.at(r.Offset), open, want)
	}
	w.early(w.partition, r.Offset, "case", open.at)
	w.alerts = append(w.alerts, Alert{Sent: r.Time, Open: open.at})
}

// compareDead judges the dead letter of a record.
func (w *walker) compareDead(r *pipeline.Record, truth *load.Truth) {
	letter, parked := w.dead[w.partition][r.Offset]
	delete(w.dead[w.partition], r.Offset)
	switch {
	case truth.GarbageKind != "":
		w.checks.right(CheckDeadLetters, parked && letter.is(r.Value), "%s, %s of %d bytes: parked %v, with %d of %d bytes",
			w.at(r.Offset), truth.GarbageKind, len(r.Value), parked, letter.bytes, letter.whole)
		if parked {
			w.early(w.partition, r.Offset, "dead letter", letter.at)
		}
	case parked:
		w.checks.never(CheckDeadLetters, "%s is parked and can be read", w.at(r.Offset))
	}
}

// finish judges what no record of the topic was left for.
func (w *walker) finish() error {
	const end = 1<<63 - 1
	rows, err := w.rows.take(end)
	if err != nil {
		return err
	}
	lines, err := w.lines.take(end)
	if err != nil {
		return err
	}
	for i := range rows {
		w.checks.never(CheckRowsExtra, "%s has a row and no record", w.at(rows[i].offset))
	}
	for i := range lines {
		w.checks.right(CheckLines, false, "%s has lines and no record", w.at(lines[i].offset))
	}
	for i := range w.truths {
		w.checks.right(CheckLedger, false, "%s is not in the topic", w.at(w.truths[i].Offset))
	}
	for offset := range w.dead[w.partition] {
		w.checks.never(CheckDeadLetters, "%s is parked and not in the topic", w.at(offset))
	}
	for offset, d := range w.decisions[w.partition] {
		if !d.hasRow {
			w.checks.right(CheckDecisions, false, "%s, invoice %s, is decided and has no row", w.at(offset), d.told.ID)
		}
	}
	w.Progress(w.done, w.all)
	return nil
}

// at names a position for an example.
func (w *walker) at(offset int64) string { return fmt.Sprintf("%d/%d", w.partition, offset) }
