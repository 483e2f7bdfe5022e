package detectors

import (
	"math"
	"slices"

	"recoup/detectors/history"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// evidence is what is unusual about one invoice, as figures for the model and
// as findings for people.
type evidence struct {
	x      [features]float32
	shown  featureSet     // all that are not 0, and maybe more
	hashes invoice.Hashes // of the invoice
	facts  history.Facts
	lines  []lineEvidence

	explained bool // references explain all discounts
	inv       *invoice.Invoice
	refs      *reference.Store
	sum       invoice.Amount // of the lines, less the discount
	sumKnown  bool
	twin      *history.Print // recent invoice most like this one, nil: none
	edits     int            // twin's lines that differ
	short     invoice.Fixed  // units delivered less units billed
	shortAt   int            // line that most likely is why, -1: none
	cut       float64        // probability that the source lost the end of the list
	scale     float64        // logarithm of the factor that most prices share, 0: none
}

// lineEvidence is what one line is compared with.
type lineEvidence struct {
	worth      invoice.Amount // what the line comes to by its own figures
	worthKnown bool
	listed     bool          // a reference says the price
	known      bool          // the product's price is known
	off        float64       // 0: the price is usual, 1: it was never met
	expected   invoice.Fixed // unit price expected
	log        float64       // logarithm of price over expected
	stable     float64       // share of the product's lines that had a known price
	slip       slip          // what made the price of one that is known
	meant      invoice.Fixed // that price

	agreed    bool // other customers, or other goods of the invoice, have the new price, too
	revised   bool // a new price list explains the price: it is the expected one moved by shift
	shift     float64
	announced bool // references explain the discount
	netMet    bool // what a unit came to was met before, as exactly as rounding allows, or is on offer
	again     bool // the discount is that of another line with goods of its description and price

	quantitySlip  slip          // what made the quantity of the usual
	quantityMeant invoice.Fixed // that quantity
}

// gather fills e with the evidence on an invoice, given what is known.
func (e *evidence) gather(inv *invoice.Invoice, refs *reference.Store) {
	e.x, e.shown = [features]float32{}, featureSet{}
	e.explained = false
	e.inv, e.refs, e.twin, e.edits, e.scale, e.short, e.shortAt, e.cut = inv, refs, nil, 0, 0, 0, -1, 0
	e.lines = slices.Grow(e.lines[:0], len(e.facts.Lines))[:len(e.facts.Lines)]
	clear(e.lines)
	e.totals()
	e.parties()
	e.missing()
	e.prices()
	e.quantities()
	e.announced()
	e.discounts()
	e.offers()
	e.list()
	e.misprints()
	e.codes()
	e.allowances()
	e.delivery()
	e.twins()
	e.amounts()
	e.signals()
}

func (e *evidence) set(f feature, v float64) {
	if e.x[f] = float32(v); v != 0 {
		e.shown.add(f)
	}
}

// flag sets a feature to 1 if on.
func (e *evidence) flag(f feature, on bool) {
	if on {
		e.x[f] = 1
		e.shown.add(f)
	}
}

// raise sets a feature unless it is higher already.
func (e *evidence) raise(f feature, v float64) bool {
	if float32(v) > e.x[f] {
		e.x[f] = float32(v)
		e.shown.add(f)
		return true
	}
	return false
}

// relative is |a - b| over the greater of both, 0 to 2.
func relative(a, b invoice.Amount) float64 {
	if a == b {
		return 0
	}
	return math.Abs(difference(a, b)) / math.Max(math.Abs(float64(a)), math.Abs(float64(b)))
}

// totals compares the invoice with itself.
func (e *evidence) totals() {
	inv := e.inv
	coin := invoice.Coin(inv.Currency)
	e.sum, e.sumKnown = linesLessDiscount(inv)
	if e.sumKnown {
		if off := sub(e.sum, inv.NetAmount); off > coin/2 || off < -coin/2 {
			e.set(fSumOff, relative(e.sum, inv.NetAmount))
		}
	}
	offLines, whole, zero := 0, 0, 0
	for i := range inv.Lines {
		l := &inv.Lines[i]
		if l.UnitPrice.Set && l.UnitPrice.Value == 0 && l.Net.Value == 0 && l.Quantity.Value > 0 {
			zero++
		}
		due, ok := lineDue(l)
		e.lines[i].worth, e.lines[i].worthKnown = due, ok
		if !ok || !l.Net.Set {
			continue
		}
		if off := sub(due, l.Net.Value); off > coin || off < -coin {
			offLines++
			if l.Net.Value%invoice.Unit == 0 {
				whole++
			}
			e.raise(fLineOff, relative(due, l.Net.Value))
		}
	}
	if n := float64(len(inv.Lines)); n > 0 {
		e.set(fLineOffShare, float64(offLines)/n)
		e.set(fLineWhole, float64(whole)/n)
		e.set(fZeroPrice, float64(zero)/n)
		if inv.NetAmount == 0 {
			e.set(fZero, 1)
		}
		e.set(fRepeated, float64(e.repeated())/n)
	}
	e.taxes(coin)
}

func (e *evidence) taxes(coin invoice.Amount) {
	inv := e.inv
	if inv.TaxAmount.Set && inv.TaxRate.Set {
		if due, ok := inv.NetAmount.MulFixed(inv.TaxRate.Value); ok {
			slack := coin * invoice.Amount(len(inv.Lines)/2+1)
			if off := sub(due, inv.TaxAmount.Value); off > slack || off < -slack {
				e.set(fTaxOff, math.Min(2, math.Abs(float64(off))/math.Max(1, math.Abs(float64(inv.NetAmount)))))
			}
		}
	}
	if inv.GrossAmount.Set && inv.TaxAmount.Set {
		if off := sub(add(inv.NetAmount, inv.TaxAmount.Value), inv.GrossAmount.Value); off > coin || off < -coin {
			e.set(fGrossOff, relative(add(inv.NetAmount, inv.TaxAmount.Value), inv.GrossAmount.Value))
		}
	}
}

// lineDue is what a line comes to: quantity × price × (1 - discount) - discount
// amount.
func lineDue(l *invoice.Line) (invoice.Amount, bool) {
	if !l.Quantity.Set || !l.UnitPrice.Set {
		return 0, false
	}
	due, ok := invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, l.DiscountRate.Value)
	if ok && l.DiscountAmount.Set && !l.DiscountRate.Set {
		return due.Sub(l.DiscountAmount.Value)
	}
	return due, ok
}

