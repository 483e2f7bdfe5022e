package load

import (
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"recoup/invoice"
)

// unitsPerCent turns cents, in which the generator counts, into invoice.Amount.
const unitsPerCent = 100

// remembered is how many earlier invoices a redelivery or a duplicate is drawn
// from: enough for some to lie before the last committed offset.
const remembered = 16_384

// mostSkew is how far the clock of an issuer is ahead at most. Recoup takes what is
// issued a day after its record came for implausible.
const mostSkew = 12 * time.Hour

// arenaBytes is how much memory the generator takes at once for record values.
const arenaBytes = 1 << 20

// Record is one record to append to a partition of billing.invoices.
type Record struct {
	Partition int    // number to append to, from 0; it follows the customer
	Key       []byte // customer_ref
	Value     []byte // invoice.v1, or garbage
}

// draw is all that an invoice is rendered from, so that a redelivery can be
// rendered again to the same bytes.
type draw struct {
	number   int64  // identity within the stream
	customer int    // its partition, seller and segment follow
	delivery int64  // what was delivered
	seed     uint64 // of the quantities
	issuedAt int64  // milliseconds since 1970
	kind     string // "" for a right invoice
}

// Generator makes the records of a plan. It is used by one goroutine at a time.
type Generator struct {
	plan     Plan
	rng      *rand.Rand
	segments []segment
	seq      int64 // records made
	number   int64 // distinct invoices made
	kinds    []garbage
	garbage  int     // garbage records made, those passed over counted too
	offsets  []int64 // records made of each partition
	warmUp   int64   // distinct invoices of the warm-up
	earlier  []draw
	arena    []byte
}

// New returns the generator of a plan.
func New(plan Plan) *Generator {
	g := &Generator{
		warmUp:  int64(plan.WarmUpInvoices()),
		plan:    plan.withDefaults(),
		rng:     rand.New(rand.NewPCG(plan.Seed, 0x7265636f7570)),
		earlier: make([]draw, 0, remembered),
	}
	g.segments = makeSegments(g.plan)
	g.kinds = garbageUpTo(g.plan.LargestGarbage)
	g.offsets = make([]int64, g.plan.Partitions)
	return g
}

// Plan returns the plan with its defaults filled in.
func (g *Generator) Plan() Plan { return g.plan }

// Done tells whether all invoices of the plan were made; Next goes on regardless.
func (g *Generator) Done() bool { return g.number >= int64(g.plan.Invoices) }

// All returns the records of the plan and ends after its last invoice.
func (g *Generator) All() iter.Seq2[Record, Truth] {
	return func(yield func(Record, Truth) bool) {
		for !g.Done() {
			if !yield(g.Next()) {
				return
			}
		}
	}
}

// Next returns the next record and the truth about it. The bytes belong to the
// caller; the generator never writes to them again.
func (g *Generator) Next() (Record, Truth) {
	record, truth := g.next()
	truth.Seq, truth.Offset = g.seq, g.offsets[truth.Partition]
	g.seq++
	g.offsets[truth.Partition]++
	return record, truth
}

func (g *Generator) next() (Record, Truth) {
	if g.number < g.warmUp {
		return g.deliver(g.remember(g.warmUpDraw()), Truth{WarmUp: true})
	}
	roll := g.rng.Float64() * (1 + g.plan.Garbage + g.plan.Redelivered)
	switch {
	case roll < g.plan.Garbage:
		return g.nextGarbage()
	case roll < g.plan.Garbage+g.plan.Redelivered && len(g.earlier) > 0:
		return g.deliver(g.earlier[g.rng.IntN(len(g.earlier))], Truth{Redelivery: true})
	}
	d, truth := g.freshDraw()
	return g.deliver(g.remember(d), truth)
}

