package explain_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/internal/explain"
	"recoup/invoice"
)

var rewrite = flag.Bool("rewrite", false, "write the explanations into testdata anew")

var issued = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func set(a float64) invoice.OptionalAmount {
	return invoice.OptionalAmount{Value: invoice.Amount(a * 10_000), Set: true}
}

// fibre is an invoice of a segment that usually bills 400.00 net, 480.00 gross.
func fibre(id string, net float64, lines ...float64) *invoice.Invoice {
	inv := &invoice.Invoice{Seller: "acme", ID: id, IssuedAt: issued, Currency: "EUR", NetAmount: set(net).Value,
		CustomerType: "B2C", ProductFamily: "fibre", CustomerRef: "c-17850",
		TaxRate: invoice.OptionalFixed{Value: invoice.One / 5, Set: true}}
	for _, l := range lines {
		inv.Lines = append(inv.Lines, invoice.Line{Net: set(l)})
	}
	return inv
}

// unsuspected is a verdict on an invoice of fibre that found nothing.
func unsuspected(inv *invoice.Invoice) *explain.Subject {
	settings := detectors.DefaultSettings()
	received := issued.Add(412 * time.Millisecond)
	billed, _ := inv.NetAmount.MulRate(6, 5)
	v := &detectors.Verdict{Schema: detectors.VerdictSchema, Seller: inv.Seller, InvoiceID: inv.ID, Stage: inv.Stage,
		PError: 0.001, Decision: detectors.DecisionNone, Direction: detectors.DirectionNone,
		AmountBasis: detectors.BasisGross, Currency: inv.Currency, Billed: billed, Expected: usual, ExpectedLow: usual,
		ExpectedHigh: usual, Level: detectors.LevelTypeProduct, N: 40,
		DeviationPct: 100 * (float64(billed)/float64(usual) - 1),
		Taught:       true, Model: detectors.Model{Version: detectors.ModelVersion, ConfigHash: settings.Hash()},
		Source: invoice.Position{Topic: "billing.invoices", Partition: 3, Offset: 81040}}
	return &explain.Subject{Invoice: inv, Verdict: v, ReceivedAt: received, StoredAt: received.Add(2 * time.Second),
		Settings: settings}
}

// usual is what an invoice of fibre costs with tax.
const usual = 480 * invoice.Unit

// suspected is a verdict that found something; the loss is what the first repair
// brings.
func suspected(inv *invoice.Invoice, decision detectors.Decision, p float64, rules []string,
	causes ...detectors.Finding) *explain.Subject {
	s := unsuspected(inv)
	v := s.Verdict
	v.Suspect, v.PError, v.Decision, v.Rules, v.Causes, v.Taught = true, p, decision, rules, causes, false
	loss := causes[0].Repaired - v.Billed
	v.Loss, v.Direction = detectors.Loss{Point: loss, Low: loss, High: loss}, detectors.DirectionCustomerFavour
	if loss < 0 {
		v.Direction = detectors.DirectionSellerFavour
	}
	if decision == detectors.DecisionOpenCase {
		v.CaseID = cases.ID(cases.DedupKey(inv.Seller, inv.ID, inv.Revision))
		opener := cases.Opener{HandlingCost: s.Settings.HandlingCost}
		s.Case = &explain.Case{Case: *opener.Open(inv, v, s.ReceivedAt, s.ReceivedAt.Add(time.Second)), Open: true}
	}
	return s
}

// The three codes of the 15 % rule.
var low = []string{detectors.RuleCustomerType, detectors.RuleProductFamily, detectors.RuleSegment}

// below is what the 15 % rule says of a net amount that is so many per cent below the usual.
func below(p float64, net, perCent string) detectors.Finding {
	return detectors.Finding{Code: detectors.CauseUnknown, Kind: "deviation", P: p, Repaired: usual,
		Evidence: []string{"net " + net + " EUR is " + perCent + " % below the usual 400.00 EUR of customer type B2C " +
			"(40 invoices, which vary by 0.0 %)"}}
}

// lostTotal is an invoice whose lines do not add up.
func lostTotal() *explain.Subject {
	inv := fibre("F&<417>", 200, 200, 200, 120)
	inv.Number, inv.SourceSystem, inv.SourceRelease = "2026-000417\x1b[31m", "billing-a", "r7"
	return suspected(inv, detectors.DecisionOpenCase, 1, append(low, "billing_system:line_sum"),
		detectors.Finding{Code: detectors.CauseBillingSystem, Kind: "line_sum", P: 0.97, Repaired: 624 * invoice.Unit,
			Evidence: []string{"its 3 lines add up to 520.00 EUR, but the net amount is 200.00 EUR"}},
		below(0.9999, "200.00", "50.00"))
}

