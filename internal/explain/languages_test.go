package explain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/frenchtest"
	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

// text is a whole explanation.
func text(t *testing.T, l explain.Lang, s *explain.Subject) string {
	t.Helper()
	var out strings.Builder
	if err := l.Text(&out, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// French says all that English says, line by line with the same figures, and nothing of it
// in English: of any invoice, verdict and case.
func TestFrenchSaysAllThatEnglishSays(t *testing.T) {
	draw := newDraw(t)
	said := map[string]bool{}
	for range 3000 {
		s := draw.subject()
		english := strings.Split(text(t, explain.English, s), "\n")
		french := strings.Split(text(t, explain.French, s), "\n")
		if len(english) != len(french) {
			t.Fatalf("%d lines in English, %d in French:\n%s\n%s", len(english), len(french), strings.Join(english, "\n"),
				strings.Join(french, "\n"))
		}
		for i := range english {
			said[english[i]] = true
			if indent(english[i]) != indent(french[i]) || figures(english[i]) != figures(french[i]) {
				t.Errorf("English:\n  %s\nFrench:\n  %s\nfigures %s and %s", english[i], french[i], figures(english[i]),
					figures(french[i]))
			}
			if raw := unsaid.FindString(french[i] + english[i]); raw != "" {
				t.Errorf("%q is for machines: %s", raw, french[i])
			}
			if word := frenchtest.English(french[i]); word != "" {
				t.Errorf("the English %q in French: %s", word, french[i])
			}
		}
		if t.Failed() {
			t.FailNow() // the rest is the same again
		}
	}
	if len(said) < 10_000 {
		t.Errorf("only %d different lines", len(said))
	}
}

// indent is how far a line stands in; that of an empty one is 0.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// day is a date as the French write it.
var day = regexp.MustCompile(`\b(\d\d)/(\d\d)/(\d{4})\b`)

// unsaid are times and durations as machines write them.
var unsaid = regexp.MustCompile(`\dT\d\d:|\dh\d+m`)

// figures are all digits of a line, in the order of the calendar where it has dates.
func figures(line string) string {
	line = day.ReplaceAllString(line, "$3-$2-$1")
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, line)
}

// draw makes subjects that have anything that is ever told.
type draw struct {
	*rand.Rand
	evidence []string // sentences
	findings []detectors.Finding
}

func newDraw(t *testing.T) *draw {
	t.Helper()
	file, err := os.ReadFile("../../cases/testdata/french.txt")
	if err != nil {
		t.Fatal(err)
	}
	d := &draw{Rand: rand.New(rand.NewPCG(7, 7))}
	for pair := range strings.SplitSeq(strings.TrimSpace(string(file)), "\n\n") {
		english, french, _ := strings.Cut(pair, "\n")
		if figures(english) == figures(french) { // else a word order of its own
			d.evidence = append(d.evidence, english)
		}
	}
	for _, rule := range []string{"billing_system:line_sum", "billing_system:currency", "duplicate:delivery",
		"before_shipment:not_shipped", "missing_admin_data:vat_id", "missing_admin_data:" + detectors.KindNoRepair,
		"crm_sync:" + detectors.KindNoRepair, "price_list:listed", "unknown:deviation", "data_entry:price_comma"} {
		code, kind, _ := strings.Cut(rule, ":")
		d.findings = append(d.findings, detectors.Finding{Code: code, Kind: kind})
	}
	return d
}

func one[T any](d *draw, of ...T) T { return of[d.IntN(len(of))] }

func (d *draw) coin() bool { return d.IntN(2) == 0 }

// amount is one of a few figures to tens of thousands, or any.
func (d *draw) amount() invoice.Amount {
	return one(d, 0, 400*invoice.Unit, 480*invoice.Unit, invoice.Amount(d.Int64N(20_000))*invoice.Unit/100,
		-invoice.Amount(d.Int64N(50))*invoice.Unit, 1_234_567*invoice.Unit)
}

func (d *draw) subject() *explain.Subject {
	inv := fibre("F-"+strconv.Itoa(d.IntN(99)), 400)
	inv.NetAmount = d.amount()
	inv.Type = one(d, invoice.Standard, invoice.Standard, invoice.Standard, invoice.CreditNote, invoice.Correction)
	inv.Stage = one(d, invoice.Issued, invoice.Issued, invoice.PreIssue)
	inv.Revision, inv.Canary = one[int64](d, 0, 0, 3), d.IntN(9) == 0
	inv.Number, inv.SourceRelease, inv.BatchID = one(d, "", inv.ID, "2026-17"), one(d, "", "r7"), one(d, "", "b-12")
	inv.SourceSystem, inv.EntryChannel = one(d, "", "billing-a"), one(d, "", "api")
	inv.CustomerRef, inv.CustomerType = one(d, "", "c-17"), one(d, "", "B2C")
	for range one(d, 0, 1, 3, 1200) {
		inv.Lines = append(inv.Lines, invoice.Line{ProductID: one(d, "", "p-1"), Net: set(10)})
	}
	s := unsuspected(inv)
	d.verdict(s)
	if d.coin() {
		s.StoredAt = time.Time{}
	}
	if d.coin() {
		s.Settings.MinN += 1000
		if d.coin() {
			s.Verdict.Model.ConfigHash = s.Settings.Hash()
		}
	}
	s.Threshold = one(d, 0, 0.15)
	if d.coin() {
		level := one(d, detectors.LevelTypeProduct, detectors.LevelCustomerType, detectors.LevelProductFamily)
		s.Segment = &detectors.SegmentSummary{Level: level, CustomerType: "B2C", ProductFamily: "fibre", Currency: "EUR",
			N: one[int64](d, 1, 12, 4000), CV: one(d, 0.01, 0.4, 12.5), Mean: d.amount(), Precision: d.Float64()}
	}
	for range d.IntN(3) {
		s.Earlier = append(s.Earlier, explain.Earlier{ID: "F-0", Revision: one[int64](d, 0, 2), IssuedAt: issued,
			Billed: d.amount(), Currency: "EUR"})
	}
	if d.coin() {
		d.caseOf(s)
	}
	return s
}

// verdict changes what was said of an invoice.
func (d *draw) verdict(s *explain.Subject) {
	v := s.Verdict
	v.AmountBasis, v.Currency = one(d, detectors.BasisGross, detectors.BasisNet), one(d, "EUR", "EUR", "JPY")
	v.Level = one(d, detectors.LevelNone, detectors.LevelCustomerProduct, detectors.LevelCustomer,
		detectors.LevelTypeProduct, detectors.LevelCustomerType, detectors.LevelProductFamily, detectors.LevelSeller)
	v.N, v.CV = one[int64](d, 0, 1, 2, 40, 12_345), one(d, 0, 0.05, 0.2, 0.5, 3.25)
	v.Billed, v.Expected = d.amount(), d.amount()
	v.ExpectedLow, v.ExpectedHigh = v.Expected-one[invoice.Amount](d, 0, 12_3456), v.Expected
	v.DeviationPct, v.PError = 4000*d.Float64()-2000, d.Float64()
	v.Decision = one(d, detectors.DecisionNone, detectors.DecisionLogOnly, detectors.DecisionHold,
		detectors.DecisionBundle)
	v.Direction = one(d, detectors.DirectionNone, detectors.DirectionCustomerFavour, detectors.DirectionSellerFavour)
	v.Loss = one(d, detectors.Loss{}, detectors.Loss{Point: d.amount(), Low: d.amount(), High: d.amount()})
	v.Suspect, v.Taught = d.coin(), d.coin()
	for range d.IntN(4) {
		f := one(d, d.findings...)
		f.P, f.Repaired = one(d, 0.004, d.Float64()), one(d, v.Billed, d.amount())
		for range d.IntN(3) {
			f.Evidence = append(f.Evidence, one(d, d.evidence...))
		}
		v.Causes = append(v.Causes, f)
	}
	if len(v.Causes) > 0 && d.coin() {
		v.Decision = detectors.DecisionOpenCase
	}
	for _, rule := range []string{detectors.RuleCustomerType, detectors.RuleProductFamily, detectors.RuleSegment,
		detectors.RuleTooLate, detectors.RuleImplausibleTime} {
		if d.IntN(3) == 0 {
			v.Rules = append(v.Rules, rule)
		}
	}
	v.LateBy = one(d, 0, detectors.Delay(5*time.Minute), detectors.Delay(36*time.Hour), detectors.Delay(49*time.Hour))
	v.Model.Version = one(d, detectors.ModelVersion, "trained-1")
	v.Model.ReferenceAsOf, v.Model.FeedbackAsOf = one(d, "", "2026-02-28T00:00:00Z"), one(d, "", "2026-02-27T00:00:00Z")
	v.Model.Recovery = one(d, detectors.RecoveryRate{}, detectors.RecoveryRate{Rate: 0.5, Cases: 1040})
	v.Source.Incarnation, v.IncidentID, v.CaseID = one[int64](d, 0, 2), one(d, "", "i-1"), one(d, "", "k-1")
}

// caseOf gives an invoice a case that stands anywhere.
func (d *draw) caseOf(s *explain.Subject) {
	c := cases.Case{CaseID: "k-1", Currency: "EUR", DetectedAt: issued, RespondBy: issued.AddDate(0, 0, 1),
		Severity:  one(d, cases.SeverityCritical, cases.SeverityError, cases.SeverityWarning, cases.SeverityInfo),
		OwnerTeam: one(d, "billing", "sales", "crm", "logistics", "administration", "it", "finance", "operations")}
	c.Links.Runbook, c.Links.Query = one(d, "", "docs/runbooks/duplicate.md"), one(d, "", "SELECT 1")
	s.Case = &explain.Case{Case: c, Open: d.coin(), Paid: d.amount(),
		Status:  one(d, "", "opened", "acknowledged", "verified", "decided", "closed", "reopened"),
		Outcome: one(d, "", "", "confirmed_error", "not_an_error", "expected_change", "duplicate_case", "undetermined"),
		Cause:   one(d, "", detectors.CausePromotion, detectors.CauseUnknown, detectors.CauseCRMSync)}
	s.Case.ConfirmedLoss = one(d, invoice.OptionalAmount{}, invoice.OptionalAmount{Value: d.amount(), Set: true})
}

// Each text stands in both languages with the same values in the same order: a value that
// only one of them has would be missing in the other, or be the wrong one.
func TestEveryTextHasItsValues(t *testing.T) {
	verbs := regexp.MustCompile(`%[-+.0-9\[\]]*[a-z]`)
	n := 0
	for _, file := range sources(t) {
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 || called(call) != "Say" {
				return true
			}
			n++
			english, first := literal(call.Args[0])
			french, second := literal(call.Args[1])
			if !first || !second || english == "" || french == "" {
				t.Errorf("a text that is none: %q, %q", english, french)
			}
			if a, b := verbs.FindAllString(english, -1), verbs.FindAllString(french, -1); !slices.Equal(a, b) ||
				len(a) != len(call.Args)-2 {
				t.Errorf("%q has %q, %q has %q, and there are %d values", english, a, french, b, len(call.Args)-2)
			}
			return true
		})
	}
	if n < 100 {
		t.Errorf("only %d texts", n)
	}
}

