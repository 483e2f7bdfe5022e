package detectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"recoup/invoice"
)

// A14: what can no longer be claimed when the invoice is received opens no case and
// begins no incident, and says why. What is owed to the customer, a draft, and a member
// of an incident that is open anyway go on as ever.
func TestTooLateToClaimIsLogged(t *testing.T) {
	until := func(day string) func(*invoice.Invoice) string { return func(*invoice.Invoice) string { return day } }
	received := time.Date(2028, 3, 1, 23, 59, 0, 0, time.FixedZone("CET", 3600))
	open := NewIncidents()
	open.Open(OpenIncident{ID: "i", Value: Value{"acme", DimensionRelease, "r1"}, Since: received, Until: received})
	foreign := Finding{Code: CauseBillingSystem, Kind: kindCurrency, P: 0.9}
	for _, c := range []struct {
		name     string
		last     func(*invoice.Invoice) string
		change   func(*Engine, *Verdict)
		decision Decision
		late     bool
	}{
		{"on the last day", until("2028-03-01"), nil, DecisionOpenCase, false},
		{"the day after", until("2028-02-29"), nil, DecisionLogOnly, true},
		{"no law is known", until(""), nil, DecisionOpenCase, false},
		{"nobody asked", nil, nil, DecisionOpenCase, false},
		{"billed too much", until("2028-02-29"), func(_ *Engine, v *Verdict) { v.Loss.Point *= -1 }, DecisionOpenCase, false},
		{"in a foreign currency", until("2028-02-29"), func(_ *Engine, v *Verdict) {
			v.Loss, v.Causes = Loss{}, []Finding{foreign}
		}, DecisionLogOnly, true},
		{"a member of an open incident", until("2028-02-29"), func(e *Engine, _ *Verdict) { e.UseIncidents(open) },
			DecisionBundle, true},
		{"a draft", until("2028-02-29"), func(_ *Engine, v *Verdict) { v.Stage = invoice.PreIssue }, DecisionHold, false},
	} {
		e := NewEngine(DefaultSettings(), NewShared(), 0)
		e.UseLimitation(c.last)
		inv := threeLineInvoice()
		inv.SourceRelease = "r1"
		e.cur.inv, e.cur.received, e.cur.eventMS = inv, received, received.UnixMilli()
		v := &Verdict{Seller: "acme", Stage: invoice.Issued, Currency: "EUR", Billed: 500 * invoice.Unit, Suspect: true,
			PError: 0.9, Loss: Loss{Point: 500 * invoice.Unit},
			Causes: []Finding{{Code: CauseUnknown, Kind: "deviation", P: 0.9}}}
		if c.change != nil {
			c.change(e, v)
		}
		e.decide(v)
		if late := slices.Contains(v.Rules, RuleTooLate); v.Decision != c.decision || late != c.late {
			t.Errorf("%s: %s, too late: %v; want %s, %v", c.name, v.Decision, late, c.decision, c.late)
		}
	}
}

// A run of errors of years ago names no incident: nobody is called for them.
func TestTooLateRunNamesNoIncident(t *testing.T) {
	for last, want := range map[string]bool{"2026-01-04": false, "2028-01-05": true} {
		e := NewEngine(DefaultSettings(), NewShared(), 0)
		e.UseLimitation(func(*invoice.Invoice) string { return last })
		named := false
		for n := range 12 {
			inv := threeLineInvoice()
			inv.ID, inv.SourceRelease, inv.CustomerRef = fmt.Sprint("i", n), "r1", fmt.Sprint("c", n)
			e.Begin(inv, invoice.Position{Offset: int64(n)}, inv.IssuedAt)
			v := &Verdict{Seller: "acme", Currency: "EUR", Suspect: true, PError: 0.9,
				Loss: Loss{Point: 500 * invoice.Unit}, Causes: []Finding{{Code: CauseUnknown, Kind: "deviation", P: 0.9}}}
			e.decide(v)
			e.Teach(true)
			named = named || v.IncidentID != ""
		}
		if named != want {
			t.Errorf("last day %s: an incident is named: %v, want %v", last, named, want)
		}
	}
}

// A14, G5: errors of years ago are no part of the run that the claimable ones behind them
// make: the first three of these have cases of their own, also after a replay of what was
// decided.
func TestTooLateIsNoPartOfARun(t *testing.T) {
	e, again := NewEngine(DefaultSettings(), NewShared(), 0), NewEngine(DefaultSettings(), NewShared(), 0)
	var got []Decision
	for n := range 12 {
		inv := threeLineInvoice()
		inv.ID, inv.SourceRelease, inv.CustomerRef = fmt.Sprint("i", n), "r1", fmt.Sprint("c", n)
		last := "2026-01-04"
		if n >= 8 {
			last = "2028-01-05"
		}
		e.UseLimitation(func(*invoice.Invoice) string { return last })
		at := invoice.Position{Offset: int64(n)}
		e.Begin(inv, at, inv.IssuedAt)
		v := &Verdict{Seller: "acme", Currency: "EUR", Suspect: true, PError: 0.9, Stage: invoice.Issued,
			Loss: Loss{Point: 500 * invoice.Unit}, Causes: []Finding{{Code: CauseUnknown, Kind: "deviation", P: 0.9}}}
		e.decide(v)
		got = append(got, v.Decision)
		e.Teach(true)

		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var logged Verdict
		if err := json.Unmarshal(body, &logged); err != nil {
			t.Fatal(err)
		}
		again.Begin(inv, at, inv.IssuedAt)
		again.Recall(&logged)
		again.Teach(true)
		if !bytes.Equal(again.Runs(), e.Runs()) {
			t.Fatalf("invoice %d: a replay has other runs", n)
		}
	}
	want := append(slices.Repeat([]Decision{DecisionLogOnly}, 8), DecisionOpenCase, DecisionOpenCase, DecisionOpenCase,
		DecisionBundle)
	if !slices.Equal(got, want) {
		t.Errorf("decided %v, want %v", got, want)
	}
}
