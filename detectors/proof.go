package detectors

import (
	"math"

	"recoup/detectors/history"
)

// proofEnough is the probability from which evidence counts as proved: training
// has nothing to add to it.
const proofEnough = 0.85

// proof is one kind of exact evidence: it compares numbers and names with each
// other, not with what is usual.
type proof uint8

// The kinds of exact evidence. Their numbers are stored: new ones go to the end.
const (
	proofSum         proof = iota // lines do not add up to the net amount
	proofLine                     // a line is not quantity × price less discount
	proofTaxAmount                // the tax is not net × rate
	proofGross                    // gross is not net plus tax
	proofZero                     // nothing is billed for lines that come to something
	proofCurrency                 // a currency that the policy, the customer or the seller never has
	proofTaxRate                  // a tax rate that neither the customer nor its country has
	proofCodeTwice                // one code twice on a line
	proofStacked                  // two codes on a line
	proofOverCap                  // more discount than the policy allows anybody
	proofNotAllowed               // more discount than contract and promotions allow
	proofExpired                  // a code before or behind its validity
	proofUnknownCode              // a code that no promotion has
	proofDelivered                // the warehouse counted other units or lines
	proofNotCounted               // the warehouse does not know the delivery
	proofDelivery                 // the delivery was invoiced before
	proofNoDelivery               // no delivery_ref, where everybody has one
	proofNoShipped                // no shipped_at, where everybody has one
	proofNoCustomer               // no customer_ref, where everybody has one
	proofNoType                   // no customer_type, where everybody has one
	proofNoFamily                 // no product_family, where everybody has one
	proofNoOrder                  // no purchase order, where the customer always has one
	proofNoVAT                    // no VAT number, where the customer always has one
	proofType                     // another customer type than ever
	proofOrder                    // the order was invoiced before, with another delivery
	proofFlat                     // one high discount on all lines, where nobody has that
	proofShipment                 // much the same goods left at the same moment, by another delivery
	proofTenfold                  // ten times a discount that the product often had
	proofs
)

// proofRow is what is known of a kind of exact evidence.
type proofRow struct {
	p     float64 // probability of an error where it holds
	holds func(e *evidence) bool
	rare  bool // it proves something of sellers only that are known never to do it
}

// proofTable gives each kind of exact evidence its probability, as counted when it
// was added on the months after the warm-up of retail, grocery and their dense files.
// Those up to proofType were right every time, of n invoices: theirs is the rule of
// succession, (n + 1) / (n + 2), at most 0.98, and 0.95 for kinds that were hardly
// met. The later ones were at times wrong; theirs lies below the share that was right.
var proofTable = [proofs]proofRow{
	proofSum:         {p: 0.98, holds: func(e *evidence) bool { return e.x[fSumOff] > 0 && !sumRounds(e.inv, e.sum) }},
	proofLine:        {p: 0.98, holds: func(e *evidence) bool { return e.x[fLineOff] > 0 && e.x[fZero] == 0 }},
	proofTaxAmount:   {p: 0.95, holds: func(e *evidence) bool { return e.x[fTaxOff] > 0.002 }},
	proofGross:       {p: 0.95, holds: func(e *evidence) bool { return e.x[fGrossOff] > 0.0005 }},
	proofZero:        {p: 0.98, holds: func(e *evidence) bool { return e.x[fZero] > 0 && zeroIsLost(e) }},
	proofCurrency:    {p: 0.98, holds: (*evidence).strangeCurrency},
	proofTaxRate:     {p: 0.97, holds: (*evidence).strangeTaxRate},
	proofCodeTwice:   {p: 0.97, holds: func(e *evidence) bool { return e.x[fCodeTwice] > 0 }},
	proofStacked:     {p: 0.97, holds: func(e *evidence) bool { return e.x[fCodes] > 0 && !e.mayStack() }},
	proofOverCap:     {p: 0.97, holds: func(e *evidence) bool { return e.x[fOverCap] > 0.001 }},
	proofNotAllowed:  {p: 0.98, holds: func(e *evidence) bool { return e.x[fAllowedOff] > 0.02 }},
	proofExpired:     {p: 0.97, holds: func(e *evidence) bool { return e.x[fPromoExpired] > 0 }},
	proofUnknownCode: {p: 0.97, holds: func(e *evidence) bool { return e.x[fPromoUnknown] > 0 }},
	proofDelivered:   {p: 0.98, holds: func(e *evidence) bool { return e.x[fUnitsOff] != 0 || e.x[fLinesOff] != 0 }},
	proofNotCounted:  {p: 0.97, holds: (*evidence).unknownDelivery},
	proofDelivery:    {p: 0.97, holds: func(e *evidence) bool { return e.x[fDelivery2] > 0 && e.inv.PrecedingID == "" }},
	proofNoDelivery:  {p: 0.97, holds: func(e *evidence) bool { return e.x[fNoDelivery] > 0.98 }},
	proofNoShipped:   {p: 0.95, holds: func(e *evidence) bool { return e.x[fNoShipped] > 0.98 }},
	proofNoCustomer:  {p: 0.97, holds: func(e *evidence) bool { return e.x[fNoCustomer] > 0.97 }},
	proofNoType:      {p: 0.95, holds: func(e *evidence) bool { return e.x[fNoType] > 0.98 }},
	proofNoFamily:    {p: 0.95, holds: func(e *evidence) bool { return e.x[fNoFamily] > 0.98 }},
	proofNoOrder:     {p: 0.97, holds: (*evidence).lostOrder},
	proofNoVAT:       {p: 0.95, holds: (*evidence).lostVAT},
	proofType:        {p: 0.98, holds: func(e *evidence) bool { return e.x[fTypeRare] > 0.8 }},
	proofOrder:       {p: 0.95, rare: true, holds: (*evidence).orderAgain},
	proofShipment:    {p: 0.97, rare: true, holds: (*evidence).shippedAgain},
	proofTenfold:     {p: 0.87, rare: true, holds: func(e *evidence) bool { return e.x[fTenfold] > 0 }},
	proofFlat:        {p: 0.93, rare: true, holds: (*evidence).flatDiscount},
}

