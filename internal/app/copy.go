package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/pipeline"
	"recoup/sinks"
)

// copyWithin is how long a run that has caught up waits for its last cases and
// dead letters to be copied.
const copyWithin = 30 * time.Second

// checkpointWithin is how long such a run waits for its last checkpoints: nobody waits
// for its partitions.
const checkpointWithin = 10 * time.Second

// copyRest is the longest rest of a table between two inserts: somebody who acts on one
// case after another sees each in a second.
const copyRest = 300 * time.Millisecond

// newCopy returns the task that moves cases, case events, recoveries, disputes
// and dead letters into ClickHouse.
func newCopy(o Options, store *sinks.Store) *sinks.Copy {
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "recoup_copied_rows_total",
		Help: "Records of the case topics and dead letters stored in ClickHouse, by table."}, []string{"table"})
	o.Registry.MustRegister(rows)
	t := &o.Config.Kafka.Topics
	return sinks.NewCopy(store, sinks.CopyOptions{
		Group: copyGroup(o.Config),
		Topics: sinks.CopyTopics{Cases: t.Cases, CaseEvents: t.CaseEvents, Recoveries: t.Recoveries,
			Disputes: t.Disputes, DeadLetter: t.DeadLetter},
		FlushInterval: min(o.Config.Pipeline.FlushInterval.Std(), copyRest),
		FenceAfter:    o.Config.Pipeline.FenceAfter.Std(),
		Report:        o.Health.Set,
		Copied:        func(table string, n int) { rows.WithLabelValues(table).Add(float64(n)) },
		Log:           o.Log,
	})
}

// copyGroup names the group whose one member copies.
func copyGroup(c *config.Config) string { return c.Kafka.Group + "-copy" }

// copyMember joins that group: on the topic of a single partition, so that one
// process copies and the others stand by.
func copyMember(c *config.Config, client *kafka.Client) pipeline.Group {
	return client.Group(kafka.GroupSettings{ID: copyGroup(c), Topic: c.Kafka.Topics.Lead,
		SessionTimeout: c.Kafka.SessionTimeout.Std()})
}

// settleCopies waits until what this run wrote is copied.
func settleCopies(ctx context.Context, copies *sinks.Copy, log pipeline.Log) error {
	ctx, cancel := context.WithTimeout(ctx, copyWithin)
	defer cancel()
	return copies.WaitCaughtUp(ctx, log)
}
