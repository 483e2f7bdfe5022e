package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/config"
	"recoup/internal/explain"
	"recoup/internal/report"
	"recoup/invoice"
)

// scoreCommand is `recoup score`.
type scoreCommand struct {
	File     string `arg:"" help:"File of invoices, JSON lines or CSV, plain, gzip or zstd; - is standard input."`
	Format   string `enum:"jsonl,table,html" default:"jsonl" help:"Write jsonl (verdict.v1), a table, or an html report."`
	Lang     string `enum:"en,fr" default:"en" help:"Language of the html report: en or fr."`
	Suspects bool   `help:"Write suspects only."`
	scoringFlags
	SaveModel string `placeholder:"FILE" help:"Write the models that all of the file trains, for --model."`
	// MapExample is for who writes a mapping.
	MapExample mapExampleFlag `help:"Print a mapping with every key explained."`
}

// Help is the longer text of `recoup score --help`.
func (*scoreCommand) Help() string {
	return `Every line of the file is one invoice (invoice.v1, see docs/contract); blank lines are skipped. They are scored
in their order, each against what the ones before it taught, just as "recoup run" does it. Verdicts go to standard
output in input order, a summary and lines that cannot be read, the first of each reason, to standard error.
Redeliveries, same invoice and same content again, are counted and not written. The summary also says where "15 % below
the usual" means something: for the customer types and product families with the most invoices, how much these vary and
how often an alert of the 15 % rule by itself is right, as expected from that alone.

A CSV file needs no more than columns with the names of the contract (invoice_id, issued_at, net_amount, ...), or a
mapping that says which column is which and how numbers and dates are written: --map-example prints one to start from.
Rows of one invoice stand together. Sort the file by date of issue: every invoice is judged by those above it.

The html report is one page without scripts, to be read, printed or sent: figures, suspects over time and by cause, the
suspects that matter most with what was expected, billed and repaired, and the quality of the data.

What other systems know makes verdicts sharper: --reference names a file of contracts, prices, promotions, policies or
deliveries (reference.*.v1, see docs/contract), in any mix and order. Each counts from its published_at on, as it does
for "recoup run". The summary says how many concern sellers of the file.

recoup learns what errors look like from the file itself: it puts errors into copies of the invoices and trains a model
to tell them apart, first a week after a seller's first invoice, later when there is more to learn from. What stands
above is judged by the prior, which knows the invoices but no model. --model prior trains nothing; --model FILE judges
by models that --save-model or the topic of models holds, one record (model.v1) a line, plain, gzip or zstd. The summary
says how many invoices models and the prior judged, and names sellers that FILE has no model of.

Examples:

    recoup score invoices.jsonl --format table --suspects
    recoup score invoices.jsonl --format html > report.html
    recoup score invoices.jsonl --format html --lang fr > rapport.html
    zcat invoices.jsonl.gz | recoup score - > verdicts.jsonl
    recoup score invoices.jsonl.zst --config strict.yaml
    recoup score invoices.jsonl --reference contracts.jsonl --reference deliveries.jsonl.zst
    recoup score last-year.jsonl --save-model models.jsonl > /dev/null
    recoup score today.jsonl --model models.jsonl --suspects
    recoup score --map-example > orders.yaml
    recoup score orders.csv --map orders.yaml --format table --suspects

Exit code 3: some lines could not be read; the others are scored.`
}

// Run scores the file.
func (c *scoreCommand) Run(ctx context.Context, s *session) error {
	if c.SaveModel != "" && c.Model != "train" {
		return usage("cannot save a model with --model %s: only training makes one", c.Model)
	}
	if c.Lang != string(explain.English) && c.Format != "html" {
		return usage("cannot use --lang %s with --format %s: only the html report is for people of another language",
			c.Lang, c.Format)
	}
	settings, err := s.settings()
	if err != nil {
		return err
	}
	var models *modelFile
	if c.SaveModel != "" {
		if models, err = reserve(c.SaveModel); err != nil {
			return err
		}
		defer models.close()
	}
	run, err := c.open(ctx, s, settings, c.File)
	if err != nil {
		return err
	}
	defer run.in.Close()
	run.suspectsOnly, run.write = c.Suspects, run.writeJSON
	var collected *report.Report
	switch c.Format {
	case "table":
		run.write = run.writeRow
		fmt.Fprintln(run.out, tableHead)
	case "html":
		collected = run.collect(explain.Lang(c.Lang))
	}
	started := time.Now()
	err = run.all(ctx)
	if collected != nil && err == nil {
		err = collected.Write(run.out, run.page(settings.Scoring.Settings(), c.Reference, started))
	}
	if flushErr := run.out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("cannot write verdicts: %w", flushErr)
	}
	run.in.hush()
	if err != nil {
		return err
	}
	run.totals.print(s.stderr, time.Since(started))
	printSegments(s.stderr, run.engine.Segments(), settings.Scoring.Settings())
	run.sellers.printReferences(s.stderr, run.references)
	run.sellers.printJudges(s.stderr, run.models)
	if run.training != nil {
		run.training.print(s.stderr)
	}
	if models != nil {
		if err := run.training.save(models, s.stderr); err != nil {
			return err
		}
	}
	if run.totals.bad+run.references.bad > 0 {
		return &exitError{code: exitBadInput}
	}
	return nil
}

