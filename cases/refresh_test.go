package cases_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/message"
	"recoup/detectors"
	"recoup/invoice"
)

// opened is the case of a fibre invoice that lacks a line: 120.00 EUR.
func opened(t *testing.T) *cases.Case {
	t.Helper()
	inv := fibre("F-2", 200, 200, 120)
	inv.CustomerRef, inv.Country = "c:1", "FR"
	c := opener.Open(inv, verdictOn(inv), received, detected)
	if c.Loss.Point != 120*invoice.Unit || c.Draft == nil || len(c.Options) != 5 {
		t.Fatalf("opened %+v", c)
	}
	return c
}

// confirmed is a decision that an error was made of this much.
func confirmed(minute int, loss invoice.Amount) *cases.Event {
	e := event(minute, cases.StatusDecided)
	e.Currency, e.ConfirmedLoss = "EUR", invoice.OptionalAmount{Value: loss, Set: true}
	return e
}

// A13, A17, A22–A26, D1: what may be offered, and what the draft says, follow where
// the case stands; doing it again changes nothing.
func TestRefresh(t *testing.T) {
	for _, c := range []struct {
		name    string
		records []any
		options string // and what they ask for; "": none
		draft   string // what it says; "": there is none
		worth   string // expected recovery
	}{
		{"nothing happened", nil, "immediate_payment instalments offset_next_order goodwill write_off 120.00",
			"320,00\u00a0EUR.", "120.00"},
		{"confirmed as 90", []any{confirmed(1, 90*invoice.Unit)},
			"immediate_payment instalments offset_next_order goodwill write_off 90.00", "290,00\u00a0EUR.", "90.00"},
		{"30 of 90 came in", []any{confirmed(1, 90*invoice.Unit), recovery(2, cases.OptionInstalments, cases.StepOffered),
			recovery(3, cases.OptionInstalments, cases.StepPaid), recovery(4, cases.OptionInstalments, cases.StepFailed)},
			"immediate_payment offset_next_order goodwill write_off formal_notice 65.00", "65,00\u00a0EUR", "90.00"},
		{"agreed", []any{recovery(1, cases.OptionOffset, cases.StepOffered),
			recovery(2, cases.OptionOffset, cases.StepAccepted)},
			"", "", "120.00"},
		{"no error", []any{&cases.Event{EventID: "e", CaseID: caseID, Status: cases.StatusDecided, At: at(1),
			Outcome: cases.OutcomeNotAnError}}, "", "", "0.00"},
		{"closed", []any{event(1, cases.StatusDecided), event(2, cases.StatusClosed)}, "", "", "120.00"},
		{"too much", []any{confirmed(1, -30*invoice.Unit)}, "credit_note 30.00", "en trop est de 30,00\u00a0EUR", "0.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, s := opened(t), lived(c.records...)
			opener.Refresh(got, &s)
			var names []string
			for _, o := range got.Options {
				names = append(names, string(o.Option))
			}
			if len(names) > 0 {
				names = append(names, got.Options[0].Amount.String())
			}
			if options := strings.Join(names, " "); options != c.options {
				t.Errorf("options %s, want %s", options, c.options)
			}
			if (got.Draft != nil) != (c.draft != "") || got.Draft != nil && !strings.Contains(got.Draft.Body, c.draft) {
				t.Errorf("draft %+v, want %q", got.Draft, c.draft)
			}
			checked := s.Outcome == cases.OutcomeConfirmed
			if d := got.Draft; d != nil && strings.Contains(d.Body, "[à vérifier d'abord]") == checked {
				t.Errorf("outcome %q, but the draft says\n%s", s.Outcome, d.Body)
			}
			if worth := got.Economics.ExpectedRecovery.String(); worth != c.worth {
				t.Errorf("expected recovery %s, want %s", worth, c.worth)
			}
			body := encoded(t, got)
			opener.Refresh(got, &s)
			if again := encoded(t, got); !bytes.Equal(body, again) {
				t.Errorf("again gives\n%s\nafter\n%s", again, body)
			}
		})
	}
}

