package report

import (
	"bytes"
	"fmt"
	"html"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

var created = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// reported is a file of n invoices, one an hour; every tenth is a suspect.
func reported(n int) *Report { return reportedIn(explain.English, n) }

func reportedIn(l explain.Lang, n int) *Report {
	r := New(l)
	for i := range n {
		inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint("F-", i), Currency: "EUR", NetAmount: 100 * invoice.Unit,
			IssuedAt: created.Add(time.Duration(i-n) * time.Hour), CustomerRef: "c-1", CustomerType: "B2B", ProductFamily: "tv",
			Lines: make([]invoice.Line, 3)}
		v := verdictOn(inv, 0.01)
		v.Source.Offset = int64(i)
		switch i % 30 {
		case 0:
			find(v, 0.98, detectors.DecisionOpenCase, detectors.Finding{Code: "billing_system", Kind: "line_sum", P: 0.97,
				Repaired: invoice.Amount(200+i%7*10) * invoice.Unit, Evidence: []string{
					"its 3 lines add up to 260.00 EUR, but the net amount is 100.00 EUR"}},
				detectors.Finding{Code: "unknown", Kind: "deviation", P: 0.4})
		case 10:
			find(v, 0.6, detectors.DecisionLogOnly, detectors.Finding{Code: "unknown", Kind: "deviation", P: 0.6,
				Repaired: 120 * invoice.Unit, Evidence: []string{
					"its 29 lines add up to 120.00 EUR, but the net amount is 100.00 EUR"}})
		case 20:
			inv.Currency, v.Currency = "GBP", "GBP"
			find(v, 0.950001, detectors.DecisionOpenCase, detectors.Finding{Code: "duplicate", Kind: "delivery", P: 0.95,
				Evidence: []string{"delivery DN7 was already invoiced with invoice F-1"}})
		}
		r.Add(inv, v, nil, 0.5)
	}
	return r
}

func verdictOn(inv *invoice.Invoice, p float64) *detectors.Verdict {
	return &detectors.Verdict{Seller: inv.Seller, InvoiceID: inv.ID, PError: p, Decision: "none", Direction: "none",
		AmountBasis: "net", Currency: inv.Currency, Billed: inv.NetAmount, Expected: 120 * invoice.Unit,
		ExpectedLow: 110 * invoice.Unit, ExpectedHigh: 130 * invoice.Unit, Level: detectors.LevelTypeProduct, N: 40, CV: 0.04,
		Model: detectors.Model{Version: "prior-1"}}
}

// find makes a verdict suspect.
func find(v *detectors.Verdict, p float64, d detectors.Decision, causes ...detectors.Finding) {
	v.Suspect, v.PError, v.Decision, v.Causes = true, p, d, causes
	v.Loss.Point = causes[0].Repaired - v.Billed
	v.Direction = detectors.DirectionCustomerFavour
	if v.Loss.Point < 0 {
		v.Direction = detectors.DirectionSellerFavour
	}
}

func write(t *testing.T, r *Report, p Page) string {
	t.Helper()
	p.Created, p.Settings = created, detectors.DefaultSettings()
	var out bytes.Buffer
	if err := r.Write(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var tags = regexp.MustCompile(`<[^>]*>`)

// text is what a person reads of a page.
func text(page string) string {
	_, body, _ := strings.Cut(page, "<body>")
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(body, " "))), " ")
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%.3000s", want, text)
		}
	}
}

