package explain_test

import (
	"bytes"
	"strings"
	"testing"

	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

// An expectation is said to be made from what it was made from: one level stands
// for the prices of the lines and for a segment.
func TestUsual(t *testing.T) {
	const (
		lines    = "its lines at the usual prices of their products"
		customer = "its lines at the prices this customer usually pays"
		segment  = "the usual invoice of customer type B2C and product family fibre"
	)
	one := func(v invoice.Fixed) invoice.OptionalFixed {
		return invoice.OptionalFixed{Value: v * invoice.One, Set: true}
	}
	priced := fibre("F-1", 400, 400)
	priced.Lines[0].ProductID, priced.Lines[0].Quantity, priced.Lines[0].UnitPrice = "p-1", one(1), one(400)
	counter := *priced
	counter.CustomerType = ""
	bare := fibre("F-2", 400, 400)
	both := &detectors.SegmentSummary{Level: detectors.LevelTypeProduct, N: 40, CV: 0.01}
	other := &detectors.SegmentSummary{Level: detectors.LevelTypeProduct, N: 900, CV: 1.2}
	for name, c := range map[string]struct {
		inv     *invoice.Invoice
		level   detectors.Level
		billed  invoice.Amount
		cv      float64
		causes  int
		segment *detectors.SegmentSummary
		want    string
	}{
		"the customer's prices":               {priced, detectors.LevelCustomerProduct, usual, 0.01, 0, nil, customer},
		"the segment's own figures":           {priced, detectors.LevelTypeProduct, usual, 0.01, 0, both, segment},
		"not the segment's figures":           {priced, detectors.LevelTypeProduct, usual, 0.01, 0, other, lines},
		"no price on the lines":               {bare, detectors.LevelTypeProduct, usual, 0.01, 0, nil, segment},
		"of no segment":                       {&counter, detectors.LevelTypeProduct, 1, 0.01, 0, nil, lines},
		"stored: amounts that vary":           {priced, detectors.LevelTypeProduct, 1, 0.3, 0, nil, lines},
		"stored: narrow, as billed":           {priced, detectors.LevelTypeProduct, usual, 0.01, 0, nil, lines},
		"stored: narrow, a price is wrong":    {priced, detectors.LevelTypeProduct, 1, 0.01, 1, nil, lines},
		"stored: narrow, near what is billed": {priced, detectors.LevelTypeProduct, usual - 1, 0.01, 0, nil, segment},
		"another level": {priced, detectors.LevelSeller, usual, 0.01, 0, other,
			"the usual invoice of this seller"},
	} {
		v := unsuspected(c.inv).Verdict
		v.Level, v.Billed, v.CV, v.Causes = c.level, c.billed, c.cv, make([]detectors.Finding, c.causes)
		if from, _ := explain.English.Usual(v, c.inv, c.segment); from != c.want {
			t.Errorf("%s: %q, want %q", name, from, c.want)
		}
	}
	for n, want := range map[int64]string{1: "one of the products was billed only once before; prices all but equal",
		2: "each product known was billed 2 times or more before; prices all but equal"} {
		v := &detectors.Verdict{N: n, CV: 0.01, Level: detectors.LevelCustomerProduct}
		if _, got := explain.English.Usual(v, priced, nil); got != want {
			t.Errorf("%d lines: %q, want %q", n, got, want)
		}
		v.Level = detectors.LevelCustomer
		want = map[int64]string{1: "1 invoice", 2: "2 invoices, all but equal"}[n]
		if _, got := explain.English.Usual(v, priced, nil); got != want {
			t.Errorf("%d invoices: %q, want %q", n, got, want)
		}
	}
}

// A hint is named in a line, what is probable with its evidence.
func TestHints(t *testing.T) {
	s := suspected(fibre("F-1", 390), detectors.DecisionLogOnly, 0.9, nil,
		detectors.Finding{Code: "price_list", Kind: "listed", P: 0.85, Repaired: usual, Evidence: []string{"listed"}},
		detectors.Finding{Code: "data_entry", Kind: "price", P: 0.1, Repaired: usual, Evidence: []string{"never paid"}},
		detectors.Finding{Code: "data_entry", Kind: "quantity", P: 0.06, Repaired: usual, Evidence: []string{"far"}},
		detectors.Finding{Code: "duplicate", Kind: "near", P: 0.004, Evidence: []string{"again"}})
	var out bytes.Buffer
	if err := explain.English.Text(&out, s); err != nil {
		t.Fatal(err)
	}
	want := "What else was considered\n  one price is not the usual one (10 %), which would make it 480.00 EUR\n" +
		"    never paid\n" +
		"  hardly likely: a quantity is not the usual one (6 %); nearly the same goods were invoiced before (<1 %)\n\n"
	if !strings.Contains(out.String(), want) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
