package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"recoup/dashboards/question"
)

// asked is the catalogue.
var asked = question.All()

// view is how far back the boards look.
const view = 30 * 24 * time.Hour

// figure is what one question took. Times are of the rounds, sorted.
type figure struct {
	name     string
	answered int             // rows of the answer
	read     uint64          // rows, of the round that read most
	cpu      []time.Duration // of the server
	wall     []time.Duration // until the last row was here
}

// measure asks every question as a board does, in rounds, so that the rounds of one
// question lie apart and the kept views are refreshed between them as they always are.
func (w *warehouse) measure(ctx context.Context, rounds int, step func()) ([]figure, error) {
	values, err := w.values(ctx)
	if err != nil {
		return nil, err
	}
	figures := make([]figure, len(asked))
	for range rounds {
		for i := range asked {
			if err := w.ask(ctx, &asked[i], values, &figures[i]); err != nil {
				return nil, fmt.Errorf("cannot ask %s: %w", asked[i].Name, err)
			}
			step()
		}
	}
	for i := range figures {
		slices.Sort(figures[i].cpu)
		slices.Sort(figures[i].wall)
	}
	return figures, nil
}

// values are what a person chose: the largest seller, its first currency, all segments
// and causes, and an invoice that was paid back.
func (w *warehouse) values(ctx context.Context) (question.Values, error) {
	var seller, currency, invoice string
	if err := w.conn.QueryRow(ctx, `SELECT seller, currency, argMax(invoice_id, paid)
		FROM invoice_findings WHERE cohort_day >= today() - 30 GROUP BY seller, currency ORDER BY count() DESC LIMIT 1`).
		Scan(&seller, &currency, &invoice); err != nil {
		return question.Values{}, fmt.Errorf("cannot find an invoice to ask for: %w", err)
	}
	now := time.Now()
	return question.Values{From: now.Add(-view), To: now, Filters: map[question.Filter][]string{
		question.FilterSeller: {seller}, question.FilterCurrency: {currency}, question.FilterInvoice: {invoice}}}, nil
}

// ask asks once and adds what it took.
func (w *warehouse) ask(ctx context.Context, q *question.Question, v question.Values, f *figure) error {
	p, err := q.Parameters(v)
	if err != nil {
		return err
	}
	var read, cpu uint64
	ctx = clickhouse.Context(ctx, clickhouse.WithParameters(p),
		clickhouse.WithProgress(func(p *clickhouse.Progress) { read += p.Rows }),
		clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
			for _, e := range events {
				if e.Name == "UserTimeMicroseconds" || e.Name == "SystemTimeMicroseconds" {
					cpu += uint64(e.Value)
				}
			}
		}))
	started := time.Now()
	rows, err := w.conn.Query(ctx, q.SQL)
	if err != nil {
		return err
	}
	f.answered = 0
	for rows.Next() {
		f.answered++
	}
	if err := rows.Close(); err != nil {
		return err
	}
	f.name, f.read = q.Name, max(f.read, read)
	f.wall = append(f.wall, time.Since(started))
	f.cpu = append(f.cpu, time.Duration(cpu)*time.Microsecond)
	return rows.Err()
}

// counts are the rows of each table, by name.
func (w *warehouse) counts(ctx context.Context) (map[string]uint64, error) {
	rows, err := w.conn.Query(ctx, `SELECT table, sum(rows) FROM system.parts WHERE active AND database = {database:String}
		AND NOT startsWith(table, '.') GROUP BY table`, clickhouse.Named("database", w.database))
	if err != nil {
		return nil, err
	}
	counts := map[string]uint64{}
	for rows.Next() {
		var table string
		var n uint64
		if err := rows.Scan(&table, &n); err != nil {
			return nil, err
		}
		counts[table] = n
	}
	return counts, rows.Close()
}
