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

// shift is a stream of different invoices, at usual prices. Like a decoder it fills
// in one invoice again and again, with strings that are there already. The sales come
// again after more than 40 days, so that none repeats another; ids after 5 months,
// when they are forgotten.
type shift struct {
	engine  *Engine
	inv     *invoice.Invoice
	sales   []sale
	ids     []string
	offset  int64
	verdict Verdict
}

// sale is what differs from invoice to invoice.
type sale struct {
	customer string
	net      invoice.Amount
	lines    []saleLine
}

type saleLine struct {
	product               string
	quantity, price, rate invoice.Fixed
	net                   invoice.Amount
}

// newShift returns a shift of invoices of so many lines, and has the engine learn
// each of them as often as told.
func newShift(engine *Engine, lines, rounds int) *shift {
	rng := rand.New(rand.NewPCG(1, 1))
	s := &shift{engine: engine, inv: threeLineInvoice()}
	s.inv.TaxAmount, s.inv.GrossAmount = invoice.OptionalAmount{}, invoice.OptionalAmount{}
	s.inv.Lines = s.inv.Lines[:0]
	for i := range lines {
		s.inv.Lines = append(s.inv.Lines, invoice.Line{ID: fmt.Sprint(i)})
	}
	var customers, products []string
	for i := range 1000 {
		customers, products = append(customers, fmt.Sprint("c:", i)), append(products, fmt.Sprint(i))
	}
	for range 4096 {
		one := sale{customer: customers[rng.IntN(1000)]}
		for range lines {
			product, quantity := rng.IntN(500), invoice.Fixed(1+rng.IntN(4))*invoice.One
			one.lines = append(one.lines, saleLine{product: products[product], quantity: quantity,
				price: 5*invoice.One + invoice.Fixed(product)*invoice.One/100})
		}
		one.total()
		s.sales = append(s.sales, one)
	}
	for i := range 4 * len(s.sales) {
		s.ids = append(s.ids, fmt.Sprintf("INV-%012d", i))
	}
	for range rounds * len(s.sales) {
		s.work()
	}
	return s
}

// total fills in what the lines come to.
func (s *sale) total() {
	s.net = 0
	for i := range s.lines {
		l := &s.lines[i]
		l.net, _ = invoice.LineNet(l.quantity, l.price, l.rate)
		s.net += l.net
	}
}

// begin fills in the next invoice and takes it up.
func (s *shift) begin() {
	s.offset++
	one, inv := &s.sales[s.offset%int64(len(s.sales))], s.inv
	inv.ID = s.ids[s.offset%int64(len(s.ids))]
	inv.DeliveryRef, inv.CustomerRef, inv.NetAmount = inv.ID, one.customer, one.net
	inv.IssuedAt = time.UnixMilli(1767225600000 + s.offset*15*60_000).UTC()
	for i := range one.lines {
		l, from := &inv.Lines[i], &one.lines[i]
		l.ProductID, l.Quantity.Value, l.Quantity.Set = from.product, from.quantity, true
		l.UnitPrice.Value, l.UnitPrice.Set = from.price, true
		l.DiscountRate.Value, l.DiscountRate.Set = from.rate, from.rate > 0
		l.Net.Value, l.Net.Set = from.net, true
	}
	s.engine.Begin(inv, invoice.Position{Topic: "billing.invoices", Partition: 3, Offset: s.offset}, inv.IssuedAt)
}

// work takes the next invoice through the engine.
func (s *shift) work() {
	s.begin()
	s.engine.Score(&s.verdict)
	s.engine.Teach(s.verdict.Suspect)
}

// spoil gives each invoice a price of ten times the usual and a discount nobody gets.
func (s *shift) spoil() {
	for i := range s.sales {
		one := &s.sales[i]
		one.lines[0].price *= 10
		one.lines[1].rate = invoice.One / 20
		one.total()
	}
}

// workOnSpoilt does the same without learning amounts, or they would become usual.
func (s *shift) workOnSpoilt() {
	s.begin()
	s.engine.Score(&s.verdict)
	s.engine.Teach(true)
}

// perLine runs work for each invoice and adds what a line of it cost.
func perLine(b *testing.B, lines int, work func()) {
	b.ReportAllocs()
	for b.Loop() {
		work()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
}

// Aim: 1 µs for a clean invoice of three lines, from decoded to learned.
func BenchmarkCleanInvoice(b *testing.B) {
	for _, partitions := range []int{1, 64} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			perLine(b, 3, newShift(engineAmong(partitions), 3, 3).work)
		})
	}
}

// Aim: 3 µs for an invoice of three lines with evidence.
func BenchmarkInvoiceWithEvidence(b *testing.B) {
	s := newShift(engineAmong(1), 3, 3)
	s.spoil()
	perLine(b, 3, s.workOnSpoilt)
}

// Clean invoices: what a line costs.
func BenchmarkLines(b *testing.B) {
	for _, lines := range []int{1, 10, 50} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			perLine(b, lines, newShift(engineAmong(1), lines, 2).work)
		})
	}
}

// Clean invoices and such with evidence, judged by a trained model. Nothing is
// suspect: what is trained on made-up invoices has no threshold worth using.
func BenchmarkTrained(b *testing.B) {
	settings := DefaultSettings()
	settings.SuspectThreshold = 1
	e := NewEngine(settings, NewShared(), 0)
	s := newShift(e, 3, 0)
	trainer := NewTrainer(TrainerOptions{})
	for range 2 * len(s.sales) {
		s.begin()
		e.Score(&s.verdict)
		trainer.Observe(e)
		e.Teach(s.verdict.Suspect)
	}
	m := trainer.Train("acme")
	if m == nil {
		b.Fatal("no model was trained")
	}
	e.UseClassifier(m)
	b.Run("clean", func(b *testing.B) { perLine(b, 3, s.work) })
	s.spoil()
	b.Run("evidence", func(b *testing.B) { perLine(b, 3, s.workOnSpoilt) })
}

// engineAmong returns an engine of one of several partitions, of which the others
// have learned a shift each.
func engineAmong(partitions int) *Engine {
	shared := NewShared()
	for p := 1; p < partitions; p++ {
		other := NewEngine(DefaultSettings(), NewShared(), p)
		newShift(other, 3, 1)
		putShared(shared, other, p, 1<<20)
	}
	return NewEngine(DefaultSettings(), shared, 0)
}

// putShared gives what an engine learned to the others, as a checkpoint at an offset.
func putShared(shared *Shared, e *Engine, partition int, offset int64) {
	for _, r := range e.Checkpoint(offset) {
		if r.Shared {
			if err := shared.Put(r.Key, r.Value, partition, offset); err != nil {
				panic(err)
			}
		}
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
		putShared(shared, e, p, s.offset+1)
	}
	return NewEngine(DefaultSettings(), shared, 0), &stream{inv: inv, id: []byte("INV-000000000000")}
}
