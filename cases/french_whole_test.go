package cases_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/frenchtest"
	"recoup/detectors"
	"recoup/detectors/inject"
	"recoup/detectors/reference"
	"recoup/internal/demo/data"
	"recoup/invoice"
)

// bundled returns the invoices of the demo, and what other systems know of them.
func bundled(t *testing.T) ([]invoice.Invoice, *reference.Store) {
	t.Helper()
	decoder, store := invoice.NewDecoder(invoice.Limits{}), reference.NewStore(0)
	for line, err := range data.References() {
		var r invoice.Reference
		if err == nil {
			err = decoder.DecodeReference(slices.Clone(line), &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		store.Apply(&r, time.Time{})
	}
	var all []invoice.Invoice
	for line, err := range data.Invoices() {
		var inv invoice.Invoice
		if err == nil {
			err = decoder.Decode(slices.Clone(line), &inv)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *inv.Clone())
	}
	return all, store
}

// What detectors say of real invoices, and of copies that are spoilt in every way that the
// injector knows, is wholly French (A13): no sentence stays in English, nor a part of one.
func TestEvidenceIsWhollyFrench(t *testing.T) {
	invoices, store := bundled(t)
	engine := detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)
	engine.UseReferences(store)
	rng := rand.New(rand.NewPCG(1, 1))
	sentences := map[string]bool{}
	var v detectors.Verdict
	score := func(inv *invoice.Invoice, offset int) bool {
		if engine.Begin(inv, invoice.Position{Offset: int64(offset)}, inv.IssuedAt) != detectors.Fresh {
			return false
		}
		engine.Score(&v)
		for i := range v.Causes {
			for _, sentence := range v.Causes[i].Evidence {
				sentences[strings.Clone(sentence)] = true
			}
		}
		return true
	}
	var spoilt invoice.Invoice
	for i := range invoices {
		if score(&invoices[i], i) {
			engine.Teach(v.Suspect)
		}
		known := inject.Context{Currencies: []string{"EUR", "USD"}, TaxRates: []invoice.Fixed{0, invoice.One / 5},
			MaxDiscount: 0.3, Promotions: []inject.Promotion{{Code: "SUMMER", Rate: 0.1, To: invoices[0].IssuedAt}}}
		for back := range min(i, 5) {
			known.Recent = append(known.Recent, &invoices[i-back])
		}
		if _, ok := inject.Any(&spoilt, &invoices[i], rng, &known); ok {
			score(&spoilt, len(invoices)+i)
		}
	}
	if len(sentences) < 1000 {
		t.Errorf("only %d sentences", len(sentences))
	}
	for english := range sentences {
		if french, ok := cases.French(english); !ok || frenchtest.English(french) != "" {
			t.Errorf("%q has the English %q: %q", english, frenchtest.English(french), french)
		}
	}
}
