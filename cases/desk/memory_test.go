package desk

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"recoup/cases"
	"recoup/cases/message"
	"recoup/detectors"
	"recoup/invoice"
)

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// full is a case with all that one has: options, a draft, three causes.
func full(t testing.TB, texts *message.Templates, n int) []byte {
	id := fmt.Sprintf("2026-%08d", n)
	inv := &invoice.Invoice{Seller: "acme", ID: id, Number: "F-" + id, IssuedAt: minutes(float64(n)), Currency: "EUR",
		CustomerRef: fmt.Sprint("c", n/3), CustomerType: "B2C", ProductFamily: "fibre", Country: "FR"}
	key := cases.DedupKey("acme", id, 0)
	v := &detectors.Verdict{Seller: "acme", InvoiceID: id, Suspect: true, PError: 0.9 + float64(n%97)/1000,
		Decision: detectors.DecisionOpenCase, Direction: detectors.DirectionCustomerFavour, Rules: []string{"deviation"},
		AmountBasis: detectors.BasisNet, Currency: "EUR", Billed: invoice.Amount(280+n%50) * invoice.Unit,
		Expected: 400 * invoice.Unit, ExpectedLow: 390 * invoice.Unit, ExpectedHigh: 410 * invoice.Unit,
		Level: detectors.LevelCustomer, N: int64(40 + n%7), CV: 0.02, CaseID: cases.ID(key),
		Loss:   detectors.Loss{Point: 120 * invoice.Unit, Low: 110 * invoice.Unit, High: 130 * invoice.Unit},
		Model:  detectors.Model{Version: "prior-1", ConfigHash: noHash},
		Source: invoice.Position{Topic: "billing.invoices", Partition: n % 8, Offset: int64(n)}}
	for i, cause := range []string{detectors.CausePromotion, detectors.CausePriceList, detectors.CauseUnknown} {
		v.Causes = append(v.Causes, detectors.Finding{Code: cause, Kind: detectors.KindNoRepair, P: 0.5 / float64(i+1),
			Repaired: 400 * invoice.Unit,
			Evidence: []string{fmt.Sprintf("a discount of %d.00 is above what this promotion gives, %d %%", 100+n%31, n%13)}})
	}
	o := cases.Opener{Messages: texts, Terms: cases.Terms{Instalments: 3, Goodwill: 1000}, Country: "FR",
		HandlingCost: map[string]invoice.Amount{"EUR": 50 * invoice.Unit}}
	body, err := o.Open(inv, v, minutes(float64(n)), minutes(float64(n))).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// G7: an open case takes less than 1.5 kB in memory, though its record has 5, and what
// is published of it is what was packed.
func TestMemoryOfACase(t *testing.T) {
	const n = 5000
	texts, err := message.Load("")
	if err != nil {
		t.Fatal(err)
	}
	bodies := make([][]byte, n)
	for i := range n {
		bodies[i] = full(t, texts, i)
	}
	before := heap()
	d := New(DefaultSettings())
	for i, body := range bodies {
		if err := d.Restore(at("cases", i, 50), body); err != nil {
			t.Fatal(err)
		}
	}
	if each := (heap() - before) / n; each > 1500 {
		t.Errorf("%d bytes a case of %d", each, len(bodies[0]))
	}
	for _, f := range d.files {
		c, err := cases.Decode(f.body.body())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bodies[c.Source.Offset], f.body.body()) {
			t.Fatalf("case %s was not kept byte for byte", c.InvoiceID)
		}
	}
}
