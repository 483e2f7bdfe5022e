package sinks

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"recoup/internal/personal"
)

// personalWords are parts of names that a field about a person would have.
var personalWords = []string{"name", "firstname", "lastname", "surname", "mail", "email", "phone", "mobile", "fax",
	"address", "street", "city", "zip", "postcode", "birth", "birthday", "iban", "passport"}

func personalWord(name string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' }) {
		if slices.Contains(personalWords, word) {
			return true
		}
	}
	return false
}

// The scan itself must find what it looks for, and leave alone what is none.
func TestPersonalWords(t *testing.T) {
	for name, want := range map[string]bool{"customer_email": true, "first-name": true, "customer_ref": false,
		"filename": false} {
		if personalWord(name) != want {
			t.Errorf("%q is personal: %v", name, !want)
		}
	}
}

// TestNoPersonalFields (B10): no topic and no table has a field for a name, an
// address, an e-mail or a telephone number.
func TestNoPersonalFields(t *testing.T) {
	contract := os.DirFS("../docs/contract")
	schemas, err := fs.Glob(contract, "*.json")
	if err != nil || len(schemas) < 10 {
		t.Fatalf("%d schemas, %v", len(schemas), err)
	}
	for _, file := range schemas {
		text, err := fs.ReadFile(contract, file)
		if err != nil {
			t.Fatal(err)
		}
		var schema any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, property := range propertiesOf(schema) {
			if personalWord(property) {
				t.Errorf("%s has field %q", file, property)
			}
		}
	}
	s := openStore(t)
	kinds, err := s.client.columnKinds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	delete(kinds, "schema_migrations") // names of migrations
	for table, columns := range kinds {
		for column := range columns {
			if personalWord(column) {
				t.Errorf("table %s has column %s", table, column)
			}
		}
	}
}

// propertiesOf returns the names of all properties of a JSON Schema, at any depth.
func propertiesOf(schema any) (names []string) {
	switch v := schema.(type) {
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			for name := range properties {
				names = append(names, name)
			}
		}
		for _, below := range v {
			names = append(names, propertiesOf(below)...)
		}
	case []any:
		for _, below := range v {
			names = append(names, propertiesOf(below)...)
		}
	}
	return names
}

// TestNoPersonalValues (B10): nothing in the examples of the contract, nor in what
// they become in the tables, looks like an e-mail address or a telephone number. In
// dead letters a broken record may bring one: see docs/DATA.md.
func TestNoPersonalValues(t *testing.T) {
	err := fs.WalkDir(os.DirFS("../docs/contract/examples"), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") {
			return err
		}
		text, err := os.ReadFile("../docs/contract/examples/" + path)
		if kind := personal.In(string(text)); kind != "" {
			t.Errorf("%s holds what looks like %s", path, kind)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t)
	w := newKPIWorld(3, 30)
	w.deliver(t, s)
	c := newCopyWorld(t, s)
	c.opt.Incarnation = 1
	for topic, schema := range map[string]string{"recoup.cases": "case.v1", "recoup.case-events": "case_event.v1",
		"recoup.recoveries": "recovery.v1", "recoup.disputes": "dispute.v1"} {
		c.send(t, topic, 0, examples(t, schema, "valid")...)
	}
	c.copyAll(t)
	scanTables(t, s)
}

// scanTables looks into every text of every table.
func scanTables(t *testing.T, s *Store) {
	t.Helper()
	kinds, err := s.client.columnKinds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shapes, err := tableShapes(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	for _, shape := range shapes {
		var texts []string
		for column, kind := range kinds[shape.name] {
			if strings.Contains(kind, "String") && column != "parse_error" {
				texts = append(texts, "toString(`"+column+"`)")
			}
		}
		for _, kind := range personal.Kinds {
			n := count(t, s, fmt.Sprintf("SELECT countIf(match(concatWithSeparator('\\n', %s), %s)) FROM %s",
				strings.Join(texts, ", "), quote(kind.Pattern), s.client.in(shape.name)))
			if n > 0 && shape.name != "dead_letters" {
				t.Errorf("%d rows of %s hold what looks like %s", n, shape.name, kind.Kind)
			}
		}
	}
}
