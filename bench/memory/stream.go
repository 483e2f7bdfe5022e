package main

import (
	"strconv"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// days are those of the event times: identities of 35 are remembered.
const days = 120

// sellers have the same number of segments and of customers each, of so many customer types.
const sellers, types = 100, 10

// plan is one run.
type plan struct {
	Segments, Customers, Partitions int
	Invoices                        int    // of each half: the first one makes all known
	Rate                            int    // invoices a second, for the pipeline's clock
	Verdicts                        string // file of verdicts: another kind of run, see drifting
	Budget                          int    // baselines of segments that are remembered
	Unbounded                       bool   // all are; it reads that file, else it writes it
	Spoilt                          bool   // one baseline is made wrong halfway: a control that must be found
	Lying                           bool   // some verdicts are: another one
}

// drawn is one invoice of a plan.
type drawn struct {
	number, segment, customer int
	units                     invoice.Fixed
}

// steady draws from all customers alike, in no order that memory follows. A customer bills two
// segments by turns; so a segment is met on two partitions.
func (p *plan) steady(i int) drawn {
	customer, round := permuted(i, p.Customers), i/p.Customers
	return drawn{i, (customer + sellers*(round%2)) % p.Segments, customer, invoice.One}
}

const (
	phases = 3    // of a drifting plan, and then the first one again
	share  = 1000 // one segment in so many is usual in a phase
	often  = 6    // one invoice in so many is of these, the others of all segments alike
	wrong  = 31   // one of these in so many comes to half of the usual amount
)

// drifting draws each segment twice, too rarely to be remembered, and a few of them so often
// that their baselines are judged by, until others take their place. In the end they return.
func (p *plan) drifting(i int) (d drawn, isWrong bool) {
	n, usual := i/often, p.Segments/share
	d = drawn{number: i}
	round := 0
	if i%often > 0 {
		n = n*(often-1) + i%often - 1
		d.segment, round = permuted(n, p.Segments), n/p.Segments
	} else {
		phase := n * (phases + 1) / (p.total()/often + 1) % phases
		d.segment, round = (phase*usual+permuted(n, usual))%p.Segments, n/usual
		isWrong = n%wrong == 0
	}
	d.customer = (d.segment + sellers*round) % p.Customers
	d.units = usualUnits(d.segment)
	if isWrong {
		d.units /= 2
	}
	return d, isWrong
}

// amount is what a right invoice of a segment of a drifting plan comes to.
func amount(segment int) invoice.Amount {
	net, _ := invoice.LineNet(usualUnits(segment), price(segment), 0)
	return net
}

func usualUnits(segment int) invoice.Fixed { return invoice.Fixed(1+segment%9) * invoice.One }

func price(segment int) invoice.Fixed { return invoice.Fixed(100+segment%7) * invoice.One }

// amounts are the least and the most that right invoices come to of all that share the level's
// baseline with those of a segment.
func (p *plan) amounts(level detectors.Level, segment int) (least, most invoice.Amount) {
	if level == detectors.LevelTypeProduct {
		return amount(segment), amount(segment)
	}
	first, step := segment%sellers, sellers // of the seller
	switch level {
	case detectors.LevelProductFamily:
		first += segment / (types * sellers) * types * sellers
	case detectors.LevelCustomerType:
		first, step = segment%(types*sellers), types*sellers
	}
	least, most = amount(segment), amount(segment)
	for i, n := first, 0; i < p.Segments && (level != detectors.LevelProductFamily || n < types); i, n = i+step, n+1 {
		least, most = min(least, amount(i)), max(most, amount(i))
		if n > 9*7 {
			break // all that there are
		}
	}
	return least, most
}

// permuted is a number from 0 to below; those of neighbours lie far apart.
func permuted(i, below int) int { return i % below * 7_368_787 % below }

// total is how many invoices a run has.
func (p *plan) total() int {
	if p.Verdicts != "" {
		return 2 * p.Segments / (often - 1) * often
	}
	return 2 * p.Invoices
}

// maker makes invoices, like a decoder without memory of its own for each.
type maker struct {
	plan
	seller, customerType, family, product []string
	scratch                               []byte
}

func newMaker(p plan) *maker {
	names := func(prefix string, n int) (all []string) {
		for i := range n {
			all = append(all, prefix+strconv.Itoa(i))
		}
		return all
	}
	return &maker{plan: p, seller: names("seller-", sellers), customerType: names("type ", types),
		family: names("family ", p.Segments/(types*sellers)+1), product: names("p", 7)}
}

// make fills in an invoice, and says which partition it is of and when it came. Those of a
// drifting plan have no lines: so nothing but segments and customers can tell what is usual.
func (m *maker) make(inv *invoice.Invoice, d drawn) (partition int, at time.Time) {
	at = time.Unix(1767225600+int64(d.number)*days*24*3600/int64(m.total()), 0).UTC()
	net, _ := invoice.LineNet(d.units, price(d.segment), 0)
	lines := inv.Lines[:0]
	if m.Verdicts == "" {
		lines = append(lines, invoice.Line{ProductID: m.product[d.segment%7],
			Net:       invoice.OptionalAmount{Value: net, Set: true},
			Quantity:  invoice.OptionalFixed{Value: d.units, Set: true},
			UnitPrice: invoice.OptionalFixed{Value: price(d.segment), Set: true}})
	}
	*inv = invoice.Invoice{Seller: m.seller[d.segment%sellers], ID: m.numbered("INV-", d.number), IssuedAt: at,
		Currency: "EUR", NetAmount: net, CustomerRef: m.numbered("c:", d.customer), Country: "DE",
		CustomerType: m.customerType[d.segment/sellers%types], ProductFamily: m.family[d.segment/(types*sellers)],
		SourceSystem: "billing", Lines: lines}
	return d.customer % m.Partitions, at
}

func (m *maker) numbered(prefix string, n int) string {
	m.scratch = strconv.AppendInt(append(m.scratch[:0], prefix...), int64(n), 10)
	return string(m.scratch)
}