// The headline figures, said by hand: money per currency and direction, never
// netted, never added up over currencies (A13, and the sixth disagreement).
func TestFigures(t *testing.T) {
	got := text(write(t, reported(300), Page{File: "orders.csv", Build: "v1", References: []string{"prices.jsonl"},
		Redelivered: 3, Unreadable: map[string]int64{"bad_decimal": 40, "syntax": 1},
		FirstErrors: []string{"orders.csv:12: column \"Betrag\" (net_amount): bad"}}))
	contains(t, got, "acme · orders.csv · issued 2026-11-09 to 2026-11-22",
		"Invoices judged 300 100.0 % of them with a history",
		"Suspects 30 10.0 % of those judged", "Worth a case 20 the money",
		"Not readable 41 records",
		"EUR 290 invoices 29,000.00 EUR 1,470.00 EUR 20 suspects each times its probability: 1,364.60 EUR "+
			"worth a case: 10, 1,270.00 EUR –",
		"GBP 10 invoices 1,000.00 GBP – 1,000.00 GBP 10 suspects each times its probability: 950.00 GBP "+
			"worth a case: 10, 1,000.00 GBP",
		"invoices a day, at most 24 suspects, at most 3", "Duplicate: invoiced before 10 1,000.00 GBP billed too much",
		"Billing system: lines, totals, tax or currency 10 1,270.00 EUR billed too little",
		"1. F-90 160.00 EUR billed too little acme, issued 2026-11-13, line 91 · c-1, B2B, tv · almost certainly wrong, "+
			"98 % · worth a case The lines do not add up to the total. "+
			"Its 3 lines add up to 260.00 EUR, but the net amount is 100.00 EUR. Billed 100.00 EUR net "+
			"Expected 120.00 EUR, the usual invoice of customer type B2B and product family tv: 40 invoices, much alike (they "+
			"vary by 4.0 %) Repaired 260.00 EUR Also considered the amount is below the usual (40 %)",
		"came a second time with the same content and count once: 3", "bad_decimal 40 syntax 1",
		`orders.csv:12: column "Betrag" (net_amount): bad`,
		"… and 40 more", "delivery_ref one delivery invoiced twice, lost quantities 0.0 %", "References prices.jsonl",
		"more than 15 % below the usual", "Made by recoup on 2026-11-22 08:00 UTC")
}

// harmless are tags that cannot load or run anything: no link, no source, no
// event, no style of their own.
var harmless = regexp.MustCompile(`^</?(!DOCTYPE html|html|head|meta|title|style|body|header|section|footer|article|` +
	`h[1-4]|p|b|br|div|span|small|table|tr|th|td|ul|li|dl|dt|dd|pre|figure|figcaption|svg|g|rect)` +
	`(\s+(lang|charset|name|content|http-equiv|class|colspan|data-name|viewBox|preserveAspectRatio|role|aria-label|` +
	`aria-hidden|x|y|width|height)="[^"<>]*")*\s*/?>$`)

// Nothing that stands in an invoice, a file name or an error becomes markup, and
// the page loads nothing and runs nothing.
func TestEscapes(t *testing.T) {
	const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	inv := &invoice.Invoice{Seller: hostile, ID: hostile, Currency: "EUR", NetAmount: 1, IssuedAt: created,
		CustomerRef: hostile, CustomerType: hostile, ProductFamily: hostile}
	v := verdictOn(inv, 0.9)
	find(v, 0.9, "open_case", detectors.Finding{Code: hostile, Kind: hostile, Evidence: []string{hostile + "\x1b[31m"}},
		detectors.Finding{Code: hostile, Kind: hostile})
	v.Model.Version = hostile
	r := New(explain.English)
	r.Add(inv, v, nil, 0.5)
	page := write(t, r, Page{File: hostile, Build: hostile, References: []string{hostile},
		Unreadable: map[string]int64{hostile: 1}, FirstErrors: []string{hostile}})
	for _, tag := range tags.FindAllString(page, -1) {
		if !harmless.MatchString(tag) {
			t.Errorf("the page has %s", tag)
		}
	}
	if strings.Contains(page, "\x1b") || strings.Contains(pageStyle, "url") || strings.Contains(pageStyle, "@import") {
		t.Error("the page speaks to a terminal, or its style loads something")
	}
	contains(t, page, "&lt;script&gt;alert(1)", `content="default-src 'none'; style-src 'unsafe-inline'"`)
}

// A file of any size makes a page of a few hundred kB and a report of bounded
// memory (G7); how many suspects are left out is said.
func TestSize(t *testing.T) {
	r := reported(100_000)
	page := write(t, r, Page{File: "big.jsonl"})
	if len(page) > 1<<20 {
		t.Errorf("the page of 100,000 invoices has %d bytes", len(page))
	}
	contains(t, text(page), "Invoices judged 100,000", "Not shown in EUR: 6,534 suspects",
		"Not shown in GBP: 3,267 suspects", "invoices a year")
	if n := strings.Count(page, "<article"); n != 199 {
		t.Errorf("%d suspects are shown", n)
	}
	if again := write(t, r, Page{File: "big.jsonl"}); again != page {
		t.Error("the same report gives another page")
	}
}