// scoringFlags say how a file is scored.
type scoringFlags struct {
	fileFlags
	referenceFlags
	modelFlags
}

// open opens a file to be scored; the caller closes its input. Where verdicts go
// is for the caller to set.
func (f *scoringFlags) open(ctx context.Context, s *session, settings *config.Loaded, file string) (*scoring, error) {
	limits := settings.Pipeline.Limits.Invoice()
	known, err := f.references(ctx, s, limits)
	if err != nil {
		return nil, err
	}
	in, err := openInput(file, "invoices", s, limits.Bytes)
	if err != nil {
		return nil, err
	}
	records, err := f.records(in, s, limits)
	if err != nil {
		in.Close()
		return nil, err
	}
	run := &scoring{
		in: in, out: bufio.NewWriterSize(s.stdout, 64<<10), stderr: s.stderr, records: records,
		settings: settings.Scoring.Settings(), totals: newTotals(), references: known, sellers: sellers{},
	}
	run.engine = detectors.NewEngine(run.settings, detectors.NewShared(), 0)
	run.engine.UseReferences(known.store)
	if run.training, run.models, err = f.modelFlags.open(run.engine, s); err != nil {
		in.Close()
		return nil, err
	}
	return run, nil
}

// scoring is one run over one file, which counts as one partition: the offset
// of a record is its line number less one.
type scoring struct {
	in           *input
	records      records
	out          *bufio.Writer
	stderr       io.Writer
	write        func(*detectors.Verdict) error
	suspectsOnly bool
	engine       *detectors.Engine
	settings     detectors.Settings
	training     *training // nil: the model is pinned
	invoice      invoice.Invoice
	verdict      detectors.Verdict
	totals       *totals
	sellers      sellers
	references   known
	models       *models // of --model FILE; nil: none were given
}

// all scores every record until the input or ctx ends.
func (r *scoring) all(ctx context.Context) error {
	refused := refusals{in: r.in, stderr: r.stderr, invoices: true}
	defer refused.rest()
	for {
		if ctx.Err() != nil {
			return errors.New("cannot finish: interrupted; what is written so far is right")
		}
		if r.in.idle() {
			if err := r.out.Flush(); err != nil {
				return fmt.Errorf("cannot write verdicts: %w", err)
			}
		}
		line, err := r.records.next(&r.invoice)
		if bad, ok := errors.AsType[*badRecord](err); ok {
			r.totals.refuse(bad)
			refused.name(bad)
			continue
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = r.one(line - 1)
		}
		if err != nil {
			return err
		}
	}
}

// one scores the invoice just read. The steps are those of pipeline.Worker, so
// that a file and the same file sent through Kafka get the same verdicts.
func (r *scoring) one(offset int64) error {
	inv, v := &r.invoice, &r.verdict
	position := invoice.Position{Topic: "file", Offset: offset}
	if r.engine.Begin(inv, position, inv.IssuedAt) == detectors.Redelivery {
		r.totals.redelivered++
		return nil
	}
	if r.training != nil && r.training.prepare(r.engine, inv) && r.in.bar != nil {
		r.in.hush()
		fmt.Fprintf(r.stderr, "model of %s: %s\n", inv.Seller, r.training.last[inv.Seller])
	}
	r.engine.Score(v)
	if r.training != nil {
		r.training.observe(r.engine, inv)
	}
	if v.Decision == detectors.DecisionOpenCase {
		v.CaseID = cases.ID(cases.DedupKey(inv.Seller, inv.ID, inv.Revision))
	}
	r.engine.Teach(v.Suspect)
	r.totals.count(v)
	r.sellers.count(inv, v)
	if r.suspectsOnly && !v.Suspect {
		return nil
	}
	if err := r.write(v); err != nil {
		return fmt.Errorf("cannot write verdicts: %w", err)
	}
	return nil
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
