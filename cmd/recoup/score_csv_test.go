package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"recoup/internal/demo/data"
)

// flat adds the members of a JSON object under their names as a CSV file has them.
func flat(into map[string]string, prefix string, object map[string]any) {
	for name, value := range object {
		switch value := value.(type) {
		case map[string]any:
			flat(into, name+".", value)
		case []any:
			if name == "lines" {
				continue
			}
			texts := make([]string, len(value))
			for i, text := range value {
				texts[i] = fmt.Sprint(text)
			}
			into[prefix+name] = strings.Join(texts, "|")
		default:
			into[prefix+name] = fmt.Sprint(value)
		}
	}
}

// asCSV writes JSON lines as CSV, one row per line of an invoice.
func asCSV(t *testing.T, records [][]byte) string {
	t.Helper()
	var rows []map[string]string
	names := map[string]bool{}
	for _, record := range records {
		var object map[string]any
		if err := json.Unmarshal(record, &object); err != nil {
			t.Fatal(err)
		}
		lines, _ := object["lines"].([]any)
		if len(lines) == 0 {
			lines = []any{map[string]any{}}
		}
		for _, line := range lines {
			row := map[string]string{}
			flat(row, "", object)
			flat(row, "lines.", line.(map[string]any))
			rows = append(rows, row)
			for name := range row {
				names[name] = true
			}
		}
	}
	columns := slices.Sorted(maps.Keys(names))
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(columns) // Error says it
	for _, row := range rows {
		cells := make([]string, len(columns))
		for i, name := range columns {
			cells[i] = row[name]
		}
		_ = w.Write(cells)
	}
	if w.Flush(); w.Error() != nil {
		t.Fatal(w.Error())
	}
	return out.String()
}

var sourceField = regexp.MustCompile(`,"source":\{[^}]*\}`)

// The same invoices give the same verdicts, as CSV and as JSON lines, plain and
// packed, in a file and through standard input.
func TestScoreCSVParity(t *testing.T) {
	var records [][]byte
	for record, err := range data.Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 1000 {
			break
		}
		records = append(records, bytes.Clone(record))
	}
	want := recoup(t, string(bytes.Join(records, []byte("\n"))), "score", "-")
	if strings.Count(want.stdout, "\n") != len(records) {
		t.Fatal(want.stderr)
	}
	table := asCSV(t, records)
	for name, args := range map[string][]string{
		"found by its content": {"score", "-"}, "asked for": {"score", "-", "--input", "csv"},
	} {
		got := recoup(t, table, args...)
		if got.code != 0 || sourceField.ReplaceAllString(got.stdout, "") != sourceField.ReplaceAllString(want.stdout, "") {
			t.Errorf("%s: code %d, other verdicts; %s", name, got.code, got.stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "bills.tsv")
	tabs := strings.ReplaceAll(strings.ReplaceAll(table, "\t", " "), ",", "\t")
	if err := os.WriteFile(file, []byte(strings.Replace(tabs, "invoice_id", "Nr", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := recoup(t, "", "score", file)
	if got.code != exitFailed || !strings.Contains(got.stderr, "bills.tsv: nothing gives invoice_id") {
		t.Errorf("found by its name: code %d, %s", got.code, got.stderr)
	}
}

// A file as a person exports it, with a mapping: verdicts, bad cells and what is
// not used are said with file, line and column (G6).
func TestScoreCSVGolden(t *testing.T) {
	got := recoup(t, "", "score", "testdata/score/orders.csv", "--map", "testdata/score/orders.yaml", "--format", "table")
	if got.code != exitBadInput {
		t.Errorf("score of a file with bad rows ended with %d, want %d", got.code, exitBadInput)
	}
	golden(t, "score/orders.table", got.stdout)
	golden(t, "score/orders.stderr.txt", duration.ReplaceAllString(got.stderr, " in TIME,"))
}

func TestMapExample(t *testing.T) {
	example := succeed(t, "score", "--map-example").stdout
	contains(t, example, "columns:\n  invoice_id: ", "percent: [tax_rate", "net_from_lines: true")
	got := recoup(t, "Facture;Date;Tél\n", "score", "-", "--map", write(t, "columns: {invoice_id: Factur}\n"))
	if got.code != exitFailed {
		t.Errorf("code %d", got.code)
	}
	contains(t, got.stderr, `recoup: cannot read stdin: `, `columns.invoice_id: the file has no column "Factur"; `+
		`did you mean "Facture"?; it has ["Facture" "Date" "Tél"]`)
	jsonLines := `{"schema":"invoice.v1"}` + "\n"
	contains(t, recoup(t, jsonLines, "score", "-", "--map", write(t, "columns: {invoice_id: Nr}\n")).stderr,
		"recoup: cannot read stdin as CSV: it looks like JSON lines, pass --input jsonl and no --map; line 1: ")
	if got := recoup(t, "", "score", "-", "--map", "x", "--input", "jsonl"); got.code != exitUsage {
		t.Errorf("--map for JSON lines ended with %d: %s", got.code, got.stderr)
	}
}

// A file that is not sorted is named as such: its invoices are judged by too few.
func TestScoreOrder(t *testing.T) {
	const rows = "invoice_id,issued_at,net_amount\nB,2026-03-03,1\nA,2026-03-01,1\n"
	got := recoup(t, rows, "score", "-", "--map", write(t, "constants: {seller: acme, currency: EUR}\n"))
	contains(t, got.stderr, "\n1 were issued more than a day before one that stands above them: sort the file by date of")
}

// The report holds what the verdicts and the summary say, and nothing else is
// written to standard output.
func TestScoreReport(t *testing.T) {
	got := recoup(t, "", "score", sample, "--format", "html")
	if got.code != exitBadInput || !strings.HasPrefix(got.stdout, "<!DOCTYPE html>") ||
		!strings.HasSuffix(strings.TrimSpace(got.stdout), "</html>") {
		t.Fatalf("code %d: %.200s", got.code, got.stdout)
	}
	contains(t, got.stdout, "<title>Invoices checked: invoices.jsonl</title>", "<b>36</b>", "A-37",
		"<td>number_in_decimal</td>", sample+":34: net_amount: 300.0 is a JSON number", "and count once: 1<")
	again := recoup(t, "", "score", sample, "--format", "html", "--suspects")
	if strings.Count(again.stdout, "<article") != strings.Count(got.stdout, "<article") ||
		!strings.Contains(again.stdout, "<b>36</b>") {
		t.Error("--suspects changes the figures of the report")
	}
	french := recoup(t, "", "score", sample, "--format", "html", "--lang", "fr")
	contains(t, french.stdout, `<html lang="fr">`, "<title>Factures contrôlées : invoices.jsonl</title>", "<b>36</b>")
	fails(t, exitUsage, []string{"score", sample, "--lang", "fr"}, "only the html report")
}
