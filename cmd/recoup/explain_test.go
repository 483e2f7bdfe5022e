package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/testservers"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/sinks"
	"recoup/sinks/sinktest"
)

// warehouse is a database with a few verdicts.
type warehouse struct {
	address, name, file string // of ClickHouse, of the database, of the settings
}

// openWarehouse makes the tables and stores invoices: a second invoice for a
// delivery with its original and its case, one id of two sellers, and one id of
// two revisions.
func openWarehouse(t *testing.T) warehouse {
	t.Helper()
	w := warehouse{address: testservers.ClickHouse(t), name: testservers.Database(t)}
	w.file = settingsFor(t, deadAddress(t), w.address, w.name)
	succeed(t, "migrate", "--config", w.file)
	store, err := sinks.Open(sinks.Settings{Addresses: []string{w.address}, Database: w.name})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	received := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	block, offset := store.NewBlock(), int64(0)
	add := func(seller, id string, revision int64, change func(*invoice.Invoice, *detectors.Verdict)) {
		inv := &invoice.Invoice{Seller: seller, ID: id, Revision: revision, IssuedAt: received, Currency: "EUR",
			NetAmount: 100 * invoice.Unit, Number: "N-" + id, CustomerRef: "c-1", CustomerType: "B2B", ProductFamily: "fibre",
			Lines: []invoice.Line{{ProductID: "p-1"}}}
		v := &detectors.Verdict{Seller: seller, InvoiceID: id, Revision: revision, PError: 0.03, Decision: "none",
			Direction: "none", AmountBasis: "net", Currency: "EUR", Billed: inv.NetAmount, Expected: inv.NetAmount,
			ExpectedLow: 80 * invoice.Unit, ExpectedHigh: 120 * invoice.Unit, Level: detectors.LevelTypeProduct, N: 40, CV: 0.1,
			Taught: true, Source: invoice.Position{Topic: "billing.invoices", Offset: offset},
			Model: detectors.Model{Version: detectors.ModelVersion, ConfigHash: detectors.DefaultSettings().Hash()}}
		change(inv, v)
		block.Append(inv, v, received.UnixMilli())
		offset++
	}
	as := func(*invoice.Invoice, *detectors.Verdict) {}
	add("acme", "F-1", 0, func(inv *invoice.Invoice, _ *detectors.Verdict) { inv.DeliveryRef = "DN7" })
	add("acme", "F-2", 0, func(inv *invoice.Invoice, v *detectors.Verdict) {
		inv.DeliveryRef = "DN7"
		v.Suspect, v.PError, v.Decision, v.Direction, v.Taught = true, 0.95, "open_case", "seller_favour", false
		v.Rules, v.CaseID = []string{"duplicate:delivery"}, cases.ID(cases.DedupKey("acme", "F-2", 0))
		v.Loss = detectors.Loss{Point: -inv.NetAmount, Low: -inv.NetAmount, High: -inv.NetAmount}
		v.Causes = []detectors.Finding{{Code: "duplicate", Kind: "delivery", P: 0.95,
			Evidence: []string{"delivery DN7 was already invoiced with invoice F-1"}}}
		w.storeCase(t, cases.Opener{Database: "recoup", HandlingCost: detectors.DefaultSettings().HandlingCost}.
			Open(inv, v, received, received.Add(time.Second)))
	})
	add("acme", "F-3", 0, as)
	add("other", "F-3", 0, as)
	add("acme", "F-4", 0, as)
	add("acme", "F-4", 1, func(_ *invoice.Invoice, v *detectors.Verdict) { v.Billed += invoice.Unit })
	add("acme", "it's 1", 0, as)
	owner := pipeline.Owner{Group: "g", Topic: "billing.invoices", Epoch: 1}
	if err := store.Insert(t.Context(), owner, 0, block, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	return w
}

// What was billed is looked up for a dispute of an invoice that was no suspect; where revisions
// differ it stays unknown.
func TestDisputeOfAStoredInvoice(t *testing.T) {
	w := openWarehouse(t)
	file := settingsFor(t, fakeKafka(t), w.address, w.name)
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	for i, id := range []string{"F-1", "F-4"} {
		putCase(t, file, func(c *cases.Case) {
			c.DedupKey = cases.DedupKey("acme", id, 0)
			c.CaseID, c.InvoiceID, c.Seq = cases.ID(c.DedupKey), id, int64(i+1)
			c.Origin, c.Currency, c.Billed, c.Loss = cases.OriginDispute, unknownCurrency, 0, detectors.Loss{}
		})
	}
	on := func(args ...string) []string { return append(append([]string{"case"}, args...), "--config", file) }
	contains(t, succeed(t, on("show", "F-1")...).stdout, "100.00 EUR", "at stake     not known")
	contains(t, succeed(t, on("show", "F-4")...).stdout, "billed       not known")
	fails(t, exitFailed, on("show", "F-1", "--draft"), "recoup does not know what was billed")
	succeed(t, on("ack", "F-1")...)
	fails(t, exitUsage, on("decide", "F-1", "confirmed_error", "--correct", "90", "--billed", "95"),
		"that 100.00 EUR were")
	contains(t, succeed(t, on("decide", "F-1", "confirmed_error", "--correct", "90", "--json")...).stdout,
		`"confirmed_loss":"-10.00"`, `"currency":"EUR"`)
	contains(t, succeed(t, on("show", "F-1")...).stdout, "give 10.00 EUR back")
}

// storeCase stores a case as the copy of its topic does.
func (w warehouse) storeCase(t *testing.T, c *cases.Case) {
	t.Helper()
	raw, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	ask(t, w.address, fmt.Sprintf("INSERT INTO %s.cases (case_id, seq, action, kind, seller, invoice_id, currency, raw) "+
		"VALUES ('%s', 1, 'open', 'invoice', 'acme', 'F-2', 'EUR', '%s')", w.name, c.CaseID,
		strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(string(raw))))
}

var storedAt = regexp.MustCompile(`stored      \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)

// The verdict on one invoice is told from its stored row, on the real server,
// with the invoice it repeats and its case (A3, E2).
func TestExplain(t *testing.T) {
	w := openWarehouse(t)
	got := succeed(t, "explain", "F-2", "--config", w.file).stdout
	got = strings.ReplaceAll(got, detectors.DefaultSettings().Hash(), "HASH")
	golden(t, "explain.txt", storedAt.ReplaceAllString(got, "stored      SOME TIME"))

	var whole struct {
		Verdict detectors.Verdict
		Invoice struct{ Lines []any }
		Case    struct{ Case_id string }
		Earlier []struct{ Invoice_id string }
	}
	if err := json.Unmarshal([]byte(succeed(t, "explain", "F-2", "--format", "json", "--config", w.file).stdout),
		&whole); err != nil {
		t.Fatal(err)
	}
	if !whole.Verdict.Suspect || len(whole.Invoice.Lines) != 1 || whole.Case.Case_id != whole.Verdict.CaseID ||
		len(whole.Earlier) != 1 || whole.Earlier[0].Invoice_id != "F-1" {
		t.Errorf("as JSON: %+v", whole)
	}
}

// What is not there, or there more than once, is said with what to try, and what
// is proposed works.
func TestExplainChoosing(t *testing.T) {
	w := openWarehouse(t)
	fails := func(wants []string, args ...string) {
		t.Helper()
		got := recoup(t, "", append(append([]string{"explain"}, args...), "--config", w.file)...)
		if got.code != exitFailed || got.stdout != "" {
			t.Errorf("explain %v ended with %d: %s", args, got.code, got.stdout)
		}
		contains(t, got.stderr, wants...)
	}
	fails([]string{`cannot tell which of 2 records of invoice "F-3" is meant; choose one with --seller:`,
		"\n  recoup explain F-3 --seller other --revision 0 --at billing.invoices/0/3\n      issued, issued " +
			"2026-03-01T09:30:00Z, billed 100.00 EUR: not suspect"}, "F-3")
	fails([]string{"choose one with --revision or --at", "--revision 1 --at billing.invoices/0/5"}, "F-4")
	fails([]string{`cannot find invoice "F-9" in ` + w.name + ".scored_invoices at " + w.address,
		"recoup dead-letters ls"}, "F-9")
	fails([]string{"with this seller, revision or position", "the same without --seller"}, "F-1", "--seller", "nobody")
	fails([]string{`recoup explain 'it'\''s 1' --seller acme, whose invoice number this is`}, "N-it's 1")
	for _, args := range [][]string{{"F-3", "--seller", "other"}, {"F-4", "--revision", "1"},
		{"it's 1", "--seller", "acme"}, {"F-4", "--at", "billing.invoices/0/5"}} {
		contains(t, succeed(t, append(append([]string{"explain"}, args...), "--config", w.file)...).stdout, "NOT SUSPECT")
	}
}

func TestExplainWithoutServer(t *testing.T) {
	got := recoup(t, "", "explain", "F-1", "--config", settingsFor(t, deadAddress(t), deadAddress(t), "x"))
	if got.code != exitFailed {
		t.Errorf("explain without a server ended with %d", got.code)
	}
	contains(t, got.stderr, `cannot look for invoice "F-1": `, "connection refused", reachClickHouse)
}

// A file answers without any server, with the verdict that score gives.
func TestExplainFile(t *testing.T) {
	args := []string{"explain", "A-37", "--file", sample}
	contains(t, succeed(t, args...).stdout, "SUSPECT: almost certainly wrong",
		"the total is zero although the invoice has lines", "  line        40\n", "a case is opened: >99 % of 400.00 EUR")
	var whole struct{ Verdict json.RawMessage }
	if err := json.Unmarshal([]byte(succeed(t, append(args, "--format", "json")...).stdout), &whole); err != nil {
		t.Fatal(err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, whole.Verdict); err != nil {
		t.Fatal(err)
	}
	contains(t, recoup(t, "", "score", sample).stdout, line.String()+"\n")
	for _, missing := range [][]string{{"A-99"}, {"A-37", "--seller", "nobody"}, {"A-37", "--revision", "1"}} {
		got := recoup(t, "", append(append([]string{"explain"}, missing...), "--file", sample)...)
		if got.code != exitFailed {
			t.Errorf("explain of nothing ended with %d", got.code)
		}
		contains(t, got.stderr, `cannot find invoice "`+missing[0]+`" among the 37 of `+sample,
			"skipped 1 redelivered and 5 unreadable ones")
	}
	content, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(content) + strings.Replace(strings.SplitN(string(content), "\n", 2)[0], "400.00", "401.00", 1) + "\n"
	got := recoup(t, changed, "explain", "A-0", "--file", "-")
	contains(t, got.stderr, "cannot tell which of 2 records",
		"recoup explain A-0 --file - --seller acme --revision 0 --at file/0/44")
	got = recoup(t, changed, "explain", "A-0", "--file", "-", "--lang", "fr")
	contains(t, got.stderr, "recoup explain A-0 --lang fr --file - --seller acme --revision 0 --at file/0/44")
	got = recoup(t, changed, "explain", "A-0", "--file", "-", "--at", "file/0/44")
	contains(t, got.stdout, "its id came before with other content")
}
