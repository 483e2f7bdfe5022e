package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// scoreCommand is `recoup score`.
type scoreCommand struct {
	File     string `arg:"" help:"File of invoice.v1 JSON lines, plain, .gz or .zst; - is standard input."`
	Format   string `enum:"jsonl,table" default:"jsonl" help:"Write verdicts as jsonl (verdict.v1) or as a table."`
	Suspects bool   `help:"Write suspects only."`
}

// Help is the longer text of `recoup score --help`.
func (*scoreCommand) Help() string {
	return `Every line of the file is one invoice (invoice.v1, see docs/contract); blank lines are skipped. They are scored
in their order, each against what the ones before it taught, just as "recoup run" does it. Verdicts go to standard
output in input order, a summary and the lines that cannot be read to standard error. Redeliveries, same invoice and
same content again, are counted and not written.

Examples:

    recoup score invoices.jsonl --format table --suspects
    zcat invoices.jsonl.gz | recoup score - > verdicts.jsonl
    recoup score invoices.jsonl.zst --config strict.yaml

Exit code 3: some lines could not be read; the others are scored.`
}

// Run scores the file.
func (c *scoreCommand) Run(ctx context.Context, s *session) error {
	settings, err := s.settings()
	if err != nil {
		return err
	}
	limits := settings.Pipeline.Limits.Invoice()
	in, err := openInput(c.File, s, limits.Bytes)
	if err != nil {
		return err
	}
	defer in.Close()
	out := bufio.NewWriterSize(s.stdout, 64<<10)
	run := &scoring{
		in: in, out: out, stderr: s.stderr, suspectsOnly: c.Suspects,
		decoder: invoice.NewDecoder(limits), limit: limits.Bytes,
		engine: detectors.NewEngine(settings.Scoring.Settings(), detectors.NewShared(), 0),
		totals: newTotals(),
	}
	run.write = run.writeJSON
	if c.Format == "table" {
		run.write = run.writeRow
		fmt.Fprintln(out, tableHead)
	}
	started := time.Now()
	err = run.all(ctx)
	if flushErr := out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("cannot write verdicts: %w", flushErr)
	}
	in.hush()
	if err != nil {
		return err
	}
	run.totals.print(s.stderr, time.Since(started))
	if run.totals.bad > 0 {
		return &exitError{code: exitBadInput}
	}
	return nil
}

// scoring is one run over one file, which counts as one partition: the offset
// of a record is its line number less one.
type scoring struct {
	in           *input
	out          *bufio.Writer
	stderr       io.Writer
	write        func(*detectors.Verdict) error
	suspectsOnly bool
	limit        int
	decoder      *invoice.Decoder
	engine       *detectors.Engine
	invoice      invoice.Invoice
	verdict      detectors.Verdict
	totals       *totals
}

// all scores every line until the input or ctx ends.
func (r *scoring) all(ctx context.Context) error {
	for offset := int64(0); ; offset++ {
		if ctx.Err() != nil {
			return errors.New("cannot finish: interrupted; what is written so far is right")
		}
		if r.in.idle() {
			if err := r.out.Flush(); err != nil {
				return fmt.Errorf("cannot write verdicts: %w", err)
			}
		}
		line, length, err := r.in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if length <= r.limit && len(bytes.TrimSpace(line)) == 0 {
			continue // a blank line is no invoice; it keeps its number
		}
		if err := r.one(offset, line, length); err != nil {
			return err
		}
	}
}

// one scores one line. The steps are those of pipeline.Worker, so that a file
// and the same file sent through Kafka get the same verdicts.
func (r *scoring) one(offset int64, line []byte, length int) error {
	if err := r.decode(line, length); err != nil {
		r.totals.bad++
		r.in.hush()
		fmt.Fprintln(r.stderr, badLine(r.in.name, offset+1, err))
		return nil
	}
	inv, v := &r.invoice, &r.verdict
	position := invoice.Position{Topic: "file", Offset: offset}
	if r.engine.Begin(inv, position, inv.IssuedAt) == detectors.Redelivery {
		r.totals.redelivered++
		return nil
	}
	r.engine.Score(v)
	if v.Decision == detectors.DecisionOpenCase {
		v.CaseID = cases.ID(cases.DedupKey(inv.Seller, inv.ID, inv.Revision))
	}
	r.engine.Teach(v.Suspect)
	r.totals.count(v)
	if r.suspectsOnly && !v.Suspect {
		return nil
	}
	if err := r.write(v); err != nil {
		return fmt.Errorf("cannot write verdicts: %w", err)
	}
	return nil
}

func (r *scoring) decode(line []byte, length int) error {
	if length > r.limit {
		return &invoice.DecodeError{Reason: invoice.ReasonTooLarge,
			Message: fmt.Sprintf("the line has %d bytes, the limit is %d (pipeline.limits.record_bytes)", length, r.limit)}
	}
	return r.decoder.Decode(line, &r.invoice)
}

// badLine is the one clear error of a line that cannot be read.
func badLine(name string, number int64, err error) string {
	decode, ok := errors.AsType[*invoice.DecodeError](err)
	if !ok {
		return fmt.Sprintf("%s:%d: %v", name, number, err)
	}
	field := decode.Field
	if field == "" {
		field = "record"
	}
	return fmt.Sprintf("%s:%d: %s: %s (%s)", name, number, field, decode.Message, decode.Reason)
}

func (r *scoring) writeJSON(v *detectors.Verdict) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := r.out.Write(line); err != nil {
		return err
	}
	return r.out.WriteByte('\n')
}
