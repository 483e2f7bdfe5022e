package contract_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/docs/contract"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/pipeline/model"
)

// eachExample calls check with every example of a schema.
func eachExample(t *testing.T, schema string, check func(t *testing.T, record []byte, valid bool)) {
	t.Helper()
	count := map[bool]int{}
	for _, kind := range []string{"valid", "invalid"} {
		paths, err := filepath.Glob(filepath.Join("examples", schema, kind+"-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			record, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			count[kind == "valid"]++
			t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
				check(t, record, kind == "valid")
			})
		}
	}
	if count[true] < 2 || count[false] < 2 {
		t.Errorf("schema %s has %d valid and %d invalid examples, want two of each", schema, count[true], count[false])
	}
}

func TestExamples(t *testing.T) {
	names := contract.Names()
	if len(names) != 14 {
		t.Errorf("%d schemas, want 14: %q", len(names), names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			eachExample(t, name, func(t *testing.T, record []byte, valid bool) {
				if err := contracttest.ValidateAs(name, record); (err == nil) != valid {
					t.Errorf("valid %v, want %v: %v\n%s", err == nil, valid, err, record)
				}
			})
		})
	}
	if folders, _ := filepath.Glob("examples/*"); len(folders) != len(names) {
		t.Errorf("%d folders of examples for %d schemas", len(folders), len(names))
	}
}

func TestUnknownSchemaIsNamed(t *testing.T) {
	if _, err := contract.Schema("invoice.v9"); err == nil || !strings.Contains(err.Error(), `"invoice.v9"`) {
		t.Errorf("got %v", err)
	}
	if err := contracttest.Validate([]byte(`{"schema":"../contract"}`)); err == nil {
		t.Error("an unknown schema was accepted")
	}
}

func TestDecoderAgreesOnExamples(t *testing.T) {
	d := invoice.NewDecoder(invoice.Limits{})
	eachExample(t, "invoice.v1", func(t *testing.T, record []byte, valid bool) {
		var inv invoice.Invoice
		if err := d.Decode(record, &inv); (err == nil) != valid {
			t.Fatalf("accepted %v, want %v: %v", err == nil, valid, err)
		}
		if !valid {
			return
		}
		if err := contracttest.Validate(inv.AppendJSON(nil)); err != nil {
			t.Errorf("AppendJSON writes %s: %v", inv.AppendJSON(nil), err)
		}
	})
}

// values are what a field is set to, one after the other; each is wrong for
// most fields.
var values = []string{
	`null`, `true`, `0`, `-1`, `7`, `12.5`, `""`, `"x"`, `"12.50"`, `"-0.0001"`, `"1.00010"`, `"1.00001"`, `"1e3"`, `"+1"`,
	`"1."`, `".5"`, `"NaN"`, `"0.000000001"`, `[]`, `["x"]`, `["x",null]`, `[1]`, `[""]`, `{}`, `[{}]`, `[{},1]`, `[[]]`,
	`"EUR"`, `"eur"`, `"XAU"`, `"HRK"`, `"issued"`, `"pre_issue"`, `"Issued"`, `"invoice"`, `"credit_note"`, `"api"`,
	`"fax"`, `"invoice.v1"`, `"invoice.v2"`, `"2026-03-01"`, `"2026-02-29"`, `"2026-03-01T09:30:00Z"`,
	`"2026-03-01T09:30:00"`, `"2026-03-01T09:30:00+02:00"`, `"2026-03-01T09:30:00.123456789-05:30"`,
	`"2026-03-01T24:00:00Z"`, `"2026-03-01T09:30:60Z"`, `"2026-03-01t09:30:00z"`, `"2026-03-01T09:30:00+25:00"`,
	`"1969-06-01T00:00:00Z"`, `"2201-06-01T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"2026-13-01T00:00:00Z"`,
	`"a\tb"`, `"\u0085"`, `"déjà"`, `"` + strings.Repeat("x", 257) + `"`, `"` + strings.Repeat("x", 256) + `"`,
	`{"plan":"x","discount_rate":"0.1"}`, `{"discount_rate":0.1}`, `{"synced_at":"2026-03-01"}`,
}

