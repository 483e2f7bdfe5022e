package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"recoup/pipeline"
)

// deadLettersRetryCommand is `recoup dead-letters retry`.
type deadLettersRetryCommand struct {
	Position string `arg:"" optional:"" help:"Position as ls shows it: topic/partition/offset."`
	All      bool   `help:"Retry every one; the same bytes are sent once, however often they were parked."`
	Reason   string `placeholder:"CODE" help:"With --all: only this reason."`
	DryRun   bool   `help:"Say what would be sent, send nothing."`
}

// Help is the longer text of `recoup dead-letters retry --help`.
func (*deadLettersRetryCommand) Help() string {
	return `Sends the original bytes with the original key to the partition they came from, behind what stands there now.
That helps once a new version of recoup can read them, or raised limits let them in; a record that is wrong in itself
comes back as a new dead letter: mend it where it was made and send it from there. Retrying twice does no harm: an
invoice that was scored meanwhile counts as redelivered.

Examples:

    recoup dead-letters retry billing.invoices/3/1042
    recoup dead-letters retry --all --reason too_many_lines --dry-run`
}

// Run retries one or all.
func (c *deadLettersRetryCommand) Run(ctx context.Context, s *session) error {
	switch {
	case c.All == (c.Position != ""):
		return usage("cannot tell what to retry: give one position, or --all")
	case c.Reason != "" && !c.All:
		return usage("cannot use --reason without --all")
	}
	letters, err := openDeadLetters(s)
	if err != nil {
		return err
	}
	defer letters.close()
	if !c.All {
		letter, err := letters.find(ctx, c.Position)
		if err != nil {
			return err
		}
		return c.send(ctx, s, letters, letter)
	}
	return c.sendAll(ctx, s, letters)
}

// sendAll retries what was parked before it began.
func (c *deadLettersRetryCommand) sendAll(ctx context.Context, s *session, letters *deadLetters) error {
	sent, repeats, failed := 0, 0, 0
	seen := map[[2]uint64]bool{}
	err := letters.each(ctx, func(at source, l *pipeline.DeadLetter) bool {
		if c.Reason != "" && l.Reason != c.Reason {
			return true
		}
		content := [2]uint64{xxhash.Sum64(l.Key), xxhash.Sum64(l.Value)}
		if seen[content] {
			repeats++
			return true
		}
		seen[content] = true
		if err := c.send(ctx, s, letters, l); err != nil {
			failed++
			fmt.Fprintf(s.stderr, "recoup: %v\n", err)
			return ctx.Err() == nil
		}
		sent++
		return true
	})
	did := "sent"
	if c.DryRun {
		did = "would be sent"
	}
	fmt.Fprintf(s.stdout, "%d %s, %d with the same bytes left out, %d failed\n", sent, did, repeats, failed)
	if err == nil && failed > 0 {
		return &exitError{code: exitFailed}
	}
	return err
}

// send sends one record back.
func (c *deadLettersRetryCommand) send(ctx context.Context, s *session, d *deadLetters, l *pipeline.DeadLetter) error {
	at := source{topic: l.Topic, partition: l.Partition, offset: l.Offset}
	switch {
	case l.Cut:
		return fmt.Errorf("cannot retry %s: only the first %d of its %d bytes were kept, since it was too large for the "+
			"dead-letter topic; read it from %s as long as it is kept there", at, len(l.Value), l.ValueBytes, l.Topic)
	case len(l.Value) == 0:
		return fmt.Errorf("cannot retry %s: the record was empty", at)
	case c.DryRun:
		fmt.Fprintf(s.stdout, "would send %s again: %d bytes\n", at, len(l.Value))
		return nil
	}
	offset, err := d.log.Append(ctx, l.Topic, l.Partition, []pipeline.Record{{Key: l.Key, Value: l.Value}})
	if errors.Is(err, pipeline.ErrTooLarge) {
		return fmt.Errorf("cannot retry %s: %w; raise max.message.bytes of %s", at, err, l.Topic)
	}
	if err != nil {
		return fmt.Errorf("cannot retry %s: %w", at, err)
	}
	at.offset = offset
	fmt.Fprintf(s.stdout, "sent %s/%d/%d again: now %s, %d bytes\n", l.Topic, l.Partition, l.Offset, at, len(l.Value))
	return nil
}
