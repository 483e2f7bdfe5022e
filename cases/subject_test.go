package cases

import (
	"slices"
	"testing"
	"time"

	"recoup/invoice"
)

// What puts an invoice right is a credit note or correction that names it, or a later
// revision; a draft or a canary puts nothing right.
func TestCorrectionOf(t *testing.T) {
	names := func(number, kind string) *Correction { return &Correction{PrecedingNumber: number, Type: kind} }
	for name, c := range map[string]struct {
		inv  invoice.Invoice
		want *Correction // its preceding number and type
	}{
		"credit note":       {invoice.Invoice{Type: invoice.CreditNote, PrecedingID: "F-1"}, names("F-1", "credit_note")},
		"correction":        {invoice.Invoice{Type: invoice.Correction, PrecedingID: "F-1"}, names("F-1", "correction")},
		"names nothing":     {invoice.Invoice{Type: invoice.CreditNote}, nil},
		"later revision":    {invoice.Invoice{Revision: 2}, names("", "invoice")},
		"first form":        {invoice.Invoice{PrecedingID: "F-1"}, nil},
		"draft":             {invoice.Invoice{Type: invoice.CreditNote, PrecedingID: "F-1", Stage: invoice.PreIssue}, nil},
		"canary":            {invoice.Invoice{Type: invoice.CreditNote, PrecedingID: "F-1", Canary: true}, nil},
		"revised follow-up": {invoice.Invoice{Revision: 1, PrecedingID: "F-1"}, names("", "invoice")},
	} {
		got := CorrectionOf(&c.inv, -5)
		switch {
		case (got == nil) != (c.want == nil):
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		case got != nil && (got.PrecedingNumber != c.want.PrecedingNumber || got.Type != c.want.Type || got.Billed != -5 ||
			got.Revision != c.inv.Revision):
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// A subject names each promotion of the invoice and its lines once, in one order.
func TestSubjectOf(t *testing.T) {
	inv := invoice.Invoice{SourceRelease: "r7", PromoCodes: []string{"SPRING", "B2B"},
		Lines: []invoice.Line{{PromoCodes: []string{"SPRING"}}, {PromoCodes: []string{"AUTUMN", ""}}}}
	inv.CRM.ContractVersion = "v3"
	s := SubjectOf(&inv, time.Unix(100, 0))
	if want := []string{"AUTUMN", "B2B", "SPRING"}; !slices.Equal(s.PromoCodes, want) {
		t.Errorf("promotions %q, want %q", s.PromoCodes, want)
	}
	if s.SourceRelease != "r7" || s.CRMVersion != "v3" || s.ReceivedAt.Unix() != 100 {
		t.Errorf("got %+v", s)
	}
}
