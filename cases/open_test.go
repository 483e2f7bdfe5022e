package cases_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/message"
	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

var rewrite = flag.Bool("rewrite", false, "write the case that was opened into testdata")

var (
	issued   = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	received = issued.Add(412 * time.Millisecond)
	// A clock in another zone: the case carries UTC.
	detected = issued.Add(655 * time.Millisecond).In(time.FixedZone("CET", 3600))
	opener   = cases.Opener{HandlingCost: map[string]invoice.Amount{"EUR": 50 * invoice.Unit}, Terms: terms,
		Kinds:     cases.CustomerKinds{Consumer: []string{"b2c"}},
		Dashboard: "https://grafana.example/d/case?seller={seller}&case={case_id}", Messages: message.Embedded()}
)

// fibre is an invoice of a segment that usually bills 400.00.
func fibre(id string, net invoice.Amount, lines ...invoice.Amount) *invoice.Invoice {
	inv := &invoice.Invoice{Seller: "acme", ID: id, IssuedAt: issued, Currency: "EUR", NetAmount: net * invoice.Unit,
		CustomerType: "B2C", ProductFamily: "fibre"}
	for _, l := range lines {
		inv.Lines = append(inv.Lines, invoice.Line{Net: invoice.OptionalAmount{Value: l * invoice.Unit, Set: true}})
	}
	return inv
}

// verdictOn is what recoup says of an invoice after 30 usual ones and those before.
func verdictOn(inv *invoice.Invoice, before ...*invoice.Invoice) *detectors.Verdict {
	e := detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 3)
	at := invoice.Position{Topic: "billing.invoices", Partition: 3, Offset: 81000}
	for n := range 30 {
		before = append(before, fibre("usual-"+strconv.Itoa(n), 400))
	}
	for _, b := range before {
		e.Begin(b, at, received)
		e.Teach(false)
		at.Offset++
	}
	var v detectors.Verdict
	e.Begin(inv, at, received)
	e.Score(&v)
	return &v
}

// A14: a case shows what its decision was weighed by, also once the stage refreshes it,
// until it is known how customers answer.
func TestCaseShowsWhatItWasWeighedBy(t *testing.T) {
	inv := fibre("F-1", 200)
	v := verdictOn(inv)
	v.Model.Recovery = detectors.RecoveryRate{Rate: 0.5, Cases: 40}
	c, stage := opener.Open(inv, v, received, detected), opener
	stage.Acceptance = &cases.Acceptance{}
	for _, step := range []string{"opened", "refreshed"} {
		e, whole := c.Economics, detectors.Weigh(c.Loss.Point, c.PError, 1, 50*invoice.Unit)
		if e.Rate != 0.5 || e.Offers != 40 || e.ExpectedRecovery > whole.Expected/2 || e.ExpectedRecovery == 0 {
			t.Errorf("%s: %+v, of all %+v", step, e, whole)
		}
		stage.Refresh(c, &cases.State{})
	}
}

