package sinks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recoup/sinks/sinktest"
)

// TestDamage: ClickHouse may commit parts of empty files while its disk is full. The doctor
// tells them, and what it advises brings back what such a part was merged from, and no more.
func TestDamage(t *testing.T) {
	s := openTables(t)
	invoices, lines := s.client.in(tableInvoices), s.client.in(tableLines)
	rows := func(table string, want int) {
		t.Helper()
		if n := count(t, s, "SELECT count() FROM "+table+" WHERE NOT ignore(source_offset)"); n != want {
			t.Errorf("%d rows of %s, want %d", n, table, want)
		}
	}
	flaws := func(want ...string) {
		t.Helper()
		got, err := DamageFlaws(t.Context(), s.client.settings)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("flaws %+v, want %q", got, want)
		}
		for i := range want {
			if !strings.Contains(got[i].Problem, want[i]) || !strings.Contains(got[i].Fix, readLost) {
				t.Errorf("flaw %+v, want %q and the runbook", got[i], want[i])
			}
		}
	}
	for n, offsets := range [][]int64{{1, 2, 3}, {4, 5, 6}} {
		if err := s.Insert(t.Context(), testOwner, int64(n), sampleBlock(s, 1, offsets...), sinktest.Owned); err != nil {
			t.Fatal(err)
		}
	}
	run(t, s, "SYSTEM STOP MERGES "+invoices)
	run(t, s, "ALTER TABLE "+lines+" MODIFY SETTING old_parts_lifetime = 480") // a server's; the library keeps none
	run(t, s, "OPTIMIZE TABLE "+lines+" FINAL")
	flaws()

	emptied(t, s, tableLines) // the merged one
	emptied(t, s, tableInvoices)
	flaws("cannot read table "+invoices, "cannot read table "+lines)
	_, err := s.Stored(t.Context(), testOwner, 0)
	if err == nil || !strings.Contains(err.Error(), "cannot read what it stored; recoup doctor says what to do") {
		t.Errorf("the stored offsets: %v", err)
	}
	for _, table := range []string{lines, invoices} {
		run(t, s, "DETACH TABLE "+table)
		run(t, s, "ATTACH TABLE "+table)
	}
	rows(lines, 12)
	rows(invoices, 3)
	flaws("set aside parts of table "+lines, "set aside parts of table "+invoices)
}

// emptied cuts all files of one active part of a table to nothing.
func emptied(t *testing.T, s *Store, table string) {
	t.Helper()
	path := one(t, s, "SELECT path FROM system.parts WHERE active AND database = "+quote(s.client.settings.Database)+
		" AND table = "+quote(table)+" ORDER BY name LIMIT 1")["path"].(string)
	files, err := filepath.Glob(filepath.Join(path, "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", path, err)
	}
	for _, file := range files {
		if err := os.Truncate(file, 0); err != nil && !strings.HasSuffix(file, ".proj") {
			t.Fatal(err)
		}
	}
	run(t, s, "SYSTEM DROP MARK CACHE")
	run(t, s, "SYSTEM DROP UNCOMPRESSED CACHE")
}
