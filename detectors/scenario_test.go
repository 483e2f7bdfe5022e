package detectors_test

import (
	"flag"
	"strings"
	"testing"

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
}
