package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"recoup/cases"
	"recoup/invoice"
)

// eventFlags are what every command that writes about a case takes.
type eventFlags struct {
	eventTime
	Name string `arg:"" name:"case" help:"Case id, its first characters, or the invoice id."`
	JSON bool   `name:"json" help:"Write the events that were sent as JSON."`
}

// eventTime is when something happened.
type eventTime struct {
	At time.Time `placeholder:"TIME" help:"When it happened, such as 2026-03-02T09:30:00Z. By default now."`
}

// when is the moment the event tells, in UTC and to the millisecond.
func (f *eventTime) when() time.Time {
	if f.At.IsZero() {
		return time.Now().UTC().Truncate(time.Millisecond)
	}
	return f.At.UTC()
}

// sendEvent checks one event against the case and writes it.
func (f *eventFlags) sendEvent(ctx context.Context, s *session, fill func(*caseFile, *cases.Event) error) error {
	book, file, err := openNamed(ctx, s, f.Name)
	if err != nil {
		return err
	}
	defer book.close()
	e := &cases.Event{EventID: uuid.NewString(), CaseID: file.Case.CaseID, InvoiceID: file.Case.InvoiceID,
		Origin: file.Case.Origin, At: f.when()}
	if err := fill(file, e); err != nil {
		return err
	}
	value, err := e.Encode()
	if err != nil {
		return unsendable(err)
	}
	if err := file.Life.Refusal(file.Case, func(l *cases.Life) { l.Apply(e) }); err != nil {
		return err
	}
	if err := book.write(ctx, book.config.Kafka.Topics.CaseEvents, e.CaseID, value); err != nil {
		return err
	}
	return f.tell(s, file, value)
}

// unsendable says what of a command line no record may say.
func unsendable(err error) error {
	if wrong, ok := errors.AsType[*invoice.DecodeError](err); ok {
		return usage("cannot send %s: %s", wrong.Field, wrong.Message)
	}
	return err
}

// tell says what was written and what comes next.
func (f *eventFlags) tell(s *session, file *caseFile, values ...[]byte) error {
	if f.JSON {
		for _, value := range values {
			fmt.Fprintf(s.stdout, "%s\n", value)
		}
		return nil
	}
	state := file.Life.State()
	fmt.Fprintf(s.stdout, "case %s: %s\nNext: %s\n", file.Case.CaseID,
		file.status(&state, &english), file.next(&state, &english))
	return nil
}

// caseAckCommand is `recoup case ack`.
type caseAckCommand struct {
	eventFlags
	contactFlags
	Role freeText `placeholder:"ROLE" help:"Role of who takes it, never a name."`
}

// Help is the longer text of `recoup case ack --help`.
func (*caseAckCommand) Help() string {
	return `Notes that somebody takes the case. That stops the clock of the 24 hours in which a case is answered.

Examples:

    recoup case ack 5f0c2a9e
    recoup case ack 2026-000417 --role "billing clerk"
    recoup case ack 2026-000417 --hold --contacted 2026-03-02T09:30:00Z`
}

// Run acknowledges.
func (c *caseAckCommand) Run(ctx context.Context, s *session) error {
	return c.sendEvent(ctx, s, func(_ *caseFile, e *cases.Event) error {
		e.Status, e.DecidedByRole = cases.StatusAcknowledged, string(c.Role)
		c.fill(e)
		return nil
	})
}

// caseDecideCommand is `recoup case decide`.
type caseDecideCommand struct {
	eventFlags
	contactFlags
	Outcome  string       `arg:"" help:"What it turned out to be; the list is below."`
	Correct  *typedAmount `placeholder:"AMOUNT" help:"What should have been billed; needed for confirmed_error."`
	Billed   *typedAmount `placeholder:"AMOUNT" help:"What was billed, where recoup does not know it."`
	Currency string       `placeholder:"CODE" help:"Of the amounts, where recoup does not know it."`
	Cause    string       `placeholder:"CODE" help:"True cause. By default the first of the case."`
	Minutes  *float64     `placeholder:"N" help:"Working time spent."`
	Cost     *typedAmount `placeholder:"AMOUNT" help:"What handling cost, if somebody noted it."`
	Role     freeText     `placeholder:"ROLE" help:"Role of who decided, never a name."`
	Verified []string     `placeholder:"FACT" help:"What was made sure of; the list is below."`
}

// Help is the longer text of `recoup case decide --help`.
func (*caseDecideCommand) Help() string {
	return `Says what a case turned out to be; recoup learns from it.

    confirmed_error   the invoice is wrong; --correct is learnt instead of what was billed
    not_an_error      it is right; the amount that was held back is learnt
    expected_change   it is right, and so is the new value from now on
    duplicate_case    another case is about the same
    undetermined      nobody can tell

The loss of a confirmed error is --correct less what was billed; give what was billed where no money is at stake. Of an
invoice that recoup never judged (a customer disputes it) --billed and --currency say what was. A confirmed incident
has no amounts: each of its members is decided with its own (recoup case ls --incident ID).
--verified takes invoice_is_wrong, invoice_was_sent and due_date_passed, separated by commas. Amounts may have a
decimal comma: 1964,53.

Examples:

    recoup case decide 5f0c2a9e not_an_error
    recoup case decide 5f0c2a9e confirmed_error --correct 125.00 --cause promotion --minutes 20
    recoup case decide 2026-000417 expected_change --role "head of sales"`
}

