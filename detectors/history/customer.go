package history

import (
	"math"
	"math/bits"

	"recoup/invoice"
)

// Mark is a part of an invoice that may be filled or not.
type Mark uint8

// The marks, in the order in which they are counted.
const (
	MarkPurchaseOrder Mark = iota // legal field purchase_order_ref
	MarkVAT                       // legal field buyer_vat_id
	MarkDelivery                  // delivery_ref
	MarkShipped                   // shipped_at
	MarkOrder                     // order_ref
	MarkCustomer                  // customer_ref
	MarkType                      // customer_type
	MarkFamily                    // product_family
	MarkEarly                     // issued before it was shipped, rather than after
	Marks             = 9         // how many there are
)

// Marked is a set of marks, one bit each.
type Marked uint16

// Has tells whether a mark is set.
func (m Marked) Has(mark Mark) bool { return m&(1<<mark) != 0 }

// Set sets a mark if on.
func (m *Marked) Set(mark Mark, on bool) {
	if on {
		*m |= 1 << mark
	}
}

// Party is what is usual for one customer of a seller, or for several.
type Party struct {
	Hour     int32        // event time of the newest invoice, hours since 1970
	Invoices uint32       // that taught it
	Currency Habit        // hash of the currency
	Tax      Habit        // tax rate in 1/10,000, plus 1
	Marks    [Marks]Share // how often each mark is set
	Net      Moments      // natural logarithm of the net amount, in the usual currency
}

// NetIn returns the usual net amount in a currency, nothing for another than the
// usual one: what it comes to there, only the exchange rate would tell.
func (p *Party) NetIn(currency uint32) Moments {
	if p.Currency.Usual() != currency {
		return Moments{}
	}
	return p.Net
}

func (p *Party) teach(f *Facts) {
	p.Hour = max(p.Hour, f.Hour)
	p.Invoices = min(p.Invoices, 1<<31) + 1
	if _, only := p.Currency.Only(f.Currency); only { // as nearly always
		p.Currency.teach(f.Currency, 1)
		p.Net.teach(f.LogNet)
	} else {
		p.switchCurrency(func(h *Habit) { h.teach(f.Currency, 1) })
		if f.Currency == p.Currency.Usual() {
			p.Net.teach(f.LogNet)
		}
	}
	p.Tax.teach(f.Tax, 1)
	for m := range p.Marks {
		s, marked := &p.Marks[m], uint16(f.Marked>>m)&1
		*s = Share{Yes: s.Yes + marked, All: s.All + 1}
		if s.All >= shareLimit {
			s.fade()
		}
	}
}

func (p *Party) suspect(f *Facts) {
	p.Hour = max(p.Hour, f.Hour)
	p.switchCurrency(func(h *Habit) { h.suspect(f.Currency, f.Day, f.Batch) })
	p.Tax.suspect(f.Tax, f.Day, f.Batch)
}

// switchCurrency counts a currency. Where another becomes the usual one, amounts
// are learned anew.
func (p *Party) switchCurrency(count func(*Habit)) {
	was := p.Currency.Usual()
	if count(&p.Currency); p.Currency.Usual() != was {
		p.Net = Moments{}
	}
}

// Customer is what is usual for one customer of a seller.
type Customer struct {
	Party
	Type     Habit   // hash of customer_type
	OffPrice Moments // share of lines at unknown prices: some are always given special ones
	Lines    Moments // natural logarithm of the number of lines
	// Agreed are amounts that people found to be right, however unusual, the newest first.
	Agreed [agreements]Agreed
}

// Group is what is usual for a customer type or a country of a seller, or for
// the seller as a whole.
type Group struct {
	Party
	// Rates counts lines by their discount, in steps of 5 %; the last is 95 % and more.
	Rates   [20]uint32
	Ends    [100]uint16 // lines by the last two digits of their unit price, in cents; of a seller only
	NetEnds [100]uint16 // lines with a discount, by the last two digits of what they come to; of a seller only
	Halves  Share       // lines at half price: those of an even quantity; of a seller only
}