// warmUpDraw walks through all partitions and segments in turn.
func (g *Generator) warmUpDraw() draw {
	cells := g.plan.cells()
	cellOnPartition := int(g.number) % (g.plan.Partitions * cells)
	round := int(g.number) / (g.plan.Partitions * cells)
	perCell := g.plan.Customers / (g.plan.Partitions * cells)
	customer := round%perCell*g.plan.Partitions*cells + cellOnPartition
	return g.newDraw(customer)
}

// freshDraw draws an invoice after the warm-up: right, late or with an error.
func (g *Generator) freshDraw() (d draw, truth Truth) {
	d = g.newDraw(g.rng.IntN(g.plan.Customers))
	truth.Late = g.rng.Float64() < g.plan.Late
	if truth.Late {
		back := time.Hour + time.Duration(g.rng.Int64N(int64(g.plan.LateBy)))
		d.issuedAt -= back.Milliseconds()
	}
	truth.Skewed = g.plan.Skewed > 0 && g.rng.Float64() < g.plan.Skewed
	if truth.Skewed {
		d.issuedAt += g.rng.Int64N(mostSkew.Milliseconds())
	}
	if g.rng.Float64() >= g.plan.Injected {
		return d, truth
	}
	d.kind = g.plan.Kinds[g.rng.IntN(len(g.plan.Kinds))]
	if d.kind != KindDuplicate {
		return d, truth
	}
	for range 16 { // a right invoice is nearly always found at once
		if len(g.earlier) == 0 {
			break
		}
		first := g.earlier[g.rng.IntN(len(g.earlier))]
		if first.kind == "" {
			d.customer, d.delivery, d.seed = first.customer, first.delivery, first.seed
			return d, truth
		}
	}
	d.kind = "" // nothing to duplicate: an honest invoice
	return d, truth
}

// newDraw draws a right invoice of a customer at the stream's event time.
func (g *Generator) newDraw(customer int) draw {
	return draw{
		number: g.number, customer: customer, delivery: g.number, seed: g.rng.Uint64(),
		issuedAt: g.plan.Start.Add(time.Duration(g.number) * g.plan.Step).UnixMilli(),
	}
}

// remember counts a new invoice and keeps it for redeliveries and duplicates.
func (g *Generator) remember(d draw) draw {
	g.number++
	if len(g.earlier) < remembered {
		g.earlier = append(g.earlier, d)
	} else {
		g.earlier[g.rng.IntN(remembered)] = d
	}
	return d
}

// deliver renders an invoice and completes the truth about it.
func (g *Generator) deliver(d draw, truth Truth) (Record, Truth) {
	g.reserve(512 + 160*g.plan.Lines)
	start := len(g.arena)
	var net, loss int64
	g.arena, net, loss = g.render(g.arena, d)
	value := g.arena[start:len(g.arena):len(g.arena)]
	key := g.key(d.customer)
	truth.Partition, truth.Key = d.customer%g.plan.Partitions, string(key)
	truth.Seller, truth.InvoiceID = g.segmentOf(d.customer).seller, "INV"+strconv.FormatInt(d.number, 10)
	truth.Net, truth.Loss = invoice.Amount(net*unitsPerCent), invoice.Amount(loss*unitsPerCent)
	truth.Injected, truth.Kind = d.kind != "", d.kind
	return Record{Partition: truth.Partition, Key: key, Value: value}, truth
}

// key writes the customer_ref of a customer into the arena.
func (g *Generator) key(customer int) []byte {
	g.reserve(24)
	start := len(g.arena)
	g.arena = strconv.AppendInt(append(g.arena, "c:"...), int64(customer), 10)
	return g.arena[start:len(g.arena):len(g.arena)]
}

// reserve makes room for n bytes without touching what was handed out before.
func (g *Generator) reserve(n int) {
	if cap(g.arena)-len(g.arena) < n {
		g.arena = make([]byte, 0, max(arenaBytes, n))
	}
}

// segmentOf returns the segment a customer buys in. Customers are dealt to
// partitions first, then to segments, so every segment is on every partition.
func (g *Generator) segmentOf(customer int) *segment {
	return &g.segments[customer/g.plan.Partitions%len(g.segments)]
}