// B5, B12, B15, D1, D5, G4: a whole case, byte for byte, as the contract wants it.
func TestWholeCase(t *testing.T) {
	inv := fibre("2026-000417", 200, 200, 120)
	inv.Number, inv.CustomerRef, inv.Country, inv.OrderRef = "F&<417>", "c:17850", "France", "O-12"
	inv.TaxRate = invoice.OptionalFixed{Value: invoice.One / 5, Set: true}
	v := verdictOn(inv)
	v.CaseID = cases.ID(cases.DedupKey(inv.Seller, inv.ID, inv.Revision))
	c := opener.Open(inv, v, received, detected)
	if c.CaseID != v.CaseID {
		t.Errorf("case %s of a verdict that names case %s", c.CaseID, v.CaseID)
	}
	body := encoded(t, c)
	if again := encoded(t, opener.Open(inv, v, received, detected)); !bytes.Equal(body, again) ||
		!bytes.Equal(body, encoded(t, c)) {
		t.Errorf("the same case gives other bytes:\n%s\n%s", body, again)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	const file = "testdata/case.json"
	if *rewrite {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("opened\n%s\nwant\n%s\n(-rewrite accepts what was opened)", got.Bytes(), want)
	}
}

// encoded returns the bytes of a case, which must be as the contract says.
func encoded(t *testing.T, c *cases.Case) []byte {
	t.Helper()
	body, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := contracttest.Validate(body); err != nil {
		t.Errorf("%v\n%s", err, body)
	}
	return body
}

// B12, B15: 24 hours to answer, 12 until it escalates, both from the detection
// and not from the claim of the invoice.
func TestDeadlines(t *testing.T) {
	inv := fibre("F-2", 200, 200, 120)
	c := opener.Open(inv, verdictOn(inv), received, detected)
	for _, d := range []struct {
		name      string
		got, want time.Time
	}{
		{"respond_by", c.RespondBy, time.Date(2026, 3, 2, 9, 30, 0, 655e6, time.UTC)},
		{"escalate_at", c.EscalateAt, time.Date(2026, 3, 1, 21, 30, 0, 655e6, time.UTC)},
		{"detected_at", c.DetectedAt, time.Date(2026, 3, 1, 9, 30, 0, 655e6, time.UTC)},
	} {
		if d.got != d.want {
			t.Errorf("%s is %v, want %v", d.name, d.got, d.want)
		}
	}
}

// blame are words that presume who did what (D5).
var blame = regexp.MustCompile(`(?i)\b(fault|mistakes?|errors?|wrong|fraud|guilty|careless|forgot|failed|you|your|` +
	`faute|erreurs?|fraude|coupable|responsable|négligence|oubli|oublié|vous|votre|client|customer|unknown)\b`)

// D5: no finding presumes who did what, and each is said in both languages.
func TestWordsBlameNobody(t *testing.T) {
	for code, said := range cases.RuleWords() {
		if said.EN == "" || said.FR == "" || said.EN == said.FR {
			t.Errorf("%s is said as %q", code, said)
		}
		if found := blame.FindAllString(said.EN+" "+said.FR, -1); found != nil {
			t.Errorf("%s says %q in %q", code, found, said)
		}
	}
}

// B5: what the detectors find has words, and no words are left of what none finds.
func TestEveryKindHasWords(t *testing.T) {
	files, err := filepath.Glob("../detectors/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var source strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(content)
	}
	kinds := map[string]bool{}
	for kind := range cases.AllWords {
		_, name, _ := strings.Cut(kind, ":")
		kinds[name] = true
		if !strings.Contains(source.String(), strconv.Quote(name)) {
			t.Errorf("no detector finds %s, which has words", kind)
		}
	}
	for _, found := range regexp.MustCompile(`\bKind(?::| =) *"(\w+)"`).FindAllStringSubmatch(source.String(), -1) {
		if !kinds[found[1]] && found[1] != detectors.KindNoRepair {
			t.Errorf("a detector finds %s, which has no words", found[1])
		}
	}
	all := cases.RuleWords()
	for _, rule := range regexp.MustCompile(`\bRule\w+ += "([\w:]+)"`).FindAllStringSubmatch(source.String(), -1) {
		if _, said := all[rule[1]]; !said {
			t.Errorf("rule %s has no words", rule[1])
		}
	}
	if _, said := all[detectors.CauseUnknown+":"+detectors.KindNoRepair]; !said {
		t.Error("an error that nothing repairs has no words")
	}
}

// D1: whatever the members of an incident may have in common has a name in both languages.
func TestEveryDimensionHasWords(t *testing.T) {
	all := cases.DimensionWords()
	for d := detectors.DimensionSeller + 1; d < detectors.Dimensions; d++ {
		if said := all[d.String()]; said.EN == "" || said.FR == "" {
			t.Errorf("dimension %s is said as %+v", d, said)
		}
	}
}

// D5, B5, D2: what the first cause found, in words of people and in both
// languages, and who is asked to look.
func TestSummaryNamesWhatWasFound(t *testing.T) {
	billed := fibre("F-1", 400)
	billed.DeliveryRef = "DN7 was already invoiced with invoice X"
	second := fibre("F-2", 201)
	second.DeliveryRef = billed.DeliveryRef
	free := fibre("F-2", 0, 0)
	free.Lines[0].Quantity = invoice.OptionalFixed{Value: invoice.One, Set: true}
	free.Lines[0].UnitPrice = invoice.OptionalFixed{Set: true}
	changed := fibre("F-1", 395)
	changed.Number = "N-9"
	for _, c := range []struct {
		name                string
		inv                 *invoice.Invoice
		cause, team, en, fr string
	}{
		{"a lost total", fibre("F-2", 0, 1000, 500), "billing_system:zero_net", "billing",
			"Invoice F-2: the total is zero although the invoice has lines; billed 0.00 EUR, should be 1,500.00 EUR.",
			"Facture F-2 : le total est nul alors que la facture comporte des lignes ; montant facturé 0,00 EUR, " +
				"montant juste 1 500,00 EUR."},
		{"lost prices", free, "billing_system:zero_net", "billing",
			"Invoice F-2: the total is zero although the invoice has lines; billed 0.00 EUR, should be about 400.00 EUR.",
			"Facture F-2 : le total est nul alors que la facture comporte des lignes ; montant facturé 0,00 EUR, " +
				"montant juste environ 400,00 EUR."},
		{"a sum", fibre("F-2", 200, 200, 120), "billing_system:line_sum", "billing",
			"Invoice F-2: the lines do not add up to the total; billed 200.00 EUR, should be 320.00 EUR.",
			"Facture F-2 : la somme des lignes ne correspond pas au total ; montant facturé 200,00 EUR, " +
				"montant juste 320,00 EUR."},
		{"a delivery", second, "duplicate:delivery", "sales",
			"Invoice F-2: delivery DN7 was already invoiced with invoice X was already invoiced as F-1; billed 201.00 EUR; " +
				"201.00 EUR owed to the customer.",
			"Facture F-2 : la livraison DN7 was already invoiced with invoice X a déjà été facturée sous la référence " +
				"F-1 ; montant facturé 201,00 EUR ; 201,00 EUR dus au client (avoir)."},
		{"a known id", changed, "duplicate:same_id_changed", "sales",
			"Invoice N-9: its id F-1 came before with other content; billed 395.00 EUR; 395.00 EUR owed to the customer.",
			"Facture N-9 : son identifiant F-1 a déjà été reçu avec un autre contenu ; montant facturé 395,00 EUR ; " +
				"395,00 EUR dus au client (avoir)."},
		{"a low amount", fibre("F-2", 200), "unknown:deviation", "billing",
			"Invoice F-2: the amount is below the usual; billed 200.00 EUR, should be about 400.00 EUR.",
			"Facture F-2 : le montant est inférieur à l'habitude ; montant facturé 200,00 EUR, " +
				"montant juste environ 400,00 EUR."},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := verdictOn(c.inv, billed)
			if len(v.Causes) == 0 || v.Causes[0].Code+":"+v.Causes[0].Kind != c.cause {
				t.Fatalf("causes %+v, want %s first", v.Causes, c.cause)
			}
			got := opener.Open(c.inv, v, received, detected)
			encoded(t, got)
			if got.Summary.EN != c.en || got.Summary.FR != c.fr {
				t.Errorf("summary\n%s\n%s\nwant\n%s\n%s", got.Summary.EN, got.Summary.FR, c.en, c.fr)
			}
			said := strings.NewReplacer("owed to the customer", "", "dus au client", "").Replace(got.Summary.EN + got.Summary.FR)
			if words := blame.FindAllString(said, -1); words != nil {
				t.Errorf("summary says %q", words)
			}
			runbook := "docs/runbooks/" + v.Causes[0].Code + ".md"
			if got.OwnerTeam != c.team || got.Links.Runbook != runbook {
				t.Errorf("owner %s, runbook %s; want %s, %s", got.OwnerTeam, got.Links.Runbook, c.team, runbook)
			}
			if _, err := os.Stat("../" + got.Links.Runbook); err != nil {
				t.Errorf("cannot find the runbook of the case: %v", err)
			}
		})
	}
}

// A cause that has no words of its own yet is still told in words of people.
func TestSummaryOfAnyOtherCause(t *testing.T) {
	inv := fibre("F-2", 200)
	v := verdictOn(inv)
	v.Causes = []detectors.Finding{{Code: detectors.CausePromotion, Kind: "another", Repaired: 240 * invoice.Unit}}
	got := opener.Open(inv, v, received, detected)
	const en = "Invoice F-2: the amount is not the usual one; billed 200.00 EUR, should be 240.00 EUR."
	const fr = "Facture F-2 : le montant n'est pas celui attendu ; montant facturé 200,00 EUR, " +
		"montant juste 240,00 EUR."
	if got.Summary.EN != en || got.Summary.FR != fr || got.OwnerTeam != "sales" {
		t.Errorf("summary %+v of team %s", got.Summary, got.OwnerTeam)
	}
}
