package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/detectors"
	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/ops"
	"recoup/sinks"
)

// prepare makes the topics and the tables, as `recoup topics create` and
// `recoup migrate` do, and sends the references: they are there before the first
// invoice comes. Their dates move by weeks.
func prepare(ctx context.Context, cfg *config.Config, log *slog.Logger, weeks int) error {
	client, err := app.Kafka(cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	migrated := make(chan error, 1) // while the topics are filled
	go func() {
		_, err := sinks.Migrate(ctx, app.ClickHouse(cfg, log), false)
		migrated <- err
	}()
	return errors.Join(fillTopics(ctx, cfg, client, weeks), <-migrated)
}

// fillTopics makes the topics and sends the references.
func fillTopics(ctx context.Context, cfg *config.Config, client *kafka.Client, weeks int) error {
	var specs []kafka.TopicSpec
	for _, t := range cfg.TopicTable(partitions) {
		specs = append(specs, kafka.TopicSpec{
			Name: t.Name, Partitions: t.Partitions, Replication: 1, Config: t.Settings,
		})
	}
	if _, err := client.EnsureTopics(ctx, specs, false); err != nil {
		return err
	}
	return sendReferences(ctx, client.Log(), &cfg.Kafka.Topics, weeks)
}

// A day of the replay takes a fifth of a second: models that were trained on its
// first week would judge all the rest if training rested as it does on real days.
const (
	trainEvery = time.Second // how often a new day is looked for
	trainRest  = 1           // times as long as a training took, between two
)

// runPipeline scores until ctx ends, as `recoup run` does, and counts into metrics.
func runPipeline(ctx context.Context, cfg *config.Config, log *slog.Logger, seen func(*detectors.Verdict),
	health *ops.Health, metrics *prometheus.Registry) error {
	_, err := app.Run(ctx, app.Options{
		Config: cfg, Log: log, Registry: metrics, Health: health, Observe: seen,
		TrainEvery: trainEvery, TrainRest: trainRest,
	})
	return err
}

// behind returns how many records the case stage has not read yet.
func behind(metrics prometheus.Gatherer) (records float64, err error) {
	families, err := metrics.Gather()
	if err != nil {
		return 0, fmt.Errorf("cannot read the demo's own metrics: %w", err)
	}
	for _, family := range families {
		if family.GetName() != "recoup_stage_lag_records" {
			continue
		}
		for _, m := range family.GetMetric() {
			records += m.GetGauge().GetValue()
		}
	}
	return records, nil
}
