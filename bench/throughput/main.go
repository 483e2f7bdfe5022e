// Command throughput measures `recoup run --until-caught-up` on real Kafka and
// real ClickHouse: invoices per second, CPU-seconds per million invoices, and
// the same for a plain loop that only fetches and decodes. bench/README.md
// says how.
//
//	go run ./bench/throughput
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"

	"recoup/bench/load"
	"recoup/internal/clickhouse"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/kafkaserver"
)

// peerVariable tells a copy of this program to be the peer, so that its CPU
// time is counted like recoup's.
const peerVariable = "RECOUP_BENCH_PEER"

func main() {
	clickhouse.ChildMain()
	plan := load.Plan{Seed: 1, Separated: true, Redelivered: 0.001, Late: 0.01}
	flag.IntVar(&plan.Invoices, "invoices", 1_000_000, "distinct invoices")
	flag.IntVar(&plan.Partitions, "partitions", 8, "partitions of the topic")
	flag.IntVar(&plan.Segments, "segments", 20, "segments")
	flag.IntVar(&plan.Customers, "customers", 50_000, "customers")
	flag.IntVar(&plan.Lines, "lines", 3, "lines of an invoice")
	flag.Float64Var(&plan.Injected, "injected", 0.03, "share of invoices with an error")
	results := flag.String("results", filepath.Join("bench", "results"), "directory of the dated result, empty for none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := error(nil)
	if broker := os.Getenv(peerVariable); broker != "" {
		err = peer(ctx, broker, config.Default().Kafka.Topics.Invoices)
	} else {
		err = measure(ctx, plan, *results)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "throughput:", err)
		os.Exit(1)
	}
}

// bench is one measurement under way.
type bench struct {
	dir        string // of the binary and the configuration, temporary
	binary     string
	configFile string
	broker     string
	topic      string
}

// measure starts the servers, fills the topic and takes the figures.
func measure(ctx context.Context, plan load.Plan, results string) error {
	busy := loadAverage()
	dir, err := os.MkdirTemp("", "recoup-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{
		dir: dir, binary: filepath.Join(dir, "recoup"), configFile: filepath.Join(dir, "recoup.yaml"),
		topic: config.Default().Kafka.Topics.Invoices,
	}
	if err := b.command(ctx, "go", "build", "-o", b.binary, "./cmd/recoup"); err != nil {
		return err
	}
	fmt.Println("starting Kafka and ClickHouse")
	broker, err := kafkaserver.Start(ctx, kafkaserver.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = broker.Stop(context.WithoutCancel(ctx)) }()
	warehouse, err := clickhouse.Start(ctx, clickhouse.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = warehouse.Stop(context.WithoutCancel(ctx)) }()
	plan = load.New(plan).Plan()
	b.broker = broker.Addr()
	if err := b.prepare(ctx, plan.Partitions, warehouse.NativeAddr); err != nil {
		return err
	}
	records, err := b.fill(ctx, plan)
	if err != nil {
		return err
	}
	recoup, peer, err := b.run(ctx)
	if err != nil {
		return err
	}
	if err := checkRows(ctx, warehouse.HTTPAddr, plan.Invoices); err != nil {
		return fmt.Errorf("%w; recoup printed:\n%s", err, recoup.output)
	}
	versions, err := b.versions(ctx, warehouse)
	if err != nil {
		return err
	}
	text := report(plan, records, recoup, peer, versions, busy)
	fmt.Print("\n", text)
	if results == "" {
		return nil
	}
	file := filepath.Join(results, time.Now().UTC().Format(time.DateOnly)+"-throughput.md")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	fmt.Println("kept in", file)
	return nil
}

// prepare writes the configuration, makes the topics and the tables.
func (b *bench) prepare(ctx context.Context, partitions int, warehouse string) error {
	text := fmt.Sprintf("kafka:\n  brokers: [%q]\nclickhouse:\n  addresses: [%q]\nhttp:\n  listen: 127.0.0.1:0\n",
		b.broker, warehouse)
	if err := os.WriteFile(b.configFile, []byte(text), 0o644); err != nil {
		return err
	}
	if err := b.command(ctx, b.binary, "--config", b.configFile, "topics", "create",
		"--partitions", fmt.Sprint(partitions), "--replication", "1"); err != nil {
		return err
	}
	return b.command(ctx, b.binary, "--config", b.configFile, "migrate")
}

// command runs a step that must succeed; what it prints is shown when it fails.
func (b *bench) command(ctx context.Context, name string, args ...string) error {
	output, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot run %s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, output)
	}
	return nil
}

// fill puts the plan onto the topic and returns how many records that were.
func (b *bench) fill(ctx context.Context, plan load.Plan) (records int64, err error) {
	client, err := kafka.Connect(kafka.Settings{Brokers: []string{b.broker}, ClientID: "recoup-bench"})
	if err != nil {
		return 0, err
	}
	defer func() { _ = client.Close() }()
	bar := progressbar.NewOptions(plan.Invoices, progressbar.OptionSetDescription("filling the topic"),
		progressbar.OptionShowIts(), progressbar.OptionThrottle(time.Second),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(os.Stderr) }))
	err = load.Send(ctx, client.Log(), load.New(plan), load.Sending{Topic: b.topic, Sent: func(truths []load.Truth) {
		_ = bar.Add(len(truths))
	}})
	if err != nil {
		return 0, err
	}
	_ = bar.Finish()
	for partition := range plan.Partitions {
		_, end, err := client.Log().Bounds(ctx, b.topic, partition)
		if err != nil {
			return 0, err
		}
		records += end
	}
	return records, nil
}

// run takes the figures: the peer first, which also warms the page cache for
// both, then recoup, then the peer again; the better peer counts.
func (b *bench) run(ctx context.Context) (recoup, best figures, err error) {
	self, err := os.Executable()
	if err != nil {
		return recoup, best, err
	}
	asPeer := func() (figures, error) { return timed(ctx, []string{peerVariable + "=" + b.broker}, self) }
	fmt.Println("peer: fetch and decode")
	if best, err = asPeer(); err != nil {
		return recoup, best, err
	}
	fmt.Println("recoup run --until-caught-up")
	if recoup, err = timed(ctx, nil, b.binary, "--config", b.configFile, "run", "--until-caught-up"); err != nil {
		return recoup, best, err
	}
	again, err := asPeer()
	if again.wall < best.wall {
		best = again
	}
	return recoup, best, err
}

// versions names the servers.
func (b *bench) versions(ctx context.Context, warehouse *clickhouse.Server) (string, error) {
	client, err := kafka.Connect(kafka.Settings{Brokers: []string{b.broker}, ClientID: "recoup-bench"})
	if err != nil {
		return "", err
	}
	defer func() { _ = client.Close() }()
	cluster, err := client.Ping(ctx)
	return "Kafka " + cluster.Version + ", ClickHouse " + warehouse.Version, err
}
