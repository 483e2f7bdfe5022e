package csvinvoice

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"recoup/docs/contract"
)

// Every mistake in a mapping is named with its line and its fix.
func TestBadMapping(t *testing.T) {
	for _, c := range [][2]string{
		{"colums: {}", `map.yaml:1: unknown field "colums"`},
		{"columns: {}\ncolumns: {}", `map.yaml:2: mapping key "columns" already defined`},
		{"columns: [", `map.yaml:1: `},
		{"\ncolumns: {net_amout: X}", `map.yaml:2: columns.net_amout: no field of invoice.v1; did you mean "net_amount"?`},
		{"columns: {invoice_id: {a: b}}", `line 1: cannot use "{": want a single value`},
		{"constants: {whatever_else: 1}", `constants.whatever_else: no field of invoice.v1`},
		{"columns: {seller: X}\nconstants: {seller: Y}", `map.yaml:2: constants.seller: a column gives it already`},
		{"columns: {seller: X}\nconstants: {lines.unit: Y}", `constants.lines.unit: no column gives anything of a line`},
		{"net_from_lines: true\ncolumns: {net_amount: X}", `net_amount: net_from_lines gives it already`},
		{"separator: \"||\"", `separator: cannot use "||": want one character such as ";"`},
		{"separator: \"\\\"\"", `separator: cannot use`},
		{"decimal: x", `decimal: cannot use "x": want "." or ","`},
		{"thousands: \".\"", `thousands: cannot use "."`},
		{"decimal: \",\"\nthousands: \",\"", `map.yaml:2: thousands: cannot use ","`},
		{"currency_signs: [\"1\"]", `currency_signs: cannot use "1"`},
		{"time_zone: Paris", `time_zone: cannot use "Paris": want a name such as "Europe/Paris"`},
		{"time_zone: Local", `time_zone: cannot use "Local"`},
		{"dates: [DD.MM.YYYY]", `dates: cannot use "DD.MM.YYYY": 'D' means nothing in a date; want such as dd/MM/yyyy`},
		{"dates: [dd.MM]", `year, month or day is missing`},
		{"dates: [\"dd.MM.yyyy 'at 2'\"]", `what stands in single quotes cannot be used`},
		{"dates: [\"dd.MM.yyyy 'at\"]", `what stands in single quotes cannot be used`},
		{"percent: [quantity]", `percent.quantity: no field of invoice.v1; did you mean "lines.quantity"?`},
		{"percent: [net_amount]", `percent: "net_amount" is no rate`},
		{"values: {invoice_typ: {a: b}}", `values.invoice_typ: no field of invoice.v1; did you mean "invoice_type"?`},
		{"decimal: \";\"\nseparator: ab", "\n"}, // all at once
	} {
		mapping, want := c[0], c[1]
		_, err := ParseMapping("map.yaml", []byte(mapping))
		if err == nil || !strings.HasPrefix(err.Error(), "cannot use the mapping: map.yaml:") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant %s", mapping, err, want)
		}
	}
	if _, err := ReadMapping("nowhere.yaml"); err == nil ||
		err.Error() != "cannot read the mapping: open nowhere.yaml: no such file or directory" {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := ParseMapping("map.yaml", nil); err != nil {
		t.Errorf("an empty mapping: %v", err)
	}
}

// The fields that can be mapped are those of the contract, in their forms.
func TestFormsAreTheContract(t *testing.T) {
	data, err := contract.Schema("invoice.v1")
	if err != nil {
		t.Fatal(err)
	}
	type property struct {
		Ref        string              `json:"$ref"`
		AnyOf      []property          `json:"anyOf"`
		Type       json.RawMessage     `json:"type"`
		Enum       []json.RawMessage   `json:"enum"`
		Properties map[string]property `json:"properties"`
		Items      *property           `json:"items"`
	}
	var schema struct {
		property
		Defs map[string]property `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	want := map[string]form{}
	var walk func(prefix string, of map[string]property)
	walk = func(prefix string, of map[string]property) {
		for name, p := range of {
			kind := p.Ref
			for _, option := range p.AnyOf {
				kind += option.Ref
			}
			kind = strings.TrimPrefix(kind, "#/$defs/")
			switch def := schema.Defs[kind]; {
			case name == "schema":
			case len(p.Properties)+len(def.Properties) > 0:
				walk(name+".", p.Properties)
				walk(name+".", def.Properties)
			case name == "lines":
				walk(linePrefix, schema.Defs[strings.TrimPrefix(p.Items.Ref, "#/$defs/")].Properties)
			default:
				want[prefix+name] = formOf(kind, string(p.Type))
			}
		}
	}
	walk("", schema.Properties)
	if !maps.Equal(forms, want) {
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if forms[name] != want[name] {
				t.Errorf("%s: form %d, the contract says %d", name, forms[name], want[name])
			}
		}
		t.Errorf("%d fields, the contract has %d", len(forms), len(want))
	}
}

// formOf is the form of a property that refers to a definition, or has a type.
func formOf(definition, kind string) form {
	switch definition {
	case "amount":
		return asAmount
	case "decimal":
		return asDecimal
	case "instant":
		return asInstant
	case "day":
		return asDay
	}
	switch {
	case strings.Contains(kind, "integer"):
		return asInteger
	case strings.Contains(kind, "boolean"):
		return asBoolean
	case strings.Contains(kind, "array"):
		return asList
	}
	return asText
}