// sources are the files of the package.
func sources(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func called(call *ast.CallExpr) string {
	if f, ok := call.Fun.(*ast.SelectorExpr); ok {
		return f.Sel.Name
	}
	return ""
}

// literal is a text that stands in the source.
func literal(e ast.Expr) (string, bool) {
	v, ok := e.(*ast.BasicLit)
	if !ok || v.Kind != token.STRING {
		return "", false
	}
	said, err := strconv.Unquote(v.Value)
	return said, err == nil
}

// TestTitleInFrench: the title says what kind of document it is, as the English one does.
func TestTitleInFrench(t *testing.T) {
	for want, inv := range map[string]invoice.Invoice{
		"Facture A1":                          {ID: "A1", Type: invoice.Standard, Number: "A1"},
		"Avoir A1":                            {ID: "A1", Type: invoice.CreditNote},
		"Rectificatif A1, révision 2":         {ID: "A1", Type: invoice.Correction, Revision: 2},
		"Projet de facture A1, numéro F-2026": {ID: "A1", Type: invoice.Standard, Stage: invoice.PreIssue, Number: "F-2026"},
		"Projet d'avoir A1":                   {ID: "A1", Type: invoice.CreditNote, Stage: invoice.PreIssue},
		"Projet de rectificatif A1":           {ID: "A1", Type: invoice.Correction, Stage: invoice.PreIssue},
	} {
		said := text(t, explain.French, unsuspected(&inv))
		if got, _, _ := strings.Cut(said, "\n"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Amounts, dates and evidence stand as the French write them.
func TestFrenchFigures(t *testing.T) {
	s := suspected(fibre("F-1", 12_345.5), detectors.DecisionLogOnly, 0.9, low,
		below(0.9, "12345.50", "33.33"))
	said := text(t, explain.French, s)
	for _, want := range []string{"14 814,60 EUR (taxe comprise ; net 12 345,50)", "(+2 986,4 %)",
		"01/03/2026 09:30:00 UTC",
		"le net de 12 345,50 EUR est inférieur de 33,33 % aux 400,00 EUR habituels"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
}
