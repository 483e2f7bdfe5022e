package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/internal/app"
	"recoup/internal/config"
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
	Lang     string `enum:"en,fr" default:"en" help:"Language of the text: en or fr."`
	File     string `placeholder:"FILE" help:"Score this file of invoices instead of asking ClickHouse."`
	scoringFlags
}

// Help is the longer text of `recoup explain --help`.
func (*explainCommand) Help() string {
	return `Tells the verdict on one invoice as a person would, from what is stored in ClickHouse: what was billed, what
was expected and from how many invoices, which single change would make it usual, what else was considered, how far
the 15 % rule was from firing, what was decided and why, and what became of the case. It judges nothing anew and
changes nothing. With --file no server is asked: the file is scored as "recoup score" does it, so give it the same
--reference, --map and --model to get the same verdict.

Where several records have the id (other sellers, revisions, changed content) it lists them; --seller, --revision and
--at choose one. Such a list and errors are in English, whatever --lang says.

Examples:

    recoup explain 2026-000417
    recoup explain 2026-000417 --seller acme-fr --revision 1
    recoup explain 2026-000417 --at billing.invoices/3/81234
    recoup explain 2026-000417 --lang fr
    recoup explain 2026-000417 --format json | jq .verdict.causes
    recoup explain 2026-000417 --file invoices.jsonl.zst
    recoup explain 2026-000417 --file invoices.jsonl.zst --reference contracts.jsonl --model models.jsonl`
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
	var subject *explain.Subject
	if c.File != "" {
		subject, err = c.fromFile(ctx, s, loaded, &lookup)
	} else {
		subject, err = c.fromStore(ctx, app.ClickHouse(&loaded.Config, s.logger(loaded.Log)), lookup)
	}
	if err != nil {
		return err
	}
	subject.Settings = loaded.Scoring.Settings()
	write := explain.Lang(c.Lang).Text
	if c.Format == "json" {
		write = explain.JSON
	}
	if err := write(s.stdout, subject); err != nil {
		return fmt.Errorf("cannot write the explanation: %w", err)
	}
	return nil
}

// fromStore finds the one row that is meant.
func (c *explainCommand) fromStore(ctx context.Context, settings sinks.Settings, lookup sinks.Lookup) (
	*explain.Subject, error) {
	reader, err := sinks.OpenReader(settings)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	found, err := reader.Invoices(ctx, lookup)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; if it cannot be reached: %s", err, reachClickHouse)
	case len(found) == 0:
		return nil, c.missing(ctx, reader, fmt.Sprintf("%s.scored_invoices at %s", settings.Database,
			strings.Join(settings.Addresses, ", ")))
	case len(found) > 1:
		records := make([]explain.Subject, len(found))
		for i := range found {
			records[i] = explain.Subject{Invoice: &found[i].Invoice, Verdict: &found[i].Verdict}
		}
		return nil, c.several(records)
	}
	return explain.Stored(ctx, reader, &found[0])
}

// mostMatches bounds how many records of one id a file is asked for.
const mostMatches = 100

// fromFile scores a file and keeps the one record that is meant.
func (c *explainCommand) fromFile(ctx context.Context, s *session, settings *config.Loaded, lookup *sinks.Lookup) (
	*explain.Subject, error) {
	run, err := c.open(ctx, s, settings, c.File)
	if err != nil {
		return nil, err
	}
	defer run.in.Close()
	run.stderr = io.Discard // recoup score names what cannot be read
	var found []explain.Subject
	run.write = func(v *detectors.Verdict) error {
		if lookup.Matches(v) && len(found) < mostMatches {
			subject := explain.Subject{Invoice: run.invoice.Clone(), Verdict: v.Clone(), Threshold: run.threshold()}
			if segment, ok := run.engine.Segment(); ok {
				subject.Segment = &segment
			}
			found = append(found, subject)
		}
		return nil
	}
	err = run.all(ctx)
	run.in.hush()
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("cannot find invoice %q among the %d of %s; skipped %d redelivered and %d unreadable ones, "+
			"which recoup score names", c.ID, run.totals.scored, run.in.name, run.totals.redelivered, run.totals.bad)
	case len(found) > 1:
		return nil, c.several(found)
	}
	return &found[0], nil
}

// several lists records that share an id and says how to choose one.
func (c *explainCommand) several(found []explain.Subject) error {
	sellers := map[string]bool{}
	for i := range found {
		sellers[found[i].Invoice.Seller] = true
	}
	flag := "--revision or --at"
	if len(sellers) > 1 {
		flag = "--seller"
	}
	same := c.language()
	if c.File != "" {
		same += " --file " + shellWord(c.File)
	}
	var list strings.Builder
	for i := range found {
		inv, v := found[i].Invoice, found[i].Verdict
		verdict := "not suspect"
		if v.Suspect {
			verdict = "suspect, " + explain.English.Decision(v.Decision)
		}
		at := source{topic: v.Source.Topic, partition: v.Source.Partition, offset: v.Source.Offset}
		fmt.Fprintf(&list, "\n  recoup explain %s%s --seller %s --revision %d --at %s\n      %s, issued %s, billed %s %s: %s",
			shellWord(inv.ID), same, shellWord(inv.Seller), inv.Revision, shellWord(at.String()), inv.Stage,
			inv.IssuedAt.Format(time.RFC3339), v.Billed, v.Currency, verdict)
	}
	return fmt.Errorf("cannot tell which of %d records of invoice %q is meant; choose one with %s:%s", len(found), c.ID,
		flag, list.String())
}

// language is the flag that a proposed command needs to explain in the same language.
func (c *explainCommand) language() string {
	if c.Lang == string(explain.English) {
		return ""
	}
	return " --lang " + c.Lang
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
		fmt.Fprintf(&said, "\n  recoup explain %s%s --seller %s, whose invoice number this is", shellWord(n.ID),
			c.language(), shellWord(n.Seller))
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
