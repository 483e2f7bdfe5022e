package sinks

import (
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/klauspost/compress/s2"

	"recoup/detectors"
	"recoup/invoice"
)

// sampleInvoice is a usual invoice of three lines; i makes it one of many.
func sampleInvoice(i int, lines int) (*invoice.Invoice, *detectors.Verdict) {
	amount := func(v int64) invoice.OptionalAmount {
		return invoice.OptionalAmount{Value: invoice.Amount(v), Set: true}
	}
	fixed := func(v int64) invoice.OptionalFixed { return invoice.OptionalFixed{Value: invoice.Fixed(v), Set: true} }
	at := time.UnixMilli(1_790_000_000_000 + int64(i)*100).UTC()
	inv := &invoice.Invoice{
		EventID: fmt.Sprintf("evt-%012d", i), Seller: "acme-fr", ID: fmt.Sprintf("INV-2026-%08d", i), IssuedAt: at,
		Currency: "EUR", NetAmount: invoice.Amount(1_000_000 + i), Number: fmt.Sprintf("FR-%08d", i),
		CustomerRef: fmt.Sprintf("c-%06d", i*7919%100_000), CustomerType: []string{"B2C", "B2B", "public"}[i%3],
		ProductFamily: []string{"fibre", "mobile", "tv", "cloud", "support"}[i*31%5],
		GrossAmount:   amount(1_200_000), TaxAmount: amount(200_000), TaxRate: fixed(20_000_000),
		SourceSystem: "billing-a", SourceRelease: "r2026.11.20", BatchID: fmt.Sprintf("B-%d", i/1000),
		EntryChannel: "recurring", OperatorRef: fmt.Sprintf("op-%d", i%40), SalesPoint: fmt.Sprintf("sp-%d", i%90),
		Country: "FR", DueAt: at.AddDate(0, 1, 0), PeriodStart: at.AddDate(0, -1, 0), PeriodEnd: at,
		OrderRef: fmt.Sprintf("o-%08d", i), PriceListVersion: "v14",
		LegalFieldsPresent: []string{"buyer_vat_id", "purchase_order_ref"},
	}
	for l := range lines {
		inv.Lines = append(inv.Lines, invoice.Line{
			ID: fmt.Sprint(l + 1), ProductID: fmt.Sprintf("sku-%04d", (i*13+l*7)%4000), ProductFamily: inv.ProductFamily,
			Description: "Fibre 1 Gbit/s, monthly fee", Quantity: fixed(100_000_000), Unit: "month",
			UnitPrice: fixed(3_999_000_000), Net: amount(399_900), TaxRate: fixed(20_000_000),
		})
	}
	v := &detectors.Verdict{
		Schema: "verdict.v1", Seller: inv.Seller, InvoiceID: inv.ID, PError: float64(i%1000) / 1000,
		Decision: detectors.DecisionNone, Direction: detectors.DirectionNone, AmountBasis: detectors.BasisGross,
		Currency: "EUR", Billed: 1_200_000, Expected: 1_190_000, ExpectedLow: 1_100_000, ExpectedHigh: 1_300_000,
		Level: detectors.LevelTypeProduct, N: int64(i), CV: 0.07, DeviationPct: 0.84, Taught: true,
		Model:  detectors.Model{Version: "prior-1", ConfigHash: "0123456789abcdef"},
		Source: invoice.Position{Topic: "billing.invoices", Partition: 3, Offset: int64(i)},
	}
	if i%33 == 0 {
		v.Suspect, v.Decision, v.Direction = true, detectors.DecisionOpenCase, detectors.DirectionCustomerFavour
		v.Rules = []string{detectors.RuleCustomerType, "promotion:over_cap"}
		v.CaseID = "5f0c2a9e-0000-5000-8000-000000000000"
		v.Causes = []detectors.Finding{{Code: detectors.CausePromotion, Kind: "over_cap", P: 0.9,
			Evidence: []string{"discount = 67.6 % of list, cap 25 %"}, Repaired: 1_200_000}}
	}
	return inv, v
}

// BenchmarkAppend measures the hot path per invoice of three lines: appending,
// sealing and encoding for the wire.
func BenchmarkAppend(b *testing.B) {
	const rows = 10_000
	invs, vs := make([]*invoice.Invoice, rows), make([]*detectors.Verdict, rows)
	for i := range rows {
		invs[i], vs[i] = sampleInvoice(i%500, 3)
	}
	run := func(name string, do func(blk *Block)) {
		b.Run(name, func(b *testing.B) {
			before := processTime(b)
			for n := 0; n < b.N; n += rows {
				blk := newBlock()
				do(blk)
				blk.release()
			}
			b.ReportMetric((processTime(b)-before).Seconds()/float64(b.N)*1e6, "cpu-s/M")
		})
	}
	fill := func(blk *Block) {
		for i := range rows {
			blk.Append(invs[i], vs[i], 1_790_000_000_000)
		}
	}
	run("append", fill)
	run("rows-only", func(blk *Block) {
		for i := range rows {
			blk.rows.invoices.add(invs[i], vs[i], 1_790_000_000_000, 20_000)
		}
	})
	full := newBlock()
	fill(full)
	b.Logf("%d bytes per invoice before, %d after sealing", full.Bytes()/rows, sealedSize(full)/rows)
	run("seal", func(*Block) { _ = packAll(full.rows.named()) })
	buf := &proto.Buffer{}
	run("encode", func(*Block) {
		buf.Reset()
		for _, c := range full.rows.invoices.named() {
			c.EncodeColumn(buf)
		}
	})
}

func sealedSize(b *Block) int {
	return len(s2.Encode(nil, packAll(b.rows.named()))) + rowIndexBytes*b.Rows()
}
