package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A difference names file, line, scenario, what was expected and what came.
func TestDifferencesAreReported(t *testing.T) {
	name := write(t, `scenario prices fall
load 30 invoices type=B2C net=100.00
score net=84.99 type=B2C
----
suspect: no
rules: none
decision: log_only
`)
	report, err := Run(name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if _, err := report.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := name + `:5: prices fall: suspect: want no, got yes
` + name + `:6: prices fall: rules: want none, got deviation:customer_type
1 files, 1 scenarios, 1 invoices compared: 2 differences
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// Every line that cannot be run says where, what and what was expected instead.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"laod 30 invoices net=1": `:1: cannot run "laod": want scenario, set, given, ` +
			`reference, wait, load or score`,
		"----":                                      ":1: cannot compare: ---- must follow a load or score line",
		"wait 3d\n----\nn: 1":                       `:1: cannot compare after "wait"`,
		"score net=1\n----\nsuspect no":             `:3: cannot read "suspect no": want "key: value"`,
		"score net=1":                               ":1: cannot score without comparing",
		"score net=1\n----\ncolour: red":            `:3: cannot compare "colour": want one of amount_basis, billed`,
		"score net=1\n----\nloss: much":             `:3: cannot compare loss with "much": cannot read amount "much"`,
		"score net=1\n----\np_error: high":          `:3: cannot compare p_error with "high"`,
		"score nett=1\n----":                        ":1: cannot read nett=1: want one of batch, canary, codes",
		"score net=1,0\n----\nn: 0\n\nscore net=1,": `:5: cannot score without`,
		"score net=ten\n----":                       `:1: cannot read net=ten: cannot read amount "ten"`,
		"score type=B2C\n----":                      ":1: cannot make this invoice: it needs an amount",
		"score net=1 currency=EURO\n----":           ":1: cannot make this invoice: ",
		"score net=1 canary=maybe\n----":            ":1: cannot read canary=maybe: want yes or no",
		"score net=1 stage=sent\n----":              `:1: cannot read stage=sent: cannot read stage "sent"`,
		"score net=1 issued=yesterday\n----":        `:1: cannot read issued=yesterday: want a duration such as 90m, 1h, 3d`,
		"score net=1 lines=2x3x4\n----":             `:1: cannot read lines=2x3x4`,
		"score lines=mug:3x\n----":                  `:1: cannot read lines=mug:3x: line 1, "mug:3x"`,
		"score net=1 period=5h\n----":               `:1: cannot read period=5h: want whole days`,
		"reference":                                 `:1: cannot read "": want a kind first`,
		"reference weather seller=a":                ":1: cannot make this reference: ",
		"reference price product_id=mug":            ":1: cannot make this reference: ",
		"reference customer valid_from=long":        ":1: cannot read valid_from=long: want a duration",
		"score net=1 type=\"B2C\n----":              ":1: cannot read",
		"score again\n----":                         `:1: cannot score "" again: no "load 1 invoice" line made it`,
		"load many invoices net=1":                  `:1: cannot load "many invoices net=1": want a number from 1`,
		"load 2000000 invoices net=1":               ":1: cannot load",
		"wait soon":                                 `:1: cannot wait "soon"`,
		"wait -1h":                                  `:1: cannot wait "-1h"`,
		"set deviation=15":                          ":1: cannot set deviation=15: want a percentage of at most two decimals",
		"set deviation=15.001%":                     ":1: cannot set deviation=15.001%",
		"set deviation=100%":                        ":1: cannot score with a deviation of 10000 basis points",
		"set speed=9":                               ":1: cannot set speed: want one of base_rate",
		"set handling_cost.EURO=9":                  `:1: cannot score with a handling cost in "EURO"`,
		"set":                                       ":1: cannot set",
		"load 1 invoice net=1\nset min_n=3":         ":2: cannot change settings after the first invoice",
		"load 30 invoices type=a net=9\nload 2 invoices type=a net=1": `:2: cannot load usual invoices: ` +
			`invoice 1 of 2 is suspect: deviation:customer_type; score it instead`,
	} {
		_, err := Run(write(t, text), Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	if _, err := Run(t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "want files that end in .txt") {
		t.Errorf("empty directory: %v", err)
	}
	if _, err := Run(filepath.Join(t.TempDir(), "none"), Options{}); err == nil {
		t.Error("a missing directory went unnoticed")
	}
}

// Several wrong files are all named.
func TestEveryWrongFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.txt", "b.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("nonsense\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Run(dir, Options{})
	if err == nil || !strings.Contains(err.Error(), "a.txt:1") || !strings.Contains(err.Error(), "b.txt:1") {
		t.Errorf("got %v", err)
	}
}

// A rewrite changes what differs and nothing else, fills in what is empty, and
// the file then passes.
func TestRewrite(t *testing.T) {
	name := write(t, `# keep this
scenario one

load 30 invoices type=B2C net=100.00

# and this
score net=84.99 type=B2C
----
suspect: no
# even here
loss: 15.0100
p_error: > 0.5

score net=100.00 type=B2C
----

wait 1h
`)
	report, err := Run(name, Options{Rewrite: true})
	if err != nil || report.Rewritten != 1 || len(report.Failures) != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := `# keep this
scenario one

load 30 invoices type=B2C net=100.00

# and this
score net=84.99 type=B2C
----
suspect: yes
loss: 15.0100
p_error: > 0.5
# even here

score net=100.00 type=B2C
----
suspect: no
rules: none
decision: none
loss: 0.00

wait 1h
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	report, err = Run(name, Options{Rewrite: true})
	if err != nil || report.Rewritten != 0 || report.Scores != 2 {
		t.Errorf("second run: %+v, %v", report, err)
	}
}

// The caller's settings are the start of every scenario, `set` changes a copy.
func TestSettingsStartEveryScenario(t *testing.T) {
	s := detectors.DefaultSettings()
	s.DeviationBasisPoints = 1000
	name := write(t, `scenario a
set deviation=20% handling_cost.EUR=1.00
load 30 invoices type=B2C net=100.00
score net=85.00 type=B2C
----
rules: none

scenario b
given type=B2C
load 30 invoices net=100.00
score net=85.00
----
rules: deviation:customer_type
decision: log_only
`)
	report, err := Run(name, Options{Settings: &s})
	if err != nil || len(report.Failures) != 0 || report.Scenarios != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	usual := detectors.DefaultSettings()
	if s.Hash() == usual.Hash() || s.HandlingCost["EUR"] != usual.HandlingCost["EUR"] {
		t.Error("the caller's settings were changed")
	}
}

// Durations are written as they are read.
func TestDurations(t *testing.T) {
	for _, text := range []string{"0s", "36d", "1d2h0m0s", "90m", "-1d12h", "+25h"} {
		d, err := parseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		if d < 0 {
			continue
		}
		if back, err := parseDuration(days(d)); err != nil || back != d {
			t.Errorf("%s is %v, written as %s, read as %v, %v", text, d, days(d), back, err)
		}
	}
	for _, bad := range []string{"", "d", "1d-2h", "--1h", "1", "1x", "-", "99999999d"} {
		if d, err := parseDuration(bad); err == nil {
			t.Errorf("%q was read as %v", bad, d)
		}
	}
}

// A line names product, family, discount, codes and amount, and the lines' sum is
// the net amount of an invoice that names none.
func TestLines(t *testing.T) {
	var f record
	c := &command{args: []argument{{"discount", "1.00"}, {"lines", "mug/KITCHEN:3x12.50-10%@A@B,4.00,cup:2x10=19"}}}
	if err := f.read(c, c.args, nil); err != nil {
		t.Fatal(err)
	}
	l := f.inv.Lines
	if l[0].ProductID != "mug" || l[0].ProductFamily != "KITCHEN" || l[0].DiscountRate.Value.String() != "0.1" ||
		strings.Join(l[0].PromoCodes, " ") != "A B" || l[0].Net.Value.String() != "33.75" {
		t.Errorf("line 1 is %+v", l[0])
	}
	if l[1].ProductID != "" || l[1].Net.Value.String() != "4.00" || l[2].Net.Value.String() != "19.00" {
		t.Errorf("lines 2 and 3 are %+v", l[1:])
	}
	if got := f.nets[0].String(); got != "55.75" {
		t.Errorf("net %s, want 33.75 + 4.00 + 19.00 - 1.00", got)
	}
}

// A reference counts from its line on, and ends with the scenario.
func TestReferences(t *testing.T) {
	f, err := parse("a.txt", `wait 2d
reference policy currencies=EUR,GBP max_discount_rate=50%
reference delivery delivery_ref=D1 units=3 lines=1 shipped_at=-1h
reference customer customer_ref=c1 contract_discount_rate=10% prepays=yes valid_from=-1d
`)
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(detectors.DefaultSettings(), &Report{})
	if err := r.run(f); err != nil {
		t.Fatal(err)
	}
	if p, ok := r.refs.Policy("acme", r.now); !ok || p.Bills("SEK") || p.MaxDiscountRate.Value != invoice.One/2 {
		t.Errorf("policy %+v, %v", p, ok)
	}
	if d, ok := r.refs.Delivery("acme", "D1", r.now); !ok || d.Units.Value != 3*invoice.One || d.Lines.Value != 1 {
		t.Errorf("delivery %+v, %v", d, ok)
	}
	c, ok := r.refs.Customer("acme", "c1", r.now.Add(-time.Hour))
	if !ok || !c.Prepays.Value || c.ContractDiscountRate.Value != invoice.One/10 {
		t.Errorf("customer %+v, %v", c, ok)
	}
	if r.reset("next"); r.refs.Has(invoice.CustomerReference) {
		t.Error("the next scenario knows the customer too")
	}
}