// repeated counts neighbouring lines that are the same but for their id.
func (e *evidence) repeated() (n int) {
	for i := 1; i < len(e.inv.Lines); i++ {
		a, b := &e.inv.Lines[i-1], &e.inv.Lines[i]
		if a.ProductID == b.ProductID && a.ProductID != "" && a.Quantity == b.Quantity && a.UnitPrice == b.UnitPrice &&
			a.Net == b.Net {
			n++
		}
	}
	return n
}

// logCount is the logarithm of 1 + n.
func logCount(n int) float64 {
	if n >= 0 && n < len(countLogs) {
		return countLogs[n]
	}
	return math.Log1p(float64(n))
}

// countLogs are the logarithms of what most counts are.
var countLogs = func() (logs [1024]float64) {
	for n := range logs {
		logs[n] = math.Log1p(float64(n))
	}
	return logs
}()

// parties compares currency, tax and type with what is usual for the customer,
// its country and its seller.
func (e *evidence) parties() {
	f, k := &e.facts, &e.facts.Known
	rare := func(h *history.Habit, key uint32) (float64, int) {
		if n, ok := h.Only(key); ok {
			return 0, n
		}
		share, n := h.Share(key)
		if n == 0 {
			return 0, 0
		}
		return (1 - share) * float64(n) / float64(n+1), n
	}
	if k.Seller != nil {
		r, _ := rare(&k.Seller.Currency, f.Currency)
		e.set(fCurrencySeller, r)
	}
	if k.Country != nil && f.Tax != 0 {
		r, _ := rare(&k.Country.Tax, f.Tax)
		e.set(fTaxCountry, r)
	}
	if c := k.Customer; c != nil {
		r, _ := rare(&c.Currency, f.Currency)
		e.set(fCurrencyRare, r)
		if f.Tax != 0 {
			r, n := rare(&c.Tax, f.Tax)
			e.set(fTaxRare, r)
			e.set(fTaxKnown, logCount(n))
		}
		r, n := rare(&c.Type, f.Type)
		e.set(fTypeRare, r)
		e.set(fTypeKnown, logCount(n))
		e.set(fKnown, logCount(int(c.Invoices)))
	}
}

