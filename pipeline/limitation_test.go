package pipeline_test

import (
	"encoding/json"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/pipeline"
)

// A14: workers open no case for money that nobody can claim any more: by the law of the
// customer's country and the time of the invoice's record, not by any clock.
func TestTooLateToClaimOpensNoCase(t *testing.T) {
	w := newWorld(1)
	w.opt.Cases.Country = "FR"
	w.opt.Cases.Kinds = cases.CustomerKinds{Consumer: []string{"B2C"}}
	w.fill(t, 1, 80)
	want := map[string]detectors.Decision{"in-time": detectors.DecisionOpenCase, "too-late": detectors.DecisionLogOnly}
	for id, received := range map[string]time.Time{"in-time": start.AddDate(2, 0, 0), "too-late": start.AddDate(2, 0, 1)} {
		record := pipeline.Record{Key: []byte("c1"), Value: invoiceJSON(id, 280, start, "late-"+id), Time: received}
		if _, err := w.log.Append(t.Context(), w.opt.Topics.Invoices, 0, []pipeline.Record{record}); err != nil {
			t.Fatal(err)
		}
	}
	m, _ := w.member("only", nil)
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]detectors.Decision{}
	for _, r := range w.log.Records(w.opt.Topics.Suspects, 0) {
		var d pipeline.Decision
		if err := json.Unmarshal(r.Value, &d); err != nil {
			t.Fatal(err)
		}
		if d.Verdict != nil && want[d.Verdict.InvoiceID] != "" {
			got[d.Verdict.InvoiceID] = d.Verdict.Decision
			if opens := d.Verdict.Decision == detectors.DecisionOpenCase; (len(d.Case) > 0) != opens {
				t.Errorf("%s has a case: %v", d.Verdict.InvoiceID, !opens)
			}
		}
	}
	for id, decision := range want {
		if got[id] != decision {
			t.Errorf("%s: %q, want %s", id, got[id], decision)
		}
	}
}
