package pipeline_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"recoup/docs/contract/contracttest"
	"recoup/pipeline"
)

// A credit note that names an invoice stands in the decision log, once for each
// record, and every suspect with what its invoice has in common with others.
func TestCorrectionsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 120)
		at := start.Add(200 * time.Minute)
		note := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"n","seller":"acme","invoice_id":"note",`+
			`"currency":"EUR","invoice_type":"credit_note","preceding_invoice_number":"F-90",`+
			`"net_amount":"-100","issued_at":%q}`,
			at.Format(time.RFC3339))
		again := pipeline.Record{Value: note, Time: at}
		if _, err := w.log.Append(t.Context(), w.opt.Topics.Invoices, 0, []pipeline.Record{again, again}); err != nil {
			t.Fatal(err)
		}
		w.faultFree(t)
		corrections, suspects := 0, 0
		for _, r := range w.log.Records(w.opt.Topics.Suspects, 0) {
			if err := contracttest.Validate(r.Value); err != nil {
				t.Errorf("decision log: %v", err)
			}
			var d pipeline.Decision
			if err := json.Unmarshal(r.Value, &d); err != nil {
				t.Fatal(err)
			}
			switch {
			case d.Correction != nil:
				corrections++
				if d.Correction.PrecedingNumber != "F-90" || d.Correction.Net.String() != "-100.00" {
					t.Errorf("got %+v", d.Correction)
				}
			case d.Verdict != nil:
				suspects++
				if d.Subject == nil || d.Subject.CustomerType != "B2C" {
					t.Errorf("suspect %s has the subject %+v", d.Verdict.InvoiceID, d.Subject)
				}
			}
		}
		if corrections != 1 || suspects == 0 {
			t.Errorf("%d corrections, %d suspects; want 1 and some", corrections, suspects)
		}
	})
}
