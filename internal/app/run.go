// Package app puts the parts of a running recoup together: Kafka, ClickHouse,
// the pipeline, the copy task, metrics and health. It holds no logic of its own.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"recoup/detectors"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/ops"
	"recoup/pipeline"
	"recoup/sinks"
)

// Options say what to run.
type Options struct {
	Config *config.Config // checked by config.Load
	Log    *slog.Logger   // of the run and all its parts; never nil
	// Registry receives the metrics; ops.NewRegistry makes one.
	Registry *prometheus.Registry
	// Health is told which parts work.
	Health *ops.Health
	// UntilCaughtUp ends the run at the ends the partitions had when it began.
	UntilCaughtUp bool
	// TrainEvery is how often is looked whether a day has begun and models are due.
	// By default one minute.
	TrainEvery time.Duration
	// TrainRest is how many times as long as a training took nobody trains behind it.
	// By default 20.
	TrainRest int
	// Observe sees every new verdict; it is called concurrently, must be quick and
	// must not keep v. nil: nobody looks.
	Observe func(v *detectors.Verdict)
}

// Summary is what a run did.
type Summary struct {
	Scored      int64         // invoices that got a verdict
	Suspects    int64         // of these
	Cases       int64         // published
	Redelivered int64         // records seen before
	DeadLetters int64         // records that could not be scored
	Stored      int64         // rows
	Took        time.Duration // from start to end
}

// Print writes the summary for a person.
func (s Summary) Print(w io.Writer) {
	rate := float64(s.Scored) / max(s.Took.Seconds(), 0.001)
	fmt.Fprintf(w, "scored %d invoices in %s (%.0f/s): %d suspect, %d cases opened, %d rows stored, "+
		"%d redeliveries skipped, %d records parked\n",
		s.Scored, s.Took.Round(time.Millisecond), rate, s.Suspects, s.Cases, s.Stored, s.Redelivered, s.DeadLetters)
}

// Run scores until ctx ends, or until it has caught up. The topics and tables
// must be there, but for those of references; doctor tells what is missing.
func Run(ctx context.Context, o Options) (Summary, error) {
	began := time.Now()
	defer limitMemory(int64(o.Config.Pipeline.Memory.Limit))()
	client, err := reach(ctx, o)
	if client == nil {
		return Summary{Took: time.Since(began)}, err
	}
	defer client.Close()
	store, err := sinks.Open(ClickHouse(o.Config, o.Log))
	if err != nil {
		return Summary{}, err
	}
	defer store.Close()

	opt := member(o.Config)
	if opt.Cases, err = o.Config.Opener(); err != nil {
		return Summary{}, err
	}
	opt.Member = memberName()
	if opt.UntilCaughtUp = o.UntilCaughtUp; o.UntilCaughtUp {
		opt.DrainTimeout = max(opt.DrainTimeout, checkpointWithin)
	}
	opt.Log = o.Log
	opt.Metrics = pipeline.NewMetrics(o.Registry)
	opt.Report = o.Health.Set
	opt.Training.Every = cmp.Or(o.TrainEvery, opt.Training.Every)
	opt.Training.Rest = cmp.Or(o.TrainRest, opt.Training.Rest)
	if o.Observe != nil {
		opt.Observe = o.Observe
	}
	opt.ParkingGroup = func(topic string) pipeline.Group { return parkingMember(o.Config, client, topic) }
	opt.Stage.Group = func() pipeline.Group { return stageMember(o.Config, client) }
	if err := keepReferences(ctx, o, client.Log(), &opt.Topics); err != nil {
		if ctx.Err() != nil && !o.UntilCaughtUp {
			err = nil // stopped before it began
		}
		return Summary{Took: time.Since(began)}, err
	}
	if o.Config.Models.Train && !o.UntilCaughtUp {
		opt.Training.Group = func() pipeline.Group { return trainingMember(o.Config, client) }
	}
	m := pipeline.NewMember(opt, client.Log(), client.Group(group(o.Config)), store)
	o.Health.Check("pipeline", m.Ready)

	copies := newCopy(o, store)
	copying, stopCopying := context.WithCancel(ctx)
	defer stopCopying()
	copied := make(chan error, 1)
	go func() { copied <- copies.Run(copying, copyMember(o.Config, client), client.Log()) }()

	runErr := m.Run(ctx)
	if runErr == nil && o.UntilCaughtUp && ctx.Err() == nil {
		runErr = settleCopies(ctx, copies, client.Log())
	}
	stopCopying()
	copyErr := <-copied
	s, err := summarise(o.Registry)
	s.Took = time.Since(began)
	return s, errors.Join(runErr, copyErr, err)
}

// Pauses between attempts to reach Kafka, doubled from the first to the last.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
)

// reach connects to Kafka, which may come up after recoup does. It returns no
// client and no error when ctx ends before that: nothing was begun, so a service
// that is stopped has stopped cleanly. A run that should catch up has not.
func reach(ctx context.Context, o Options) (*kafka.Client, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		client, err := Kafka(o.Config, o.Log)
		o.Health.Set("kafka", err)
		if err == nil {
			return client, nil
		}
		if !errors.Is(err, kafka.ErrUnreachable) {
			return nil, err
		}
		o.Log.Warn("Kafka does not answer, trying again", "in", pause, "error", err)
		select {
		case <-ctx.Done():
			if o.UntilCaughtUp {
				return nil, err
			}
			return nil, nil
		case <-time.After(pause):
		}
	}
}

// memberName names this process in ownership records, unique per start.
func memberName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%d", host, os.Getpid(), time.Now().UnixNano())
}

// summarise reads the summary off the metrics.
func summarise(reg prometheus.Gatherer) (Summary, error) {
	families, err := reg.Gather()
	if err != nil {
		return Summary{}, fmt.Errorf("cannot read own metrics: %w", err)
	}
	sum := map[string]int64{}
	for _, f := range families {
		if f.GetType() != dto.MetricType_COUNTER {
			continue
		}
		for _, m := range f.GetMetric() {
			sum[f.GetName()] += int64(m.GetCounter().GetValue())
		}
	}
	return Summary{
		Scored:      sum["recoup_invoices_scored_total"],
		Suspects:    sum["recoup_invoices_suspect_total"],
		Cases:       sum["recoup_cases_opened_total"],
		Redelivered: sum["recoup_invoices_redelivered_total"],
		DeadLetters: sum["recoup_dead_letters_total"],
		Stored:      sum["recoup_rows_stored_total"],
	}, nil
}
