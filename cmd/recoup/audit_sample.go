package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/app"
	"recoup/invoice"
	"recoup/sinks"
)

// auditSampleCommand is `recoup audit-sample`.
type auditSampleCommand struct {
	Rate     float64   `default:"0.003" help:"Share of the unflagged invoices, above 0 and at most 1."`
	Since    time.Time `placeholder:"DAY" format:"2006-01-02" help:"Only issued on or after this day (UTC)."`
	Until    time.Time `placeholder:"DAY" format:"2006-01-02" help:"Only issued before this day (UTC)."`
	Seller   string    `placeholder:"NAME" help:"Only of this seller."`
	Salt     string    `default:"audit" help:"Another one draws other invoices."`
	Format   string    `enum:"csv,jsonl" default:"csv" help:"csv to fill in, or jsonl for programs."`
	Verdicts string    `placeholder:"FILE" help:"Read the filled-in CSV (- for standard input) and send its verdicts."`
	Role     freeText  `default:"internal audit" placeholder:"ROLE" help:"Role of who checked, never a name."`
}

// Help is the longer text of `recoup audit-sample --help`.
func (*auditSampleCommand) Help() string {
	return `Draws a random sample of the invoices that recoup did not flag, for somebody outside billing to check: that is
the only way to learn what is missed. Which invoices belong to it is decided by a hash of seller, id and salt: asking
again gives the same ones. 0.2 to 0.5 % of a month suffices. Each gets its case id, although there is no case.

Fill in the last columns of the CSV: outcome (not_an_error, confirmed_error, undetermined), and for an error true_cause
and correct_amount, what should have been billed. --verdicts sends them as case events of origin audit_sample; the views
then give the true error rate and the recall, with their intervals. Sending a file twice on one day counts once.

Examples:

    recoup audit-sample --rate 0.003 --since 2026-02-01 --until 2026-03-01 > february.csv
    recoup audit-sample --verdicts february.csv
    recoup audit-sample --rate 0.01 --seller acme-fr --format jsonl`
}

// auditColumns are those of the CSV, in their order.
var auditColumns = []string{"case_id", "seller", "invoice_id", "revision", "issued_at", "customer_ref", "billed",
	"currency", "outcome", "true_cause", "correct_amount"}

// Run draws, or sends what was found.
func (c *auditSampleCommand) Run(ctx context.Context, s *session) error {
	if c.Verdicts != "" {
		return c.send(ctx, s)
	}
	if c.Rate <= 0 || c.Rate > 1 {
		return usage("cannot use --rate %v: want a share above 0 and at most 1, such as 0.003", c.Rate)
	}
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	reader, err := sinks.OpenReader(app.ClickHouse(&loaded.Config, s.logger(loaded.Log)))
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	w := csv.NewWriter(s.stdout)
	if c.Format == "csv" {
		if err := w.Write(auditColumns); err != nil {
			return fmt.Errorf("cannot write the sample: %w", err)
		}
	}
	n := 0
	err = reader.Sampled(ctx, sinks.Sample{Rate: c.Rate, Salt: c.Salt, Seller: c.Seller, Since: c.Since, Until: c.Until},
		func(u sinks.Unflagged) error {
			n++
			if c.Format == "jsonl" {
				return writeLine(s.stdout, auditLineOf(&u))
			}
			l := auditLineOf(&u)
			return w.Write([]string{l.CaseID, l.Seller, l.InvoiceID, strconv.FormatInt(l.Revision, 10), l.IssuedAt,
				l.CustomerRef, l.Billed, l.Currency, "", "", ""})
		})
	if w.Flush(); err != nil {
		return fmt.Errorf("%w; if it cannot be reached: %s", err, reachClickHouse)
	}
	if err := w.Error(); err != nil {
		return fmt.Errorf("cannot write the sample: %w", err)
	}
	fmt.Fprintf(s.stderr, "%d invoices; send the verdicts with recoup audit-sample --verdicts FILE\n", n)
	return nil
}

// auditLine is one invoice of the sample.
type auditLine struct {
	CaseID      string `json:"case_id"`      // for the verdict; there is no case
	Seller      string `json:"seller"`       // who billed
	InvoiceID   string `json:"invoice_id"`   // technical id
	Revision    int64  `json:"revision"`     // of the invoice
	IssuedAt    string `json:"issued_at"`    // RFC 3339
	CustomerRef string `json:"customer_ref"` // pseudonym
	Billed      string `json:"billed"`       // what the customer was asked to pay
	Currency    string `json:"currency"`     // of Billed
}