// EndRare is how rare an ending is: the negative logarithm of its share, 0 for the
// one that all have.
func EndRare(ends []uint16, end uint8) float64 {
	var all float64
	for _, n := range ends {
		all += float64(n)
	}
	return -math.Log((float64(ends[end]) + 1) / (all + float64(len(ends))))
}

func noteEnd(ends []uint16, end uint8) {
	if ends[end]++; ends[end] == 1<<15 {
		for i := range ends {
			ends[i] /= 2
		}
	}
}

// RateAbove returns the share of the group's lines with a discount of at least rate.
func (g *Group) RateAbove(rate float64) float64 {
	var all, above uint32
	from := rateStep(rate)
	for i, n := range g.Rates {
		all += n
		if i >= from {
			above += n
		}
	}
	return (float64(above) + 0.1) / (float64(all) + 1)
}

func rateStep(rate float64) int { return max(0, min(19, int(rate*20+1e-6))) }

// Terms is how a discount code is used: by one customer, or by all of a seller.
type Terms struct {
	Hour     int32  // event time of the newest use, hours since 1970
	First    int32  // of the oldest
	Invoices uint32 // that taught it
	Families uint32 // product families it was used for, a bit each, by hash
	Types    uint16 // customer types that used it, by TypeBit
	Rates    Habit  // rate in 1/10,000, plus 1
	Offer    Offer  // what suspects have it at
}

// Offer is a discount that only suspects bring: under a code never met, or under one
// at its usual rate. It becomes usual when offerCustomers customers had it, on
// offerDays days and from two releases, batches, billing systems or (where an invoice
// names neither) days, all at one rate: so neither one customer, nor an outage, nor a
// release that gives it by mistake teaches it.
type Offer struct {
	Rate      uint32 // in 1/10,000, plus 1; 0: none
	Customers uint32 // who had it, a bit each by hash
	Days      uint16 // on how many days, counted in the order in which they came
	Day       int32  // newest of them, days since 1970
	Batch     uint32 // hash of system, release and batch of the first
	Mixed     bool   // another one brought it too
}

const (
	offerCustomers = 5
	offerDays      = 3
)

// suspect notes a code on an invoice that is withheld from learning.
func (t *Terms) suspect(c *Code, f *Facts) {
	o := &t.Offer
	if c.Rate == 0 || f.Customer == 0 || (t.Invoices > 0 && c.Rate != t.Rates.Usual()) {
		return
	}
	batch := f.Batch ^ uint32(f.Source)
	if o.Rate != c.Rate {
		*o = Offer{Rate: c.Rate, Batch: batch}
	}
	o.Customers |= bitOf(f.Customer)
	if o.Days == 0 || f.Day > o.Day {
		o.Day, o.Days = f.Day, min(o.Days, offerDays)+1
	}
	o.Mixed = o.Mixed || batch != o.Batch
	if n := bits.OnesCount32(o.Customers); n >= offerCustomers && o.Days >= offerDays && o.Mixed {
		t.teach(c, f, uint16(n))
	}
}

// Still tells whether a code is in use at an hour: its last use is no longer ago than
// some of its uses usually are apart.
func (t *Terms) Still(hour int32) bool {
	const day, some = 24, 6
	apart := (t.Hour - t.First) / int32(min(max(1, t.Invoices), 1<<20))
	return hour-t.Hour <= min(60*day, max(2*day, some*apart))
}

func (t *Terms) teach(c *Code, f *Facts, n uint16) {
	if t.Invoices == 0 {
		t.First = f.Hour
	}
	t.Offer = Offer{}
	t.Hour = max(t.Hour, f.Hour)
	t.Invoices = min(t.Invoices, 1<<31) + uint32(n)
	t.Families |= c.Families
	t.Types |= TypeBit(f.Type)
	if c.Rate != 0 {
		t.Rates.teach(c.Rate, n)
	}
}

// FamilyBit is the bit of a product family in Terms.Families.
func FamilyBit(hash uint32) uint32 { return 1 << (hash & 31) }

// Signals is how many kinds of trouble a source is watched for.
const Signals = 8

