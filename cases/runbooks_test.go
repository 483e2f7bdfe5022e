package cases_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"recoup/cases/frenchtest"
)

// Every page that a case leads to says in French, too, what to do: step by step as in English.
func TestRunbooksInFrench(t *testing.T) {
	code := regexp.MustCompile("(?s)```.*?```|`[^`]*`|\\]\\([^)]*\\)")
	step := regexp.MustCompile(`(?m)^\d+\. `)
	for _, name := range []string{"data_entry", "billing_system", "promotion", "crm_sync", "duplicate", "price_list",
		"before_shipment", "missing_admin_data", "unknown", "incident", "rate", "blind", "closing", "dispute"} {
		page, err := os.ReadFile("../docs/runbooks/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		english, french, found := strings.Cut(string(page), "\n## En français\n")
		if !found || !strings.Contains(english, "[En français](#en-français)") || len(french) < 500 {
			t.Errorf("%s is English only, or does not lead to its French part", name)
		}
		if a, b := len(step.FindAllString(english, -1)), len(step.FindAllString(french, -1)); a != b {
			t.Errorf("%s has %d steps in English, %d in French", name, a, b)
		}
		for line := range strings.SplitSeq(code.ReplaceAllString(french, ""), "\n") {
			if word := frenchtest.English(line); word != "" {
				t.Errorf("%s: the English %q in French: %s", name, word, line)
			}
		}
	}
}
