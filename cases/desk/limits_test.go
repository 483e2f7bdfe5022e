package desk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// opened returns a desk that knows one open case, and that case.
func opened(t *testing.T) (*Desk, *cases.Case) {
	t.Helper()
	w := newWorld(t)
	c := w.opens("single", 1)
	d := New(DefaultSettings())
	d.now = minutes(30)
	w.restore(d, 0)
	if err := d.Restored(); err != nil {
		t.Fatal(err)
	}
	return d, c
}

// at is a place in a topic, which took its record so many minutes after t0.
func at(topic string, offset int, minute float64) At {
	return At{Position: invoice.Position{Topic: topic, Offset: int64(offset)}, Time: minutes(minute)}
}

// said returns the one record that a desk has to publish.
func said(t *testing.T, d *Desk) *cases.Case {
	t.Helper()
	list, err := d.Changes()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d records, %v; want one", len(list), err)
	}
	c, err := cases.Decode(list[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// G7: what one case costs grows with its records, not with their square.
func TestManyEventsOfOneCase(t *testing.T) {
	d, c := opened(t)
	const n = 20_000
	began := time.Now()
	for i := range n {
		d.Event(at("events", i, 31), &cases.Event{EventID: fmt.Sprint("e", i), CaseID: c.CaseID,
			Status: cases.StatusAcknowledged, At: minutes(31)})
		d.Recovery(at("recoveries", i, 31), &cases.Recovery{EventID: fmt.Sprint("r", i), RecoveryID: "p", CaseID: c.CaseID,
			Option: cases.OptionImmediate, Event: cases.StepPaid, Amount: 1, Currency: "EUR", At: minutes(31)})
		d.Dispute(at("disputes", i, 31), &cases.Dispute{EventID: fmt.Sprint("d", i), Seller: c.Seller,
			InvoiceID: c.InvoiceID, Reason: cases.ReasonPrice, At: minutes(31)})
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%d records of one case took %s", 3*n, took)
	}
	if c := said(t, d); c.Seq != 1+3*n || len(c.Applied) < 3 {
		t.Errorf("seq %d, applied %v; want %d and three topics", c.Seq, c.Applied, 1+3*n)
	}
}

// E10, B11: a time that has not come is not the last word: neither a dispute, nor a
// closing, nor a hold of the year 2200 stands above what happens later.
func TestImplausibleTimes(t *testing.T) {
	far, next := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), minutes(3*24*60)
	d, c := opened(t)
	step := func(offset int, id string, status cases.Status, outcome cases.Outcome, when time.Time) {
		d.Event(At{Position: invoice.Position{Topic: "events", Offset: int64(offset)}, Time: minutes(31)},
			&cases.Event{EventID: id, CaseID: c.CaseID, Status: status, Outcome: outcome, At: when})
	}
	d.Dispute(at("disputes", 0, 31), &cases.Dispute{EventID: "d", Seller: c.Seller, InvoiceID: c.InvoiceID,
		Reason: cases.ReasonOther, At: far})
	step(0, "a", cases.StatusDecided, cases.OutcomeConfirmed, minutes(31))
	step(1, "b", cases.StatusClosed, "", far)
	if c := said(t, d); c.Action != cases.ActionResolve || !slices.Contains(c.Flags, cases.Flag{Code: cases.FlagTime,
		EventID: "b"}) {
		t.Errorf("closed after a dispute of the year 2200: %s, flags %v; want it resolved, and b flagged", c.Action, c.Flags)
	}
	d.Event(At{Position: invoice.Position{Topic: "events", Offset: 2}, Time: next},
		&cases.Event{EventID: "c", CaseID: c.CaseID, Status: cases.StatusReopened, At: next})
	if c := said(t, d); c.Action != cases.ActionOpen {
		t.Errorf("reopened after a closing of the year 2200: %s, want it open", c.Action)
	}
	for i, state := range []cases.HoldState{cases.Held, cases.Released} {
		when := []time.Time{far, next}[i]
		read := []time.Time{minutes(31), next}[i]
		d.Event(At{Position: invoice.Position{Topic: "events", Offset: int64(3 + i)}, Time: read},
			&cases.Event{EventID: fmt.Sprint("h", i), At: when, Hold: &cases.Hold{BatchID: "B1", State: state}})
	}
	if d.holds[run{"", "B1"}].held {
		t.Error("a batch that was held in the year 2200 is never released")
	}
}

// G1: a case stays small whatever is said of it: of thousands of flags it lists fifty
// and counts the rest, and members of long ids come in several records.
func TestSmallRecords(t *testing.T) {
	d, c := opened(t)
	for i := range 4000 {
		d.Event(at("events", i, 31), &cases.Event{EventID: fmt.Sprintf("%0200d", i), CaseID: c.CaseID,
			At: minutes(31 + float64(i)/60), Outcome: cases.OutcomeConfirmed,
			Status: []cases.Status{cases.StatusDecided, cases.StatusAcknowledged}[min(i, 1)]})
	}
	if c := said(t, d); len(c.Flags) != mostFlags || c.FlagsMore != 3999-mostFlags {
		t.Errorf("%d flags and %d more, want %d and %d", len(c.Flags), c.FlagsMore, mostFlags, 3999-mostFlags)
	}
	members := make([]cases.Member, mostJoined)
	for i := range members {
		members[i] = cases.Member{Seller: "acme", InvoiceID: strings.Repeat("é", 600), Currency: "EUR"}
	}
	listed := 0
	for len(members) > 0 {
		some := firstOf(members)
		body, err := json.Marshal(some)
		if err != nil || len(body) > mostJoinedBytes+mostJoined+2 {
			t.Fatalf("%d members in %d bytes, %v", len(some), len(body), err)
		}
		members, listed = members[len(some):], listed+len(some)
	}
	if listed != mostJoined {
		t.Errorf("%d members listed, want %d", listed, mostJoined)
	}
}

// G4: only the last of the records that list an incident's members says that they are
// counted: an owner that follows one that died in between counts them all again.
func TestCrashBetweenMembers(t *testing.T) {
	_, list := joined(t, 2500)
	var incidents []*cases.Case
	for _, p := range list {
		if c, err := cases.Decode(p.Body); err == nil && c.Kind == cases.KindIncident {
			incidents = append(incidents, c)
		}
	}
	for i, c := range incidents {
		want := int64(0)
		if i == len(incidents)-1 {
			want = 2500
		}
		if c.Incident.Members != want || len(incidents) != 3 {
			t.Errorf("record %d of %d says that %d members are counted, want %d", i+1, len(incidents), c.Incident.Members, want)
		}
	}
}