// missing compares what is not filled with how often it usually is.
func (e *evidence) missing() {
	f, k := &e.facts, &e.facts.Known
	of := func(feature feature, mark history.Mark, marks *[history.Marks]history.Share) {
		if !f.Marked.Has(mark) && marks != nil {
			e.set(feature, marks[mark].Of())
		}
	}
	var customer, group, seller *[history.Marks]history.Share
	if k.Seller != nil {
		seller = &k.Seller.Marks
	}
	group = seller
	if k.Group != nil {
		group = &k.Group.Marks
	}
	customer = group
	if k.Customer != nil {
		customer = &k.Customer.Marks
	}
	if k.Customer != nil {
		steady := func(feature feature, mark history.Mark) {
			of(feature, mark, customer)
			if stays, ok := k.Conduct.Stays(mark, k.Customer); ok && e.x[feature] > 0 {
				e.set(feature, stays)
			}
		}
		steady(fNoOrderNumber, history.MarkPurchaseOrder)
		steady(fNoVAT, history.MarkVAT)
	}
	of(fNoOrderGroup, history.MarkPurchaseOrder, group)
	of(fNoVATGroup, history.MarkVAT, group)
	of(fNoDelivery, history.MarkDelivery, group)
	of(fNoShipped, history.MarkShipped, group)
	of(fNoCustomer, history.MarkCustomer, seller)
	of(fNoType, history.MarkType, seller)
	of(fNoFamily, history.MarkFamily, seller)
	if f.Marked.Has(history.MarkEarly) {
		e.set(fEarly, math.Log1p(e.inv.ShippedAt.Sub(e.inv.IssuedAt).Hours()))
		if customer != nil {
			e.set(fEarlyHabit, customer[history.MarkEarly].Of())
			if stays, ok := k.Conduct.Stays(history.MarkEarly, k.Customer); ok {
				e.set(fEarlyHabit, min(float64(e.x[fEarlyHabit]), 1-stays))
			}
		}
	}
}

// amounts compares net amount and number of lines with the usual.
func (e *evidence) amounts() {
	f, k := &e.facts, &e.facts.Known
	z := func(m history.Moments, x float32) float64 {
		if m.N < 3 {
			return 0
		}
		sd := math.Sqrt(float64(m.Variance)) + 0.2 + 1/float64(m.N)
		return max(-6, min(6, float64(x-m.Mean)/sd))
	}
	if k.Customer != nil {
		e.set(fNetZ, z(k.Customer.NetIn(f.Currency), f.LogNet))
		e.set(fLinesZ, z(k.Customer.Lines, f.LogLines))
	}
	if k.Group != nil {
		e.set(fNetGroupZ, z(k.Group.NetIn(f.Currency), f.LogNet))
	}
	e.set(fLines, float64(f.LogLines))
}

// signals notes what this invoice says of its source, and reads what the ones
// before it said.
func (e *evidence) signals() {
	on := func(i int, is bool) {
		if is {
			e.facts.Signals[i] = 1
		}
	}
	on(0, e.x[fSumOff] > 0)
	on(1, e.x[fLineOff] > 0)
	on(history.TaxRate, e.x[fTaxRare] > 0.8 || e.x[fTaxCountry] > 0.8)
	on(3, e.x[fCurrencySeller] > 0.8)
	on(4, e.x[fZero] > 0 || e.x[fZeroPrice] > 0)
	on(history.OffPrices, e.x[fOff] > 0.5)
	on(6, e.cut > 0.5)
	on(7, e.x[fLinesOff] > 0)
	e.facts.Odd = 0
	if e.x[fOff] > 0 {
		for i := range e.lines {
			if e.lines[i].known && e.lines[i].off > 0.5 {
				e.facts.Odd |= history.OddBit(e.facts.Lines[i].Product)
			}
		}
	}
	if s := e.facts.Known.Source; s != nil {
		for i := range s.Recent {
			e.set(fBurst+feature(i), float64(s.Recent[i]))
		}
	}
}
