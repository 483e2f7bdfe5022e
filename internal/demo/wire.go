package demo

import (
	"context"
	"log/slog"
	"time"

	"recoup/detectors"
	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/ops"
	"recoup/sinks"
)

// prepare makes the topics and the tables, as `recoup topics create` and
// `recoup migrate` do, and sends the references: they are there before the first
// invoice comes.
func prepare(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	client, err := app.Kafka(cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	var specs []kafka.TopicSpec
	for _, t := range cfg.TopicTable(partitions) {
		specs = append(specs, kafka.TopicSpec{
			Name: t.Name, Partitions: t.Partitions, Replication: 1, Config: t.Settings,
		})
	}
	if _, err := client.EnsureTopics(ctx, specs, false); err != nil {
		return err
	}
	if err := sendReferences(ctx, client.Log(), &cfg.Kafka.Topics); err != nil {
		return err
	}
	_, err = sinks.Migrate(ctx, app.ClickHouse(cfg, log), false)
	return err
}

// trainEvery is how often models are trained: a day of the replay takes a second.
const trainEvery = 3 * time.Second

// runPipeline scores until ctx ends, as `recoup run` does.
func runPipeline(ctx context.Context, cfg *config.Config, log *slog.Logger, seen func(*detectors.Verdict)) error {
	health := ops.NewHealth()
	_, err := app.Run(ctx, app.Options{
		Config: cfg, Log: log, Registry: ops.NewRegistry(health), Health: health, Observe: seen,
		TrainEvery: trainEvery,
	})
	return err
}
