package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// reads is a member that reads a log.
func reads(log Log) *Member {
	return &Member{opt: DefaultOptions(), log: log, metrics: NewMetrics(prometheus.NewRegistry())}
}

// An invoice that is to be learned from is gone only where the log begins behind it or goes on behind
// it, not where the broker tells an end in front of it.
func TestInvoiceIsGone(t *testing.T) {
	l := &listLog{start: 100}
	for i := range int64(10) {
		l.records = append(l.records, Record{Offset: 100 + i, Value: []byte("invoice")})
	}
	l.records[3].Offset = gone
	h := &heldRecords{m: reads(l)}
	for _, c := range []struct {
		offset int64
		gone   bool
	}{{99, true}, {103, true}, {104, false}} {
		if r, err := h.read(t.Context(), 0, c.offset); err != nil || (r.Value == nil) != c.gone {
			t.Errorf("at %d stands %q, %v; want it gone: %v", c.offset, r.Value, err, c.gone)
		}
	}
	if r, err := h.read(t.Context(), 0, 110); err == nil {
		t.Errorf("at the end that is told stands %q, want an error", r.Value)
	}
	l.records = append(l.records, Record{Offset: 110, Value: []byte("late")})
	if r, err := h.read(t.Context(), 0, 110); err != nil || string(r.Value) != "late" {
		t.Errorf("read %q, %v once the end is told", r.Value, err)
	}
}

var errBounds = errors.New("no bounds")

// unbounded is a log that does not tell its bounds.
type unbounded struct{ *listLog }

func (unbounded) Bounds(context.Context, string, int) (start, end int64, err error) {
	return 7, 7, errBounds
}

// Where it cannot be told how far retention came, a parker keeps its place: it is committed when it ends.
func TestParkerKeepsItsPlace(t *testing.T) {
	l := &listLog{start: 100, records: []Record{{Offset: 100, Value: []byte("v")}}}
	m := reads(unbounded{l})
	lane := &parkingLane{parker: &parker{m: m, topic: "t", caughtUp: make(chan struct{})}, at: 50,
		unreadable: func(*Record) error { return nil }}
	if err := lane.step(t.Context(), l); !errors.Is(err, errBounds) || lane.at != 50 {
		t.Errorf("step: %v, at %d; want the error, at 50", err, lane.at)
	}
	m.log = l
	if err := lane.step(t.Context(), l); err != nil || lane.at != 100 {
		t.Errorf("step: %v, at %d; want it at 100", err, lane.at)
	}
}
