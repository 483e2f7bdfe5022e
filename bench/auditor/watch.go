package auditor

import (
	"context"
	"fmt"
	"slices"
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
// a clock's, but for how many lines an invoice has, which the audit compares with the topic.
// A row's inserted_at, which another check goes by, is of when its insert began.
type Watch struct {
	config *config.Config
	kafka  *kafka.Client
	ledger *Ledger
	db     driver.Conn

	mu     sync.Mutex    // guards what follows
	right  map[int]int64 // by partition: below it all stood at an earlier look
	checks checks
}

// NewWatch returns a watch on what is sent. warehouse is ClickHouse's host:port, better one
// that no fault stands before. The caller ends it with Close.
func NewWatch(c *config.Config, client *kafka.Client, ledger *Ledger, warehouse string) (*Watch, error) {
	w := &Watch{config: c, kafka: client, ledger: ledger, right: map[int]int64{}}
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

// Look looks once, at what was committed since all stood. What it finds stands in the report
// of the audit; the error says why it could not look.
func (w *Watch) Look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	committed, err := w.kafka.CommittedOffsets(ctx, w.config.Kafka.Group, w.config.Kafka.Topics.Invoices)
	if err != nil || len(committed) == 0 {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// The order matters: what stood when it was committed stands when it is asked for later.
	var below []string
	for partition, offset := range committed {
		below = append(below, fmt.Sprintf("source_partition = %d AND source_offset >= %d AND source_offset < %d",
			partition, w.right[partition], offset))
	}
	var stored [2]map[place]uint64
	for i, from := range []string{"max(line_count)) FROM scored_invoices", "uniqExact(line_index)) FROM invoice_lines"} {
		if stored[i], err = w.lines(ctx, from, strings.Join(below, " OR ")); err != nil {
			return err
		}
	}
	for partition, offset := range committed {
		invoices, end := w.ledger.invoices(partition, w.right[partition], offset)
		missing := slices.DeleteFunc(invoices, func(offset int64) bool {
			lines, is := stored[0][place{uint32(partition), offset}]
			return is && stored[1][place{uint32(partition), offset}] >= lines
		})
		w.checks.right(CheckCommitsAhead, len(missing) == 0, "partition %d at %s: committed %d, below it without row or "+
			"lines: %d", partition, time.Now().UTC().Format(time.RFC3339Nano), offset, missing[:min(len(missing), 10)])
		if len(missing) == 0 {
			w.right[partition] = end
		}
	}
	return nil
}

// lines asks a table for the number of lines of each invoice that it knows of.
func (w *Watch) lines(ctx context.Context, from, below string) (map[place]uint64, error) {
	query := fmt.Sprintf("SELECT source_partition, source_offset, toUInt64(%s WHERE source_topic = $1 AND (%s) "+
		"GROUP BY source_partition, source_offset", from, below)
	rows, err := w.db.Query(ctx, query, w.config.Kafka.Topics.Invoices)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	known := map[place]uint64{}
	for rows.Next() {
		var at place
		var n uint64
		if err := rows.Scan(&at.partition, &at.offset, &n); err != nil {
			return nil, err
		}
		known[at] = n
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