// A14, D1: what was billed too much is owed to the customer: nothing comes back, no day
// ends it, nobody is late, and a credit note settles it.
func TestOwedToTheCustomer(t *testing.T) {
	inv := fibre("F-2", 1600, 900, 600)
	inv.CustomerRef, inv.Country = "c:1", "FR"
	v := verdictOn(inv)
	stage := opener
	stage.Acceptance = &cases.Acceptance{}
	stage.Acceptance.Count("", plans(cases.OptionImmediate, 50, 100))
	c, s := opener.Open(inv, v, received, detected), cases.State{}
	for _, step := range []string{"opened", "refreshed"} {
		e := c.Economics
		if c.Loss.Point != -100*invoice.Unit || e.ExpectedRecovery != 0 || e.NetValue != -50*invoice.Unit ||
			e.BreakEven != 0 || e.Rate != 0 || e.Offers != 0 || c.Limitation != "" || c.TooLate {
			t.Errorf("%s: loss %+v, economics %+v, claimed until %q", step, c.Loss, e, c.Limitation)
		}
		if len(c.Options) != 1 || c.Options[0].Option != cases.OptionCredit || c.Options[0].Amount != 100*invoice.Unit ||
			c.Draft == nil || !strings.Contains(c.Draft.Body, "avoir de 100,00\u00a0EUR") {
			t.Errorf("%s: options %+v, draft %+v", step, c.Options, c.Draft)
		}
		if slices.Contains(c.Verify, "due_date_passed") {
			t.Errorf("%s: verify %q", step, c.Verify)
		}
		encoded(t, c)
		stage.Refresh(c, &s)
	}
	const en = "Invoice F-2: the lines do not add up to the total; billed 1,600.00 EUR, should be 1,500.00 EUR; " +
		"100.00 EUR owed to the customer."
	const fr = "Facture F-2 : la somme des lignes ne correspond pas au total ; montant facturé 1 600,00 EUR, " +
		"montant juste 1 500,00 EUR ; 100,00 EUR dus au client (avoir)."
	if c.Summary.EN != en || c.Summary.FR != fr {
		t.Errorf("summary %+v", c.Summary)
	}
	incident := &cases.Case{Kind: cases.KindIncident, Currency: "EUR", DetectedAt: detected,
		Loss: detectors.Loss{Point: -100 * invoice.Unit}}
	if stage.WeighIncident(incident, 90*invoice.Unit); incident.Economics.ExpectedRecovery != 0 {
		t.Errorf("an incident expects %v of money that is not the seller's", incident.Economics.ExpectedRecovery)
	}
}

// A26, A14: once the limitation is over when a case is detected, nothing is claimed or
// offered, whatever comes later; a day before, everything is.
func TestTooLateToClaim(t *testing.T) {
	inv := fibre("F-2", 200, 200, 120)
	inv.CustomerRef, inv.Country = "c:1", "FR"
	v := verdictOn(inv)
	last := time.Date(2028, 3, 1, 23, 59, 0, 0, time.UTC)
	if c := opener.Open(inv, v, received, last); c.TooLate || c.Severity != cases.SeverityWarning || len(c.Options) == 0 ||
		c.Economics.ExpectedRecovery != 120*invoice.Unit || strings.Contains(c.Summary.EN, "too late") {
		t.Errorf("on the last day: %+v", c)
	}
	c, s := opener.Open(inv, v, received, last.Add(time.Minute)), cases.State{}
	for _, step := range []string{"opened", "refreshed", "after an offer failed"} {
		e := c.Economics
		if !c.TooLate || c.Limitation != "2028-03-01" || c.Severity != cases.SeverityInfo || e.ExpectedRecovery != 0 ||
			e.BreakEven != 0 || e.Decision != detectors.DecisionLogOnly || c.Options != nil || c.Draft != nil {
			t.Errorf("%s: %+v", step, c)
		}
		encoded(t, c)
		opener.Refresh(c, &s)
		s = lived(recovery(2, cases.OptionInstalments, cases.StepOffered),
			recovery(3, cases.OptionInstalments, cases.StepFailed))
	}
	if en, fr := c.Summary.EN, c.Summary.FR; !strings.HasSuffix(en, "; too late to claim, the last day was 2028-03-01.") ||
		!strings.HasSuffix(fr, " ; trop tard pour la réclamer, le dernier jour était le 01/03/2028.") {
		t.Errorf("summary %+v", c.Summary)
	}
	owed := cases.State{Status: cases.StatusDecided, Outcome: cases.OutcomeConfirmed,
		ConfirmedLoss: invoice.OptionalAmount{Value: -30 * invoice.Unit, Set: true}, Currency: "EUR"}
	if opener.Refresh(c, &owed); c.TooLate || len(c.Options) != 1 || c.Options[0].Option != cases.OptionCredit {
		t.Errorf("what the customer is owed ends with the limitation: %+v", c)
	}
}

