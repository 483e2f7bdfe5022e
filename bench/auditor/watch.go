package auditor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"recoup/internal/config"
	"recoup/internal/kafka"
)

// Watch compares, while members run, what is committed with what ClickHouse holds: below
// a committed offset each invoice has its row and lines. It takes neither recoup's word nor
// a clock's. A row's inserted_at, which another check goes by, is of when its insert began.
type Watch struct {
	config *config.Config
	kafka  *kafka.Client
	ledger *Ledger
	db     driver.Conn

	mu     sync.Mutex // guards checks
	checks checks
}

// NewWatch returns a watch on what is sent. warehouse is ClickHouse's host:port, better one
// that no fault stands before. The caller ends it with Close.
func NewWatch(c *config.Config, client *kafka.Client, ledger *Ledger, warehouse string) (*Watch, error) {
	w := &Watch{config: c, kafka: client, ledger: ledger}
	var err error
	w.db, err = clickhouse.Open(&clickhouse.Options{Addr: []string{warehouse}, MaxOpenConns: 1,
		Auth: clickhouse.Auth{Database: c.ClickHouse.Database, Username: c.ClickHouse.User,
			Password: c.ClickHouse.Password.Reveal()}})
	return w, err
}

// Close ends the watch's connection.
func (w *Watch) Close() { _ = w.db.Close() }

const (
	lookEvery = time.Second      // a violation lasts as long as the insert that is late
	lookTime  = 10 * time.Second // at most: servers may be down or cut off
)

// Run looks every second until ctx ends. A look at which a server does not answer is none.
func (w *Watch) Run(ctx context.Context) {
	for {
		_ = w.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

// Look looks once. What it finds stands in the report of the audit; the error says why it
// could not look.
func (w *Watch) Look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	committed, err := w.kafka.CommittedOffsets(ctx, w.config.Kafka.Group, w.config.Kafka.Topics.Invoices)
	if err != nil || len(committed) == 0 {
		return err
	}
	// The order matters: rows that are asked for later are no fewer, but for those that stand twice.
	var below []string
	for partition, offset := range committed {
		below = append(below, fmt.Sprintf("source_partition = %d AND source_offset < %d", partition, offset))
	}
	var stored [2]map[uint32]uint64
	for i, table := range []string{"scored_invoices", "invoice_lines"} {
		if stored[i], err = w.stored(ctx, table, strings.Join(below, " OR ")); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for partition, offset := range committed {
		want := w.ledger.rowsBelow(partition, offset)
		rows, lines := stored[0][uint32(partition)], stored[1][uint32(partition)]
		w.checks.right(CheckCommitsAhead, rows >= want && lines >= want,
			"partition %d at %s: committed %d, below it %d invoices, rows of %d and lines of %d", partition,
			time.Now().UTC().Format(time.RFC3339Nano), offset, want, rows, lines)
	}
	return nil
}

// stored counts the invoices of each partition that a table knows of.
func (w *Watch) stored(ctx context.Context, table, below string) (map[uint32]uint64, error) {
	rows, err := w.db.Query(ctx, fmt.Sprintf("SELECT source_partition, uniqExact(source_offset) FROM %s "+
		"WHERE source_topic = $1 AND (%s) GROUP BY source_partition", table, below), w.config.Kafka.Topics.Invoices)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	known := map[uint32]uint64{}
	for rows.Next() {
		var partition uint32
		var n uint64
		if err := rows.Scan(&partition, &n); err != nil {
			return nil, err
		}
		known[partition] = n
	}
	return known, rows.Err()
}

// judgeWatch takes over what the watch found.
func (a *audit) judgeWatch(context.Context) error {
	if a.Watch == nil {
		return nil
	}
	a.Watch.mu.Lock()
	defer a.Watch.mu.Unlock()
	found := *a.Watch.checks.get(CheckCommitsAhead)
	if *a.checks.get(CheckCommitsAhead) = found; found.Expected == 0 {
		a.checks.wrong(CheckCommitsAhead, "nobody could look while members ran")
	}
	return nil
}
