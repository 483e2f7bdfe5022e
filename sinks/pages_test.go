package sinks

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"recoup/docs/contract/contracttest"
)

// requirement is the id of a requirement, such as A19, which only tests and comments cite.
var requirement = regexp.MustCompile(`\b[A-E][0-9]{1,2}\b`)

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
		// What Prometheus tells is about recoup itself.
		ofRule := strings.HasPrefix(filepath.Base(page), "Recoup")
		if len(statements) == 0 && !ofRule {
			t.Errorf("%s has no query", page)
		}
		for _, sql := range statements {
			// Events carry no seller: they name their case.
			if !strings.Contains(sql, "seller = ") && !strings.Contains(sql, "recoup.case_events") && !ofRule {
				t.Errorf("%s: this query does not name the seller:\n%s", page, sql)
			}
		}
		runAll(t, s, statements)
		if text, err := os.ReadFile(page); err != nil || requirement.Match(text) {
			t.Errorf("%s cites an id that its readers cannot look up: %q, %v", page, requirement.Find(text), err)
		}
	}
}

// TestClosingACase: the event that the runbook shows keeps the contract, goes
// out as one line behind its key, and closes the case (B11).
func TestClosingACase(t *testing.T) {
	page, err := os.ReadFile("../docs/runbooks/closing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(page), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	if err := contracttest.ValidateAs("case_event.v1", []byte(example)); !found || err != nil {
		t.Fatalf("the runbook's event: found %v, %v", found, err)
	}
	s := openStore(t)
	w := newCopyWorld(t, s)
	const id = "6c0a9f4e-6d0b-5a3c-9a54-6f2f0f3f7d11"
	w.send(t, w.opt.Topics.Cases, 0, asJSON(t, map[string]any{"schema": "case.v1", "case_id": id, "seq": 1,
		"action": "open", "kind": "invoice", "seller": "acme", "issued_at": "2026-02-28T08:00:00Z",
		"received_at": "2026-02-28T08:00:01Z", "detected_at": "2026-02-28T08:00:01.5Z", "currency": "EUR"}))
	w.copyAll(t)
	state := "SELECT * FROM " + s.client.settings.Database + ".case_now WHERE case_id = '" + id + "'"
	if row := one(t, s, state); row["is_open"] != true {
		t.Fatalf("the case is not open before: %v", row)
	}
	w.send(t, w.opt.Topics.CaseEvents, 0, example)
	w.copyAll(t)
	row := one(t, s, state)
	if row["is_open"] != false || row["status"] != "closed" || row["outcome"] != "confirmed_error" ||
		row["cause"] != "billing_system" || row["confirmed_loss"] != 245.06 {
		t.Errorf("the case is not closed as the event says: %v", row)
	}
	if _, command, _ := strings.Cut(string(page), "```sh\n"); !strings.Contains(command, w.opt.Topics.CaseEvents) ||
		!strings.Contains(command, "parse.key=true") {
		t.Errorf("the command does not send to %s with a key: %s", w.opt.Topics.CaseEvents, command)
	}
}
