package auditor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/cespare/xxhash/v2"

	"recoup/pipeline"
	"recoup/sinks"
)

// rollups are the projections of scored_invoices, each asked by expressions it holds.
var rollups = []struct{ name, query string }{
	{"invoice_counts", `SELECT seller, cohort_day, currency, customer_type, product_family, level, stage,
		invoice_type, canary, suspect, count() AS invoices, sum(toDecimal64(p_error, 9)) AS p
		FROM scored_invoices GROUP BY ALL`},
	{"invoice_months", `SELECT seller, toStartOfMonth(cohort_day) AS month, stage, invoice_type, canary, suspect, rules,
		count() AS invoices FROM scored_invoices GROUP BY ALL`},
	{"source_hours", `SELECT seller, source_system, toStartOfHour(received_at) AS hour, countIf(NOT canary) AS invoices,
		maxIf(received_at, NOT canary) AS last, maxIf(received_at, canary) AS last_canary FROM scored_invoices GROUP BY ALL`},
	{"source_releases", `SELECT seller, source_system, source_release, stage, canary, revision, invoice_type,
		min(issued_at) AS first, min(cohort_day) AS first_day, max(cohort_day) AS last_day, count() AS invoices
		FROM scored_invoices GROUP BY ALL`},
}

// digest asks how many rows an answer has and for a hash of them all, whatever their order.
func (a *audit) digest(ctx context.Context, query string, settings clickhouse.Settings) (rows, hash uint64, err error) {
	err = a.db.QueryRow(clickhouse.Context(ctx, clickhouse.WithSettings(settings)),
		"SELECT count(), sum(cityHash64(toString(tuple(*)))) FROM ("+query+")").Scan(&rows, &hash)
	return rows, hash, err
}

// judgeRollups asks each roll-up and the rows the same.
func (a *audit) judgeRollups(ctx context.Context) error {
	for _, r := range rollups {
		rows, raw, err := a.digest(ctx, r.query, clickhouse.Settings{"optimize_use_projections": 0})
		if err != nil {
			return err
		}
		if rows == 0 {
			continue
		}
		kept, rolled, err := a.digest(ctx, r.query, clickhouse.Settings{"optimize_use_projections": 1,
			"force_optimize_projection": 1, "force_optimize_projection_name": r.name})
		if err != nil {
			a.checks.right(CheckRollups, false, "%s does not answer: %v", r.name, err)
			continue
		}
		a.checks.right(CheckRollups, kept == rows && rolled == raw, "%s: %d groups, the rows make %d, or others",
			r.name, kept, rows)
	}
	return nil
}

// judgeKeptViews has the kept views worked out anew and asks the tables the same.
func (a *audit) judgeKeptViews(ctx context.Context) error {
	for _, statement := range sinks.RefreshStatements(a.Config.ClickHouse.Database) {
		if err := a.db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("cannot refresh the kept views: %w", err)
		}
	}
	for kept, asked := range map[string]string{"case_current": "case_now", "invoice_findings": "invoice_findings_now"} {
		columns, err := a.columns(ctx, asked)
		if err != nil {
			return err
		}
		var rows, hashes [2]uint64
		for i, view := range []string{kept, asked} {
			if rows[i], hashes[i], err = a.digest(ctx, "SELECT "+columns+" FROM "+view, nil); err != nil {
				return err
			}
		}
		a.checks.right(CheckKeptViews, rows[0] == rows[1] && hashes[0] == hashes[1],
			"%s: %d rows, the tables make %d, or others", kept, rows[0], rows[1])
	}
	var known uint64
	if err := a.db.QueryRow(ctx, "SELECT count() FROM case_current").Scan(&known); err != nil {
		return err
	}
	a.checks.right(CheckKeptViews, int(known) == len(a.cases),
		"case_current has %d cases, the topic %d", known, len(a.cases))
	return nil
}

// columns lists the columns of a view.
func (a *audit) columns(ctx context.Context, view string) (string, error) {
	rows, err := a.db.Query(ctx, "SELECT '`' || name || '`' FROM system.columns WHERE database = $1 AND table = $2",
		a.Config.ClickHouse.Database, view)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		names = append(names, name)
	}
	return strings.Join(names, ", "), rows.Err()
}

// place is where a record stands in its topic.
type place struct {
	partition uint32
	offset    int64
}

// judgeCopies compares the tables of cases and dead letters with their topics.
func (a *audit) judgeCopies(ctx context.Context) error {
	for _, c := range []struct {
		table, topic, content string
		of                    func([]byte) ([]byte, error) // the content of a record
	}{
		{"cases", a.Config.Kafka.Topics.Cases, "raw", func(value []byte) ([]byte, error) { return value, nil }},
		{"dead_letters", a.Config.Kafka.Topics.DeadLetter, "value", func(value []byte) ([]byte, error) {
			var d pipeline.DeadLetter
			err := json.Unmarshal(value, &d)
			return d.Value, err
		}},
	} {
		want := map[place]uint64{}
		err := a.eachOf(ctx, c.topic, func(p int, r *pipeline.Record) error {
			if len(r.Value) == 0 {
				return nil
			}
			content, err := c.of(r.Value)
			if err != nil {
				a.checks.right(CheckCopies, false, "record %d/%d of %s: %v", p, r.Offset, c.topic, err)
			}
			want[place{uint32(p), r.Offset}] = xxhash.Sum64(content)
			return nil
		})
		if err != nil {
			return err
		}
		if err := a.awaitCopies(ctx, c.table, c.topic, len(want)); err != nil {
			return err
		}
		if err := a.compareCopies(ctx, c.table, c.topic, c.content, want); err != nil {
			return err
		}
	}
	return nil
}

// awaitCopies gives the copy, which runs behind the topics, time to come up.
func (a *audit) awaitCopies(ctx context.Context, table, topic string, records int) error {
	for deadline := time.Now().Add(a.Patience); ; {
		var rows uint64
		if err := a.db.QueryRow(ctx, "SELECT count() FROM "+table+" WHERE source_topic = $1", topic).Scan(&rows); err != nil {
			return err
		}
		if int(rows) >= records || time.Now().After(deadline) {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (a *audit) compareCopies(ctx context.Context, table, topic, content string, want map[place]uint64) error {
	rows, err := a.db.Query(ctx, fmt.Sprintf("SELECT source_partition, source_offset, count(), any(xxHash64(%s)) FROM %s "+
		"WHERE source_topic = $1 GROUP BY ALL", content, table), topic)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var at place
		var times, hash uint64
		if err := rows.Scan(&at.partition, &at.offset, &times, &hash); err != nil {
			return err
		}
		record, there := want[at]
		delete(want, at)
		a.checks.right(CheckCopies, there && times == 1 && hash == record,
			"%s: record %d/%d stands %d times, in the topic: %v, same bytes: %v",
			table, at.partition, at.offset, times, there, hash == record)
	}
	for at := range want {
		a.checks.right(CheckCopies, false, "%s: record %d/%d is missing", table, at.partition, at.offset)
	}
	return rows.Err()
}