// A14, K10: what customers answered counts in the case, by what was known on the day
// before it was detected.
func TestEconomicsByWhatWasKnown(t *testing.T) {
	stage := opener
	stage.Acceptance = &cases.Acceptance{}
	known := plans(cases.OptionInstalments, 50, 100)
	for i := range known {
		known[i].OfferedAt, known[i].AnsweredAt = detected.AddDate(0, 0, -9), detected.AddDate(0, 0, -8)
		known[i].SettledAt = detected.AddDate(0, 0, -7)
	}
	stage.Acceptance.Count("B2C", known)
	c, s := opened(t), cases.State{}
	stage.Refresh(c, &s)
	e := c.Economics
	if e.ExpectedRecovery != 60*invoice.Unit || e.NetValue != 10*invoice.Unit || e.BreakEven != 100*invoice.Unit ||
		e.Rate != 0.5 || e.Offers != 100 || e.Decision != detectors.DecisionOpenCase {
		t.Errorf("economics %+v", e)
	}
	if c.Options[0].Option != cases.OptionInstalments || *c.Options[0].PAccept != 0.5 {
		t.Errorf("options %+v", c.Options)
	}
	before := encoded(t, c)
	stage.Acceptance.Count("B2C", plans(cases.OptionInstalments, 0, 100)) // answered on the day of detection
	stage.Refresh(c, &s)
	if after := encoded(t, c); !bytes.Equal(before, after) {
		t.Errorf("later answers changed\n%s\nto\n%s", before, after)
	}
}

// A14: one error of 25.00 is not worth 50.00 of work; four of one cause share one
// investigation and are, also when half of it comes back.
func TestSiblingsAreWorthWhatASingleIsNot(t *testing.T) {
	stage := opener
	stage.Acceptance = &cases.Acceptance{}
	for _, c := range []struct {
		siblings invoice.Amount
		paid     int // of 100 that were asked; 0: nobody was
		net      string
	}{{1, 0, "-25.00"}, {4, 0, "50.00"}, {4, 50, "0.00"}, {3, 50, "-12.50"}} {
		answered := plans(cases.OptionImmediate, c.paid, 100)
		for i := range answered {
			p := &answered[i]
			p.OfferedAt, p.AnsweredAt = detected.AddDate(0, 0, -3), detected.AddDate(0, 0, -2)
			if p.Accepted {
				p.SettledAt = detected.AddDate(0, 0, -1)
			}
		}
		if c.paid > 0 {
			stage.Acceptance.Count("", answered)
		}
		incident := &cases.Case{Kind: cases.KindIncident, Currency: "EUR", DetectedAt: detected,
			Economics: cases.Economics{Decision: detectors.DecisionOpenCase}}
		stage.WeighIncident(incident, c.siblings*25*invoice.Unit)
		if e := incident.Economics; e.NetValue.String() != c.net || e.Decision != detectors.DecisionOpenCase {
			t.Errorf("%d siblings, %d %% paid: %+v, want net %s", c.siblings, c.paid, e, c.net)
		}
		if c.paid > 0 {
			stage.Acceptance.Discount("", answered)
		}
	}
}

