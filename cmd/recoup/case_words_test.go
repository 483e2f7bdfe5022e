package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/message"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// putCase writes the case of an invoice of 1,234.57 that is 25.00 too low, changed.
func putCase(t *testing.T, file string, change func(*cases.Case)) {
	t.Helper()
	key := cases.DedupKey("acme", "F-30", 0)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := &cases.Case{Schema: cases.Schema, CaseID: cases.ID(key), DedupKey: key, Seq: 1, Action: cases.ActionOpen,
		Kind: cases.KindInvoice, Origin: cases.OriginDetector, Seller: "acme", InvoiceID: "F-30", Customer: "c-1",
		Billed: 12345678, Currency: "EUR", DetectedAt: at, RespondBy: at.Add(24 * time.Hour),
		EscalateAt: at.Add(12 * time.Hour), OwnerTeam: "sales", Direction: detectors.DirectionCustomerFavour,
		Loss: detectors.Loss{Point: 25 * invoice.Unit, Low: 201234, High: 301290}, Limitation: "2028-03-02",
		Causes: []detectors.Finding{{Code: detectors.CausePromotion, Kind: "over_cap", P: 0.8}},
		Verify: []string{"invoice_is_wrong", "promotion_terms"}}
	change(c)
	body, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	kafka, cfg := client(t, file)
	if _, err := kafka.Log().Append(t.Context(), cfg.Kafka.Topics.Cases, 0,
		[]pipeline.Record{{Key: []byte(key), Value: body}}); err != nil {
		t.Fatal(err)
	}
}

// newTopics returns the settings of a new Kafka, and what runs `recoup case` there.
func newTopics(t *testing.T) (file string, on func(args ...string) []string, run func(args ...string) string) {
	t.Helper()
	file = settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	on = func(args ...string) []string { return append(append([]string{"case"}, args...), "--config", file) }
	return file, on, func(args ...string) string { t.Helper(); return succeed(t, on(args...)...).stdout }
}

// Each language has every label.
func TestEveryLabelIsSaid(t *testing.T) {
	for name, tongue := range tongues {
		v := reflect.ValueOf(*tongue)
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.String && f.String() == "" && v.Type().Field(i).Name != "group" {
				t.Errorf("%s has no %s", name, v.Type().Field(i).Name)
			}
		}
	}
}

// A case in French has no English label, code, date or number.
func TestCaseInFrench(t *testing.T) {
	file, _, run := newTopics(t)
	putCase(t, file, func(c *cases.Case) {
		c.Summary.FR = "Facture F-30 : une remise dépasse le maximum prévu."
		c.Causes[0].Evidence = []string{"the policy allows no discount above 12.5 %",
			"promotion P-1 ended on 2026-03-01"}
	})
	contains(t, run("ls", "--lang", "fr", "--team", "ventes"),
		"RÉPONDRE AVANT", "facture F-30", "ventes", "dossiers ouverts : 1 sur 1, affichés : 1")
	run("ack", "F-30", "--at", "2026-03-02T10:00:00Z")
	run("decide", "F-30", "confirmed_error", "--correct", "1259.5678", "--at", "2026-03-02T11:00:00Z")
	said := run("show", "F-30", "--lang", "fr")
	contains(t, said, "1 234,57 EUR", "(20,12 – 30,13)", "facturé trop peu", "décidé, erreur confirmée",
		"02/03/2028", "03/03/2026 09:00 UTC", "une remise dépasse le maximum prévu", "la facture est-elle vraiment fausse ?",
		"que disent les conditions de la promotion ?", "Ensuite : recoup case recover", "(25,00 EUR sont dus)",
		"suspendues, intérêts compris\n",
		"Si elle est fausse : promotion, 80 % : une remise dépasse le maximum prévu ; la politique "+
			"commerciale n'admet aucune remise au-dessus de 12,5 % ; la promotion P-1 s'est terminée le 01/03/2026\n")
	for _, english := range []string{"status", "owner", "worth", "Next", "decided", "customer_favour", "2026-03"} {
		if strings.Contains(said, english) {
			t.Errorf("%q in:\n%s", english, said)
		}
	}
	putCase(t, file, func(c *cases.Case) {
		c.Seq, c.Action = 2, cases.ActionResolve
		c.Resolution = &cases.Resolution{By: cases.ResolvedByOutcome, At: c.DetectedAt.Add(4 * time.Hour)}
	})
	run("close", "F-30", "--at", "2026-03-02T13:00:00Z")
	run("reopen", "F-30", "--at", "2026-03-02T14:00:00Z")
	if said := run("show", "F-30"); !strings.Contains(said, "status ") || strings.Contains(said, "resolved") {
		t.Errorf("reopened: %s", said)
	}
	contains(t, run("ls"), "cases open: 1 of 1")
}

