package main

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"recoup/sinks"
)

// statements hold the SQL that fills the tables, one statement a file.
//
//go:embed fill
var statements embed.FS

// order is that of the files; those of chunked run once per chunk.
var (
	chunked = []string{"scored_invoices", "invoice_lines"}
	order   = []string{"told", "cases", "incidents", "incident_members", "case_events", "recoveries", "disputes",
		"dead_letters"}
)

// chunk is how many invoices one insert has; a multiple of the partitions of the topic, 8.
const chunk = 400_000

// warehouse is a migrated database.
type warehouse struct {
	conn     driver.Conn
	database string
}

// open migrates the database and connects to it.
func open(ctx context.Context, address, database string) (*warehouse, error) {
	if _, err := sinks.Migrate(ctx, sinks.Settings{Addresses: []string{address}, Database: database}, false); err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{address},
		Auth: clickhouse.Auth{Database: database}, ReadTimeout: time.Hour})
	return &warehouse{conn: conn, database: database}, err
}

func (w *warehouse) close() { _ = w.conn.Close() }

// fillSteps is how often fill tells that it went on.
func fillSteps(rows int) int { return (rows+chunk-1)/chunk*len(chunked) + len(order) }

// fill stores so many invoices and what people did with some of them. It leaves a
// database alone that has as many.
func (w *warehouse) fill(ctx context.Context, rows int, step func()) error {
	var have uint64
	if err := w.conn.QueryRow(ctx, "SELECT count() FROM scored_invoices").Scan(&have); err != nil {
		return err
	}
	switch have {
	case uint64(rows):
		return nil
	case 0:
	default:
		return fmt.Errorf("cannot fill a database that has %d invoices with %d: want another directory", have, rows)
	}
	// The kept views would be worked out every minute meanwhile.
	if err := w.conn.Exec(ctx, "SYSTEM STOP VIEWS"); err != nil {
		return err
	}
	p := clickhouse.Parameters{"rows": fmt.Sprint(rows), "now": time.Now().UTC().Format("2006-01-02 15:04:05.000")}
	if err := w.run(ctx, "case_of", p); err != nil {
		return err
	}
	for first := 0; first < rows; first += chunk {
		p["first"], p["count"] = fmt.Sprint(first), fmt.Sprint(min(chunk, rows-first))
		for _, name := range chunked {
			if err := w.run(ctx, name, p); err != nil {
				return err
			}
			step()
		}
	}
	for _, name := range order {
		if err := w.run(ctx, name, p); err != nil {
			return err
		}
		step()
	}
	return w.conn.Exec(ctx, "SYSTEM START VIEWS")
}

// run sends one file.
func (w *warehouse) run(ctx context.Context, name string, p clickhouse.Parameters) error {
	sql, err := statements.ReadFile("fill/" + name + ".sql")
	if err != nil {
		return err
	}
	mine := clickhouse.Parameters{}
	for name, value := range p { // the server refuses one that SQL does not take
		if strings.Contains(string(sql), "{"+name+":") {
			mine[name] = value
		}
	}
	if err := w.conn.Exec(clickhouse.Context(ctx, clickhouse.WithParameters(mine)), string(sql)); err != nil {
		return fmt.Errorf("cannot fill %s: %w", name, err)
	}
	return nil
}

// refresh brings the kept views up to what is stored.
func (w *warehouse) refresh(ctx context.Context) error {
	for _, sql := range sinks.RefreshStatements(w.database) {
		if err := w.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("cannot refresh the kept views: %w", err)
		}
	}
	return nil
}
