// Package demo runs recoup on real invoices without any server to set up: an
// embedded broker in this process, a real ClickHouse in a child process, the
// same pipeline as `recoup run`, and a page that shows what it finds against
// the truth, which is known because the errors were injected.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/detectors"
	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/demo/data"
	"recoup/internal/ops"
)

// partitions is how many partitions the demo's topics have. What is known of prices
// is known in a partition: so few invoices are best kept together.
const partitions = 1

// storedTimeout bounds the wait for the last rows after the last verdict.
const storedTimeout = 60 * time.Second

// Options say how the demo runs.
type Options struct {
	// ClickHouse is the host:port of the native protocol of a server to use. By
	// default the demo starts one of its own.
	ClickHouse string
	// ClickHouseHTTP is the host:port of that server's HTTP interface. By default
	// port 8123 of the same host.
	ClickHouseHTTP string
	// Keep is a new directory for ClickHouse's data, which stays there. By default
	// a temporary one, removed at the end.
	Keep string
	// Speed is invoices replayed per second, 0 as fast as possible.
	Speed float64
	// Once ends the demo after the stream. By default the page stays until ctx ends.
	Once bool
	// Unruly delivers what the team and the customers write twice and in disorder, as a
	// bad network does. The figures must be the same.
	Unruly bool
	// Listen is the page's address, which must be a loopback one. By default
	// 127.0.0.1 and a free port.
	Listen string
	// Out receives the lines for the user.
	Out io.Writer
	// Log receives what the pipeline logs. By default nothing is logged.
	Log *slog.Logger
}

// show is one running demo.
type show struct {
	options   Options
	warehouse *warehouse
	tally     *tally
	samples   []sample
	people    *people
	metrics   *prometheus.Registry    // of the pipeline
	summary   atomic.Pointer[Summary] // for the page; nil until the stream has ended
	account   atomic.Pointer[Account] // as summary
}

// Run runs the demo until its stream has ended (Options.Once) or ctx is done,
// and leaves no process and no temporary directory behind. Ending by ctx is not
// an error.
func Run(ctx context.Context, options Options) error {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Listen == "" {
		options.Listen = "127.0.0.1:0"
	}
	err := run(ctx, options)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// run starts the servers, in the order in which they depend on each other, and
// ends them in the other one.
func run(ctx context.Context, options Options) (err error) {
	started := time.Now()
	if err := checkLoopback(options.Listen); err != nil {
		return err
	}
	s, weeks := &show{options: options}, weeksUntil(started)
	reading := make(chan error, 1) // while the servers start
	go func() {
		var err error
		s.samples, err = samples(weeks)
		reading <- err
	}()
	if s.warehouse, err = openWarehouse(ctx, options); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.warehouse.close()) }()
	broker, err := openBroker()
	if err != nil {
		return err
	}
	defer broker.close()
	cfg := s.config(broker.addr)
	if err := prepare(ctx, cfg, options.Log, weeks); err != nil {
		return err
	}
	if err := <-reading; err != nil {
		return err
	}
	issued := make(map[string]string, len(s.samples))
	for _, sample := range s.samples {
		issued[sample.id] = sample.day
	}
	s.tally = newTally(started, issued)
	labels, err := data.Labels()
	if err != nil {
		return err
	}
	s.people = newPeople(cfg, s.samples, labels)
	s.people.unruly = options.Unruly
	page, err := servePage(options.Listen, s.view)
	if err != nil {
		return err
	}
	defer page.close()
	s.announce(page.url, broker.addr)
	return s.perform(ctx, cfg)
}

// config returns the settings of `recoup run`, pointed at the demo's servers.
func (s *show) config(brokerAddr string) *config.Config {
	cfg := config.Default()
	cfg.Kafka.Brokers = []string{brokerAddr}
	cfg.ClickHouse.Addresses = []string{s.warehouse.native}
	cfg.ClickHouse.Database = s.warehouse.database
	cfg.ClickHouse.MinFreeDisk = 0 // it runs on a full laptop, too: what it stores comes again
	return &cfg
}

// announce says where everything is before the first invoice comes.
func (s *show) announce(page, brokerAddr string) {
	out := s.options.Out
	fmt.Fprintf(out, "recoup demo: %s real invoices, %s\n", thousands(len(s.samples)), speedText(s.options.Speed))
	fmt.Fprintf(out, "  page        %s\n", page)
	fmt.Fprintf(out, "  ClickHouse  clickhouse://default@%s/%s   http://%s/   (version %s)\n",
		s.warehouse.native, s.warehouse.database, s.warehouse.http, s.warehouse.version)
	fmt.Fprintf(out, "  Kafka       %s   (embedded, topic billing.invoices)\n\n", brokerAddr)
}

func speedText(speed float64) string {
	if speed <= 0 {
		return "as fast as possible"
	}
	return fmt.Sprintf("%g a second", speed)
}