// What the page for people lists as codes of checks and flags is said in both languages.
func TestEveryCodeIsSaid(t *testing.T) {
	page, err := os.ReadFile("../../docs/CASES.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([a-z]+_[a-z_]+)`")
	for _, list := range [][2]string{{"The codes: ", "2. **Decide.**"}, {"stands in `flags`:", "\n\n"}} {
		_, from, _ := strings.Cut(string(page), list[0])
		text, _, ok := strings.Cut(from, list[1])
		codes := code.FindAllStringSubmatch(text, -1)
		if !ok || len(codes) < 9 {
			t.Fatalf("behind %q stand %d codes", list[0], len(codes))
		}
		for _, c := range codes {
			if en, fr := cases.InWords(c[1]); en == c[1] || fr == c[1] {
				t.Errorf("%s is %q in English and %q in French", c[1], en, fr)
			}
		}
	}
}

// A14, A20: how probable an error is, apart from what it would be; whether working it pays, and
// from which amount on; and of the customer's money that this is not asked.
func TestCaseSaysWhetherItPays(t *testing.T) {
	file, _, run := newTopics(t)
	p := 0.12
	weighed := func(c *cases.Case) {
		c.PError, c.PDispute, c.DunningHold = 0.468, &p, true
		c.Loss.Point, c.Economics = 10_000*invoice.Unit, cases.Economics{HandlingCost: 50 * invoice.Unit,
			ExpectedRecovery: 4680 * invoice.Unit, NetValue: 4630 * invoice.Unit, BreakEven: 1068400, Rate: 0.62,
			Offers: 100, Decision: detectors.DecisionOpenCase}
		c.Causes[0].Evidence = []string{
			"promotion:over_cap: 9 of 9 members, 1361.00 EUR too low; its repair makes 6 usual",
		}
	}
	putCase(t, file, weighed)
	contains(t, run("show", "F-30"), "probably wrong   47 %", "If it is wrong: promotion, 80 %: a discount is above what",
		"9 of 9 members, 1,361.00 EUR too low; to repair it explains 6 of them", "may be disputed  12 %, a weak hint",
		"4,680.00 EUR expected back, handling costs 50.00 EUR: 4,630.00 EUR net", "pays from        106.84 EUR at stake",
		"comes back       62 % of what is asked for, by 100 answers or closed cases",
		"decision         open a case", "billed too little", "on hold, and so is interest\n",
		"- is the invoice really wrong?")
	contains(t, run("show", "F-30", "--lang", "fr"), "risque d'erreur         47 %", "12 %, indice faible",
		"4 630,00 EUR net",
		"62 % de ce qui est demandé, selon 100 réponses ou dossiers clos",
		"106,84 EUR en jeu", "ouvrir un dossier", "9 sur 9 membres, 1 361,00 EUR en moins ; sa correction suffit pour 6")
	putCase(t, file, func(c *cases.Case) {
		weighed(c)
		c.Seq, c.Direction, c.Loss = 2, detectors.DirectionSellerFavour, detectors.Loss{Point: -25 * invoice.Unit}
	})
	if shown := run("show", "F-30"); !strings.Contains(shown, "owed to the customer, not a matter of return") ||
		strings.Contains(shown, "expected back") {
		t.Error(shown)
	}
	run("ack", "F-30")
	run("decide", "F-30", "confirmed_error", "--correct", "1 209,57")
	if shown := run("show", "F-30"); strings.Contains(shown, "probably wrong") ||
		!strings.Contains(shown, "decided, confirmed error") {
		t.Error(shown)
	}
}

// A13, A17: a draft in either language and for each channel, whatever the customer's are.
func TestDraftInEitherLanguage(t *testing.T) {
	file, on, run := newTopics(t)
	putCase(t, file, func(c *cases.Case) {
		c.Draft = &message.Draft{Lang: "fr", Channel: "email", Body: "Bonjour, (du dossier)", Objections: []message.Answer{}}
	})
	contains(t, run("show", "F-30", "--draft"), "Bonjour, (du dossier)")
	contains(t, run("show", "F-30", "--draft", "--lang", "en"), "Subject: correction of invoice F-30",
		"a discount is above")
	contains(t, run("show", "F-30", "--draft", "--channel", "phone"), "(Écouter d'abord.)", "une remise dépasse")
	contains(t, run("show", "F-30", "--draft", "--lang", "en", "--channel", "chat"), "Hello! I would like",
		"> \"I thought")
	fails(t, exitUsage, on("show", "F-30", "--channel", "phone"), "cannot use --channel without --draft")
}