// The first suspects of a currency are those with the highest expected loss; of
// equals the earlier one.
func TestRanking(t *testing.T) {
	var k ranking
	for i := range 3 * mostRanked {
		inv := &invoice.Invoice{ID: fmt.Sprint(i)}
		k.add(inv, &detectors.Verdict{PError: 0.5, Loss: detectors.Loss{Point: invoice.Amount(-(i * 7919 % 400))}}, "")
	}
	if len(k) != mostRanked {
		t.Fatalf("%d are kept", len(k))
	}
	for i := 1; i < len(k); i++ {
		a, b := k[i-1], k[i]
		if a.rank < b.rank || (a.rank == b.rank && len(a.invoice.ID) > len(b.invoice.ID)) {
			t.Errorf("%s (%v) stands before %s (%v)", a.invoice.ID, a.rank, b.invoice.ID, b.rank)
		}
	}
	if k[0].rank != 0.5*399 || k[mostRanked-1].rank < 0.5*260 {
		t.Errorf("ranks from %v to %v", k[0].rank, k[mostRanked-1].rank)
	}
}

// Sums are exact whatever their size, and no bar is lost (G11).
func TestSums(t *testing.T) {
	r := New(explain.English)
	for range 3 {
		inv := &invoice.Invoice{Currency: "EUR", NetAmount: 1<<63 - 1, IssuedAt: created}
		r.Add(inv, verdictOn(inv, 0), nil, 0.5)
	}
	contains(t, text(write(t, r, Page{})), "2,767,011,611,056,432.7421 EUR")
	if got := (tongue{explain.English}).amount(-1_234_567_8900, "EUR"); got != "−1,234,567.89 EUR" {
		t.Errorf("amount = %s", got)
	}
	if got := (tongue{explain.English}).money(big.NewInt(1), "EUR"); got != "0.0001 EUR" {
		t.Errorf("money = %s", got)
	}
}

// The bars stand for days, weeks, months or years, so that they can be told
// apart, and hold every invoice.
func TestChart(t *testing.T) {
	at := func(day string) time.Time {
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			panic(err)
		}
		return t.Add(23 * time.Hour)
	}
	for _, c := range []struct {
		from, to, unit string
		bars           int
	}{
		{"2026-03-01", "2026-03-01", "day", 1},
		{"2026-01-01", "2026-03-03", "day", 62},
		{"2026-01-01", "2026-03-04", "week", 10},
		{"2024-12-31", "2026-03-04", "week", 62},
		{"2024-12-31", "2026-03-10", "month", 16},
		{"1970-01-01", "2200-12-31", "year", 231},
	} {
		r := New(explain.English)
		for i := range 3 {
			inv := &invoice.Invoice{Currency: "EUR", IssuedAt: []time.Time{at(c.to), at(c.from), at(c.to)}[i]}
			r.Add(inv, verdictOn(inv, 0), nil, 0.5)
		}
		got := r.draw()
		if got.Unit != c.unit || len(got.Bars) != c.bars || got.From != c.from || got.To != c.to || got.MostScored < 2 {
			t.Errorf("%s to %s: %d bars of a %s, %s to %s, most %d", c.from, c.to, len(got.Bars), got.Unit, got.From, got.To,
				got.MostScored)
		}
		if first, last := got.Bars[0], got.Bars[len(got.Bars)-1]; first.Scored == 0 || last.Scored != 60 {
			t.Errorf("%s to %s: heights %v and %v", c.from, c.to, first.Scored, last.Scored)
		}
	}
	if got := New(explain.English).draw(); got.Bars != nil {
		t.Errorf("no invoices make the chart %+v", got)
	}
}

// A cause without a repair is named, and no repaired amount is claimed.
func TestNoRepair(t *testing.T) {
	inv := &invoice.Invoice{Seller: "acme", ID: "F-1", Currency: "EUR", NetAmount: 100 * invoice.Unit, IssuedAt: created}
	v := verdictOn(inv, 0.9)
	find(v, 0.9, "log_only", detectors.Finding{Code: "crm_sync", Kind: detectors.KindNoRepair, P: 0.7,
		Repaired: 100 * invoice.Unit})
	v.Direction = detectors.DirectionNone
	r := New(explain.English)
	r.Add(inv, v, nil, 0.5)
	got := text(write(t, r, Page{}))
	contains(t, got, "1. F-1 no money is at stake", "Customer data, which no single change repairs.")
	if strings.Contains(got, "Repaired") {
		t.Errorf("a repair is claimed: %s", got)
	}
}

