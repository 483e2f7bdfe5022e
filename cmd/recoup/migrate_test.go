package main

import (
	"strings"
	"testing"

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
