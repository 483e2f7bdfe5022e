package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"recoup/internal/app"
	"recoup/internal/explain"
	"recoup/invoice"
	"recoup/sinks"
)

// explainCommand is `recoup explain`.
type explainCommand struct {
	ID       string `arg:"" name:"invoice-id" help:"Technical id of the invoice, as it was sent."`
	Seller   string `placeholder:"NAME" help:"Only this seller's invoice."`
	Revision *int64 `placeholder:"N" help:"Only this revision."`
	At       string `placeholder:"POSITION" help:"Only the record at this topic/partition/offset."`
	Format   string `enum:"text,json" default:"text" help:"Write text, or json for programs."`
}

// Help is the longer text of `recoup explain --help`.
func (*explainCommand) Help() string {
	return `Tells the verdict on one invoice as a person would, from what is stored in ClickHouse: what was billed, what
was expected and from how many invoices, which single change would make it usual, what else was considered, how far
the 15 % rule was from firing, what was decided and why, and what became of the case. It judges nothing anew and
changes nothing.

Where several records have the id (other sellers, revisions, changed content) it lists them; --seller, --revision and
--at choose one.

Examples:

    recoup explain 2026-000417
    recoup explain 2026-000417 --seller acme-fr --revision 1
    recoup explain 2026-000417 --at billing.invoices/3/81234
    recoup explain 2026-000417 --format json | jq .verdict.causes`
}

// Run explains.
func (c *explainCommand) Run(ctx context.Context, s *session) error {
	lookup := sinks.Lookup{InvoiceID: c.ID, Seller: c.Seller, Revision: c.Revision}
	if c.At != "" {
		at, err := parsePosition(c.At)
		if err != nil {
			return err
		}
		lookup.At = &invoice.Position{Topic: at.topic, Partition: at.partition, Offset: at.offset}
	}
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	settings := app.ClickHouse(&loaded.Config, s.logger(loaded.Log))
	reader, err := sinks.OpenReader(settings)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	found, err := reader.Invoices(ctx, lookup)
	if err != nil {
		return fmt.Errorf("%w; if it cannot be reached: %s", err, reachClickHouse)
	}
	switch len(found) {
	case 0:
		where := fmt.Sprintf("%s.scored_invoices at %s", settings.Database, strings.Join(settings.Addresses, ", "))
		return c.missing(ctx, reader, where)
	case 1:
	default:
		return c.several(found)
	}
	subject, err := gather(ctx, reader, &found[0])
	if err != nil {
		return err
	}
	subject.Settings = loaded.Scoring.Settings()
	write := explain.Text
	if c.Format == "json" {
		write = explain.JSON
	}
	if err := write(s.stdout, subject); err != nil {
		return fmt.Errorf("cannot write the explanation: %w", err)
	}
	return nil
}

// gather reads everything that belongs to a row.
func gather(ctx context.Context, reader *sinks.Reader, row *sinks.Stored) (*explain.Subject, error) {
	if err := reader.Lines(ctx, row); err != nil {
		return nil, err
	}
	subject := &explain.Subject{Invoice: &row.Invoice, Verdict: &row.Verdict, ReceivedAt: row.ReceivedAt,
		StoredAt: row.StoredAt}
	if row.Verdict.CaseID != "" {
		state, ok, err := reader.Case(ctx, row.Invoice.Seller, row.Verdict.CaseID)
		if err != nil {
			return nil, err
		}
		if ok {
			subject.Case = &explain.Case{Case: state.Case, Status: state.Status, Outcome: state.Outcome, Cause: state.Cause,
				Open: state.Open, ConfirmedLoss: state.ConfirmedLoss, Paid: state.Paid}
		}
	}
	evidence := explain.Evidence(&row.Verdict)
	if evidence == "" {
		return subject, nil
	}
	before, err := reader.Before(ctx, row, evidence)
	if err != nil {
		return nil, err
	}
	for _, e := range before {
		if explain.Names(evidence, e.ID) {
			subject.Earlier = append(subject.Earlier, explain.Earlier{ID: e.ID, Revision: e.Revision, IssuedAt: e.IssuedAt,
				Billed: e.Billed, Currency: e.Currency})
		}
	}
	return subject, nil
}

// several lists records that share an id and says how to choose one.
func (c *explainCommand) several(found []sinks.Stored) error {
	sellers := map[string]bool{}
	for i := range found {
		sellers[found[i].Invoice.Seller] = true
	}
	flag := "--revision or --at"
	if len(sellers) > 1 {
		flag = "--seller"
	}
	var list strings.Builder
	for i := range found {
		inv, v := &found[i].Invoice, &found[i].Verdict
		verdict := "not suspect"
		if v.Suspect {
			verdict = "suspect, " + explain.Decision(v.Decision)
		}
		at := source{topic: v.Source.Topic, partition: v.Source.Partition, offset: v.Source.Offset}
		fmt.Fprintf(&list, "\n  recoup explain %s --seller %s --revision %d --at %s\n      %s, issued %s, billed %s %s: %s",
			shellWord(inv.ID), shellWord(inv.Seller), inv.Revision, shellWord(at.String()), inv.Stage,
			inv.IssuedAt.Format(time.RFC3339), v.Billed, v.Currency, verdict)
	}
	return fmt.Errorf("cannot tell which of %d records of invoice %q is meant; choose one with %s:%s", len(found), c.ID,
		flag, list.String())
}

// missing says where an invoice was looked for and what to try.
func (c *explainCommand) missing(ctx context.Context, reader *sinks.Reader, where string) error {
	var said strings.Builder
	fmt.Fprintf(&said, "cannot find invoice %q in %s", c.ID, where)
	narrowed := c.Seller != "" || c.Revision != nil || c.At != ""
	if narrowed {
		said.WriteString(" with this seller, revision or position")
	}
	said.WriteString("; try:")
	if narrowed {
		said.WriteString("\n  the same without --seller, --revision and --at")
	}
	names, err := reader.Numbered(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, n := range names {
		fmt.Fprintf(&said, "\n  recoup explain %s --seller %s, whose invoice number this is", shellWord(n.ID),
			shellWord(n.Seller))
	}
	said.WriteString("\n  recoup dead-letters ls, if its record could not be read" +
		"\n  recoup doctor, which shows how far scoring is behind; a redelivery has no row of its own" +
		"\n  a look at clickhouse.retention: older rows are gone")
	return errors.New(said.String())
}

// shellWord quotes a text for a shell where it needs that.
func shellWord(text string) string {
	plain := strings.IndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune("-_./:+@", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
	if plain && text != "" {
		return text
	}
	return "'" + strings.ReplaceAll(explain.Clean(text), "'", `'\''`) + "'"
}