// What was expected is said to be made from the lines where it was, though the level
// is that of the segment too; hints are not worth a reader's time.
func TestExpectedFromLines(t *testing.T) {
	inv := &invoice.Invoice{Seller: "acme", ID: "F-1", Currency: "EUR", NetAmount: 100 * invoice.Unit, IssuedAt: created,
		CustomerType: "B2B", ProductFamily: "tv", Lines: []invoice.Line{{ProductID: "mug",
			Quantity:  invoice.OptionalFixed{Value: invoice.One, Set: true},
			UnitPrice: invoice.OptionalFixed{Value: 100 * invoice.One, Set: true}}}}
	v := verdictOn(inv, 0.9)
	find(v, 0.9, "log_only", detectors.Finding{Code: "price_list", Kind: "listed", P: 0.85, Repaired: 120 * invoice.Unit},
		detectors.Finding{Code: "data_entry", Kind: "price", P: 0.0999})
	r := New(explain.English)
	r.Add(inv, v, &detectors.SegmentSummary{Level: detectors.LevelTypeProduct, N: 312, CV: 1.4}, 0.5)
	got := text(write(t, r, Page{}))
	contains(t, got, "Expected 120.00 EUR, its lines at the usual prices of their products: each product known was "+
		"billed 40 times or more before; prices much alike (they vary by 4.0 %) Repaired")
	if strings.Contains(got, "Also considered") {
		t.Errorf("a hint is told: %s", got)
	}
}

// Of many models the last is named; the incident a suspect belongs to is.
func TestModelsAndIncident(t *testing.T) {
	r := New(explain.English)
	for i, version := range []string{"prior-1", "prior-1", "trained-a", "trained-b", "prior-1", "trained-a"} {
		inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint("F-", i), Currency: "EUR", NetAmount: 100, IssuedAt: created}
		v := verdictOn(inv, 0.9)
		v.Model.Version = version
		if i == 5 {
			find(v, 0.9, detectors.DecisionBundle, detectors.Finding{Code: "billing_system", Kind: "line_sum", P: 0.9})
			v.IncidentID = "i0123"
		}
		r.Add(inv, v, nil, 0.5)
		if want := [...]string{"prior-1", "prior-1", "prior-1 on 2 invoices, else trained-a",
			"prior-1 on 2 invoices, else 2 trained ones, the last trained-b",
			"prior-1 on 3 invoices, else 2 trained ones, the last trained-b",
			"prior-1 on 3 invoices, else 2 trained ones, the last trained-a"}[i]; r.judges() != want {
			t.Errorf("after %d invoices: %q, want %q", i+1, r.judges(), want)
		}
	}
	contains(t, text(write(t, r, Page{})), "very probably wrong, 90 % · part of incident i0123")
}

// A report of nothing is a page, too.
func TestEmpty(t *testing.T) {
	contains(t, text(write(t, New(explain.English), Page{File: "empty.jsonl"})), "Invoices judged 0", "No invoices.",
		"Every record could be read.")
}

// Credit notes are no judged invoices, a part is never rounded to all, an improbable
// suspect is worth a look, and what leaves the amount alone says what to do.
func TestWhatIsJudged(t *testing.T) {
	r := New(explain.English)
	for i := range 2100 {
		inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint("F-", i), Currency: "EUR", NetAmount: 100 * invoice.Unit,
			IssuedAt: created.Add(time.Duration(i) * time.Minute)}
		v := verdictOn(inv, 0.01)
		v.Model.Version = "trained-1"
		switch {
		case i >= 2000:
			inv.Type = invoice.CreditNote
			v.Level = detectors.LevelNone
		case i == 0:
			v.Level = detectors.LevelNone
		case i == 1:
			find(v, 0.18, detectors.DecisionLogOnly, detectors.Finding{Code: "before_shipment", Kind: "not_shipped", P: 0.18,
				Repaired: v.Billed})
			v.Direction = detectors.DirectionNone
		case i == 2:
			find(v, 1, detectors.DecisionLogOnly, detectors.Finding{Code: "missing_admin_data", Kind: "vat_id", P: 1,
				Repaired: v.Billed})
		}
		r.Add(inv, v, nil, 0.15)
	}
	got := text(write(t, r, Page{}))
	contains(t, got, "Invoices judged 2,000 >99.9 % of them with a history to compare with; beside them 100 credit "+
		"notes, not judged", "Suspects 2 0.1 % of those judged", "worth a look, 18 %", "almost certainly wrong, >99 %",
		"Suspicion begins at 15 %, so that about four of five suspects", "Suspicion begins at 15 % Settings",
		"To do The amount stands: hold the invoice until the goods leave.",
		"To do The amount stands: add the VAT number and send the invoice again.")
	contains(t, text(write(t, reported(30), Page{})), "Suspicion begins at 50 %.")
}