// Source is the recent trouble of one billing system, release or batch, of all
// its invoices: those found suspect too.
type Source struct {
	Hour     int32            // event time of the newest invoice, hours since 1970
	Invoices uint32           // that taught it
	Recent   [Signals]float32 // share of the newest invoices with each signal, half of it from the last four
	Runs     [Signals]Run     // suspects with each
	Cut      Cut              // whether it loses the ends of lists
}

const signalWeight = 0.16

// Print is one recent invoice, so that a second one for the same goods is known.
type Print struct {
	Minute   int32          // event time, minutes since 1970
	Number   uint32         // hash of its invoice_id, never 0
	Order    uint32         // hash of order_ref, 0: none
	Delivery uint32         // hash of delivery_ref, 0: none
	Products uint32         // of the products, in any order
	Goods    uint32         // of products and quantities
	Content  uint32         // of products, quantities and line amounts
	Lines    uint32         // how many
	Net      invoice.Amount // net amount
	Contract uint32         // hash of contract_ref, 0: none
	Period   uint32         // billed period as PeriodOf gives it, 0: none
	Shipped  uint32         // when the goods left, seconds since 1970; 0: not known but to the day
	Sketch   [4]uint16      // least hash of all products, four ways (Broder 1997)
	ID       [32]byte       // beginning of its invoice_id
}

// PeriodOf is a billed period in one number: the first of its days, counted from
// 1970, above 16 bits with how many there are.
func PeriodOf(first, last int64) uint32 {
	return uint32(max(1, min(first, math.MaxUint16)))<<16 | uint32(max(1, min(last-first+1, math.MaxUint16)))
}

// Days is how long the billed period is, at least 1, 0 where none is known.
func (p *Print) Days() int { return int(p.Period & math.MaxUint16) }

// Shared returns the share of the shorter period that two invoices both bill: 0
// where one of them names none, and for a single day, as one's last may be the
// next one's first.
func (p *Print) Shared(n *Print) float64 {
	if p.Period == 0 || n.Period == 0 {
		return 0
	}
	first, days := int(p.Period>>16), p.Days()
	from, number := int(n.Period>>16), n.Days()
	both := min(first+days, from+number) - max(first, from)
	if both < 1 || both == 1 && p.Period != n.Period {
		return 0
	}
	return float64(both) / float64(min(days, number))
}

// Elsewhere tells whether two invoices bill different contracts, as those of several
// sites of one customer do.
func (p *Print) Elsewhere(n *Print) bool {
	return p.Contract != 0 && n.Contract != 0 && p.Contract != n.Contract
}

// Apart tells whether two invoices bill different periods.
func (p *Print) Apart(n *Print) bool { return p.Period != 0 && n.Period != 0 && p.Shared(n) == 0 }

// prints is how many recent invoices of a customer are remembered.
const prints = 5

// Prints are the newest invoices of a customer; of counter sales, which have
// none, those of one content.
type Prints struct {
	Hour    int32         // event time of the newest, hours since 1970
	Next    uint32        // counts up with every one remembered
	Repeats Share         // usual invoices with the products of one remembered here
	Items   [prints]Print // in no order; Number 0 is free
}

// RepeatMinutes is how long after an invoice another one counts as repeating it.
const RepeatMinutes = 40 * 24 * 60

func (p *Prints) teach(n *Print, suspect bool) {
	if !suspect {
		p.Repeats.teach(p.repeated(n))
	}
	p.Hour = max(p.Hour, n.Minute/60)
	for i := range p.Items {
		if p.Items[i].Number == n.Number {
			p.Items[i] = *n
			return
		}
	}
	p.Items[p.Next%prints] = *n
	p.Next++
}

func (p *Prints) repeated(n *Print) bool {
	for i := range p.Items {
		o := &p.Items[i]
		apart := int64(n.Minute) - int64(o.Minute)
		if o.Number != 0 && o.Number != n.Number && o.Products == n.Products && !o.Apart(n) && !o.Elsewhere(n) &&
			apart <= RepeatMinutes && apart >= -RepeatMinutes {
			return true
		}
	}
	return false
}