// explained are the invoices whose explanations are kept in testdata.
func explained() map[string]*explain.Subject {
	decided := lostTotal()
	decided.Case.Status, decided.Case.Outcome, decided.Case.Cause, decided.Case.Open =
		"closed", "confirmed_error", "billing_system", false
	decided.Case.ConfirmedLoss, decided.Case.Paid = set(384), set(100).Value

	low339 := suspected(fibre("F-3", 339), detectors.DecisionOpenCase, 0.69, low, below(0.69, "339.00", "15.25"))
	low339.Verdict.Loss.Low, low339.Verdict.Loss.High = -10*invoice.Unit, 90*invoice.Unit
	low339.Case = nil // not copied into ClickHouse yet

	varying := unsuspected(fibre("F-6", 200))
	v := varying.Verdict
	v.CV, v.ExpectedLow, v.ExpectedHigh, v.PError, v.Rules = 0.301, 197.27e4, 762.73e4, 0.06, low

	second := fibre("F-2", 400)
	second.DeliveryRef = "DN7"
	twice := suspected(second, detectors.DecisionOpenCase, 0.95, []string{"duplicate:delivery"},
		detectors.Finding{Code: detectors.CauseDuplicate, Kind: "delivery", P: 0.95,
			Evidence: []string{"delivery DN7 was already invoiced with invoice F-1"}})
	twice.Earlier = []explain.Earlier{{ID: "F-1", IssuedAt: issued, Billed: usual, Currency: "EUR"}}

	credit := fibre("C-1", -400)
	credit.Type = invoice.CreditNote
	note := unsuspected(credit)
	note.Verdict.Level, note.Verdict.Taught = detectors.LevelNone, false
	draft := fibre("D-1", 200)
	draft.Stage = invoice.PreIssue
	yen := fibre("Y-1", 0, 1000)
	yen.Currency = "JPY"
	yenZero := suspected(yen, detectors.DecisionLogOnly, 0.98, low, detectors.Finding{Code: "billing_system",
		Kind: "zero_net", P: 0.98, Repaired: 1200 * invoice.Unit, Evidence: []string{"the net amount is 0"}})
	fresh := unsuspected(&invoice.Invoice{Seller: "new", ID: "N-1", IssuedAt: issued, Currency: "EUR"})
	fresh.Verdict.Level, fresh.Verdict.AmountBasis, fresh.Verdict.LateBy = detectors.LevelNone, "net", 36e11

	unrepaired := suspected(fibre("P-1", 390), detectors.DecisionLogOnly, 0.9, nil, detectors.Finding{
		Code: detectors.CauseCRMSync, Kind: detectors.KindNoRepair, P: 0.7, Repaired: 468 * invoice.Unit,
		Evidence: []string{"the evidence as a whole points to it; what repairs the invoice is proved"}},
		detectors.Finding{Code: detectors.CausePriceList, Kind: "not_listed", P: 0.2, Repaired: usual, Evidence: []string{}})
	unrepaired.Verdict.Direction, unrepaired.Verdict.Model.Version = detectors.DirectionNone, "trained-1"

	others := unsuspected(fibre("O-1", 345))
	others.Settings.MinN++
	others.Verdict.Model.ReferenceAsOf, others.Verdict.Source.Incarnation = "2026-03-01T00:00:00Z", 2
	fromFile := unsuspected(fibre("L-1", 345))
	fromFile.StoredAt = time.Time{}
	return map[string]*explain.Subject{
		"suspect": lostTotal(), "decided": decided, "deviation": low339, "varying": varying, "duplicate": twice,
		"at_the_edge": unsuspected(fibre("F-5", 340)), "credit_note": note, "no_cost": yenZero, "no_history": fresh,
		"draft": suspected(draft, detectors.DecisionHold, 1, low, below(1, "200.00", "50.00")),
		"cheap": suspected(fibre("F-4", 339.9, 300, 39.8), detectors.DecisionLogOnly, 0.986, low,
			detectors.Finding{Code: "billing_system", Kind: "line_sum", P: 0.97, Repaired: 407.76e4, Evidence: []string{}},
			below(0.52, "339.90", "15.03")),
		"no_repair": unrepaired, "other_settings": others, "usual_from_file": fromFile,
	}
}

