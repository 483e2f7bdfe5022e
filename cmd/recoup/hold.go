package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"recoup/cases"
)

// holdFlags are those of `recoup hold` and `recoup release`.
type holdFlags struct {
	eventTime
	Batch string `required:"" placeholder:"ID" help:"Billing run, the batch_id of its invoices."`
	Role  string `placeholder:"ROLE" help:"Role of who says so, never a name."`
	JSON  bool   `name:"json" help:"Write the event that was sent as JSON."`
}

// holdCommand is `recoup hold`.
type holdCommand struct{ holdFlags }

// Help is the longer text of `recoup hold --help`.
func (*holdCommand) Help() string {
	return `Notes that a billing run is not to be sent: the first thing a page about an incident asks for. It writes one
event to the topic of case events, where whoever sends invoices can see it; recoup itself stops nothing.

Examples:

    recoup hold --batch B-771
    recoup release --batch B-771`
}

// Run holds.
func (c *holdCommand) Run(ctx context.Context, s *session) error {
	return c.send(ctx, s, cases.Held, "let it go: recoup release --batch "+c.Batch)
}

// releaseCommand is `recoup release`.
type releaseCommand struct{ holdFlags }

// Help is the longer text of `recoup release --help`.
func (*releaseCommand) Help() string {
	return `Notes that a billing run that was held may be sent.

Examples:

    recoup release --batch B-771`
}

// Run releases.
func (c *releaseCommand) Run(ctx context.Context, s *session) error {
	return c.send(ctx, s, cases.Released, "hold it again: recoup hold --batch "+c.Batch)
}

// send writes the event; its key is the run, since it is about no single case.
func (f *holdFlags) send(ctx context.Context, s *session, state cases.HoldState, undo string) error {
	e := &cases.Event{EventID: uuid.NewString(), Origin: cases.OriginInternal, At: f.when(), DecidedByRole: f.Role,
		Hold: &cases.Hold{BatchID: f.Batch, State: state}}
	value, err := e.Encode()
	if err != nil {
		return err
	}
	book, err := openCases(s)
	if err != nil {
		return err
	}
	defer book.close()
	if err := book.write(ctx, book.config.Kafka.Topics.CaseEvents, "batch|"+f.Batch, value); err != nil {
		return err
	}
	if f.JSON {
		fmt.Fprintf(s.stdout, "%s\n", value)
		return nil
	}
	fmt.Fprintf(s.stdout, "batch %s is %s\nTo %s\n", printable(f.Batch), state, undo)
	return nil
}
