package explain

import (
	"encoding/json"
	"io"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// JSON writes the same for a program: the verdict and the invoice as the
// contract has them, the state of the case, and the earlier invoices.
func JSON(w io.Writer, s *Subject) error {
	type caseState struct {
		cases.Case
		Status        string          `json:"status,omitempty"`
		Outcome       string          `json:"outcome,omitempty"`
		Cause         string          `json:"true_cause"`
		Open          bool            `json:"is_open"`
		ConfirmedLoss *invoice.Amount `json:"confirmed_loss,omitempty"`
		Paid          invoice.Amount  `json:"paid"`
	}
	type earlier struct {
		ID       string         `json:"invoice_id"`
		Revision int64          `json:"revision"`
		IssuedAt time.Time      `json:"issued_at"`
		Billed   invoice.Amount `json:"billed"`
		Currency string         `json:"currency"`
	}
	out := struct {
		Verdict    *detectors.Verdict `json:"verdict"`
		Invoice    json.RawMessage    `json:"invoice"`
		ReceivedAt time.Time          `json:"received_at,omitzero"`
		StoredAt   time.Time          `json:"stored_at,omitzero"`
		Case       *caseState         `json:"case"`
		Earlier    []earlier          `json:"earlier"`
	}{Verdict: s.Verdict, Invoice: s.Invoice.AppendJSON(nil), ReceivedAt: s.ReceivedAt, StoredAt: s.StoredAt,
		Earlier: []earlier{}}
	if c := s.Case; c != nil {
		out.Case = &caseState{Case: c.Case, Status: c.Status, Outcome: c.Outcome, Cause: c.Cause, Open: c.Open, Paid: c.Paid}
		if c.ConfirmedLoss.Set {
			out.Case.ConfirmedLoss = &c.ConfirmedLoss.Value
		}
	}
	for _, e := range s.Earlier {
		out.Earlier = append(out.Earlier, earlier(e))
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}
