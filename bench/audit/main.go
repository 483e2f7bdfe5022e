// Command audit runs recoup on real Kafka and real ClickHouse, as several processes,
// feeds them invoices of which the truth is known, with redeliveries, late ones and
// garbage, and then compares everything that came out with what went in. It ends with
// status 1 if anything differs. bench/README.md says what is compared.
//
//	go run ./bench/audit --invoices 1000000 --partitions 8 --members 3
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"recoup/bench/auditor"
	"recoup/bench/cluster"
	"recoup/bench/load"
	"recoup/internal/clickhouse"
	"recoup/internal/config"
	"recoup/internal/kafkaserver"
)

// flags are the command line.
type flags struct {
	Invoices   int     `help:"Distinct invoices, warm-up included." default:"200000"`
	Partitions int     `help:"Partitions of the topic." default:"8"`
	Members    int     `help:"Processes of recoup." default:"3"`
	Segments   int     `help:"Segments (customer type × product family)." default:"20"`
	Customers  int     `help:"Customers." default:"20000"`
	Rate       float64 `help:"Records a second, 0 for as fast as possible."`
	Seed       uint64  `help:"Another seed gives other invoices." default:"1"`
	JSON       string  `help:"Write the report as JSON to this file, - is standard output." placeholder:"FILE"`
	Keep       string  `help:"Keep configuration and logs of the members in this directory." placeholder:"DIR" type:"path"`
}

// largestRecord is taken by the topics and refused by the decoder, so that the largest
// garbage arrives.
const largestRecord = 24 << 20

func main() {
	clickhouse.ChildMain()
	var f flags
	kong.Parse(&f, kong.Description("Run recoup on real servers and compare all that comes out with what went in."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := run(ctx, f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
	if err := tell(report, f.JSON); err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
	}
	if !report.OK() {
		os.Exit(1)
	}
}

// plan is the traffic: 5 % redeliveries, 2 % up to 40 days late, 1 % garbage of all sizes.
func (f *flags) plan() load.Plan {
	return load.Plan{Invoices: f.Invoices, Partitions: f.Partitions, Segments: f.Segments, Customers: f.Customers,
		Seed: f.Seed, Separated: true, Injected: 0.03, Redelivered: 0.05, Late: 0.02, LateBy: 40 * 24 * time.Hour,
		Garbage: 0.01, LargestGarbage: 20_000_000}
}

// run starts the servers and the members, sends, drains and audits.
func run(ctx context.Context, f flags) (auditor.Report, error) {
	dir := f.Keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "recoup-audit-"); err != nil {
			return auditor.Report{}, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return auditor.Report{}, err
	}
	say("starting Kafka and ClickHouse")
	broker, err := kafkaserver.Start(ctx, kafkaserver.Options{})
	if err != nil {
		return auditor.Report{}, err
	}
	defer func() { _ = broker.Stop(context.WithoutCancel(ctx)) }()
	warehouse, err := clickhouse.Start(ctx, clickhouse.Options{})
	if err != nil {
		return auditor.Report{}, err
	}
	defer func() { _ = warehouse.Stop(context.WithoutCancel(ctx)) }()
	say("building and installing recoup")
	c, err := cluster.Install(ctx, cluster.Options{Dir: dir, Broker: broker.Addr(), ClickHouse: warehouse.NativeAddr,
		Partitions: f.Partitions, Adjust: func(c *config.Config) {
			c.Models.Train = false // which model judges would depend on when it was ready
			c.Pipeline.Limits.RecordBytes = largestRecord
		}})
	if err != nil {
		return auditor.Report{}, err
	}
	defer c.Close()
	return f.audit(ctx, c)
}

// audit runs the members on the traffic and compares.
func (f *flags) audit(ctx context.Context, c *cluster.Cluster) (auditor.Report, error) {
	for range f.Members {
		if _, err := c.Join(); err != nil {
			return auditor.Report{}, err
		}
	}
	ledger := auditor.NewLedger()
	watch, err := auditor.NewWatch(c.Config, c.Kafka, ledger, c.Config.ClickHouse.Addresses[0])
	if err != nil {
		return auditor.Report{}, err
	}
	defer watch.Close()
	looking, enough := context.WithCancel(ctx)
	defer enough()
	go watch.Run(looking)
	sending := newBar("sending")
	err = load.Send(ctx, c.Kafka.Log(), load.New(f.plan()), load.Sending{
		Topic: c.Config.Kafka.Topics.Invoices, Rate: f.Rate,
		Sent: func(truths []load.Truth) {
			ledger.Add(truths)
			_ = sending.Add(len(truths))
		}})
	if err != nil {
		return auditor.Report{}, err
	}
	_ = sending.Finish()
	began := time.Now()
	draining := newBar("draining")
	if err := c.Drain(ctx, progress(draining)); err != nil {
		return auditor.Report{}, errors.Join(append(c.Ended(), err)...)
	}
	_ = draining.Finish()
	say("drained %.1f s behind the last record", time.Since(began).Seconds())
	c.MeasureGrowth(ctx)
	if err := c.Settle(ctx); err != nil {
		return auditor.Report{}, err
	}
	enough()
	in := auditor.Input{Config: c.Config, Kafka: c.Kafka, Ledger: ledger, Exact: true, Watch: watch}
	for _, m := range c.Members() {
		in.Members = append(in.Members, m.Usage())
	}
	auditing := newBar("auditing")
	in.Progress = progress(auditing)
	report, err := auditor.Run(ctx, in)
	_ = auditing.Finish()
	return report, err
}

// tell prints the report, and writes it as JSON where that is wanted.
func tell(report auditor.Report, file string) error {
	if file != "-" {
		report.Print(os.Stdout)
	}
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if file == "-" {
		_, err = os.Stdout.Write(text)
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// newBar returns a progress bar on standard error; how long it is it learns later.
func newBar(what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(500*time.Millisecond),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(os.Stderr) }))
}

// progress shows how much of how much is done. A bar that cannot be drawn is no reason to stop.
func progress(bar *progressbar.ProgressBar) func(done, all int64) {
	return func(done, all int64) {
		if all > 0 && bar.GetMax64() != all {
			bar.ChangeMax64(all)
		}
		_ = bar.Set64(done)
	}
}