func auditLineOf(u *sinks.Unflagged) auditLine {
	return auditLine{CaseID: cases.ID(cases.DedupKey(u.Seller, u.InvoiceID, u.Revision)), Seller: u.Seller,
		InvoiceID: u.InvoiceID, Revision: u.Revision, IssuedAt: u.IssuedAt.UTC().Format(time.RFC3339),
		CustomerRef: u.CustomerRef, Billed: u.Billed.String(), Currency: u.Currency}
}

// send reads verdicts and writes them as case events.
func (c *auditSampleCommand) send(ctx context.Context, s *session) error {
	in := s.stdin
	if c.Verdicts != "-" {
		file, err := os.Open(c.Verdicts)
		if err != nil {
			return fmt.Errorf("cannot read the verdicts: %w", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	// Every line is read before the first is sent: a mistake in one sends none.
	events, open, err := c.readVerdicts(in, time.Now().UTC().Truncate(24*time.Hour))
	if err != nil {
		return err
	}
	book, err := openCases(s)
	if err != nil {
		return err
	}
	defer book.close()
	wrong := 0
	for _, e := range events {
		value, err := e.Encode()
		if err != nil {
			return err
		}
		if err := book.write(ctx, book.config.Kafka.Topics.CaseEvents, e.CaseID, value); err != nil {
			return err
		}
		if e.Outcome == cases.OutcomeConfirmed {
			wrong++
		}
	}
	fmt.Fprintf(s.stdout, "%d verdicts sent, %d of them errors that recoup had missed; %d lines have no outcome yet\n",
		len(events), wrong, open)
	return nil
}

// readVerdicts reads the CSV; a line without an outcome is open.
func (c *auditSampleCommand) readVerdicts(in io.Reader, today time.Time) (events []*cases.Event, open int, err error) {
	r := csv.NewReader(in)
	header, err := r.Read()
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read the verdicts: %w", err)
	}
	columns := map[string]int{}
	for i, name := range header {
		columns[name] = i
	}
	for _, name := range auditColumns {
		if _, there := columns[name]; !there {
			return nil, 0, fmt.Errorf("cannot read the verdicts: no column %q; want those that recoup audit-sample writes: %q",
				name, auditColumns)
		}
	}
	for line := 2; ; line++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return events, open, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("cannot read the verdicts: %w", err)
		}
		cell := func(name string) string { return cells[columns[name]] }
		if cell("outcome") == "" {
			open++
			continue
		}
		e, err := c.verdict(cell, today)
		if err != nil {
			return nil, 0, fmt.Errorf("cannot read line %d of the verdicts, nothing was sent: %w", line, err)
		}
		events = append(events, e)
	}
}

// verdict makes the event of one line. Its id follows from what it says, so that
// sending it again changes nothing.
func (c *auditSampleCommand) verdict(cell func(string) string, today time.Time) (*cases.Event, error) {
	e := &cases.Event{CaseID: cell("case_id"), InvoiceID: cell("invoice_id"), Origin: cases.OriginAudit,
		Status: cases.StatusDecided, Outcome: cases.Outcome(cell("outcome")), At: today, DecidedByRole: string(c.Role)}
	allowed := []cases.Outcome{cases.OutcomeNotAnError, cases.OutcomeConfirmed, cases.OutcomeUndetermined}
	if !slices.Contains(allowed, e.Outcome) {
		return nil, fmt.Errorf("outcome %q, want one of %q", e.Outcome, allowed)
	}
	if e.Outcome == cases.OutcomeConfirmed {
		billed, err := invoice.ParseAmount(cell("billed"))
		if err != nil {
			return nil, fmt.Errorf("billed: %w", err)
		}
		correct, err := invoice.ParseAmount(cell("correct_amount"))
		if err != nil {
			return nil, fmt.Errorf("correct_amount, what should have been billed (%s, if no money is at stake): %w",
				cell("billed"), err)
		}
		loss, ok := correct.Sub(billed)
		if !ok {
			return nil, fmt.Errorf("correct_amount %s is too large", cell("correct_amount"))
		}
		e.TrueCause, e.Currency = cmp.Or(cell("true_cause"), detectors.CauseUnknown), cell("currency")
		e.CorrectAmount = invoice.OptionalAmount{Value: correct, Set: true}
		e.ConfirmedLoss = invoice.OptionalAmount{Value: loss, Set: true}
		e.Direction = cases.Favour(loss)
	}
	e.EventID = "audit"
	value, err := e.Encode()
	if err != nil {
		return nil, err
	}
	e.EventID = "audit-" + uuid.NewSHA1(uuid.NameSpaceOID, value).String()
	return e, nil
}
