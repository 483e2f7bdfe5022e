package sinks

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// What SchemaFlaws wants is what the migrations make, column for column: a column
// it did not read would never be missed.
func TestSchemaFlawsKnowsEveryColumn(t *testing.T) {
	s := openStore(t)
	have, err := s.client.columnKinds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shapes, err := tableShapes(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{}
	for _, shape := range shapes {
		want[shape.name] = map[string]string{}
		for _, column := range shape.columns {
			want[shape.name][column.name] = column.kind
		}
	}
	for table := range have {
		if strings.HasPrefix(table, ".") {
			continue // a kept view fills its tables itself
		}
		isTable := count(t, s, "SELECT count() FROM system.tables WHERE engine LIKE '%MergeTree' AND database = "+
			quote(s.client.settings.Database)+" AND name = "+quote(table)) > 0
		if isTable && table != "schema_migrations" && !maps.Equal(want[table], have[table]) {
			t.Errorf("table %s: want columns\n%v\nhas\n%v", table, want[table], have[table])
		}
	}
	for _, c := range (CopyTopics{Cases: "a", CaseEvents: "b", Recoveries: "c", Disputes: "d", DeadLetter: "e"}).all() {
		for _, name := range c.columns {
			if want[c.table][name] == "" {
				t.Errorf("column %s of %s is inserted and not wanted", name, c.table)
			}
		}
	}
	rows := newBlockRows()
	for table, columns := range map[string][]named{tableInvoices: rows.invoices.named(), tableLines: rows.lines.named()} {
		for _, c := range columns {
			if want[table][c.name] != string(c.column.Type()) {
				t.Errorf("column %s of %s is inserted as %s, wanted as %q", c.name, table, c.column.Type(), want[table][c.name])
			}
		}
	}
	if len(shapes) < 7 || !slices.ContainsFunc(shapes, func(s tableShape) bool { return s.name == tableInvoices }) {
		t.Errorf("%d tables found", len(shapes))
	}
}
