package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/pipeline"
)

// unknownCurrency is ISO 4217's code for none: nobody has told recoup what was billed.
const unknownCurrency = "XXX"

// incidentMember is an invoice of an incident, as a record of the incident lists it.
type incidentMember struct {
	cases.Member
	incident string // case id of the incident
}

// incidentOf notes an incident and those of its members that are wanted.
func (b *caseBook) incidentOf(c *cases.Case, wanted func(*cases.Case) bool) {
	if old := b.incidents[c.CaseID]; old == nil || old.Case.Seq <= c.Seq {
		b.incidents[c.CaseID] = &caseFile{Case: c}
	}
	for _, m := range c.Joined {
		if stub := memberCase(&m, c.CaseID); wanted(stub) {
			b.members[stub.CaseID] = incidentMember{m, c.CaseID}
		}
	}
}

// memberCase is what an incident says of a member that has no case of its own.
func memberCase(m *cases.Member, incident string) *cases.Case {
	key := cases.DedupKey(m.Seller, m.InvoiceID, m.Revision)
	cause, _, _ := strings.Cut(m.Finding, ":")
	return &cases.Case{Schema: cases.Schema, CaseID: cases.ID(key), DedupKey: key, Kind: cases.KindInvoice,
		Origin: cases.OriginDetector, Action: cases.ActionOpen, Severity: cases.SeverityInfo, Seller: m.Seller,
		InvoiceID: m.InvoiceID, Customer: m.Customer, Currency: m.Currency, Loss: m.Loss, IssuedAt: m.IssuedAt,
		Direction: directionOf(m.Loss.Point), IncidentID: incident, OwnerTeam: cases.OwnerTeam(cause),
		Causes: []detectors.Finding{{Code: cause}}, Links: cases.Links{Runbook: "docs/runbooks/" + cause + ".md"}}
}

// readMuted adds the wanted invoices that recoup found wrong and opened no case for: as
// the decision log tells them, or, where it does not go back that far, their incident.
// Whoever works one needs nothing but its case id, which follows from the invoice.
func (b *caseBook) readMuted(ctx context.Context, wanted func(*cases.Case) bool) error {
	opener, err := b.config.Opener()
	if err != nil {
		return err
	}
	err = b.scan(ctx, b.config.Kafka.Topics.Suspects, func(value []byte) error {
		d := &pipeline.Decision{}
		if err := json.Unmarshal(value, d); err != nil {
			return err
		}
		if d.Verdict == nil || d.Subject == nil || d.Subject.Canary {
			return nil // an owner, a model or a correction; or no invoice
		}
		c := opener.OpenDecided(d.Verdict, d.Subject, d.DetectedAt)
		c.RespondBy, c.EscalateAt = time.Time{}, time.Time{} // no clock runs for what has no case
		c.IncidentID = b.incidentNamed(d.Verdict.IncidentID)
		c.IncidentID = cmp.Or(b.members[c.CaseID].incident, c.IncidentID)
		if old := b.cases[c.CaseID]; wanted(c) && (old == nil || old.muted && !old.Case.DetectedAt.After(c.DetectedAt)) {
			b.cases[c.CaseID] = &caseFile{Case: c, muted: true}
		}
		return nil
	})
	for id, m := range b.members {
		if b.cases[id] == nil {
			b.cases[id] = &caseFile{Case: memberCase(&m.Member, m.incident), muted: true, unbilled: true}
		}
	}
	return err
}

// incidentNamed is the incident that has an id, its own or one that a worker gave it.
func (b *caseBook) incidentNamed(id string) string {
	for name, f := range b.incidents {
		if i := f.Case.Incident; i != nil && slices.Contains(i.Aliases, id) {
			return name
		}
	}
	return id
}

// knowsBilled tells whether recoup knows what the invoice asks for.
func (f *caseFile) knowsBilled() bool { return !f.unbilled && f.Case.Currency != unknownCurrency }

// currency is that of the case's money; of an invoice that recoup never judged the one
// that people say.
func (f *caseFile) currency(state *cases.State) string {
	if f.Case.Currency == unknownCurrency {
		return cmp.Or(state.Currency, unknownCurrency)
	}
	return f.Case.Currency
}
