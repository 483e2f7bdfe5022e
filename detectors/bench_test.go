package detectors

import (
	"fmt"
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

// stream gives the same invoice under ever new ids and times.
type stream struct {
	inv    *invoice.Invoice
	id     []byte
	offset int64
}

func (s *stream) next() (invoice.Position, time.Time) {
	s.offset++
	for i, n := len(s.id)-1, s.offset; i > 3; i, n = i-1, n/10 {
		s.id[i] = byte('0' + n%10)
	}
	s.inv.IssuedAt = s.inv.IssuedAt.Add(time.Second)
	return invoice.Position{Topic: "billing.invoices", Partition: 3, Offset: s.offset}, s.inv.IssuedAt
}

// Aim: 1 µs for a clean invoice of three lines, from decoded to learned.
func BenchmarkCleanInvoice(b *testing.B) {
	for _, partitions := range []int{1, 64} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			e, s := warmEngine(partitions)
			var v Verdict
			b.ReportAllocs()
			for b.Loop() {
				pos, at := s.next()
				s.inv.ID = string(s.id) // the one allocation: the decoder makes none
				s.inv.DeliveryRef = s.inv.ID
				e.Begin(s.inv, pos, at)
				e.Score(&v)
				e.Teach(v.Suspect)
			}
		})
	}
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
