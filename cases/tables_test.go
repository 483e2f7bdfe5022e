package cases_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"recoup/cases"
)

// The tables of the page for people are those of the program.
func TestTablesOfThePageAreCurrent(t *testing.T) {
	const file = "../docs/CASES.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	now := string(page)
	now = between(t, now, "limitation", limitationTable())
	now = between(t, now, "fields", fieldsTable())
	if now == string(page) {
		return
	}
	if !*rewrite {
		t.Fatalf("%s is not current: run go test ./cases -rewrite", file)
	}
	if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
		t.Fatal(err)
	}
}

// between replaces what stands between the marks of a name.
func between(t *testing.T, page, name, table string) string {
	t.Helper()
	begin, end := "<!-- "+name+": written by go test ./cases -rewrite -->\n", "<!-- end of "+name+" -->\n"
	before, rest, ok := strings.Cut(page, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("the page has no marks %q and %q", begin, end)
	}
	return before + begin + table + end + after
}

func limitationTable() string {
	var b strings.Builder
	b.WriteString("| country | consumer, years | business, years | source |\n|---|---|---|---|\n")
	for _, code := range cases.LimitationCountries() {
		l := cases.LimitationOf(code)
		fmt.Fprintf(&b, "| %s | %d | %d | %s |\n", code, l.Consumer, l.Business, l.Source)
	}
	return b.String()
}

func fieldsTable() string {
	var b strings.Builder
	b.WriteString("| country | fields; in brackets: between businesses only; *: without tax only | source |\n" +
		"|---|---|---|\n")
	for _, law := range cases.AdminLaws() {
		var names []string
		for _, f := range law.Fields {
			name := "`" + f.Name + "`"
			if f.Business {
				name = "(" + name + ")"
			}
			if f.Untaxed {
				name += "*"
			}
			names = append(names, name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", law.Country, strings.Join(names, " "), law.Source)
	}
	return b.String()
}
