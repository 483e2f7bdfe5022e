package desk

import (
	"fmt"
	"testing"

	"recoup/cases"
	"recoup/cases/incident"
	"recoup/detectors"
	"recoup/invoice"
)

// A new owner of the stage reads the members of an incident again that its predecessor
// has resolved: it stays resolved.
func TestResolvedIncidentStaysResolved(t *testing.T) {
	key := cases.IncidentKey("acme", "release", "r2", t0)
	shared := cases.Incident{ID: cases.ID(key), Key: key, Seller: "acme", Dimension: "release", Value: "r2",
		Causes: []string{detectors.CauseUnknown}, Since: t0, LastMember: minutes(9), Members: 10,
		Counted: map[int]int64{0: 10}, Money: []cases.IncidentMoney{{Currency: "EUR", Members: 10}}}
	var records [][]byte
	first := New(DefaultSettings())
	if err := first.Restored(); err != nil {
		t.Fatal(err)
	}
	for n, action := range []cases.Action{cases.ActionOpen, cases.ActionResolve} {
		first.now = minutes(20 + 40*float64(n))
		first.change(&incident.Change{Action: action, Severity: cases.SeverityWarning, Incident: &shared})
		list, err := first.Changes()
		if err != nil || len(list) != 1 {
			t.Fatalf("%d publications, %v; want the incident", len(list), err)
		}
		records = append(records, list[0].Body)
	}
	d := New(DefaultSettings())
	for i, body := range records {
		if err := d.Restore(At{Position: invoice.Position{Topic: "cases", Offset: int64(i)}, Time: recorded}, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Restored(); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		s, _ := suspect(fmt.Sprint("i", n), float64(n), false)
		s.Verdict.IncidentID, s.Subject.SourceRelease = shared.ID, "r2"
		d.Decision(At{Position: invoice.Position{Topic: "suspects", Offset: int64(n)}, Time: recorded}, s)
	}
	d.Tick(minutes(70))
	list, err := d.Changes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		t.Errorf("published after the take-over: %s of a case of kind %s", p.Action, p.Kind)
	}
}
