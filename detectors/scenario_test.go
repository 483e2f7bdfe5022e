package detectors_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"recoup/detectors"
	"recoup/detectors/scenario"
)

var rewrite = flag.Bool("rewrite", false, "write what was found into testdata/scenarios")

// Style.md layer 1: behaviour pinned by files an accountant can read (A4, E2,
// G10, G11).
func TestScenarios(t *testing.T) {
	report, err := scenario.Run("testdata/scenarios", scenario.Options{Rewrite: *rewrite})
	if err != nil {
		t.Fatal(err)
	}
	if report.Files < 9 || report.Scores < 100 {
		t.Errorf("ran %d files with %d comparisons: some are lost", report.Files, report.Scores)
	}
	var b strings.Builder
	if _, err := report.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if len(report.Failures) > 0 {
		t.Error("\n" + b.String())
	}
	for _, code := range codes(t) {
		if report.Found[code] == 0 {
			t.Errorf("no scenario finds %s: write one that does, and one just below that does not", code)
		}
	}
}

// codes are all that scoring can find without a classifier. The kinds are those
// that have words for people; a test there holds them against the detectors.
func codes(t *testing.T) []string {
	t.Helper()
	words, err := os.ReadFile("../cases/words.go")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{detectors.RuleCustomerType, detectors.RuleProductFamily, detectors.RuleSegment,
		detectors.RuleImplausibleTime}
	for _, found := range regexp.MustCompile(`"([a-z_]+:[a-z_]+)":`).FindAllSubmatch(words, -1) {
		all = append(all, string(found[1]))
	}
	if len(all) < 50 {
		t.Fatalf("only %d kinds have words", len(all))
	}
	return all
}
