package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// writeSet writes a small data set in which every tenth delivery is invoiced
// twice, to the cent, and every tenth invoice lacks a third.
func writeSet(t *testing.T, dir, name string) {
	t.Helper()
	var invoices, labels strings.Builder
	for i := range 300 {
		delivery, net, cause := i, 100+i%60, ""
		switch i % 10 {
		case 3:
			delivery, net, cause = i-1, 100+(i-1)%60, "duplicate"
		case 7:
			net, cause = net*2/3, "data_entry"
		}
		fmt.Fprintf(&invoices, `{"schema":"invoice.v1","event_id":"e%d","seller":"acme","invoice_id":"I%d",`+
			`"issued_at":"2026-01-%02dT%02d:00:00Z","currency":"EUR","net_amount":"%d","customer_ref":"c:1",`+
			`"customer_type":"B2B","product_family":"fibre","delivery_ref":"D%d"}`+"\n", i, i, 1+i/20, i%20, net, delivery)
		if cause != "" {
			fmt.Fprintf(&labels, `{"invoice_id":"I%d","cause":%q,"true_gross":"0.00","loss":"-1.00","burst":null}`+"\n",
				i, cause)
		}
	}
	write := func(ending, content string) {
		if err := os.WriteFile(filepath.Join(dir, name+ending), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(invoiceEnding, invoices.String())
	write(labelEnding, labels.String())
}

// A8: the command measures plain files, says what is missing, and prints the
// same bytes again.
func TestRunOnOwnFiles(t *testing.T) {
	dir := t.TempDir()
	writeSet(t, dir, "own")
	o := options{data: dir, resamples: 50, json: filepath.Join(dir, "figures"), misses: filepath.Join(dir, "misses")}
	var first, again bytes.Buffer
	if err := run(o, &first); err != nil {
		t.Fatal(err)
	}
	if err := run(o, &again); err != nil {
		t.Fatal(err)
	}
	if first.String() != again.String() {
		t.Errorf("two runs differ:\n%s\n%s", first.String(), again.String())
	}
	for _, want := range []string{
		"## own", "300 invoices, 210 of them scored, 42 with an error (20.0 %)", "No own-dense files",
		"No own.deliveries.jsonl", "| 15 % rule, customer type × product family |", "### Calibration",
	} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, first.String())
		}
	}
	content, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var figures struct {
		Sets []struct {
			Plain    fileSize
			Variants []struct {
				Plain struct{ Suspects int }
			}
		}
	}
	if err := json.Unmarshal(content, &figures); err != nil {
		t.Fatal(err)
	}
	set := figures.Sets[0]
	if n := set.Variants[0].Plain.Suspects; set.Plain.Errors != 42 || n == 0 ||
		!strings.Contains(first.String(), fmt.Sprintf("| suspects |  | %d |", n)) {
		t.Errorf("%d errors and %d suspects in the JSON, want 42 and those of the report", set.Plain.Errors, n)
	}
	misses, err := os.ReadFile(o.misses)
	if err != nil {
		t.Fatal(err)
	}
	suspects := set.Plain.Errors // less those missed, and the false alerts
	for line := range strings.Lines(string(misses)) {
		switch strings.Split(line, "\t")[2] {
		case "missed":
			suspects--
		case "false alert":
			suspects++
		}
	}
	if suspects != set.Variants[0].Plain.Suspects || !strings.HasPrefix(string(misses), missHead) {
		t.Errorf("%d suspects by the misses, not %d; misses:\n%s", suspects, set.Variants[0].Plain.Suspects, misses)
	}
}

