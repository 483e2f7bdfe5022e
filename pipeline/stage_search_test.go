package pipeline

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/cases"
	"recoup/cases/desk"
	"recoup/detectors"
	"recoup/invoice"
)

// gone is the offset of a record that compaction or a transaction took.
const gone = -1

// listLog is one partition that holds the records from an offset on, in batches of ten.
type listLog struct {
	Log
	start                  int64
	records                []Record
	opened, asked, fetched int
}

func (l *listLog) Bounds(context.Context, string, int) (start, end int64, err error) {
	l.asked++
	return l.start, l.start + int64(len(l.records)), nil
}

func (l *listLog) Open(string, int) Reader { l.opened++; return l }
func (l *listLog) Close() error            { return nil }

func (l *listLog) Fetch(_ context.Context, at int64) (Fetched, error) {
	l.fetched++
	end := l.start + int64(len(l.records))
	if at < l.start || at > end {
		return Fetched{}, ErrOutOfRange
	}
	next := min(at+10, end)
	records := slices.DeleteFunc(slices.Clone(l.records[at-l.start:next-l.start]),
		func(r Record) bool { return r.Offset == gone })
	return Fetched{Records: records, Next: next, Start: l.start, End: end}, nil
}

// Single records of a partition are read by one reader, those near each other by one
// fetch; what the log does not hold, or never held, is passed over.
func TestReadSome(t *testing.T) {
	l := &listLog{start: 100}
	for i := range int64(100) {
		r := Record{Offset: 100 + i}
		if i%7 == 3 {
			r.Offset = gone
		}
		l.records = append(l.records, r)
	}
	var got []int64
	err := reads(l).readSome(t.Context(), "t", 0, []int64{5, 101, 103, 105, 150, 199, 200, 900}, func(r Record) error {
		got = append(got, r.Offset)
		return nil
	})
	if want := []int64{101, 105, 150, 199}; err != nil || !slices.Equal(got, want) {
		t.Errorf("read %d, %v; want %d", got, err, want)
	}
	if l.opened != 1 || l.asked != 1 || l.fetched != 3 {
		t.Errorf("%d readers, %d questions, %d fetches; want 1, 1, 3", l.opened, l.asked, l.fetched)
	}
}

// G7: what the desk may have forgotten is found in the log by its key, with the document
// that puts it right.
func TestScanFindsWhatWasForgotten(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	l := &listLog{}
	put := func(key string, d Decision) {
		d.Schema, d.DetectedAt = DecisionSchema, at
		value, err := d.encode()
		if err != nil {
			t.Fatal(err)
		}
		l.records = append(l.records, Record{Offset: int64(len(l.records)), Time: at, Key: []byte(key), Value: value})
	}
	for n := range 100 {
		inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint("i", n), Number: fmt.Sprint("F-", n), Revision: 2,
			Currency: "EUR", IssuedAt: at}
		v := &detectors.Verdict{Schema: detectors.VerdictSchema, Seller: "acme", InvoiceID: inv.ID, Revision: 2,
			Suspect: true, Decision: detectors.DecisionLogOnly, Currency: "EUR",
			Billed: 280 * invoice.Unit, Stage: invoice.Issued}
		put("acme|"+inv.ID, Decision{Kind: kindDecision, Verdict: v, Subject: cases.SubjectOf(inv, at)})
	}
	put("acme|note", Decision{Kind: kindCorrection, Correction: &cases.Correction{Seller: "acme", PrecedingNumber: "F-30",
		InvoiceID: "note", Type: "credit_note", Billed: -280 * invoice.Unit, Currency: "EUR"}})
	s := &shift{desk: desk.New(desk.DefaultSettings()), m: &Member{opt: DefaultOptions(), log: l, invoicePartitions: 1,
		metrics: NewMetrics(prometheus.NewRegistry())}}
	if err := s.desk.Restored(); err != nil {
		t.Fatal(err)
	}
	s.desk.Event(desk.At{Time: at}, &cases.Event{EventID: "e", CaseID: cases.ID(cases.DedupKey("acme", "i30", 2)),
		Status: cases.StatusAcknowledged, At: at})
	for wanted := s.desk.Wanted(); len(wanted) > 0; wanted = s.desk.Wanted() {
		if err := s.scan(t.Context(), append(wanted, "\x00acme|F-30")); err != nil {
			t.Fatal(err)
		}
		s.desk.Answered(wanted)
	}
	list, err := s.desk.Changes()
	if err != nil || len(list) != 1 || list[0].Key != cases.DedupKey("acme", "i30", 2) ||
		list[0].Action != cases.ActionResolve {
		t.Errorf("%+v, %v; want the case of i30, resolved", list, err)
	}
}
