package report

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"recoup/cases/frenchtest"
	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

// foreign is what a French page has in English or as it came: names of the contract and of the
// program, and messages about records that cannot be read.
var foreign = regexp.MustCompile(`[a-z]+_[a-z_]+|orders\.csv:12: .*|recoup score --suspects|\blines : .*|^lines$`)

// French says all that English says, with the same figures, and nothing of it in English.
func TestFrench(t *testing.T) {
	page := func(l explain.Lang) []string {
		r := reportedIn(l, 3000)
		for _, kind := range []invoice.Type{invoice.CreditNote, invoice.Correction} {
			inv := &invoice.Invoice{Currency: "EUR", Type: kind, IssuedAt: created, Revision: 2, ID: "K-1", Seller: "acme"}
			v := verdictOn(inv, 0.9)
			find(v, 0.9, detectors.DecisionHold, detectors.Finding{Code: "missing_admin_data", Kind: "vat_id",
				Repaired: 1_000_000 * invoice.Unit})
			v.Level, v.LateBy, v.Rules = detectors.LevelNone, 36e14, []string{detectors.RuleImplausibleTime}
			v.Model.Version, v.IncidentID = "trained-1", "i7"
			r.Add(inv, v, nil, 0.125)
		}
		_, body, _ := strings.Cut(write(t, r, Page{File: "orders.csv", Build: "v1", Redelivered: 3,
			Unreadable: map[string]int64{"bad_decimal": 40_000}, FirstErrors: []string{"orders.csv:12: column: bad"},
			Segments: segments(14)}), "<body>")
		return strings.Split(tags.ReplaceAllString(body, "\n"), "\n")
	}
	english, french := page(explain.English), page(explain.French)
	said := func(lines []string) (all []string) {
		for _, line := range lines {
			if line = strings.TrimSpace(html.UnescapeString(line)); line != "" {
				all = append(all, line)
			}
		}
		return all
	}
	english, french = said(english), said(french)
	if len(english) != len(french) || len(french) < 500 {
		t.Fatalf("%d texts in English, %d in French", len(english), len(french))
	}
	for i := range french {
		if figuresOf(english[i]) != figuresOf(french[i]) {
			t.Errorf("other figures: %q, %q", english[i], french[i])
		}
		if word := frenchtest.English(foreign.ReplaceAllString(french[i], "")); word != "" {
			t.Errorf("the English %q in French: %s", word, french[i])
		}
	}
	contains(t, strings.Join(french, "\n"), "Factures contrôlées", "Facturé trop peu", "3\u00a0000",
		"du 20/07/2026 au 22/11/2026")
}

// figuresOf are the digits of a text in their order of size: dates are written the other way round.
func figuresOf(text string) string {
	digits := []rune(strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text))
	slices.Sort(digits)
	return string(digits)
}