func TestBadFilesAreNamed(t *testing.T) {
	dir := t.TempDir()
	if _, err := findDatasets(dir); err == nil || !strings.Contains(err.Error(), "NAME.labels.jsonl") {
		t.Errorf("an empty directory gives %v, want what it should hold", err)
	}
	writeSet(t, dir, "own")
	err := run(options{data: dir, only: "other"}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "own") {
		t.Errorf("an unknown set gives %v, want the known ones", err)
	}
	labels := filepath.Join(dir, "own"+labelEnding)
	if err := os.WriteFile(labels, []byte(`{"invoice_id":"nobody","cause":"duplicate"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadDataset(dir, "own"); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("a label of no invoice gives %v, want its id", err)
	}
}

// The files of the repository are those that their README describes.
func TestBundledCorpora(t *testing.T) {
	for _, c := range []struct {
		name                                string
		plain, dense                        fileSize
		labels, denseLabels, refs, delivers int
	}{
		{"retail", fileSize{11_762, 8_234, 243}, fileSize{11_866, 8_307, 940}, 319, 1_309, 768, 11_745},
		{"grocery", fileSize{30_311, 21_218, 666}, fileSize{30_578, 21_405, 2_391}, 923, 3_525, 1, 30_235},
	} {
		data, err := loadDataset(filepath.Join("..", "corpus"), c.name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data.notes) > 0 {
			t.Errorf("%s: files are missing: %v", c.name, data.notes)
		}
		if got := sizeOfFile(data.plain); got != c.plain {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.plain)
		}
		if got := sizeOfFile(data.dense); got != c.dense {
			t.Errorf("%s dense: %+v, want %+v", c.name, got, c.dense)
		}
		got := []int{len(data.plain.labels), len(data.dense.labels), len(data.references), len(data.deliveries)}
		if want := []int{c.labels, c.denseLabels, c.refs, c.delivers}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: labels, references and deliveries %v, want %v", c.name, got, want)
		}
	}
}

// A narrow segment is where the 15 % rule works; a wide one is where it floods.
func TestLadder(t *testing.T) {
	rungs := climb(detectors.DefaultSettings(), []float64{0.03, 0.50}, 2_000)
	narrow, wide := rungs[0], rungs[1]
	if narrow.Rule.Precision.Value < 0.9 || narrow.Rule.Recall.Value < 0.9 || narrow.Recoup.Recall.Value < 0.75 {
		t.Errorf("spread 3 %%: %+v", narrow)
	}
	if wide.Rule.Precision.Value > 0.1 || wide.Recoup.Flagged > wide.Rule.Flagged/2 {
		t.Errorf("spread 50 %%: %+v, want a flood from the rule and none from recoup", wide)
	}
	for _, r := range rungs {
		if share := ratio(r.Errors, r.Scored); share < 0.02 || share > 0.045 {
			t.Errorf("spread %v: %v of the invoices are wrong, want about 3 %%", r.Spread, share)
		}
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		target target
		value  float64
		want   string
	}{
		{target{bound: 0.8}, 0.8, "ok"}, {target{bound: 0.8}, 0.79, "short"},
		{target{atMost: true, bound: 0.7}, 0.7, "ok"}, {target{atMost: true, bound: 0.7}, 0.71, "short"},
	} {
		if got := c.target.judge(c.value); got != c.want {
			t.Errorf("%v against %+v is %s, want %s", c.value, c.target, got, c.want)
		}
	}
	if ap, atErrors := rankingTarget("retail", withDeliveries); ap.bound != 0.90 || atErrors.bound != 0.78 {
		t.Errorf("retail with deliveries: %+v %+v", ap, atErrors)
	}
	if ap, _ := rankingTarget("another", withReferences); ap.bound != 0.80 {
		t.Errorf("a set without targets of its own: %+v", ap)
	}
}

// Each variant is told what it is named after, and only from its publication on.
func TestVariantsAreTold(t *testing.T) {
	shipped := time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)
	data := &dataset{
		references: []invoice.Reference{{Kind: invoice.PolicyReference, Seller: "acme"}},
		deliveries: []invoice.Reference{{Kind: invoice.DeliveryReference, Seller: "acme", DeliveryRef: "D1",
			ShippedAt: shipped, PublishedAt: shipped}},
	}
	for _, c := range []struct {
		variant          string
		policy, delivery bool
	}{{withoutReferences, false, false}, {withReferences, true, false}, {withDeliveries, true, true}} {
		store := known(data, c.variant)
		_, policy := store.Policy("acme", shipped)
		_, delivery := store.Delivery("acme", "D1", shipped)
		_, early := store.Delivery("acme", "D1", shipped.Add(-time.Second))
		if policy != c.policy || delivery != c.delivery || early {
			t.Errorf("%s: policy %v, delivery %v, before it shipped %v", c.variant, policy, delivery, early)
		}
	}
	got := fmt.Sprint(variantsOf(&dataset{deliveries: data.deliveries}))
	if got != "[no references references + deliveries]" {
		t.Errorf("without reference files the variants are %v", got)
	}
}