// perform runs the pipeline beside the replay and shows what happens.
func (s *show) perform(ctx context.Context, cfg *config.Config) error {
	health := ops.NewHealth()
	s.metrics = ops.NewRegistry(health)
	return s.beside(ctx, func(ctx context.Context) error {
		return runPipeline(ctx, cfg, s.options.Log, func(v *detectors.Verdict) {
			s.tally.observe(v)
			s.people.observe(v)
		}, health, s.metrics)
	}, func(ctx context.Context) error {
		if err := s.stream(ctx, cfg); err != nil || s.options.Once {
			return err
		}
		fmt.Fprintln(s.options.Out, "\nThe page and ClickHouse stay until Ctrl-C.")
		<-ctx.Done()
		return ctx.Err()
	})
}

// beside runs a part, such as the pipeline, until the stream returns. A part that
// ends before ends the stream too, and its error is the one that counts.
func (s *show) beside(ctx context.Context, part, stream func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := part(ctx); err != nil {
			cancel(err)
		} else {
			cancel(errors.New("a part of the demo ended by itself"))
		}
	}()
	err := stream(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-ended // before its servers end
	return err
}

// stream replays the invoices beside the people, waits until all is stored and sums up.
func (s *show) stream(ctx context.Context, cfg *config.Config) error {
	client, err := app.Kafka(cfg, s.options.Log)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	stop, followed := make(chan struct{}), make(chan struct{})
	go func() { defer close(followed); follow(s.options.Out, s.tally, time.Second, stop) }()
	trained := untilTrained(client.Log(), cfg.Kafka.Topics.Models)
	week := func(ctx context.Context) error {
		s.tally.waits(true)
		defer s.tally.waits(false)
		return trained(ctx)
	}
	err = s.beside(ctx, func(ctx context.Context) error { return s.people.run(ctx, client.Log()) },
		func(ctx context.Context) error {
			err := replay(ctx, client.Log(), cfg.Kafka.Topics.Invoices, partitions, s.samples, s.options.Speed,
				s.tally.replayed, week)
			if err == nil {
				err = s.waitStored(ctx)
			}
			if err == nil {
				err = s.settle(ctx)
			}
			return err
		})
	close(stop)
	<-followed
	if err != nil {
		return err
	}
	return s.sumUp(ctx)
}

// waitStored returns when every invoice has its row.
func (s *show) waitStored(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storedTimeout)
	defer cancel()
	for {
		n, err := s.warehouse.stored(ctx)
		if err == nil && n >= len(s.samples) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot see all invoices in ClickHouse: %d of %d are stored: %w",
				n, len(s.samples), errors.Join(ctx.Err(), err))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// sumUp compares what is stored with the truth and says how to look oneself.
func (s *show) sumUp(ctx context.Context) error {
	rows, err := s.warehouse.rows(ctx)
	if err != nil {
		return err
	}
	labels, err := data.Labels()
	if err != nil {
		return err
	}
	f := s.tally.figures()
	summary := summarise(s.samples, rows, labels, f.Trained)
	s.summary.Store(&summary)
	out := s.options.Out
	fmt.Fprintf(out, "\n%s invoices scored in %.1f s, the first after %.1f s\n\n",
		thousands(f.Scored), f.Elapsed.Seconds(), f.FirstScored.Seconds())
	summary.print(out)
	account, err := s.settled(ctx)
	if err != nil {
		return err
	}
	s.account.Store(account)
	account.print(out)
	if err := s.showQueries(ctx); err != nil {
		return err
	}
	if s.options.Keep != "" {
		fmt.Fprintf(out, "ClickHouse's data stays in %s\n", s.options.Keep)
	}
	if summary.Missing+summary.Twice > 0 {
		return fmt.Errorf("cannot vouch for the rows: %d invoices have none and %d more than one",
			summary.Missing, summary.Twice)
	}
	return nil
}

// showQueries says how to query what was stored; a server that ends now cannot
// be queried, so its answers are printed instead.
func (s *show) showQueries(ctx context.Context) error {
	out := s.options.Out
	if s.options.Once && s.warehouse.own != nil {
		fmt.Fprintln(out, "\nWhat ClickHouse answers")
		if err := s.warehouse.answers(ctx, out); err != nil {
			return err
		}
		fmt.Fprintln(out, "This ClickHouse ends now. Without --once, or with --clickhouse, it stays up to be queried.")
		return nil
	}
	fmt.Fprintln(out, "\nQuery it yourself")
	for _, line := range s.warehouse.queries() {
		fmt.Fprintln(out, "  "+line)
	}
	if s.warehouse.own == nil {
		fmt.Fprintf(out, "The database stays; remove it with DROP DATABASE %s\n", s.warehouse.database)
	}
	return nil
}

// view is what the page shows now.
func (s *show) view() View {
	f := s.tally.figures()
	return View{Figures: f, Chart: chart(f.Days), Summary: s.summary.Load(), People: s.people.figures.Load(),
		Account: s.account.Load(), Queries: s.warehouse.queries()}
}
