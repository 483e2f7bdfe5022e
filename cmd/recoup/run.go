package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"recoup/internal/app"
	"recoup/internal/ops"
)

// runCommand is `recoup run`.
type runCommand struct {
	UntilCaughtUp bool `help:"Stop at the end that the topic had at the start, and print a summary."`
}

// Help is the longer text of `recoup run --help`.
func (*runCommand) Help() string {
	return "Reads every invoice of kafka.topics.invoices as a member of the consumer group, scores it, writes the " +
		"decision log, cases and dead letters to Kafka and the rows to ClickHouse, and commits behind them. Start as " +
		"many processes as you like, up to one for each partition.\n\nSIGTERM or Ctrl-C ends it cleanly: it scores on for " +
		"some seconds while the others prepare to take its partitions over (pipeline.leave_timeout; not if it has them " +
		"all), then stores what it holds (pipeline.drain_timeout), commits and leaves. A second one ends it at once.\n\n" +
		"Before the first start: recoup topics create, recoup migrate, recoup doctor.\n\n" +
		"Examples:\n\n    recoup run --config recoup.yaml\n    recoup run --until-caught-up"
}

// stopWithin is how long the HTTP servers may take to end.
const stopWithin = 2 * time.Second

// Run serves until ctx ends, or until it has caught up.
func (c *runCommand) Run(ctx context.Context, s *session) error {
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	log := s.logger(loaded.Log)
	health := ops.NewHealth()
	options := ops.Options{Listen: loaded.HTTP.Listen, Registry: ops.NewRegistry(health), Health: health, Log: log}
	if loaded.Pprof.Enabled {
		options.Pprof = loaded.Pprof.Listen
	}
	server, err := ops.Start(options)
	if err != nil {
		return err
	}
	log.Info("recoup runs", "metrics", "http://"+server.Address()+"/metrics", "pprof", server.PprofAddress(),
		"group", loaded.Kafka.Group, "topic", loaded.Kafka.Topics.Invoices)
	summary, err := app.Run(ctx, app.Options{Config: &loaded.Config, Log: log, Registry: options.Registry,
		Health: health, UntilCaughtUp: c.UntilCaughtUp})
	stop, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err = errors.Join(err, server.Stop(stop))
	if err != nil {
		return fmt.Errorf("cannot run: %w", err)
	}
	summary.Print(s.stdout)
	return nil
}