// What is told of an invoice, in whole: read these files as a person would.
func TestText(t *testing.T) {
	for name, s := range explained() {
		for lang, ending := range map[explain.Lang]string{explain.English: ".txt", explain.French: ".fr.txt"} {
			said := text(t, lang, s)
			for _, r := range said {
				if r < ' ' && r != '\n' {
					t.Errorf("control character %q", r)
				}
			}
			said = strings.ReplaceAll(said, detectors.DefaultSettings().Hash(), "HASH")
			path := filepath.Join("testdata", name+ending)
			if *rewrite {
				if err := os.WriteFile(path, []byte(said), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if said != string(want) {
				t.Errorf("got\n%s\nwant %s\n%s\n(-rewrite accepts what was said)", said, path, want)
			}
		}
	}
}

// What stands in the files, said once more by a person.
func TestTextSays(t *testing.T) {
	for name, says := range map[string][]string{
		"deviation":   {"0.25 points beyond the limit", "that counts by itself"},
		"at_the_edge": {"did not fire", "0.00 points were left"}, // A4: 15.00 % is silent
		"varying":     {"that does not count by itself", "so a deviation says little", "fired against"},
		"duplicate":   {"Before it: F-1", "480.00 EUR less than billed"},
		"draft":       {"Draft of invoice D-1", "held, not to be sent"},
	} {
		var out bytes.Buffer
		if err := explain.English.Text(&out, explained()[name]); err != nil {
			t.Fatal(err)
		}
		for _, text := range says {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s does not say %q:\n%s", name, text, out.String())
			}
		}
	}
}

// The JSON form carries the contract's own records.
func TestJSON(t *testing.T) {
	for name, s := range explained() {
		var out bytes.Buffer
		if err := explain.JSON(&out, s); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Verdict, Invoice, Case json.RawMessage
			Earlier                []struct{ Invoice_id string }
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		records := map[string]json.RawMessage{"verdict.v1": got.Verdict}
		if s.Case != nil {
			records["case.v1"] = got.Case
		}
		for schema, record := range records {
			if err := contracttest.ValidateAs(schema, record); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if name == "duplicate" && (len(got.Earlier) != 1 || got.Earlier[0].Invoice_id != "F-1") {
			t.Errorf("earlier %v", got.Earlier)
		}
	}
}

// A suspect that is probably right is worth a look, and an amount that stands says
// what to do instead of a repair.
func TestAmountStands(t *testing.T) {
	for kind, want := range map[string]string{
		"before_shipment:not_shipped":       "hold the invoice until the goods leave",
		"missing_admin_data:purchase_order": "add the purchase order and send the invoice again",
		"missing_admin_data:no_repair":      "add what is missing and send the invoice again",
	} {
		code, kind, _ := strings.Cut(kind, ":")
		inv := fibre("F-1", 480)
		s := suspected(inv, detectors.DecisionLogOnly, 0.18, nil, detectors.Finding{Code: code, Kind: kind, P: 0.18,
			Repaired: 480 * invoice.Unit})
		s.Threshold = 0.15
		var out bytes.Buffer
		if err := explain.English.Text(&out, s); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"SUSPECT: worth a look (18 %)", "  To do: the amount stands: " + want + ".\n",
			"its probability, 18 %, is not below 15 %, where suspicion begins"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, out.String())
			}
		}
	}
}

// A case that is opened whatever it brings does not claim to be worth it.
func TestOpenedWithoutLoss(t *testing.T) {
	s := suspected(fibre("F-1", 480), detectors.DecisionOpenCase, 0.9, nil, detectors.Finding{Code: "billing_system",
		Kind: "currency", P: 0.9, Repaired: 480 * invoice.Unit})
	var out bytes.Buffer
	if err := explain.English.Text(&out, s); err != nil {
		t.Fatal(err)
	}
	want := "a case is opened: all of it is at stake, as nobody knows what it should be"
	if !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}

// A14: a decision that was weighed by what comes back says so, and by how many cases.
func TestWeighedByWhatComesBack(t *testing.T) {
	s := suspected(fibre("F-1", 350), detectors.DecisionLogOnly, 0.9, nil, detectors.Finding{Code: "billing_system",
		Kind: "line_sum", P: 0.9, Repaired: 480 * invoice.Unit})
	s.Verdict.Model.Recovery = detectors.RecoveryRate{Rate: 0.5, Cases: 40}
	var out bytes.Buffer
	if err := explain.English.Text(&out, s); err != nil {
		t.Fatal(err)
	}
	want := "90 % of 60.00 EUR, of which 50 % come back by 40 closed cases, are worth less than the 50.00 EUR " +
		"that working a case costs (27.00 EUR)"
	if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}

// Every cause of the contract has words, and every word a person reads is one.
func TestCausesHaveWords(t *testing.T) {
	for _, code := range []string{"data_entry", "billing_system", "promotion", "crm_sync", "duplicate", "price_list",
		"before_shipment", "missing_admin_data", "unknown"} {
		if explain.English.Cause(code) == code {
			t.Errorf("cause %s has no words", code)
		}
	}
	unknown := detectors.Finding{Code: "price_list", Kind: "not_listed"}
	if got := explain.English.Kind(&unknown); got != "price list: not listed" {
		t.Errorf("a kind without words is %q", got)
	}
	tier := detectors.Finding{Code: "crm_sync", Kind: "price_tier"}
	if got := explain.English.Kind(&tier); got != "prices are those of another tier" {
		t.Errorf("a kind with words is %q", got)
	}
	for p, want := range map[float64]string{0: "0 %", 1e-9: "<1 %", 0.03: "3 %", 0.9999: ">99 %", 1: ">99 %",
		0.566: "57 %"} {
		if got := explain.Probability(p); got != want {
			t.Errorf("Probability(%v) = %s, want %s", p, got, want)
		}
	}
}