// A16, B18: nothing is offered to customers that nobody knows, and no amounts are told
// of an invoice in a foreign currency.
func TestNobodyToTell(t *testing.T) {
	for _, customer := range []string{"", invoice.Anonymous} {
		inv := fibre("F-2", 200, 200, 120)
		inv.CustomerRef = customer
		if c := opener.Open(inv, verdictOn(inv), received, detected); c.Draft != nil || c.Options != nil {
			t.Errorf("customer %q: %+v, %+v", customer, c.Draft, c.Options)
		}
	}
	inv := fibre("F-2", 200, 200, 120)
	inv.CustomerRef = "c:1"
	v := verdictOn(inv)
	v.Causes = []detectors.Finding{{Code: detectors.CauseBillingSystem, Kind: "currency", P: 1}}
	c := opener.Open(inv, v, received, detected)
	if c.Draft != nil || c.Options != nil || c.Economics.ExpectedRecovery != 200*invoice.Unit {
		t.Errorf("foreign currency: %+v, %+v, %+v", c.Draft, c.Options, c.Economics)
	}
}

// D1: an estimate is not told as if it were known; what a customer would not
// understand is not told at all.
func TestDraftOfAnEstimate(t *testing.T) {
	inv := fibre("F-2", 200)
	inv.CustomerRef, inv.Country = "c:1", "United Kingdom"
	c := opener.Open(inv, verdictOn(inv), received, detected)
	if c.Draft == nil || c.Draft.Template != "en/undercharge.email" || c.Draft.Lang != message.English ||
		!strings.Contains(c.Draft.Body, "200.00 EUR [to be confirmed]") || strings.Contains(c.Draft.Body, "What happened") {
		t.Errorf("draft %+v", c.Draft)
	}
}

// A26: the last day on which money can be claimed, by country and kind of customer.
func TestLimitation(t *testing.T) {
	said, err := cases.ParseLimitations([]string{"FR/business=4", "LU/business=10"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		issued, country string
		kind            cases.CustomerKind
		limits          cases.Limitations
		want            string
	}{
		{"2026-03-01", "FR", cases.Consumer, cases.Limitations{}, "2028-03-01"},
		{"2026-03-01", "France", cases.Business, cases.Limitations{}, "2031-03-01"},
		{"2026-03-01", "France", cases.Business, said, "2030-03-01"},
		{"2026-03-01", "France", cases.Consumer, said, "2028-03-01"},
		{"2026-03-01", "france", "", cases.Limitations{}, "2028-03-01"},
		{"2028-02-29", "FR", cases.Consumer, cases.Limitations{}, "2030-02-28"},
		{"2024-02-29", "NL", cases.Consumer, cases.Limitations{}, "2026-02-28"},
		{"2026-12-31", "Germany", cases.Business, cases.Limitations{}, "2029-12-31"},
		{"2026-03-01", "LU", cases.Business, said, "2036-03-01"},
		{"2026-03-01", "LU", "", said, "2036-03-01"},
		{"2026-03-01", "LU", cases.Consumer, said, ""},
		{"2026-03-01", "Atlantis", cases.Consumer, cases.Limitations{}, ""},
		{"2026-03-01", "", "", cases.Limitations{}, ""},
	} {
		day, err := time.Parse(time.DateOnly, c.issued)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.limits.Date(day.Add(23*time.Hour), c.country, c.kind); got != c.want {
			t.Errorf("%s in %s of %q: %q, want %q", c.issued, c.country, c.kind, got, c.want)
		}
	}
	for _, wrong := range []string{"", "FR", "FR/consumer", "FR/consumer=0", "FR/consumer=2y", "France/consumer=2",
		"FR/anybody=2", "FR/business=101"} {
		if _, err := cases.ParseLimitations([]string{wrong}); err == nil || !strings.Contains(err.Error(), "FR/consumer=2") {
			t.Errorf("limitation %q: %v", wrong, err)
		}
	}
}

// E4: the case names the fields that the law wants and the invoice lacks, once it is
// about missing data.
func TestMissingFieldsAreNamed(t *testing.T) {
	missing := detectors.Finding{Code: detectors.CauseMissingAdminData, Kind: "purchase_order", P: 0.9}
	for _, c := range []struct {
		name, country string
		legal         []string
		cause         detectors.Finding
		want          string // country: fields; "": not told
	}{
		{"France", "France", []string{"buyer_vat_id", "seller_vat_id", "late_payment_terms", "recovery_fee"}, missing,
			"FR: delivery_date unit_prices tax_rate tax_amount due_date purchase_order_ref"},
		{"names nothing", "FR", nil, missing,
			"FR: delivery_date unit_prices tax_rate tax_amount due_date purchase_order_ref"},
		{"the directive", "Spain", []string{"seller_vat_id"}, missing,
			"EU: buyer_vat_id delivery_date unit_prices tax_rate tax_amount purchase_order_ref"},
		{"no law known", "Atlantis", nil, missing, ""},
		{"another cause", "FR", nil, detectors.Finding{Code: detectors.CausePromotion, Kind: "expired", P: 0.9}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := fibre("F-2", 200, 200)
			inv.Number, inv.Country, inv.LegalFieldsPresent, inv.CustomerType = "N-2", c.country, c.legal, "B2B"
			inv.Lines[0].Quantity = invoice.OptionalFixed{Value: invoice.One, Set: true}
			v := verdictOn(inv)
			v.Causes = []detectors.Finding{c.cause}
			got := ""
			if a := opener.Open(inv, v, received, detected).Admin; a != nil {
				got = a.Country + ": " + strings.Join(a.Missing, " ")
				if a.Source == "" {
					t.Error("no source")
				}
			}
			if got != c.want {
				t.Errorf("missing %q, want %q", got, c.want)
			}
		})
	}
	if known := cases.LimitationCountries(); !slices.Contains(known, "FR") || !slices.IsSorted(known) {
		t.Errorf("countries %v", known)
	}
}

