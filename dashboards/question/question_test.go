package question

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/cases"
)

// The bounds are those of the views; of nothing a board shows none, not 0 and 100 %.
func TestWilsonIsThatOfTheViews(t *testing.T) {
	views, err := os.ReadFile("../../sinks/migrations/shared/wilson.sql")
	if err != nil {
		t.Fatal(err)
	}
	none := strings.NewReplacer("if(n = 0, 0,", "if(n = 0, NULL,", "if(n = 0, 1,", "if(n = 0, NULL,")
	want := none.Replace(string(views))
	if statement("sql/shared/wilson.sql") != strings.TrimSpace(want) {
		t.Error("sql/shared/wilson.sql differs from sinks/migrations/shared/wilson.sql in more than n = 0: copy it")
	}
}

func TestParameters(t *testing.T) {
	q, _ := Find("error_rate")
	from, to := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	got, err := q.Parameters(Values{From: from, To: to, Filters: map[Filter][]string{FilterSeller: {`a'\b`},
		FilterCustomerType: {`it's`, `\`}, FilterProductFamily: {Everything}, FilterInvoice: {"aside"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"from": "2026-01-02 03:04:05.006", "to": "2026-02-01 00:00:00.000", "seller": `a'\\b`,
		"customer_type": `['it\'s','\\']`, "product_family": "['*']", "limit": "1000"}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s = %q, want %q", name, got[name], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	seller := func(names ...string) map[Filter][]string { return map[Filter][]string{FilterSeller: names} }
	for text, v := range map[string]Values{
		"filter seller: it has 0 values": {From: from, To: to},
		"want a time range":              {From: to, To: from},
		"for -1 rows":                    {From: from, To: to, Limit: -1},
		"filter seller: it has 2 values": {From: from, To: to, Filters: seller("a", "b")},
		"filter seller: \"xxxxx":         {From: from, To: to, Filters: seller(strings.Repeat("x", 2000))},
	} {
		if _, err := q.Parameters(v); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want one that says %q", err, text)
		}
	}
}

// A code has one word: boards say it as cases and explanations do, but for codes that mean
// something else in their column.
func TestCodesHaveTheWordsOfCases(t *testing.T) {
	// As in "reason duplicate": a customer's words for a dispute.
	others := strings.Fields("reason/duplicate level/none option/none decision/none resolved_by/credit_note " +
		"resolved_by/duplicate_case")
	known := 0
	for column, said := range words {
		for code, text := range said {
			en, fr := cases.InWords(code)
			if en == code && fr == code || slices.Contains(others, column+"/"+code) {
				continue
			}
			known++
			if !strings.EqualFold(text.EN, en) || !strings.EqualFold(text.FR, fr) {
				t.Errorf("%s %s is %q, %q; cases say %q, %q", column, code, text.EN, text.FR, en, fr)
			}
		}
	}
	for _, column := range []string{"cause", "direction", "severity", "kind", "status", "event", "outcome", "team"} {
		for code, text := range words[column] {
			if text.FR == "" || strings.Contains(text.EN, "_") {
				t.Errorf("%s %s has no words", column, code)
			}
		}
	}
	if known < 50 {
		t.Errorf("only %d codes that cases know", known)
	}
}

// Each file of SQL is one question and bounded; names are unique, so Find has one answer.
func TestCatalogue(t *testing.T) {
	entries, err := files.ReadDir("sql")
	if err != nil {
		t.Fatal(err)
	}
	if all := All(); len(entries) != len(all)+1 { // and the folder of shared parts
		t.Errorf("%d files and folders of SQL for %d questions", len(entries), len(all))
	}
	for i, q := range All() {
		if found, ok := Find(q.Name); !ok || found.Name != q.Name || i > 0 && catalogue[i-1].Name == q.Name {
			t.Errorf("%s is not found, or there twice", q.Name)
		}
		if !strings.Contains(q.SQL, "LIMIT {limit:UInt32}") || q.MaxRows < 1 || q.MaxRows > MaxLimit {
			t.Errorf("%s is not bounded by its limit, %d", q.Name, q.MaxRows)
		}
		if strings.Contains(q.SQL, "{to:") != q.Timed || include.MatchString(q.SQL) {
			t.Errorf("%s: timed %v, or a part is not put in: %s", q.Name, q.Timed, q.SQL)
		}
	}
	if _, ok := Find("nonsense"); ok {
		t.Error("a question that is not there was found")
	}
}
