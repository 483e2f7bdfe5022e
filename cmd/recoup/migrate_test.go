package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/internal/testservers"
	"recoup/sinks"
)

// The SQL can be read before there is a server; whoever runs it for real is told
// what to do about that.
func TestMigrateWithoutServer(t *testing.T) {
	file := write(t, "clickhouse: {addresses: ['"+deadAddress(t)+"'], database: bills, retention: 40d}\n")
	got := recoup(t, "", "migrate", "--dry-run", "--config", file)
	if got.code != 0 || strings.Count(got.stdout, "would apply migration") != sinks.LatestSchema() {
		t.Errorf("migrate --dry-run ended with %d:\n%s", got.code, got.stdout)
	}
	contains(t, got.stdout, "CREATE DATABASE IF NOT EXISTS bills;", "CREATE TABLE IF NOT EXISTS scored_invoices",
		"CREATE OR REPLACE VIEW", "ALTER TABLE bills.invoice_lines MODIFY TTL toDateTime(inserted_at) + INTERVAL 40 DAY;")
	const cause = "cannot look at the server: cannot look for database bills: "
	const fix = "connection refused; fix: start ClickHouse; check clickhouse.addresses"
	contains(t, got.stderr, "recoup: the above is all that an empty server needs: "+cause, fix)
	got = recoup(t, "", "migrate", "--config", file)
	if got.code != exitFailed || got.stdout != "" {
		t.Errorf("migrate ended with %d:\n%s", got.code, got.stdout)
	}
	contains(t, got.stderr, "recoup: "+cause, fix)
}

// It ends when ClickHouse has rewritten the parts, and not before: a take-over's DELETE would
// queue behind them. Interrupted, or run when there is nothing else to do, it says so or waits;
// what cannot be rewritten is an error.
func TestMigrateWaits(t *testing.T) {
	name, clickhouse := testservers.Database(t), testservers.ClickHouse(t)
	file := settingsFor(t, deadAddress(t), clickhouse, name)
	succeed(t, "migrate", "--config", file)
	table := name + ".scored_invoices"
	ask(t, clickhouse, "INSERT INTO "+table+" (seller) VALUES ('acme')")
	ask(t, clickhouse, "SYSTEM STOP MERGES "+table)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	file = write(t, strings.Replace(string(text), "clickhouse:\n", "clickhouse:\n  retention: 400d\n", 1))

	ctx, interrupt := context.WithCancel(t.Context())
	got := startMigrate(ctx, file)
	got.says(t, "ClickHouse rewrites parts: 1 of 1 left\n")
	interrupt()
	if code := <-got.code; code != exitFailed {
		t.Errorf("interrupted, it ended with %d:\n%s", code, got)
	}
	contains(t, got.String(), "applied retention of 400 days", "interrupted while ClickHouse rewrites parts; it goes on")

	got = startMigrate(t.Context(), file)
	got.says(t, "1 of 1 left\n")
	select {
	case code := <-got.code:
		t.Fatalf("it ended with %d before the part was rewritten:\n%s", code, got)
	case <-time.After(time.Second):
	}
	ask(t, clickhouse, "SYSTEM START MERGES "+table)
	if code := <-got.code; code != 0 {
		t.Errorf("it ended with %d:\n%s", code, got)
	}
	contains(t, got.String(), "nothing to do: database "+name, "ClickHouse has rewritten all parts (1)\n")

	ask(t, clickhouse, "ALTER TABLE "+table+" UPDATE p_error = throwIf(seller = 'acme', 'a broken disk') WHERE 1 "+
		"SETTINGS mutations_sync = 0")
	fails(t, exitFailed, []string{"migrate", "--config", file}, "recoup: cannot rewrite table "+table+", ",
		"UPDATE p_error = ", "a broken disk", "mend the cause")
}

// migrating is a `recoup migrate` that runs in this process, and what it says.
type migrating struct {
	mu   sync.Mutex
	text bytes.Buffer
	code chan int
}

func startMigrate(ctx context.Context, file string) *migrating {
	r := &migrating{code: make(chan int, 1)}
	go func() {
		r.code <- execute(ctx, []string{"migrate", "--config", file}, &session{stdout: r, stderr: r})
	}()
	return r
}

// Write keeps what the command says.
func (r *migrating) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *migrating) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// says waits until it does.
func (r *migrating) says(t *testing.T, want string) {
	t.Helper()
	for begun := time.Now(); !strings.Contains(r.String(), want); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("no %q in:\n%s", want, r)
		}
	}
}
