package main

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/app"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/sinks"
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
		Direction: cases.Favour(m.Loss.Point), IncidentID: incident, OwnerTeam: cases.OwnerTeam(cause),
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

// drafted tells whether the case itself knows what the invoice asks for, so that the service
// could draft a text.
func (f *caseFile) drafted() bool { return !f.unbilled && f.Case.Currency != unknownCurrency }

// knowsBilled tells whether recoup knows what the invoice asks for.
func (f *caseFile) knowsBilled() bool { return f.drafted() || f.stored != nil }

// billed is what the invoice asks for, if that is known.
func (f *caseFile) billed() (invoice.Amount, string) {
	if f.stored != nil {
		return f.stored.Billed, f.stored.Currency
	}
	return f.Case.Billed, f.Case.Currency
}

// lookUpWithin is how long a command waits for ClickHouse, which it can do without.
const lookUpWithin = 3 * time.Second

// lookUp asks ClickHouse what was billed where the case does not tell, as that of a dispute of an
// invoice that was no suspect. It stays unknown where ClickHouse cannot be reached, has no such
// invoice, or has several that ask for different amounts.
func (f *caseFile) lookUp(ctx context.Context, b *caseBook) {
	if f.drafted() || f.Case.Kind != cases.KindInvoice {
		return
	}
	reader, err := sinks.OpenReader(app.ClickHouse(b.config, slog.New(slog.DiscardHandler)))
	if err != nil {
		return
	}
	defer func() { _ = reader.Close() }()
	ctx, cancel := context.WithTimeout(ctx, lookUpWithin)
	defer cancel()
	found, err := reader.Invoices(ctx, sinks.Lookup{InvoiceID: f.Case.InvoiceID, Seller: f.Case.Seller})
	if err != nil {
		return
	}
	for i := range found {
		switch inv, v := &found[i].Invoice, &found[i].Verdict; {
		case inv.Stage == invoice.PreIssue: // a draft was not sent
		case f.stored == nil:
			f.stored = v
		case v.Billed != f.stored.Billed || v.Currency != f.stored.Currency:
			f.stored = nil
			return
		}
	}
}

// currency is that of the case's money; of an invoice that recoup never judged the one
// that people say, or its stored one.
func (f *caseFile) currency(state *cases.State) string {
	if f.Case.Currency == unknownCurrency {
		_, stored := f.billed()
		return cmp.Or(state.Currency, stored)
	}
	return f.Case.Currency
}