// E10: what is disputed, told and promised is said and shown without a case system; what
// recoup never judged it does not make up.
func TestDisputeWithoutACaseSystem(t *testing.T) {
	file, on, run := newTopics(t)
	putCase(t, file, func(c *cases.Case) {
		c.Origin, c.Currency, c.Billed, c.Loss, c.DunningHold = cases.OriginDispute, "XXX", 0, detectors.Loss{}, true
		c.Direction, c.Limitation = detectors.DirectionNone, ""
	})
	shown := run("show", "F-30")
	contains(t, shown, "billed     not known", "at stake   not known",
		"on hold, and so is interest: the customer disputes the claim")
	if strings.Contains(shown, "XXX") {
		t.Errorf("XXX in %s", shown)
	}
	contains(t, run("ack", "F-30", "--hold", "--contacted", "2026-03-02T09:30:00Z", "--json"), `"dunning_hold":true`,
		`"customer_contacted_at":"2026-03-02T09:30:00Z"`, `"origin":"customer_dispute"`)
	contains(t, run("show", "F-30"), "customer told  2026-03-02 09:30:00 UTC",
		"Next: look up what was billed, then recoup", "--correct AMOUNT --billed AMOUNT --currency CODE")
	fails(t, exitUsage, on("decide", "F-30", "wrong"), `cannot send outcome: "wrong" is not known, want one of`)
	fails(t, exitUsage, on("decide", "F-30", "confirmed_error"), "which recoup does not know (--billed AMOUNT")
	fails(t, exitUsage, on("decide", "F-30", "confirmed_error", "--correct", "90"), "--billed AMOUNT and --currency CODE")
	contains(t, run("decide", "F-30", "confirmed_error", "--correct", "90", "--billed", "100", "--currency", "EUR",
		"--no-hold", "--restart", "2026-04-01", "--json"), `"confirmed_loss":"-10.00"`, `"currency":"EUR"`,
		`"dunning_hold":false`, `"payment_term_restart_at":"2026-04-01T00:00:00Z"`)
	contains(t, run("show", "F-30"), "term runs from", "2026-04-01", "-10.00 EUR",
		"Next: give 10.00 EUR back with a credit note")
}

// What comes next follows the plan that runs, and closing names what is still owed (A23).
func TestNextFollowsThePlan(t *testing.T) {
	file, on, run := newTopics(t)
	putCase(t, file, func(*cases.Case) {})
	run("ack", "F-30")
	run("decide", "F-30", "confirmed_error", "--correct", "1259.5678")
	early := recoup(t, "", on("recover", "F-30", "instalments", "scheduled", "--instalments", "3", "--first-due",
		"2026-04-01", "--plan", "early")...)
	contains(t, early.stderr, "never offered", "--plan early")
	run("recover", "F-30", "instalments", "cancelled", "--plan", "early")
	contains(t, run("recover", "F-30", "instalments", "offered"), "instalments accepted, or refused")
	contains(t, run("recover", "F-30", "instalments", "accepted"), "instalments scheduled --instalments N")
	contains(t, run("recover", "F-30", "instalments", "scheduled", "--instalments", "3", "--first-due", "2026-04-01"),
		"Next: instalment 1 of 3, 8.34 EUR, is due 2026-04-01")
	contains(t, run("recover", "F-30", "instalments", "paid", "--instalment", "1"),
		"Next: instalment 2 of 3, 8.33 EUR, is due 2026-05-01", "instalments paid --instalment 2, or failed")
	closed := recoup(t, "", on("close", "F-30")...)
	contains(t, closed.stderr, "16.66 EUR are still owed")
	contains(t, closed.stdout, "closed, confirmed error")
}

// A draft that is not there says why (A17).
func TestWhyThereIsNoDraft(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*cases.Case)
		does   []string
	}{
		{"names no customer", func(c *cases.Case) { c.Customer = invoice.Anonymous }, nil},
		{"it is closed; if that is wrong: recoup case reopen", nil, []string{"decide not_an_error", "close"}},
		{"it was reopened and the service has not drafted", nil, []string{"decide not_an_error", "reopen"}},
		{"nothing to correct: not_an_error", nil, []string{"decide not_an_error"}},
		{"what was billed", func(c *cases.Case) { c.Currency = "XXX" }, nil},
		{"credited, corrected or replaced", func(c *cases.Case) { c.Action = cases.ActionResolve }, nil},
	} {
		file, on, run := newTopics(t)
		putCase(t, file, func(k *cases.Case) {
			if c.change != nil {
				c.change(k)
			}
		})
		for i, does := range c.does {
			words := strings.Fields(does)
			at := time.Date(2026, 3, 3, 9+i, 0, 0, 0, time.UTC).Format(time.RFC3339)
			run(append(append([]string{words[0], "F-30"}, words[1:]...), "--at", at)...)
		}
		fails(t, exitFailed, on("show", "F-30", "--draft"), "has none, since", c.why)
	}
}