// The schema and the decoder are written apart; every field with every value
// shows where they differ.
func TestDecoderAgreesOnEveryFieldAndValue(t *testing.T) {
	schema := properties(t, "invoice.v1")
	line := schema["$defs"].(map[string]any)["line"].(map[string]any)["properties"].(map[string]any)
	crm := schema["$defs"].(map[string]any)["crm"].(map[string]any)["properties"].(map[string]any)
	accepted, refused := 0, 0
	check := func(record string) {
		bySchema := contracttest.ValidateAs("invoice.v1", []byte(record))
		byDecoder := invoice.NewDecoder(invoice.Limits{}).Decode([]byte(record), new(invoice.Invoice))
		if (bySchema == nil) != (byDecoder == nil) {
			t.Errorf("%s\nschema:  %v\ndecoder: %v", record, bySchema, byDecoder)
		}
		if byDecoder == nil {
			accepted++
		} else {
			refused++
		}
	}
	for _, value := range values {
		for name := range schema["properties"].(map[string]any) {
			check(invoiceWith(name, value))
		}
		for name := range line {
			check(invoiceWith("lines", `[{}, {"`+name+`": `+value+`}]`))
		}
		for name := range crm {
			check(invoiceWith("crm", `{"`+name+`": `+value+`}`))
		}
	}
	if accepted < 500 || refused < 500 {
		t.Errorf("%d accepted and %d refused: too few of one to say much", accepted, refused)
	}
}

// The same for references, whose schema names the table they are read by.
func TestReferenceDecoderAgreesOnEveryFieldAndValue(t *testing.T) {
	accepted, refused := 0, 0
	check := func(name, record string) {
		bySchema := contracttest.ValidateAs(name, []byte(record))
		byDecoder := invoice.NewDecoder(invoice.Limits{}).DecodeReference([]byte(record), new(invoice.Reference))
		if (bySchema == nil) != (byDecoder == nil) {
			t.Errorf("%s\nschema:  %v\ndecoder: %v", record, bySchema, byDecoder)
		}
		if byDecoder == nil {
			accepted++
		} else {
			refused++
		}
	}
	for kind := range invoice.ReferenceKinds {
		name := kind.String()
		eachExample(t, name, func(t *testing.T, record []byte, valid bool) {
			check(name, string(record))
		})
		tree := properties(t, name)
		for field := range tree["properties"].(map[string]any) {
			for _, value := range values {
				if field != "schema" {
					check(name, recordWith(tree, field, value))
				}
			}
		}
	}
	if accepted < 500 || refused < 500 {
		t.Errorf("%d accepted and %d refused: too few of one to say much", accepted, refused)
	}
}

// recordWith returns the smallest record of a reference's schema with one field set.
func recordWith(schema map[string]any, name, value string) string {
	fields := map[string]any{}
	for _, required := range schema["required"].([]any) {
		switch field := required.(string); field {
		case "schema":
			fields[field] = schema["properties"].(map[string]any)["schema"].(map[string]any)["const"]
		case "valid_from", "shipped_at":
			fields[field] = "2026-03-01T09:30:00Z"
		case "unit_price", "discount_rate":
			fields[field] = "0.15"
		default:
			fields[field] = "x"
		}
	}
	fields[name] = json.RawMessage(value)
	record, err := json.Marshal(fields)
	if err != nil {
		panic(err) // a slip in values
	}
	return string(record)
}

// The schema lists the same currencies as the program.
func TestCurrenciesAgree(t *testing.T) {
	listed := map[string]bool{}
	defs := properties(t, "invoice.v1")["$defs"].(map[string]any)
	for _, code := range defs["currency"].(map[string]any)["enum"].([]any) {
		listed[code.(string)] = true
	}
	for i := range 26 * 26 * 26 {
		code := string([]byte{'A' + byte(i/26/26), 'A' + byte(i/26%26), 'A' + byte(i%26)})
		if _, known := invoice.Exponent(code); known != listed[code] {
			t.Errorf("currency %s: the program knows it: %v, the schema: %v", code, known, listed[code])
		}
	}
}

// invoiceWith returns the smallest invoice with one field set.
func invoiceWith(name, value string) string {
	fields := map[string]string{
		"schema": `"invoice.v1"`, "event_id": `"e"`, "seller": `"s"`, "invoice_id": `"i"`, "currency": `"EUR"`,
		"issued_at": `"2026-03-01T09:30:00Z"`, "net_amount": `"139.12"`,
	}
	fields[name] = value
	var b strings.Builder
	for name, value := range fields {
		fmt.Fprintf(&b, `,%q:%s`, name, value)
	}
	return "{" + b.String()[1:] + "}"
}

