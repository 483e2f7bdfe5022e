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
		at := At{Position: invoice.Position{Topic: "cases", Offset: int64(i)}, Time: recorded}
		if err := d.Restore(at, body); err != nil {
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

// A hold that names a seller is of that seller's billing run alone, one that names none
// of every seller's; the last word counts, in whatever order they come.
func TestHoldsOfSellers(t *testing.T) {
	for _, c := range []struct {
		name        string
		said        []cases.Hold
		acme, other bool
	}{
		{"of all", []cases.Hold{{State: cases.Held}}, true, true},
		{"of one", []cases.Hold{{Seller: "acme", State: cases.Held}}, true, false},
		{"of all, then one released", []cases.Hold{{State: cases.Held}, {Seller: "acme", State: cases.Released}},
			false, true},
		{"of one, then all released", []cases.Hold{{Seller: "acme", State: cases.Held}, {State: cases.Released}},
			false, false},
	} {
		for _, backwards := range []bool{false, true} {
			d := New(DefaultSettings())
			for n := range c.said {
				at := n
				if backwards {
					at = len(c.said) - 1 - n
				}
				h := c.said[at]
				h.BatchID = "B1"
				d.Event(At{Time: recorded}, &cases.Event{EventID: fmt.Sprint("e", at), At: minutes(float64(at)), Hold: &h})
			}
			got := map[string]bool{}
			for _, seller := range []string{"acme", "other"} {
				key := cases.IncidentKey(seller, "release", "r2", t0)
				d.board.Restore(&cases.Incident{ID: cases.ID(key), Key: key, Seller: seller, Dimension: "release",
					Value: "r2", Since: t0, LastMember: minutes(1), Members: 4,
					Batches: []cases.ValueCount{{Value: "B1", Members: 4}}})
			}
			d.live = true
			d.Tick(minutes(5))
			d.Tick(minutes(15))
			for _, f := range d.files {
				if f.base != nil && f.base.Incident != nil {
					got[f.base.Seller] = len(f.base.Incident.Held) > 0
				}
			}
			if got["acme"] != c.acme || got["other"] != c.other {
				t.Errorf("%s (backwards %v): acme %v, other %v", c.name, backwards, got["acme"], got["other"])
			}
		}
	}
}
