package house

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "recoup"

// Third-party modules with few places that may know them.
const (
	kafkaGo      = "github.com/segmentio/kafka-go"
	clickhouseGo = "github.com/ClickHouse/clickhouse-go/v2"
	chGo         = "github.com/ClickHouse/ch-go"
	xxhash       = "github.com/cespare/xxhash/v2"
)

// testSupport are packages that only tests, benchmarks and the test command
// use; rules about who may know Kafka and ClickHouse pass them over.
var testSupport = []string{"bench", "internal/kafkaserver", "internal/testservers", "internal/e2e",
	"internal/promtools", "deploy/local"}

// onlyIn says in which folders a module may be imported.
var onlyIn = []struct {
	imported string
	folders  []string
}{
	{kafkaGo, []string{"internal/kafka"}},
	{clickhouseGo, []string{"sinks"}},
	{chGo, []string{"sinks"}},
}

// never says what a folder, and what is below it but for one exception, may not
// import.
var never = []struct {
	folder   string
	imported []string
	except   string // "" for none
}{
	{"invoice", []string{module + "/"}, ""},
	{"detectors", []string{module + "/cases", module + "/pipeline", module + "/sinks", module + "/internal",
		module + "/cmd"}, ""},
	{"cases", []string{module + "/pipeline", module + "/sinks", module + "/internal", module + "/cmd"}, ""},
	{"pipeline", []string{module + "/sinks", module + "/internal", module + "/cmd"}, ""},
	{"sinks", []string{module + "/internal", module + "/cmd"}, ""},
	// Boards are data: they name tables and metrics, and say codes in the words of cases. The plugin beside them is a
	// program of its own.
	{"dashboards", []string{module + "/pipeline", module + "/sinks", module + "/internal", module + "/cmd"},
		"dashboards/plugin"},
}

// checkImports enforces that imports point one way: invoice, detectors, cases,
// pipeline; and that Kafka and ClickHouse are known in few places.
func (f goFile) checkImports() (found []Violation) {
	for _, spec := range f.tree.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted it
		}
		if fix := f.forbids(imported); fix != "" {
			found = append(found, f.violation(spec.Pos(), "import", "%s: %s", imported, fix))
		}
	}
	return found
}

// forbids says why this file may not import a package, "" when it may.
func (f goFile) forbids(imported string) string {
	folder := path.Dir(f.Path)
	if within(imported, module+"/cmd") && !within(folder, "cmd") {
		return "nobody imports a command: move what is shared into a package"
	}
	if f.isTest() || slices.ContainsFunc(testSupport, func(s string) bool { return within(folder, s) }) {
		return ""
	}
	if slices.Contains(testSupport, strings.TrimPrefix(imported, module+"/")) {
		return "it is there for tests only"
	}
	if within(folder, "invoice") && !standard(imported) && imported != xxhash {
		return "invoice imports the standard library only"
	}
	for _, rule := range onlyIn {
		allowed := slices.ContainsFunc(rule.folders, func(allowed string) bool { return within(folder, allowed) })
		if within(imported, rule.imported) && !allowed {
			return "only " + strings.Join(rule.folders, ", ") + " may know it: go through an interface of pipeline"
		}
	}
	for _, rule := range never {
		if !within(folder, rule.folder) || rule.except != "" && within(folder, rule.except) {
			continue
		}
		for _, forbidden := range rule.imported {
			// A folder may import what is below itself.
			if within(imported, strings.TrimSuffix(forbidden, "/")) && !within(imported, module+"/"+rule.folder) {
				return rule.folder + " must not know it: imports point from cmd to pipeline to cases to detectors to invoice"
			}
		}
	}
	return ""
}

// within tells whether a path is the folder or lies below it.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

// standard tells packages of the standard library: their first part has no dot
// and is not this module.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && first != module
}
