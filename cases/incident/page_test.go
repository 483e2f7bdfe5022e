package incident

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// secret stands in everything that must not leave the house.
const secret = "SECRET"

// anyCase is a case of any kind and cause, with names of any length.
func anyCase(rng *rand.Rand, kind cases.Kind, cause, dimension string) *cases.Case {
	name := func() string {
		return strings.Repeat([]string{"x", "é", "long name ", "Ω\n", "a-b\t"}[rng.IntN(5)], 1+rng.IntN(60))
	}
	amount := func() invoice.Amount { return invoice.Amount(rng.Int64N(1 << (1 + rng.IntN(60)))) }
	loss := func() detectors.Loss {
		point := amount()
		return detectors.Loss{Point: point, Low: point / 2, High: point + amount()/2}
	}
	at := time.Date(2026, 11, 22, rng.IntN(24), 0, 0, 0, time.UTC)
	c := &cases.Case{Kind: kind, CaseID: "24107006-d835-56a0-80a4-1a64bac3f871", Seller: name(), IssuedAt: at,
		Severity: cases.SeverityCritical, RespondBy: at.Add(time.Hour), EscalateAt: at, OwnerTeam: cases.OwnerTeam(cause),
		InvoiceID: secret, Number: secret, Customer: secret, Order: secret, PError: rng.Float64(), Loss: loss(),
		Direction: detectors.DirectionSellerFavour, Currency: "EUR",
		Model:   detectors.Model{Version: name(), ConfigHash: "c0"},
		Summary: cases.Summary{EN: secret, FR: secret}, Verify: []string{"invoice_is_wrong", "no_promotion_applies"},
		Causes: []detectors.Finding{{Code: cause, Kind: detectors.KindNoRepair, Evidence: []string{secret}}},
		Links:  cases.Links{Runbook: "https://" + name() + "/missing_admin_data.md", Query: secret}}
	switch kind {
	case cases.KindIncident:
		c.Incident = &cases.Incident{Seller: c.Seller, Dimension: dimension, Value: name(), Since: at, P: 0.001,
			Members: rng.Int64N(1e9), Invoices: rng.Int64N(1e9), Expected: 1e6 * rng.Float64(),
			Money:    []cases.IncidentMoney{{Currency: "EUR", TooLow: loss(), TooHigh: loss(), PerHour: amount()}},
			Findings: []cases.FindingCount{{Finding: cause + ":no_repair", Members: 3, Fits: rng.Int64N(1e9)}},
			Batches:  []cases.ValueCount{{Value: name(), Members: 3}}}
		if dimension == "operator" {
			c.Incident.Value = secret
		}
	case cases.KindRate:
		c.Watch = &cases.Watch{Segment: name(), Invoices: rng.Int64N(1e9), Suspects: rng.Int64N(1e9), Lower: 1, Usual: 0.9}
	case cases.KindBlind:
		c.Watch = &cases.Watch{Source: name(), Reason: []string{"silent", "canary", "lag"}[rng.IntN(3)],
			UsualSilence: rng.Int64(), Lag: rng.Int64()}
	}
	return c
}

// A page of any case fits a telephone, names no customer, invoice or person, and always
// says how much, what to do and where to read on.
func TestPageFitsATelephone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dimensions := []string{"release", "batch", "promotion", "operator", "price_list", "crm_version", "source", "segment"}
	for n := range 4000 {
		cause := detectors.CauseAt(n % detectors.Causes)
		kind := []cases.Kind{cases.KindInvoice, cases.KindIncident, cases.KindRate, cases.KindBlind}[rng.IntN(4)]
		c := anyCase(rng, kind, cause, dimensions[rng.IntN(len(dimensions))])
		text := PageOf(c).Text()
		lines := strings.Split(text, "\n")
		wrong := ""
		for _, line := range lines {
			if utf8.RuneCountInString(line) > PageColumns || strings.TrimSpace(line) == "" {
				wrong = fmt.Sprintf("the line %q", line)
			}
		}
		for _, want := range []string{
			"[critical] ", "1) ", "2) ", "answer by ", "\nRunbook ", "\nrecoup case show 24107006-",
		} {
			if kind == cases.KindInvoice && want == "2) " {
				continue
			}
			if !strings.Contains(text, want) {
				wrong = fmt.Sprintf("no %q", want)
			}
		}
		if len(lines) > PageLines || strings.Contains(text, secret) || wrong != "" {
			t.Fatalf("%d lines, %s:\n%s", len(lines), wrong, text)
		}
	}
}