// Run decides.
func (c *caseDecideCommand) Run(ctx context.Context, s *session) error {
	return c.sendEvent(ctx, s, func(f *caseFile, e *cases.Event) error {
		e.Status, e.Outcome = cases.StatusDecided, cases.Outcome(c.Outcome)
		e.HandlingMinutes, e.DecidedByRole = c.Minutes, string(c.Role)
		if c.Cost != nil {
			e.HandlingCost = invoice.OptionalAmount{Value: invoice.Amount(*c.Cost), Set: true}
			_, of := f.billed()
			if e.Currency = cmp.Or(c.Currency, of); e.Currency == unknownCurrency {
				return usage("cannot use --cost without --currency: recoup does not know the invoice's")
			}
		}
		if err := c.verified(e); err != nil {
			return err
		}
		if err := c.confirm(f, e); err != nil {
			return err
		}
		c.fill(e)
		return nil
	})
}

// verified notes what was made sure of.
func (c *caseDecideCommand) verified(e *cases.Event) error {
	yes := true
	v := &cases.Verified{}
	known := map[string]**bool{"invoice_is_wrong": &v.InvoiceIsWrong, "invoice_was_sent": &v.InvoiceWasSent,
		"due_date_passed": &v.DueDatePassed}
	for _, fact := range c.Verified {
		field := known[fact]
		if field == nil {
			return usage("cannot use --verified %q: want invoice_is_wrong, invoice_was_sent or due_date_passed; "+
				"whatever else the case asks to verify is looked at, and noted nowhere", fact)
		}
		*field, e.Verified = &yes, v
	}
	return nil
}

// confirm fills in the amounts of a confirmed error.
func (c *caseDecideCommand) confirm(f *caseFile, e *cases.Event) error {
	if e.Outcome != cases.OutcomeConfirmed {
		if c.Correct != nil || c.Cause != "" {
			return usage("cannot use --correct or --cause with %s: they belong to confirmed_error", c.Outcome)
		}
		return nil
	}
	e.TrueCause = cmp.Or(c.Cause, firstCause(f.Case))
	if f.Case.Kind != cases.KindInvoice {
		return nil // its invoices have their own amounts
	}
	if c.Correct == nil {
		billed := "what was billed, which recoup does not know (--billed AMOUNT --currency CODE)"
		if f.knowsBilled() {
			amount, currency := f.billed()
			billed = amount.String() + " " + currency
		}
		return usage("cannot confirm an error without --correct AMOUNT: what should have been billed instead of %s; "+
			"the same, when no money is at stake", billed)
	}
	billed, currency, err := c.billed(f)
	if err != nil {
		return err
	}
	if correct := invoice.Amount(*c.Correct); !e.Confirm(e.TrueCause, correct, billed, currency) {
		return usage("cannot use --correct %s: too large", correct)
	}
	return nil
}

// billed is what the invoice asks for: as recoup knows it, or as the command line says.
func (c *caseDecideCommand) billed(f *caseFile) (invoice.Amount, string, error) {
	billed, of := f.billed()
	known := cmp.Or(c.Currency, of)
	differs := c.Billed != nil && invoice.Amount(*c.Billed) != billed || known != of
	switch {
	case f.knowsBilled() && differs:
		return 0, "", usage("cannot use --billed or --currency: recoup knows that %s %s were billed", billed, of)
	case f.knowsBilled():
		return billed, of, nil
	case c.Billed == nil || known == unknownCurrency:
		return 0, "", usage("cannot tell the loss, since recoup does not know what was billed: give --billed AMOUNT and " +
			"--currency CODE")
	}
	return invoice.Amount(*c.Billed), known, nil
}

// caseCloseCommand is `recoup case close`.
type caseCloseCommand struct {
	eventFlags
	contactFlags
	Satisfaction *int     `placeholder:"1-5" help:"What the customer says: 1 (bad) to 5 (good)."`
	Action       freeText `placeholder:"TEXT" help:"What was changed so that it does not return."`
}

// Help is the longer text of `recoup case close --help`.
func (*caseCloseCommand) Help() string {
	return `Closes a decided case: nothing is left to do.

Examples:

    recoup case close 5f0c2a9e
    recoup case close 5f0c2a9e --restart 2026-04-01
    recoup case close 5f0c2a9e --satisfaction 4 --action "cap of the code is checked before billing"`
}

// Run closes.
func (c *caseCloseCommand) Run(ctx context.Context, s *session) error {
	return c.sendEvent(ctx, s, func(f *caseFile, e *cases.Event) error {
		lifted := false
		e.Status, e.DunningHold = cases.StatusClosed, &lifted
		e.Satisfaction, e.CorrectiveAction = c.Satisfaction, string(c.Action)
		c.fill(e)
		if state := f.state(); state.Outcome == cases.OutcomeConfirmed && state.Owed() > 0 {
			fmt.Fprintf(s.stderr, "recoup: warning: %s are still owed and nobody is left to ask for them; note what becomes "+
				"of them: recoup case recover %s write_off written_off, or recoup case reopen %[2]s\n",
				english.money(state.Owed(), f.currency(&state)), f.Case.CaseID[:13])
		}
		return nil
	})
}

// caseReopenCommand is `recoup case reopen`.
type caseReopenCommand struct{ eventFlags }

// Help is the longer text of `recoup case reopen --help`.
func (*caseReopenCommand) Help() string {
	return `Takes a decision or a closing back; the case waits for a decision again.

Examples:

    recoup case reopen 5f0c2a9e`
}

// Run reopens.
func (c *caseReopenCommand) Run(ctx context.Context, s *session) error {
	return c.sendEvent(ctx, s, func(_ *caseFile, e *cases.Event) error {
		e.Status = cases.StatusReopened
		return nil
	})
}
