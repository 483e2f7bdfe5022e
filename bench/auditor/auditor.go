// Package auditor compares what was sent with everything that recoup made of it:
// rows, lines, roll-ups, decisions, cases, dead letters, commits and baselines. It
// takes nothing on recoup's word: the ledger of the generator says what was sent, the
// topics what stands in them, and what invoices teach is worked out again from the
// rows. Whoever breaks a run by hand finds the check that says so in auditor_test.go.
package auditor

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"recoup/bench/cluster"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/pipeline"
)

// Input says what to audit. All members have ended, or have nothing left to do.
type Input struct {
	// Config is the configuration the members ran with: it names topics, group and database.
	Config *config.Config
	// Kafka reaches the broker.
	Kafka *kafka.Client
	// Ledger is what was sent, from the first record of the topic on.
	Ledger *Ledger
	// Exact says that the ledger knows which invoices are suspect, as that of a
	// separated plan does.
	Exact bool
	// Watch looked while members ran; without one what it would see is not checked.
	Watch *Watch
	// Members is what each member took; without any, memory and goroutines are not checked.
	Members []cluster.Usage
	// MostResident bounds the memory of a member, in bytes. By default 1.5 GiB.
	MostResident int64
	// MostGoroutines bounds the goroutines of a member. By default 100 and 40 for each partition.
	MostGoroutines int
	// MostGrown bounds how many more goroutines a member may have in the end than when it
	// first owned as many partitions. By default 20 and 4 for each partition.
	MostGrown int
	// MostHeapGrown bounds likewise by how many bytes what a member keeps in memory may
	// grow. By default 32 MiB, 400 for each record sent, as invoices are remembered, and
	// eight records of the largest size: buffers that met one keep it.
	MostHeapGrown int64
	// Patience bounds the wait for what recoup copies and works out beside the
	// stream. By default 30 s.
	Patience time.Duration
	// Progress is told how many of how many records were compared; it may be nil.
	Progress func(done, all int64)

	log pipeline.Log // of Kafka; tests stand between
}

// audit is one audit under way.
type audit struct {
	Input
	partitions int
	db         driver.Conn
	checks     checks
	decisions  []map[int64]*decided // valid, by partition and source offset
	cases      map[string]*publishedCase
	dead       []map[int64]parked // by partition and source offset
	commits    [][]Commit         // by partition, rising
	alerts     []Alert
	lastCommit []int64 // by partition
	kept       map[string]contribution
	references []*reference
	done       int64
}

// Run audits. The error says why it could not be done; that something is wrong is
// in the report.
func Run(ctx context.Context, in Input) (report Report, err error) {
	a := &audit{Input: in}
	began := time.Now()
	if err := a.prepare(ctx); err != nil {
		return Report{}, err
	}
	defer func() { _ = a.db.Close() }()
	steps := []func(context.Context) error{a.readDecisions, a.readCases, a.readDeadLetters, a.readCommits,
		a.readBaselines, a.judgeWatch, a.walk, a.judgeCases, a.judgeCopies, a.judgeRollups, a.judgeKeptViews, a.judgeOffsets,
		a.judgeBaselines, a.judgeFolded, a.judgeMembers}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return Report{}, fmt.Errorf("cannot audit: %w", err)
		}
	}
	report = a.checks.report(began)
	report.Commits, report.Alerts = a.commits, a.alerts
	return report, nil
}

func (a *audit) prepare(ctx context.Context) (err error) {
	if a.MostResident == 0 {
		a.MostResident = 3 << 29
	}
	if a.Patience == 0 {
		a.Patience = 30 * time.Second
	}
	if a.Progress == nil {
		a.Progress = func(int64, int64) {}
	}
	if a.log == nil {
		a.log = a.Kafka.Log()
	}
	if a.partitions, err = a.log.Partitions(ctx, a.Config.Kafka.Topics.Invoices); err != nil {
		return err
	}
	if len(a.Ledger.byPartition) > a.partitions {
		return fmt.Errorf("cannot audit: the ledger has %d partitions, topic %s has %d",
			len(a.Ledger.byPartition), a.Config.Kafka.Topics.Invoices, a.partitions)
	}
	if a.MostGoroutines == 0 {
		a.MostGoroutines = 100 + 40*a.partitions
	}
	if a.MostGrown == 0 {
		a.MostGrown = 20 + 4*a.partitions
	}
	if a.MostHeapGrown == 0 {
		a.MostHeapGrown = 32<<20 + 400*a.Ledger.Records() + 8*int64(a.Config.Pipeline.Limits.RecordBytes)
	}
	ch := &a.Config.ClickHouse
	a.db, err = clickhouse.Open(&clickhouse.Options{Addr: ch.Addresses, Auth: clickhouse.Auth{Database: ch.Database,
		Username: ch.User, Password: ch.Password.Reveal()}, ReadTimeout: 5 * time.Minute})
	return err
}

// eachOf reads all partitions of a topic, one after the other.
func (a *audit) eachOf(ctx context.Context, topic string, do func(partition int, r *pipeline.Record) error) error {
	return cluster.EachRecordOf(ctx, a.log, topic, do)
}
