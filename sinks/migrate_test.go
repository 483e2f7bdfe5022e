package sinks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"recoup/cases"
)

// TestMigrate: a dry run changes nothing, a run does what it said, a second run
// nothing, and an interrupted run is finished by the next.
func TestMigrate(t *testing.T) {
	s := freshSettings(t)
	versions := func(want int) {
		t.Helper()
		have, latest, err := SchemaVersion(t.Context(), s)
		if err != nil || have != want || latest != LatestSchema() {
			t.Fatalf("schema %d of %d, %v; want %d of %d", have, latest, err, want, LatestSchema())
		}
	}
	versions(0)
	planned, err := Migrate(t.Context(), s, true)
	if err != nil {
		t.Fatal(err)
	}
	versions(0)
	unseen := s
	unseen.Addresses = []string{"127.0.0.1:1"}
	all, err := Migrate(t.Context(), unseen, true)
	if !errors.Is(err, ErrUnseen) || fmt.Sprint(all) != fmt.Sprint(planned) {
		t.Errorf("without a server %d steps are planned, %v; want %d", len(all), err, len(planned))
	}
	done, err := Migrate(t.Context(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(planned) != fmt.Sprint(done) || len(done) != LatestSchema()+2 {
		t.Errorf("planned %d steps, did %d", len(planned), len(done))
	}
	versions(LatestSchema())
	for _, dryRun := range []bool{false, true} {
		if again, err := Migrate(t.Context(), s, dryRun); err != nil || len(again) != 0 {
			t.Errorf("second run did %v, %v", again, err)
		}
	}
	// A run that was interrupted before it remembered its last migration.
	c := testClient(t, s)
	if err := c.exec(t.Context(), statement{sql: fmt.Sprintf("DELETE FROM %s WHERE version = %d",
		c.in("schema_migrations"), LatestSchema())}); err != nil {
		t.Fatal(err)
	}
	versions(LatestSchema() - 1)
	if again, err := Migrate(t.Context(), s, false); err != nil || len(again) != 1 {
		t.Errorf("run after an interruption did %v, %v", again, err)
	}
	versions(LatestSchema())
}

func testClient(t *testing.T, s Settings) *client {
	t.Helper()
	c, err := connect(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.close() })
	return c
}

// TestMigrateRetention: a changed setting reaches the tables.
func TestMigrateRetention(t *testing.T) {
	s := freshSettings(t)
	for _, days := range []int{1095, 30} {
		s.Retention = time.Duration(days) * 24 * time.Hour
		steps, err := Migrate(t.Context(), s, false)
		if err != nil {
			t.Fatal(err)
		}
		last := steps[len(steps)-1]
		if last.Name != fmt.Sprintf("retention of %d days", days) || len(last.Statements) != 2 {
			t.Errorf("last step %+v, want retention of %d days", last, days)
		}
	}
}

// TestMigrateRefuses: a database that a newer recoup made, or that was made by
// other files, is left alone.
func TestMigrateRefuses(t *testing.T) {
	s := freshSettings(t)
	known, err := readMigrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrate(t.Context(), s, known, false); err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(known)
	changed[1].checksum = "other"
	for want, migrations := range map[string][]migration{
		"run the newer recoup that applied it":     known[:len(known)-1],
		"a migration must not change once applied": changed,
	} {
		if _, err := migrate(t.Context(), s, migrations, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("migrate: %v, want %q", err, want)
		}
	}
	broken := append(slices.Clone(known), migration{version: len(known) + 1, name: "broken",
		statements: []string{"CREATE TABLE good (a Int64) ENGINE = Memory", "CREATE TABLE bad"}})
	steps, err := migrate(t.Context(), s, broken, false)
	if err == nil || !strings.Contains(err.Error(), "(broken), statement 2 of 2") || len(steps) != 1 {
		t.Errorf("broken migration: %v after %v", err, steps)
	}
}

// TestMigrateKeepsData: rows that were stored with the schema of migration 3 are
// there after the upgrade, in the views and in the roll-up, and the copy goes on.
func TestMigrateKeepsData(t *testing.T) {
	settings := freshSettings(t)
	known, err := readMigrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrate(t.Context(), settings, known[:3], false); err != nil {
		t.Fatal(err)
	}
	s, err := Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i, sql := range []string{
		"scored_invoices (seller, invoice_id, stage, invoice_type, currency, cohort_day, suspect, p_error, source_offset, " +
			"direction, loss_point) SELECT 'acme', concat('F', toString(number)), 'issued', 'invoice', 'EUR', '2026-11-12', " +
			"number < 3, 0.25, number, 'customer_favour', 10 FROM numbers(100)",
		"cases (case_id, dedup_key, seq, action, kind, origin, seller, invoice_id, currency, issued_at, received_at, " +
			"direction, loss_point, source_topic, source_offset) VALUES (" + quote(cases.ID("acme|invoice|F1|r0")) +
			", 'acme|invoice|F1|r0', 1, 'open', 'invoice', 'detector', 'acme', 'F1', 'EUR', '2026-11-12 08:00:00', " +
			"'2026-11-12 08:00:01', 'customer_favour', 10, 'recoup.cases', 0)",
		"case_events (event_id, case_id, status, outcome, at) VALUES ('e1', " + quote(cases.ID("acme|invoice|F1|r0")) +
			", 'decided', 'confirmed_error', '2026-11-13 08:00:00')",
	} {
		run(t, s, "INSERT INTO "+settings.Database+"."+sql)
		if i == 0 {
			run(t, s, "OPTIMIZE TABLE "+settings.Database+".scored_invoices FINAL")
		}
	}
	steps, err := Migrate(t.Context(), settings, false)
	if err != nil || len(steps) < len(known)-3 {
		t.Fatalf("upgrade did %d steps, %v", len(steps), err)
	}
	refresh(t, s)
	row := one(t, s, "SELECT invoices, suspects, confirmed, expected_errors FROM "+settings.Database+".error_rate_by_day")
	if row["invoices"] != 100.0 || row["suspects"] != 3.0 || row["confirmed"] != 1.0 || row["expected_errors"] != 25.0 {
		t.Errorf("after the upgrade %v, want 100 invoices, 3 suspects, 1 confirmed, 25 expected", row)
	}
	row = one(t, s, "SELECT sum(findings) AS n, sum(confirmed_loss) AS lost FROM "+settings.Database+".loss_by_cohort")
	if row["n"] != 3.0 || row["lost"] != 10.0 {
		t.Errorf("after the upgrade %v, want 3 findings that lost 10", row)
	}
	if flaws, err := SchemaFlaws(t.Context(), settings); err != nil || len(flaws) > 0 {
		t.Errorf("flaws after the upgrade: %v, %v", flaws, err)
	}
}

// TestMigrateCountsNoDeletedRow: what a take-over deleted before an upgrade is in no
// roll-up that the upgrade makes, and leaves those of before. Only wide parts keep
// deleted rows so that MATERIALIZE PROJECTION sees them.
func TestMigrateCountsNoDeletedRow(t *testing.T) {
	known, err := readMigrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int{3, 8} {
		settings := freshSettings(t)
		if _, err := migrate(t.Context(), settings, known[:3], false); err != nil {
			t.Fatal(err)
		}
		s, err := Open(settings)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		table := settings.Database + ".scored_invoices"
		run(t, s, "ALTER TABLE "+table+" MODIFY SETTING min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0")
		run(t, s, "INSERT INTO "+table+" (seller, source_system, source_release, stage, invoice_type, currency, "+
			"cohort_day, source_offset) SELECT 'acme', 'erp', '1', 'issued', 'invoice', 'EUR', '2026-11-12', number "+
			"FROM numbers(50)")
		run(t, s, "DELETE FROM "+table+" WHERE source_offset < 2")
		if from > 3 { // an installation of before, whose roll-ups are there
			if _, err := migrate(t.Context(), settings, known[:from], false); err != nil {
				t.Fatal(err)
			}
			awaitMutations(t, s)
		}
		run(t, s, "SYSTEM STOP MERGES "+table) // a busy server rewrites all at once in the end
		if _, err := Migrate(t.Context(), settings, false); err != nil {
			t.Fatal(err)
		}
		run(t, s, "SYSTEM START MERGES "+table)
		awaitMutations(t, s)
		for _, sql := range []string{
			"SELECT sum(n) FROM (SELECT stage, suspect, count() AS n FROM " + table + " GROUP BY stage, suspect)",
			"SELECT sum(invoices) FROM " + settings.Database + ".release_spans",
		} {
			if n := count(t, s, sql+" SETTINGS force_optimize_projection = 1"); n != 48 {
				t.Errorf("from migration %d: %s: %d rows, want 48", from, sql, n)
			}
		}
	}
}

// awaitMutations waits until the server has rewritten the parts.
func awaitMutations(t *testing.T, s *Store) {
	t.Helper()
	if err := AwaitMutations(t.Context(), s.client.settings, func(int64) {}); err != nil {
		t.Fatal(err)
	}
}

// TestReadMigrations: files are numbered without a gap and cut at the semicolons
// that end a line.
func TestReadMigrations(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	got, err := readMigrations(fstest.MapFS{
		"migrations/0001_first.sql":  file("-- a; comment\nSELECT 1;\n\nSELECT ';'\n  -- inside\nFROM t;\nSELECT 3"),
		"migrations/0002_second.sql": file("SELECT 4;\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"SELECT 1", "SELECT ';'\nFROM t", "SELECT 3"}; !slices.Equal(got[0].statements, want) ||
		got[0].name != "first" || got[1].version != 2 {
		t.Errorf("read %+v, want %q", got, want)
	}
	for want, files := range map[string]fstest.MapFS{
		"expected number 0001":                {"migrations/0002_b.sql": file("")},
		"expected number 0002":                {"migrations/0001_a.sql": file(""), "migrations/0001_b.sql": file("")},
		"cannot find the embedded migrations": {},
	} {
		if _, err := readMigrations(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("read %v: %v, want %q", files, err, want)
		}
	}
}

// TestColumnsAreDescribed: analysts read the comments; every table, view and
// column of a table has one, and every table recognises a repeated insert.
func TestColumnsAreDescribed(t *testing.T) {
	s := openStore(t)
	database := s.client.settings.Database
	for what, sql := range map[string]string{
		"columns without a comment": "SELECT count() FROM system.columns WHERE database = '%s' AND comment = '' " +
			"AND table IN (SELECT name FROM system.tables WHERE database = '%[1]s' " +
			"AND engine NOT IN ('View', 'MaterializedView') " +
			"AND NOT startsWith(name, '.'))",
		"tables without a comment": "SELECT count() FROM system.tables WHERE database = '%s' AND comment = '' " +
			"AND NOT startsWith(name, '.')",
	} {
		if n := count(t, s, fmt.Sprintf(sql, database)); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	found, err := Inspect(t.Context(), s.client.settings)
	if err != nil || len(found.NoWindow) != 0 || found.Version == "" || found.ReadOnly {
		t.Errorf("inspect: %+v, %v", found, err)
	}
	run(t, s, "ALTER TABLE "+s.client.in("cases")+" MODIFY SETTING non_replicated_deduplication_window = 0")
	found, err = Inspect(t.Context(), s.client.settings)
	if err != nil || !slices.Equal(found.NoWindow, []string{"cases"}) {
		t.Errorf("tables without a window: %v, %v", found.NoWindow, err)
	}
}
