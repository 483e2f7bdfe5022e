package pipeline

import (
	"context"
	"fmt"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// keptLog is a topic of two partitions.
type keptLog [2][]Record

func (l *keptLog) Partitions(context.Context, string) (int, error) { return len(l), nil }

func (l *keptLog) Bounds(_ context.Context, _ string, p int) (start, end int64, err error) {
	return 0, int64(len(l[p])), nil
}

func (l *keptLog) Append(_ context.Context, _ string, p int, records []Record) (int64, error) {
	l[p] = append(l[p], records...)
	return int64(len(l[p]) - len(records)), nil
}

func (l *keptLog) Open(_ string, p int) Reader { return keptReader{l, p} }

type keptReader struct {
	log       *keptLog
	partition int
}

// Fetch returns one record at a time.
func (r keptReader) Fetch(_ context.Context, offset int64) (Fetched, error) {
	return Fetched{Records: r.log[r.partition][offset : offset+1], Next: offset + 1}, nil
}

func (keptReader) Close() error { return nil }

// Who only reads the baselines folds what all owners say of them now: the newest owner's
// word counts, whatever the order, and what comes later is read when it is asked for.
func TestBaselinesAreReadWhenAsked(t *testing.T) {
	log := &keptLog{}
	publish := func(partition int, epoch, invoices int64) {
		t.Helper()
		e := detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), partition)
		for i := range invoices {
			inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint(i), Currency: "EUR", CustomerType: "B2C",
				ProductFamily: "fibre", Type: invoice.Standard, Stage: invoice.Issued, NetAmount: 400 * invoice.Unit,
				IssuedAt: time.Date(2026, 3, 1, 0, int(i), 0, 0, time.UTC)}
			e.Begin(inv, invoice.Position{Topic: "i", Partition: partition, Offset: i}, inv.IssuedAt)
			e.Score(&detectors.Verdict{})
			e.Teach(false)
		}
		for _, r := range e.Checkpoint(invoices) {
			if !r.Shared {
				continue
			}
			record := Record{Key: sharedKey(r.Key, partition),
				Value: encodeState(stamp{epoch: epoch, applied: invoices}, r.Value)}
			if _, err := log.Append(t.Context(), "b", partition, []Record{record}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := NewBaselines(log, "b")
	check := func(want int64) {
		t.Helper()
		shared, broken, err := b.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := shared.Segments("acme", detectors.DefaultSettings())
		for _, s := range all {
			if s.N != want || s.Mean != 400*invoice.Unit || broken != 0 {
				t.Errorf("%s has %d invoices of %s, want %d of 400.00; %d broken", s.Of(), s.N, s.Mean, want, broken)
			}
		}
		if len(all) != 3 {
			t.Errorf("%d segments, want type, family and their cross", len(all))
		}
	}
	publish(0, 5, 20)
	publish(1, 1, 10)
	check(30)
	publish(0, 4, 3) // a paused owner
	check(30)
	publish(0, 6, 25)
	check(35)
	if _, err := log.Append(t.Context(), "b", 1, []Record{{Key: []byte("x"), Value: []byte{9}},
		{Key: []byte("count|acme|release|r1|p1"), Value: []byte{9}}}); err != nil {
		t.Fatal(err)
	}
	if _, broken, err := b.Read(t.Context()); broken != 1 || err != nil {
		t.Errorf("%d records broken, want the one that is no baseline; %v", broken, err)
	}
}
