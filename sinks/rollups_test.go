package sinks

import (
	"slices"
	"testing"

	"recoup/sinks/sinktest"
)

// TestRollupsOfMerges (G2): inserts make no roll-ups, merges do. An answer is that of the rows whatever
// parts have them: none, all, some; also after rows were removed from parts with and without.
func TestRollupsOfMerges(t *testing.T) {
	s := openStore(t)
	if steps, err := Migrate(t.Context(), s.client.settings, false); err != nil || len(steps) > 0 {
		t.Errorf("migrated a second time: %v, %v", steps, err)
	}
	invoices := s.client.in(tableInvoices)
	insert := func(n int64, offsets ...int64) {
		t.Helper()
		if err := s.Insert(t.Context(), testOwner, n, sampleBlock(s, 1, offsets...), sinktest.Owned); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, rows int, rolled bool) {
		t.Helper()
		if n := count(t, s, "SELECT count() FROM "+invoices); n != rows {
			t.Errorf("%s: %d rows, want %d", when, n, rows)
		}
		have := count(t, s, "SELECT count() FROM system.projection_parts WHERE active AND database = '"+
			s.client.settings.Database+"' AND table = '"+tableInvoices+"'")
		if (have > 0) != rolled {
			t.Errorf("%s: %d roll-ups of parts", when, have)
		}
		for _, view := range []string{"invoice_counts_by_day", "flagged_invoices", "source_silence", "release_spans"} {
			question := factsOf(s.client.settings.Database+".", view) + " SETTINGS optimize_use_projections = "
			if got, want := table(t, s, question+"1"), table(t, s, question+"0"); !slices.Equal(got, want) {
				t.Errorf("%s: %s has\n%v\nthe rows\n%v", when, view, got, want)
			}
		}
	}
	remove := func(offsets ...int64) {
		t.Helper()
		if err := s.Remove(t.Context(), testOwner, offsets, sinktest.Owned); err != nil {
			t.Fatal(err)
		}
	}
	run(t, s, "SYSTEM STOP MERGES "+invoices)
	insert(1, 1, 2, 3)
	insert(2, 4, 5, 6)
	check("inserted", 6, false)
	run(t, s, "SYSTEM START MERGES "+invoices)
	run(t, s, "OPTIMIZE TABLE "+invoices+" FINAL")
	check("merged", 6, true)
	insert(3, 7, 8)
	check("one merged, one not", 8, true)
	remove(2, 8)
	check("rows of both removed", 6, true)
	run(t, s, "OPTIMIZE TABLE "+invoices+" FINAL")
	check("merged again", 6, true)
}