// habitualP is the probability that evidence has left where it is the seller's habit.
const habitualP = 0.4

// proves returns the probability that one kind of exact evidence gives by
// itself: 0 where it does not hold, less than one half where it is the seller's
// habit and so proves nothing.
func (e *evidence) proves(kind proof) float64 {
	row := &proofTable[kind]
	if !row.holds(e) {
		return 0
	}
	c := e.facts.Known.Conduct
	if row.rare && (c == nil || !c.Never(int(kind))) || c != nil && c.Habit(int(kind)) {
		return math.Min(row.p, habitualP)
	}
	return row.p
}

// note writes down which kinds of exact evidence hold, so that the seller's
// habits become known. Where the evidence is usual few can.
func (e *evidence) note(usual bool) {
	e.facts.Proofs = 0
	kinds := allProofs[:]
	if usual {
		kinds = belowGates[:]
	}
	for _, kind := range kinds {
		if proofTable[kind].holds(e) {
			e.facts.Proofs |= 1 << kind
		}
	}
}

var allProofs = func() (all [proofs]proof) {
	for kind := range proofs {
		all[kind] = kind
	}
	return all
}()

// belowGates are the kinds that may hold on what passes no gate: they ask what the
// customer itself keeps to, the gates what all customers do.
var belowGates = [...]proof{proofNoOrder, proofNoVAT}

// The history has a place for each.
var _ = [history.Proofs - int(proofs)]struct{}{}

// proof is the highest probability that exact evidence gives by itself, whatever
// was learned: 0 where none is enough to prove an error.
func (e *evidence) proof() (p float64) {
	for kind := range proofs {
		if q := e.proves(kind); q >= proofEnough {
			p = max(p, q)
		}
	}
	return p
}

// strangeCurrency tells whether neither policy nor habit knows the currency. What
// the seller never did in its last hundred invoices counts for new customers too.
func (e *evidence) strangeCurrency() bool {
	return e.x[fCurrencyPolicy] > 0 || e.x[fCurrencyRare] > 0.8 || e.x[fCurrencySeller] > 0.99
}

// strangeTaxRate tells whether neither the customer nor its country has the rate.
// Of a customer that is hardly known the country alone tells: a rate that it never
// had is strange, though not that nothing is taxed, as any customer may be exempt.
func (e *evidence) strangeTaxRate() bool {
	untaxed := e.inv.TaxRate.Value == 0
	switch {
	case e.x[fTaxCountry] <= 0.9 || (untaxed && e.x[fExempt] > 0):
		return false
	case e.x[fTaxRare] > 0.8:
		return true
	}
	k, rate := &e.facts.Known, e.facts.Tax
	if k.Customer != nil {
		if share, _ := k.Customer.Tax.Share(rate); share > 0 {
			return false
		}
	}
	share, n := k.Country.Tax.Share(rate)
	return share == 0 && n >= countryKnown && !untaxed
}

// countryKnown is how many invoices to a country tell which tax rates it has.
const countryKnown = 20

// lostOrder tells whether a purchase order is missing that the customer always
// named. How many others keep to it proves nothing here, as orders come and go, but
// where they cease to, so may this one.
func (e *evidence) lostOrder() bool {
	k := &e.facts.Known
	return e.x[fNoOrderNumber] > 0 && k.Customer != nil && !k.Conduct.Ends(history.MarkPurchaseOrder) &&
		k.Customer.Marks[history.MarkPurchaseOrder].Of() > alwaysNamed
}

// lostVAT tells whether a VAT number is missing that the customer always had, or
// that it had once, where hardly anybody's is ever gone.
func (e *evidence) lostVAT() bool {
	k := &e.facts.Known
	if e.x[fNoVAT] == 0 || k.Customer == nil || k.Conduct.Ends(history.MarkVAT) {
		return false
	}
	stays, ok := k.Conduct.Stays(history.MarkVAT, k.Customer)
	return k.Customer.Marks[history.MarkVAT].Of() > alwaysNamed || (ok && stays > 0.99)
}

// alwaysNamed is the share of a customer's invoices from which it always names
// something: seven of seven and more.
const alwaysNamed = 0.93

// mayStack tells whether the seller's references allow several promotions on one line.
func (e *evidence) mayStack() bool {
	policy, ok := e.refs.Policy(e.inv.Seller, e.inv.IssuedAt)
	return ok && policy.PromotionsStackable.Value
}

// unknownDelivery tells whether the goods left by the invoice's own word, and the
// warehouse, which counts all others, knows nothing of it.
func (e *evidence) unknownDelivery() bool {
	return e.x[fNotCounted] > 0 && e.inv.DeliveryRef != "" && !e.inv.ShippedAt.IsZero() &&
		!e.inv.ShippedAt.After(e.inv.IssuedAt)
}

// orderAgain tells whether another invoice billed the order and some of the goods
// before, though not the delivery.
func (e *evidence) orderAgain() bool {
	return e.x[fOrder2] > 0 && e.x[fAlike2] > 0 && e.x[fDelivery2] == 0 && e.inv.PrecedingID == ""
}

// shippedAgain tells whether another invoice billed, under another delivery, goods
// that left at the same moment, and much the same ones.
func (e *evidence) shippedAgain() bool {
	return e.x[fShipped2] > 0 && e.x[fAlike2] >= 0.25 && e.x[fDelivery2] == 0 && e.inv.PrecedingID == ""
}
