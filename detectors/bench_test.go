package detectors

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"recoup/invoice"
)

// threeLineInvoice is a clean invoice as billing systems send it.
func threeLineInvoice() *invoice.Invoice {
	inv := &invoice.Invoice{}
	err := invoice.NewDecoder(invoice.Limits{}).Decode([]byte(`{"schema":"invoice.v1","event_id":"e-1","seller":"acme",`+
		`"invoice_id":"INV-2026-000001","issued_at":"2026-01-05T10:00:00Z","currency":"EUR","net_amount":"100.00",`+
		`"tax_rate":"0.2","tax_amount":"20.00","gross_amount":"120.00","customer_ref":"c:15034","customer_type":"B2C",`+
		`"product_family":"fibre","delivery_ref":"DN0014051","lines":[`+
		`{"line_id":"1","product_id":"22457","quantity":"6","unit_price":"5.00","line_net":"30.00"},`+
		`{"line_id":"2","product_id":"22458","quantity":"1","unit_price":"30.00","line_net":"30.00"},`+
		`{"line_id":"3","product_id":"22459","quantity":"4","unit_price":"10.00","line_net":"40.00"}]}`), inv)
	if err != nil {
		panic(err)
	}
	return inv
}

// stream gives the same invoice under ever new ids and times, or those of all in turn.
type stream struct {
	inv     *invoice.Invoice
	all     []*invoice.Invoice
	id      []byte
	offset  int64
	verdict Verdict
}

func (s *stream) next() (invoice.Position, time.Time) {
	s.offset++
	for i, n := len(s.id)-1, s.offset; i > 3; i, n = i-1, n/10 {
		s.id[i] = byte('0' + n%10)
	}
	if s.all == nil {
		s.inv.IssuedAt = s.inv.IssuedAt.Add(time.Second)
	} else {
		s.inv = s.all[s.offset%int64(len(s.all))]
		s.inv.IssuedAt = time.UnixMilli(1767225600000 + s.offset*15*60_000)
	}
	return invoice.Position{Topic: "billing.invoices", Partition: 3, Offset: s.offset}, s.inv.IssuedAt
}

// cleanStream gives invoices of so many lines at usual prices. They come again after
// more than 40 days, so that none repeats another.
func cleanStream(lines int) *stream {
	rng := rand.New(rand.NewPCG(1, 1))
	s := &stream{id: []byte("INV-000000000000")}
	for range 4096 {
		inv := threeLineInvoice()
		inv.CustomerRef, inv.TaxAmount, inv.GrossAmount = fmt.Sprint("c:", rng.IntN(1000)), invoice.OptionalAmount{},
			invoice.OptionalAmount{}
		inv.Lines, inv.NetAmount = inv.Lines[:0], 0
		for i := range lines {
			product, quantity := invoice.Fixed(rng.IntN(500)), invoice.Fixed(1+rng.IntN(4))
			price := 5*invoice.One + product*invoice.One/100
			net, _ := invoice.LineNet(quantity*invoice.One, price, 0)
			inv.NetAmount += net
			inv.Lines = append(inv.Lines, invoice.Line{ID: fmt.Sprint(i), ProductID: fmt.Sprint(product),
				Quantity:  invoice.OptionalFixed{Value: quantity * invoice.One, Set: true},
				UnitPrice: invoice.OptionalFixed{Value: price, Set: true}, Net: invoice.OptionalAmount{Value: net, Set: true}})
		}
		s.all = append(s.all, inv)
	}
	return s
}

// Aim: 1 µs for a clean invoice of three lines, from decoded to learned.
func BenchmarkCleanInvoice(b *testing.B) {
	for _, partitions := range []int{1, 64} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			e, _ := warmEngine(partitions)
			s := cleanStream(3)
			for range 3 * len(s.all) {
				run(e, s)
			}
			b.ReportAllocs()
			for b.Loop() {
				run(e, s)
			}
		})
	}
}

// Aim: 3 µs for an invoice of three lines with evidence, here a price of ten times
// the usual and a discount nobody gets.
func BenchmarkInvoiceWithEvidence(b *testing.B) {
	e, _ := warmEngine(1)
	s := cleanStream(3)
	for range 3 * len(s.all) {
		run(e, s)
	}
	for _, inv := range s.all {
		inv.Lines[0].UnitPrice.Value *= 10
		inv.Lines[1].DiscountRate = invoice.OptionalFixed{Value: invoice.One / 20, Set: true}
		for i := range inv.Lines[:2] {
			l := &inv.Lines[i]
			inv.NetAmount -= l.Net.Value
			l.Net.Value, _ = invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, l.DiscountRate.Value)
			inv.NetAmount += l.Net.Value
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		pos, at := s.next()
		s.inv.ID = string(s.id)
		s.inv.DeliveryRef = s.inv.ID
		e.Begin(s.inv, pos, at)
		e.Score(&s.verdict)
		e.Teach(true) // or they would become usual
	}
}

// Clean invoices: what a line costs.
func BenchmarkLines(b *testing.B) {
	for _, lines := range []int{1, 10, 50} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			e, _ := warmEngine(1)
			s := cleanStream(lines)
			for range 2 * len(s.all) {
				run(e, s)
			}
			b.ReportAllocs()
			for b.Loop() {
				run(e, s)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
		})
	}
}

// Clean invoices judged by a trained model.
func BenchmarkTrained(b *testing.B) {
	e, _ := warmEngine(1)
	s := cleanStream(3)
	trainer := NewTrainer(TrainerOptions{})
	for range 2 * len(s.all) {
		pos, at := s.next()
		s.inv.ID = string(s.id)
		e.Begin(s.inv, pos, at)
		e.Score(&s.verdict)
		trainer.Observe(e)
		e.Teach(s.verdict.Suspect)
	}
	m := trainer.Train("acme")
	if m == nil {
		b.Fatal("no model was trained")
	}
	e.UseClassifier(m)
	b.ReportAllocs()
	for b.Loop() {
		run(e, s)
	}
}

// run takes the stream's next invoice through the engine.
func run(e *Engine, s *stream) {
	pos, at := s.next()
	s.inv.ID = string(s.id) // the one allocation: the decoder makes none
	s.inv.DeliveryRef = s.inv.ID
	e.Begin(s.inv, pos, at)
	e.Score(&s.verdict)
	e.Teach(s.verdict.Suspect)
}

func warmEngine(partitions int) (*Engine, *stream) {
	shared := NewShared()
	inv := threeLineInvoice()
	for p := range partitions {
		e, s := NewEngine(DefaultSettings(), NewShared(), p), &stream{inv: inv, id: []byte("INV-000000000000")}
		for range 50 {
			pos, at := s.next()
			e.Begin(inv, pos, at)
			e.Teach(false)
		}
		for _, r := range e.Checkpoint(s.offset + 1) {
			if r.Shared {
				if err := shared.Put(r.Key, r.Value, p, s.offset+1); err != nil {
					panic(err)
				}
			}
		}
	}
	return NewEngine(DefaultSettings(), shared, 0), &stream{inv: inv, id: []byte("INV-000000000000")}
}