// properties returns a schema as a tree.
func properties(t *testing.T, name string) map[string]any {
	t.Helper()
	data, err := contract.Schema(name)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// A verdict as Go writes it is what the schema says, field by field.
func TestVerdictIsVerdictV1(t *testing.T) {
	full := detectors.Verdict{
		Schema: detectors.VerdictSchema, Seller: "s", InvoiceID: "i", Revision: 2, Stage: invoice.PreIssue, Suspect: true,
		PError: 0.9, Decision: detectors.DecisionHold, Direction: detectors.DirectionSellerFavour,
		Rules: []string{detectors.RuleCustomerType}, AmountBasis: detectors.BasisGross, Currency: "EUR", Billed: -50000,
		Expected: 1, ExpectedHigh: 12340, Level: detectors.LevelCustomer, N: 30, CV: 0.05, DeviationPct: -15.01,
		Loss: detectors.Loss{Point: 1, Low: -1, High: 2}, Taught: true, LateBy: detectors.Delay(time.Hour),
		Causes: []detectors.Finding{{Code: detectors.CauseDataEntry, Kind: "comma", P: 0.5, Evidence: []string{"e"}}},
		Model: detectors.Model{Version: "prior-1", ConfigHash: "0123456789abcdef",
			ReferenceAsOf: "2026-03-01T00:00:00Z", Recovery: detectors.RecoveryRate{Rate: 0.5, Cases: 40}},
		IncidentID: "x", CaseID: "y", Source: invoice.Position{Topic: "t", Partition: 1, Offset: 2},
	}
	empty := detectors.Verdict{
		Schema: detectors.VerdictSchema, Decision: detectors.DecisionNone, Direction: detectors.DirectionNone,
		AmountBasis: detectors.BasisNet, Currency: "JPY", Level: detectors.LevelNone,
		Model: detectors.Model{Version: "v", ConfigHash: "0123456789abcdef"},
	}
	for _, v := range []detectors.Verdict{full, empty} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := contracttest.Validate(data); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
	sameFields(t, "verdict.v1", reflect.TypeFor[detectors.Verdict](), true)
}

// The other records of recoup's own have no field that the schema lacks; the
// schemas of case and decision hold more than this release writes.
func TestRecordsAreInTheirSchemas(t *testing.T) {
	sameFields(t, "case.v1", reflect.TypeFor[cases.Case](), false)
	sameFields(t, "decision.v1", reflect.TypeFor[pipeline.Decision](), true)
	sameFields(t, "dead_letter.v1", reflect.TypeFor[pipeline.DeadLetter](), true)
	sameFields(t, "model.v1", reflect.TypeFor[model.Record](), true)
}

// sameFields compares the JSON tags of a struct with the properties of a
// schema; both compares both ways.
func sameFields(t *testing.T, name string, record reflect.Type, both bool) {
	t.Helper()
	inSchema := properties(t, name)["properties"].(map[string]any)
	inGo := map[string]bool{}
	for i := range record.NumField() {
		tag, _, _ := strings.Cut(record.Field(i).Tag.Get("json"), ",")
		inGo[tag] = true
		if inSchema[tag] == nil {
			t.Errorf("schema %s does not know %s.%s (%q)", name, record.Name(), record.Field(i).Name, tag)
		}
	}
	for field := range inSchema {
		if both && !inGo[field] {
			t.Errorf("%s has no field for %q of schema %s", record.Name(), field, name)
		}
	}
}

// The page for people names every field of every schema and every reason.
func TestReadmeIsWhole(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range contract.Names() {
		_, section, found := strings.Cut(string(page), "\n## "+name)
		if !found {
			t.Errorf("README.md has no section %q", "## "+name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		tree := properties(t, name)
		for field := range tree["properties"].(map[string]any) {
			if field != "schema" && !strings.Contains(section, "`"+field+"`") {
				t.Errorf("section %s of README.md does not explain `%s`", name, field)
			}
		}
	}
	for _, reason := range reasons(t) {
		if !strings.Contains(string(page), "| `"+reason+"` |") {
			t.Errorf("README.md does not explain reason `%s`", reason)
		}
	}
}

// reasons reads the Reason constants of the decoder from its source.
func reasons(t *testing.T) (list []string) {
	t.Helper()
	source, err := os.ReadFile("../../invoice/decode_error.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(source)) {
		if words := strings.Fields(line); len(words) > 2 && strings.HasPrefix(words[0], "Reason") && words[1] == "=" {
			list = append(list, strings.Trim(words[2], `"`))
		}
	}
	if len(list) < 26 {
		t.Fatalf("only %d reasons found", len(list))
	}
	return list
}
