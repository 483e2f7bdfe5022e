package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recoup/cases"
	"recoup/docs/contract/contracttest"
	"recoup/internal/story"
	"recoup/pipeline"
)

// drawn returns the sample of a rate as "seller/id/revision".
func drawn(t *testing.T, file string, args ...string) (all []string) {
	t.Helper()
	got := succeed(t, append([]string{"audit-sample", "--config", file}, args...)...)
	rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil || len(rows) == 0 || strings.Join(rows[0], ",") != strings.Join(auditColumns, ",") {
		t.Fatalf("no CSV of the sample: %v\n%s", err, got.stdout)
	}
	for _, row := range rows[1:] {
		all = append(all, row[1]+"/"+row[2]+"/"+row[3])
		if want := cases.ID(cases.DedupKey(row[1], row[2], int64(row[3][0]-'0'))); row[0] != want {
			t.Errorf("case id %s of %v, want %s", row[0], row[:4], want)
		}
	}
	return all
}

// The sample is of unflagged invoices, the same each time, by the same hash that the
// story of the demo uses; a lower rate and another salt give others.
func TestAuditSample(t *testing.T) {
	file := openWarehouse(t).file
	all := drawn(t, file, "--rate", "1")
	want := "acme/F-1/0 acme/F-3/0 acme/F-4/0 acme/F-4/1 acme/it's 1/0 other/F-3/0"
	if got := strings.Join(all, " "); got != want {
		t.Errorf("all unflagged: %s, want %s", got, want)
	}
	for _, salt := range []string{"audit", "2026", "pepper"} {
		var some []string
		for _, name := range all {
			parts := strings.Split(name, "/")
			if story.Sampled(parts[0], parts[1], salt, 0.5) {
				some = append(some, name)
			}
		}
		if got := drawn(t, file, "--rate", "0.5", "--salt", salt); fmt.Sprint(got) != fmt.Sprint(some) {
			t.Errorf("salt %s draws %v, the same hash in Go %v", salt, got, some)
		}
	}
	if got := drawn(t, file, "--rate", "1", "--seller", "other"); len(got) != 1 {
		t.Errorf("of one seller: %v", got)
	}
	if got := drawn(t, file, "--rate", "1", "--since", "2026-03-02"); len(got) != 0 {
		t.Errorf("issued later: %v", got)
	}
	if got := drawn(t, file, "--rate", "1", "--since", "2026-03-01", "--until", "2026-03-02"); len(got) != 6 {
		t.Errorf("issued on the day: %v", got)
	}
	lines := succeed(t, "audit-sample", "--rate", "1", "--format", "jsonl", "--config", file).stdout
	contains(t, lines, `"invoice_id":"it's 1"`, `"billed":"100.00","currency":"EUR"`)
	fails(t, exitUsage, []string{"audit-sample", "--rate", "0", "--config", file}, "above 0 and at most 1")
}

// The filled-in sample becomes case events of origin audit_sample; a file that is sent
// twice gives the same events, a mistake in one line sends none.
func TestAuditVerdicts(t *testing.T) {
	w := openWarehouse(t)
	file := settingsFor(t, fakeKafka(t), w.address, w.name)
	succeed(t, "topics", "create", "--partitions", "1", "--config", file)
	sheet := succeed(t, "audit-sample", "--rate", "1", "--config", file).stdout
	fill := func(changes ...string) string {
		path := filepath.Join(t.TempDir(), "sheet.csv")
		if err := os.WriteFile(path, []byte(strings.NewReplacer(changes...).Replace(sheet)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fails(t, exitFailed, []string{"audit-sample", "--config", file, "--verdicts", fill("EUR,,,", "EUR,maybe,,")},
		"line 2", "nothing was sent", "not_an_error")
	fails(t, exitFailed, []string{"audit-sample", "--config", file, "--verdicts", fill("EUR,,,", "EUR,confirmed_error,,")},
		"correct_amount, what should have been billed (100.00")
	fails(t, exitFailed, []string{"audit-sample", "--config", file, "--verdicts", fill("outcome", "result")},
		`no column "outcome"`)

	sheet = strings.Replace(sheet, "EUR,,,", "EUR,confirmed_error,promotion,120", 1)
	sheet = strings.Replace(sheet, "EUR,,,", "EUR,not_an_error,,", 2)
	for range 2 {
		contains(t, succeed(t, "audit-sample", "--verdicts", fill(), "--config", file).stdout,
			"3 verdicts sent, 1 of them errors that recoup had missed; 3 lines have no outcome yet")
	}
	kafka, cfg := client(t, file)
	seen := map[string]int{}
	for p := range 3 {
		topic := cfg.Kafka.Topics.CaseEvents
		err := scanPartition(t.Context(), kafka.Log(), topic, p, func(r *pipeline.Record) (bool, error) {
			seen[string(r.Value)]++
			return true, contracttest.Validate(r.Value)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	confirmed := 0
	for value, n := range seen {
		if n != 2 {
			t.Errorf("%d times %s", n, value)
		}
		if strings.Contains(value, "confirmed_error") {
			confirmed++
			contains(t, value, `"confirmed_loss":"20.00"`, `"true_cause":"promotion"`, `"origin":"audit_sample"`)
		}
	}
	if len(seen) != 3 || confirmed != 1 {
		t.Errorf("%d events, %d errors: %v", len(seen), confirmed, seen)
	}
}