// B5, D1: what to verify first follows from the cause.
func TestVerifyFirst(t *testing.T) {
	inv := fibre("F-2", 200, 200, 120)
	const always = "invoice_is_wrong invoice_was_sent due_date_passed no_promotion_applies"
	for cause, also := range map[string]string{
		detectors.CauseBillingSystem:  "",
		detectors.CausePromotion:      " promotion_terms",
		detectors.CauseDuplicate:      " both_were_sent",
		detectors.CausePriceList:      " agreed_price",
		detectors.CauseCRMSync:        " contract_in_force",
		detectors.CauseBeforeShipment: " delivery_state",
	} {
		v := verdictOn(inv)
		v.Causes[0].Code = cause
		if got := strings.Join(opener.Open(inv, v, received, detected).Verify, " "); got != always+also {
			t.Errorf("%s: %s, want %s", cause, got, always+also)
		}
	}
}

// B5: the runbooks may lie anywhere; by default they are those of this repository.
func TestRunbooks(t *testing.T) {
	for base, want := range map[string]string{"": "docs/runbooks/rate.md",
		"https://wiki.example/recoup/": "https://wiki.example/recoup/rate.md"} {
		if got := (cases.Opener{Runbooks: base}).Runbook("rate"); got != want {
			t.Errorf("runbook %s, want %s", got, want)
		}
	}
	inv := fibre("F-2", 200, 200, 120)
	stage := opener
	stage.Runbooks = "https://wiki.example"
	c := stage.Open(inv, verdictOn(inv), received, detected)
	if c.Links.Runbook != "https://wiki.example/billing_system.md" {
		t.Errorf("links %+v", c.Links)
	}
	for _, page := range []string{"incident", "rate", "blind", "closing"} {
		if _, err := os.Stat("../" + (cases.Opener{}).Runbook(page)); err != nil {
			t.Error(err)
		}
	}
}
