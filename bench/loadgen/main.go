// Command loadgen sends invoices of which the truth is known to a Kafka topic,
// or writes them to a file, and keeps a ledger of the truth.
//
//	go run ./bench/loadgen --brokers localhost:9092 --invoices 1000000 --injected 0.03 --ledger truth.jsonl
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"recoup/bench/load"
	"recoup/internal/kafka"
)

// flags are the command line.
type flags struct {
	Brokers []string `help:"Send to this Kafka cluster (host:port)." xor:"to" required:""`
	Out     string   `help:"Write records to this file, one a line; - is standard output." xor:"to" required:""`
	Topic   string   `help:"Topic to send to; it must exist." default:"billing.invoices"`
	Rate    float64  `help:"Records a second, 0 for as fast as possible."`
	Ledger  string   `help:"Write the truth, one JSON line a record, to this file."`

	Invoices    int      `help:"Distinct invoices, warm-up included." default:"100000"`
	Partitions  int      `help:"Partitions; 0: as many as the topic has, 8 for a file."`
	Sellers     int      `help:"Companies that bill." default:"1"`
	Segments    int      `help:"Segments of each seller." default:"20"`
	Customers   int      `help:"Customers; each stays on one partition." default:"5000"`
	Lines       int      `help:"Lines of an invoice." default:"3"`
	Seed        uint64   `help:"Another seed gives another stream." default:"1"`
	Injected    float64  `help:"Share of invoices with an error." default:"0.03"`
	Kinds       []string `help:"Kinds of errors: ${kinds}. By default all."`
	Redelivered float64  `help:"Redeliveries per invoice." default:"0.001"`
	Late        float64  `help:"Share of invoices that come late." default:"0.01"`
	Garbage     float64  `help:"Undecodable records per invoice." default:"0.0005"`
	Separated   bool     `help:"Keep every amount far from any threshold, so that the truth does not depend on arrival."`
	WarmUp      int      `help:"Right invoices of each segment on each partition before anything else." default:"60"`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Description("Send invoices of which the truth is known."),
		kong.Vars{"kinds": fmt.Sprint(load.Kinds())})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) (err error) {
	ledger, closeLedger, err := create(f.Ledger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLedger()) }()
	if f.Out != "" {
		return f.toFile(ctx, ledger)
	}
	return f.toKafka(ctx, ledger)
}

// plan returns the plan of the command line.
func (f *flags) plan() load.Plan {
	warmUp := f.WarmUp
	if warmUp == 0 {
		warmUp = -1 // zero would be the default
	}
	return load.Plan{
		Invoices: f.Invoices, Partitions: f.Partitions, Sellers: f.Sellers, Segments: f.Segments,
		Customers: f.Customers, Lines: f.Lines, Seed: f.Seed, Injected: f.Injected, Kinds: f.Kinds,
		Redelivered: f.Redelivered, Late: f.Late, Garbage: f.Garbage, Separated: f.Separated, WarmUp: warmUp,
	}
}

// toKafka sends the plan to a topic.
func (f *flags) toKafka(ctx context.Context, ledger io.Writer) error {
	client, err := kafka.Connect(kafka.Settings{Brokers: f.Brokers, ClientID: "recoup-loadgen"})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	log := client.Log()
	there, err := log.Partitions(ctx, f.Topic)
	if err != nil {
		return err
	}
	plan := f.plan()
	if plan.Partitions == 0 {
		plan.Partitions = there
	}
	if plan.Partitions > there {
		return fmt.Errorf("cannot send to %d partitions: topic %q has %d", plan.Partitions, f.Topic, there)
	}
	bar := newBar(plan.Invoices)
	var mu sync.Mutex // guards the ledger, the counts and line
	var counts counts
	var line []byte
	var failed error
	started := time.Now()
	err = load.Send(ctx, log, load.New(plan), load.Sending{Topic: f.Topic, Rate: f.Rate, Sent: func(truths []load.Truth) {
		mu.Lock()
		defer mu.Unlock()
		for i := range truths {
			line = truths[i].AppendJSON(line[:0])
			if _, err := ledger.Write(line); err != nil {
				failed = err
			}
			counts.add(&truths[i])
		}
		_ = bar.Set(counts.invoices) // a bar that cannot be drawn is no reason to stop
	}})
	_ = bar.Finish()
	counts.print(time.Since(started))
	return errors.Join(err, failed)
}

// toFile writes the plan to a file.
func (f *flags) toFile(ctx context.Context, ledger io.Writer) (err error) {
	out, closeOut, err := create(f.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeOut()) }()
	var counts counts
	var line []byte
	started := time.Now()
	for record, truth := range load.New(f.plan()).All() {
		line = append(append(line[:0], record.Value...), '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
		if _, err := ledger.Write(truth.AppendJSON(line[:0])); err != nil {
			return err
		}
		counts.add(&truth)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	counts.print(time.Since(started))
	return nil
}

// create opens a file to write; an empty name drops what is written.
func create(name string) (io.Writer, func() error, error) {
	switch name {
	case "":
		return io.Discard, func() error { return nil }, nil
	case "-":
		out := bufio.NewWriterSize(os.Stdout, 1<<20)
		return out, out.Flush, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	return out, func() error { return errors.Join(out.Flush(), file.Close()) }, nil
}

// newBar returns a progress bar on standard error.
func newBar(invoices int) *progressbar.ProgressBar {
	return progressbar.NewOptions(invoices, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetDescription("sending"),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(os.Stderr) }))
}

// counts is what was sent, by its fate.
type counts struct{ records, invoices, injected, redelivered, garbage int }

func (c *counts) add(t *load.Truth) {
	c.records++
	switch {
	case t.GarbageKind != "":
		c.garbage++
	case t.Redelivery:
		c.redelivered++
	default:
		c.invoices++
	}
	if t.WantsCase() {
		c.injected++
	}
}

func (c *counts) print(took time.Duration) {
	fmt.Fprintf(os.Stderr, "sent %d records in %.1f s (%.0f/s): %d invoices, %d of them with an error, "+
		"%d redeliveries, %d garbage\n", c.records, took.Seconds(), float64(c.records)/took.Seconds(),
		c.invoices, c.injected, c.redelivered, c.garbage)
}
