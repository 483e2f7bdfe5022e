package pipeline

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/cases"
)

// The case of a dispute names the dispute's position: read as an invoice's, its decision
// would teach somebody else's invoice, or stop a worker for ever where the topic of
// disputes has more partitions.
func TestDisputesTeachNoOtherInvoice(t *testing.T) {
	o := &outcomes{m: &Member{opt: Options{Topics: Topics{Invoices: "billing.invoices"}}}}
	o.known.limit = 10
	o.takeCases(0, &Fetched{Records: []Record{
		{Value: []byte(`{"case_id":"disputed","kind":"invoice",` +
			`"source":{"topic":"recoup.disputes","partition":2,"offset":1}}`)},
		{Value: []byte(`{"case_id":"found","kind":"invoice",` +
			`"source":{"topic":"billing.invoices","partition":2,"offset":1}}`)},
	}})
	if p, known := o.known.find("disputed"); !known || p.partition != nowhere {
		t.Errorf("a dispute is taken for an invoice: %+v, %v", p, known)
	}
	if p, known := o.known.find("found"); !known || p.partition != 2 || p.offset != 1 {
		t.Errorf("the place of an invoice is %+v, %v", p, known)
	}
}

// askedLog counts how often it is asked for its bounds.
type askedLog struct {
	Log
	asked int
}

func (l *askedLog) Bounds(context.Context, string, int) (int64, int64, error) {
	l.asked++
	return 0, 0, nil
}

// E5: a flood of outcomes of unknown cases, whoever sends it, does not stop the others:
// the cases are read up to their end once for all that came together.
func TestUnknownCasesAreLookedForOnce(t *testing.T) {
	log := &askedLog{}
	opt := DefaultOptions()
	opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	m := &Member{opt: opt, log: log, broken: map[string]error{}, metrics: NewMetrics(prometheus.NewRegistry())}
	o := newOutcomes(m, 1, 1)
	o.ctx = t.Context()
	e := &cases.Event{EventID: "e", CaseID: "2cc67909-3202-5f43-87f9-5a738a7cba8b", InvoiceID: "F-1",
		Origin: cases.OriginDetector, Status: cases.StatusDecided, Outcome: cases.OutcomeNotAnError, At: time.Now()}
	body, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got := &Fetched{}
	for i := range 500 {
		got.Records = append(got.Records, Record{Offset: int64(i), Value: body, Time: e.At})
	}
	o.takeEvents(0, got)
	if log.asked != 1 {
		t.Errorf("the cases were read up to their end %d times, want once", log.asked)
	}
	if d, ok := o.next(0, 0); !ok || d.offset != 499 || d.unknown != 500 || len(o.decided[0]) != 1 {
		t.Errorf("%d outcomes are kept, the first %+v; want one for all 500", len(o.decided[0]), d)
	}
}
