package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"recoup/cases"
	"recoup/pipeline"
)

// holdFlags are those of `recoup hold` and `recoup release`.
type holdFlags struct {
	eventTime
	Batch  string   `placeholder:"ID" help:"Billing run, the batch_id of its invoices."`
	Seller string   `placeholder:"ID" help:"Whose billing run; else that of every seller who has one of this name."`
	Role   freeText `placeholder:"ROLE" help:"Role of who says so, never a name."`
	JSON   bool     `name:"json" help:"Write the event that was sent as JSON."`
}

// holdCommand is `recoup hold`.
type holdCommand struct {
	holdFlags
	List bool `help:"List the billing runs that are held now, and since when."`
}

// Help is the longer text of `recoup hold --help`.
func (*holdCommand) Help() string {
	return `Notes that a billing run is not to be sent: the first thing a page about an incident asks for. It writes one
event to the topic of case events, where whoever sends invoices can see it; recoup itself stops nothing. It warns where
no suspect, no incident and none of the newest invoices names the run: a mistyped id holds nothing.

Examples:

    recoup hold --batch B-771 --seller acme-fr
    recoup hold --list
    recoup release --batch B-771 --seller acme-fr`
}

// Run holds.
func (c *holdCommand) Run(ctx context.Context, s *session) error {
	if c.List {
		return c.list(ctx, s)
	}
	return c.send(ctx, s, cases.Held, "let it go: recoup release "+c.run())
}

// releaseCommand is `recoup release`.
type releaseCommand struct{ holdFlags }

// Help is the longer text of `recoup release --help`.
func (*releaseCommand) Help() string {
	return `Notes that a billing run that was held may be sent.

Examples:

    recoup release --batch B-771 --seller acme-fr`
}

// Run releases.
func (c *releaseCommand) Run(ctx context.Context, s *session) error {
	return c.send(ctx, s, cases.Released, "hold it again: recoup hold "+c.run())
}

// run returns the flags that name the billing run again.
func (f *holdFlags) run() string {
	if f.Seller == "" {
		return "--batch " + shellWord(f.Batch)
	}
	return "--batch " + shellWord(f.Batch) + " --seller " + shellWord(f.Seller)
}

// send writes the event; its key is the run, since it is about no single case.
func (f *holdFlags) send(ctx context.Context, s *session, state cases.HoldState, undo string) error {
	if f.Batch == "" {
		return usage("cannot tell which billing run is meant: give --batch ID")
	}
	e := &cases.Event{EventID: uuid.NewString(), Origin: cases.OriginInternal, At: f.when(), DecidedByRole: string(f.Role),
		Hold: &cases.Hold{BatchID: f.Batch, Seller: f.Seller, State: state}}
	value, err := e.Encode()
	if err != nil {
		return unsendable(err)
	}
	book, err := openCases(s)
	if err != nil {
		return err
	}
	defer book.close()
	known, err := book.knowsBatch(ctx, f.Batch)
	if err != nil {
		return err
	}
	if !known {
		fmt.Fprintf(s.stderr, "recoup: warning: no suspect, no incident and none of the newest invoices names batch %s; "+
			"check its id: it is noted all the same\n", printable(f.Batch))
	}
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

// list writes what is held now: the last word on each billing run counts.
func (f *holdFlags) list(ctx context.Context, s *session) error {
	book, err := openCases(s)
	if err != nil {
		return err
	}
	defer book.close()
	last := map[cases.Hold]*cases.Event{} // by seller and batch
	after := func(e, was *cases.Event) bool {
		return was == nil || cmp.Or(e.At.Compare(was.At), strings.Compare(e.EventID, was.EventID)) > 0
	}
	err = book.scan(ctx, book.config.Kafka.Topics.CaseEvents, func(value []byte) error {
		e, err := cases.DecodeEvent(value)
		if err != nil || e.Hold == nil {
			return err
		}
		if run := (cases.Hold{Seller: e.Hold.Seller, BatchID: e.Hold.BatchID}); after(e, last[run]) {
			last[run] = e
		}
		return nil
	})
	if err != nil {
		return err
	}
	held := 0
	for _, run := range slices.SortedFunc(maps.Keys(last), func(a, b cases.Hold) int {
		return cmp.Or(strings.Compare(a.BatchID, b.BatchID), strings.Compare(a.Seller, b.Seller))
	}) {
		e, all := last[run], last[cases.Hold{BatchID: run.BatchID}]
		if e.Hold.State != cases.Held || all != nil && all.Hold.State != cases.Held && after(all, e) {
			continue
		}
		if held++; f.JSON {
			if err := writeLine(s.stdout, heldRun{run.BatchID, run.Seller, e.At, e.DecidedByRole}); err != nil {
				return err
			}
			continue
		}
		whose := ""
		if run.Seller != "" {
			whose = " of " + printable(run.Seller)
		}
		fmt.Fprintf(s.stdout, "%s%s  since %s UTC\n", printable(run.BatchID), whose, e.At.UTC().Format(time.DateTime))
	}
	if !f.JSON {
		fmt.Fprintf(s.stdout, "billing runs held: %d\n", held)
	}
	return nil
}

// heldRun is a line of `recoup hold --list --json`.
type heldRun struct {
	BatchID string    `json:"batch_id"`         // the billing run
	Seller  string    `json:"seller,omitempty"` // whose; "": of every seller who has one of this name
	Since   time.Time `json:"since"`            // when it was held, UTC
	Role    string    `json:"role,omitempty"`   // of who said so
}

// newestInvoices is how many of the newest invoices of a partition are searched for a billing run:
// what can still be held was issued of late.
const newestInvoices = 20_000

// knowsBatch tells whether a suspect, an incident or one of the newest invoices names a billing run.
func (b *caseBook) knowsBatch(ctx context.Context, batch string) (known bool, err error) {
	quoted, err := json.Marshal(batch)
	if err != nil {
		return false, fmt.Errorf("cannot search for batch %q: %w", batch, err)
	}
	topics := &b.config.Kafka.Topics
	for _, topic := range []string{topics.Cases, topics.Suspects, topics.Invoices} {
		partitions, err := b.log.Partitions(ctx, topic)
		if err != nil {
			return false, withTopicsFix(err)
		}
		for p := 0; p < partitions && !known; p++ {
			start, end, err := b.log.Bounds(ctx, topic, p)
			if err != nil {
				return false, fmt.Errorf("cannot search for batch %s: %w", printable(batch), err)
			}
			if topic == topics.Invoices {
				start = max(start, end-newestInvoices)
			}
			err = scanFrom(ctx, b.log, topic, p, start, end, func(r *pipeline.Record) (bool, error) {
				known = bytes.Contains(r.Value, quoted)
				return !known, nil
			})
			if err != nil {
				return false, err
			}
		}
	}
	return known, nil
}
