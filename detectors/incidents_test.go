package detectors

import (
	"testing"
	"time"

	"recoup/invoice"
)

// A suspect that matches an open incident joins it and gets no case of its own; one of
// another cause, seller, value or month does not, nor a draft or a canary.
func TestOpenIncidentMutesItsMembers(t *testing.T) {
	march := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	open := func(id string, d Dimension, value string, causes ...string) *Incidents {
		b := NewIncidents()
		b.Open(OpenIncident{ID: id, Value: Value{"acme", d, value}, Causes: causes, Since: march, Until: march})
		return b
	}
	both := open("wide", DimensionRelease, "r1")
	both.Open(OpenIncident{ID: "narrow", Value: Value{"acme", DimensionPromotion, "BLACK25"},
		Causes: []string{CauseUnknown}, Since: march, Until: march})
	closed := open("i", DimensionRelease, "r1")
	closed.Close("i")
	for _, c := range []struct {
		name     string
		book     *Incidents
		change   func(*invoice.Invoice)
		incident string
		decision Decision
	}{
		{"its release", open("i", DimensionRelease, "r1"), nil, "i", DecisionBundle},
		{"its cause", open("i", DimensionRelease, "r1", CauseUnknown), nil, "i", DecisionBundle},
		{"its segment", open("i", DimensionSegment, "B2C/fibre"), nil, "i", DecisionBundle},
		{"a code of a line", open("i", DimensionPromotion, "BLACK25"), nil, "i", DecisionBundle},
		{"the narrower of two", both, nil, "narrow", DecisionBundle},
		{"another cause", open("i", DimensionRelease, "r1", CausePromotion), nil, "", DecisionOpenCase},
		{"another release", open("i", DimensionRelease, "r2"), nil, "", DecisionOpenCase},
		{"another seller", open("i", DimensionRelease, "r1"), func(i *invoice.Invoice) { i.Seller = "other" }, "",
			DecisionOpenCase},
		{"after a weekend", open("i", DimensionRelease, "r1"), func(i *invoice.Invoice) {
			i.IssuedAt = march.AddDate(0, 0, 3)
		}, "i", DecisionBundle},
		{"in July", open("i", DimensionRelease, "r1"), func(i *invoice.Invoice) { i.IssuedAt = march.AddDate(0, 4, 0) }, "",
			DecisionOpenCase},
		{"in January", open("i", DimensionRelease, "r1"), func(i *invoice.Invoice) { i.IssuedAt = march.AddDate(0, -2, 0) },
			"", DecisionOpenCase},
		{"over", closed, nil, "", DecisionOpenCase},
		{"a draft", open("i", DimensionRelease, "r1"), func(i *invoice.Invoice) { i.Stage = invoice.PreIssue }, "i",
			DecisionHold},
		{"a canary", open("i", DimensionRelease, "r1"), func(i *invoice.Invoice) { i.Canary = true }, "", DecisionNone},
	} {
		inv := threeLineInvoice()
		inv.SourceRelease, inv.IssuedAt = "r1", march
		inv.Lines[1].PromoCodes = []string{"BLACK25"}
		if c.change != nil {
			c.change(inv)
		}
		e := NewEngine(DefaultSettings(), NewShared(), 0)
		e.UseIncidents(c.book)
		e.cur.inv, e.cur.eventMS = inv, inv.IssuedAt.UnixMilli()
		v := &Verdict{Seller: inv.Seller, Stage: inv.Stage, Currency: "EUR", Suspect: true, PError: 0.9,
			Loss: Loss{Point: 500 * invoice.Unit}, Causes: []Finding{{Code: CauseUnknown, Kind: "deviation", P: 0.9}}}
		e.decide(v)
		if v.IncidentID != c.incident || v.Decision != c.decision {
			t.Errorf("%s: incident %q, %s; want %q, %s", c.name, v.IncidentID, v.Decision, c.incident, c.decision)
		}
	}
}
