package desk

import (
	"slices"
	"strings"
	"testing"

	"recoup/cases"
	"recoup/cases/incident"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

// joined returns a desk whose one open case became a member of an incident with n members.
func joined(t *testing.T, n int) (*Desk, []Publication) {
	t.Helper()
	w := newWorld(t)
	single := w.opens("single", 1)
	d := New(DefaultSettings())
	d.now = minutes(30)
	w.restore(d, 0)
	if err := d.Restored(); err != nil {
		t.Fatal(err)
	}
	key := cases.IncidentKey("acme", "release", "r2", t0)
	change := incident.Change{Action: cases.ActionOpen, Severity: cases.SeverityWarning, Incident: &cases.Incident{
		ID: cases.ID(key), Key: key, Seller: "acme", Dimension: "release", Value: "r2", Since: t0, LastMember: minutes(29),
		Members: int64(n), Money: []cases.IncidentMoney{{Currency: "EUR", Members: int64(n)}}}}
	for i := range n {
		m := cases.Member{Seller: "acme", InvoiceID: "single", Currency: "EUR", Revision: int64(i),
			At: invoice.Position{Topic: "suspects", Offset: int64(i)}}
		if i == 0 {
			m.CaseID = single.CaseID
		}
		change.Joined = append(change.Joined, m)
	}
	d.change(&change)
	list, err := d.Changes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if err := contracttest.Validate(p.Body); err != nil {
			t.Errorf("%v\n%s", err, p.Body)
		}
	}
	return d, list
}

// A case names its incident before the incident lists it: an owner that dies between
// the two leaves an incident that is opened again, not a case that never joins.
func TestMembersBeforeIncident(t *testing.T) {
	d, list := joined(t, 3)
	if len(list) != 2 || list[0].Kind != cases.KindInvoice || list[1].Kind != cases.KindIncident {
		t.Fatalf("got %+v, want the invoice's case, then the incident", list)
	}
	c, err := cases.Decode(list[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	if c.IncidentID == "" || c.Action != cases.ActionUpdate || c.Severity != cases.SeverityInfo {
		t.Errorf("the member's case: %s, %s, incident %q; want it updated, info, with one", c.Action, c.Severity,
			c.IncidentID)
	}
	if again, err := d.Changes(); err != nil || len(again) != 0 {
		t.Errorf("published again: %+v, %v", again, err)
	}
}

// An incident lists at most a thousand members in one record, and each once.
func TestManyMembers(t *testing.T) {
	_, list := joined(t, 2500)
	seqs, members := []int64{}, map[int64]bool{}
	for _, p := range list {
		c, err := cases.Decode(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if c.Kind != cases.KindIncident {
			continue
		}
		seqs = append(seqs, c.Seq)
		if len(c.Joined) > mostJoined || len(p.Body) > 512<<10 {
			t.Errorf("%d members in %d bytes", len(c.Joined), len(p.Body))
		}
		for _, m := range c.Joined {
			if members[m.Revision] {
				t.Errorf("member %d is listed twice", m.Revision)
			}
			members[m.Revision] = true
		}
	}
	if len(members) != 2500 || len(seqs) != 3 || seqs[0] != 1 || seqs[2] != 3 {
		t.Errorf("%d members in records %v, want 2,500 in 1, 2, 3", len(members), seqs)
	}
}

// An incident names what to hold if there is something, each cause with its kind, share
// and money, and no cause of nobody; its query finds every member, under whatever name a
// worker scored it, and it is no part of itself.
func TestIncidentIsWorkable(t *testing.T) {
	d := New(DefaultSettings())
	d.now = minutes(30)
	i := &cases.Incident{ID: cases.ID("k"), Key: "k", Seller: "ac'me", Dimension: "release", Value: "r2", Since: t0,
		LastMember: minutes(29), Members: 1000, Money: []cases.IncidentMoney{{Currency: "EUR", Members: 1000}},
		Findings: []cases.FindingCount{
			{Finding: "promotion:over_cap", Members: 990, Fits: 995,
				Losses: map[string]cases.Losses{"EUR": {TooLow: 99 * invoice.Unit}, "CHF": {TooHigh: invoice.Unit}}},
			{Finding: "unknown:no_repair", Members: 6}, {Finding: "data_entry:price", Fits: 4}}}
	c := d.incidentCase(&incident.Change{Action: cases.ActionOpen, Severity: cases.SeverityWarning, Incident: i})
	const told = "promotion:over_cap: 990 of 1000 members, 1.00 CHF too high, 99.00 EUR too low; " +
		"its repair makes 995 usual"
	if len(c.Causes) != 2 || c.Causes[0].P != 0.995 || c.Causes[1].P != 0.006 || c.Causes[0].Evidence[0] != told {
		t.Errorf("causes %+v", c.Causes)
	}
	if slices.Contains(c.Verify, "hold_batch") || c.IncidentID != "" {
		t.Errorf("verify %q, part of %q", c.Verify, c.IncidentID)
	}
	if want := `WHERE seller = 'ac\'me' AND invoice_id IN (SELECT invoice_id FROM recoup.incident_members ` +
		`WHERE incident_id = '` + i.ID + `')`; !strings.Contains(c.Links.Query, want) {
		t.Errorf("query %s, want %s", c.Links.Query, want)
	}
	c.Action, c.Seq = cases.ActionOpen, 1
	body, err := c.Encode()
	if err != nil || contracttest.Validate(body) != nil {
		t.Errorf("%v, %v", err, contracttest.Validate(body))
	}
	for _, field := range []string{"invoice_id", "source", "p_error", "billed", "expected", "expected_low",
		"deviation_pct", "incident_id"} {
		whole := strings.Contains(string(body), `"`+field+`":`) && field != "expected" // a count within the incident
		if whole || strings.Contains(string(body), `"`+field+`":"`) {
			t.Errorf("%s says nothing of an incident, but stands in\n%s", field, body)
		}
	}
	i.Batches = []cases.ValueCount{{Value: "B-1", Members: 3}}
	c = d.incidentCase(&incident.Change{Action: cases.ActionOpen, Severity: cases.SeverityWarning, Incident: i})
	if !slices.Contains(c.Verify, "hold_batch") || !strings.Contains(c.Summary.EN, "recoup hold --batch B-1") {
		t.Errorf("verify %q, summary %s", c.Verify, c.Summary.EN)
	}
}
