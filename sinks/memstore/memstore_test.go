package memstore_test

import (
	"errors"
	"slices"
	"testing"

	"recoup/pipeline"
	"recoup/sinks/memstore"
	"recoup/sinks/sinktest"
)

func subject(s *memstore.Store) sinktest.Subject {
	return sinktest.Subject{
		Store: s,
		Rows: func(*testing.T) (rows []sinktest.Row) {
			for _, r := range s.Rows() {
				inv, v := r.Invoice, r.Verdict
				rows = append(rows, sinktest.Row{Source: v.Source, Seller: inv.Seller, InvoiceID: inv.ID,
					Customer: inv.CustomerRef, IssuedAt: inv.IssuedAt, Net: inv.NetAmount, Billed: v.Billed,
					LossLow: v.Loss.Low, Gross: inv.GrossAmount, TaxRate: inv.TaxRate, Suspect: v.Suspect,
					PError: v.PError, Rules: v.Rules, Causes: v.Causes, LineCount: len(inv.Lines)})
			}
			return rows
		},
		Lines: func(*testing.T) (lines []sinktest.Line) {
			for _, l := range s.Lines() {
				lines = append(lines, sinktest.Line{Source: l.Source, Index: l.Index, Product: l.Line.ProductID,
					Description: l.Line.Description, UnitPrice: l.Line.UnitPrice, Net: l.Line.Net})
			}
			return lines
		},
		DropRows: func(_ *testing.T, offsets []int64) { s.DropRows(offsets) },
	}
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(*testing.T) sinktest.Subject { return subject(memstore.New()) })
}

// errCut is what the tests' hooks return.
var errCut = errors.New("cut")

// TestFaults: an insert that failed anywhere and is repeated stores once; the
// control without tokens doubles.
func TestFaults(t *testing.T) {
	cut := func(pipeline.Owner, int64) error { return errCut }
	for name, test := range map[string]struct {
		faults     memstore.Faults
		want       int // rows after the repeat
		linesFirst int // lines after the failure
		rowsFirst  int // rows after the failure
	}{
		"before":                       {memstore.Faults{Before: cut}, 1, 0, 0},
		"between":                      {memstore.Faults{Between: cut}, 1, 2, 0},
		"lost acknowledgement":         {memstore.Faults{After: cut}, 1, 2, 1},
		"lost, without tokens doubles": {memstore.Faults{After: cut, NoTokens: true}, 2, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := memstore.New()
			owner := pipeline.Owner{Group: "g", Topic: sinktest.Topic, Partition: 3}
			b := s.NewBlock()
			inv, v := sinktest.Sample(3, 1)
			b.Append(inv, v, 0)
			s.SetFaults(test.faults)
			if err := s.Insert(t.Context(), owner, 0, b, sinktest.Owned); !errors.Is(err, errCut) {
				t.Fatalf("insert: %v, want %v", err, errCut)
			}
			if len(s.Lines()) != test.linesFirst || len(s.Rows()) != test.rowsFirst {
				t.Errorf("%d lines and %d rows after the failure", len(s.Lines()), len(s.Rows()))
			}
			s.SetFaults(memstore.Faults{NoTokens: test.faults.NoTokens})
			if err := s.Insert(t.Context(), owner, 1, b, sinktest.Owned); err != nil {
				t.Fatal(err)
			}
			if len(s.Rows()) != test.want || len(s.Lines()) != 2*test.want {
				t.Errorf("%d rows and %d lines, want %d rows", len(s.Rows()), len(s.Lines()), test.want)
			}
		})
	}
}

// TestFenceKillsOlderEpochs: an insert of a lower epoch of exactly this
// partition ends, others go on.
func TestFenceKillsOlderEpochs(t *testing.T) {
	s := memstore.New()
	started, resume := make(chan struct{}), make(chan struct{})
	s.SetFaults(memstore.Faults{Before: func(pipeline.Owner, int64) error {
		started <- struct{}{}
		<-resume
		return nil
	}})
	owners := []pipeline.Owner{
		{Group: "g", Topic: sinktest.Topic, Partition: 1, Epoch: 9},  // killed
		{Group: "g", Topic: sinktest.Topic, Partition: 11, Epoch: 9}, // another partition
		{Group: "g", Topic: sinktest.Topic, Partition: 1, Epoch: 10}, // not lower
	}
	done := make([]chan error, len(owners))
	for i, o := range owners {
		done[i] = make(chan error, 1)
		b := s.NewBlock()
		inv, v := sinktest.Sample(o.Partition, o.Epoch)
		b.Append(inv, v, 0)
		go func() { done[i] <- s.Insert(t.Context(), o, 0, b, sinktest.Owned) }()
		<-started
	}
	fenced := make(chan error, 1)
	go func() { fenced <- s.Fence(t.Context(), owners[2]) }()
	for !s.Killed() {
		select {
		case err := <-fenced:
			t.Fatalf("fence returned %v while an older insert ran", err)
		default:
		}
	}
	close(resume)
	if err := <-fenced; err != nil {
		t.Fatal(err)
	}
	var failed []bool
	for _, d := range done {
		failed = append(failed, <-d != nil)
	}
	if want := []bool{true, false, false}; !slices.Equal(failed, want) {
		t.Errorf("failed %v, want %v", failed, want)
	}
}
