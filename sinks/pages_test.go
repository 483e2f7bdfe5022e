package sinks

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// queries returns the SQL of a page: its blocks, and what stands within a line.
func queries(t *testing.T, path string) (statements []string) {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sql := regexp.MustCompile("(?s)```sql\n(.*?)```|`(SELECT .*?)`")
	for _, match := range sql.FindAllStringSubmatch(string(page), -1) {
		statements = append(statements, splitStatements(match[1]+match[2])...)
	}
	return statements
}

// runAll runs the statements on a migrated, empty database.
func runAll(t *testing.T, s *Store, statements []string) {
	t.Helper()
	for _, sql := range statements {
		run(t, s, strings.ReplaceAll(sql, "recoup.", s.client.settings.Database+"."))
	}
}

// TestDataPage runs every example of docs/DATA.md.
func TestDataPage(t *testing.T) {
	statements := queries(t, "../docs/DATA.md")
	runAll(t, openStore(t), statements)
	if len(statements) < 10 {
		t.Errorf("the page has %d examples", len(statements))
	}
	page, err := os.ReadFile("../docs/DATA.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, view := range []string{"case_current", "error_rate_by_day", "loss_by_cohort", "recovery_by_option",
		"alert_precision", "time_to_respond", "cause_pareto", "incident_members", "schema_migrations"} {
		if !strings.Contains(string(page), "`"+view+"`") {
			t.Errorf("the page does not name %s", view)
		}
	}
}

// TestRunbooks runs the SQL of every runbook (A33). An invoice id and a customer
// are known within their seller only, so each query names the seller.
func TestRunbooks(t *testing.T) {
	pages, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil || len(pages) < 3 {
		t.Fatalf("runbooks %v, %v", pages, err)
	}
	s := openStore(t)
	for _, page := range pages {
		statements := queries(t, page)
		if len(statements) == 0 {
			t.Errorf("%s has no query", page)
		}
		for _, sql := range statements {
			if !strings.Contains(sql, "seller = ") {
				t.Errorf("%s: this query does not name the seller:\n%s", page, sql)
			}
		}
		runAll(t, s, statements)
	}
}
