package detectors

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"recoup/detectors/history"
	"recoup/invoice"
)

// mostReasons is how many unusual things are named where no repair fits.
const mostReasons = 3

// reason is one unusual thing about an invoice, in words that can be checked.
type reason struct {
	strength float64 // 1: just worth a look; many times as unusual: 4 at most
	words    string
}

// reasonOf are the things looked at; of equally strong ones the first is named
// first. Each says at most one: three sentences on three prices leave no room for
// the discount.
var reasonOf = [...]func(s *Subject) reason{
	reasonTotals, reasonDelivery, reasonTwin, reasonPrice, reasonQuantity, reasonDiscount, reasonNetPrice, reasonTax,
	reasonCurrency, reasonType, reasonAbsent, reasonEarly, reasonCode, reasonNet, reasonLines, reasonSource, reasonNew,
}

// reasons says what is most unusual about the invoice last scored, the strongest
// first and no more than mostReasons. It is meant for the few invoices whose cause
// the classifier names without a detector's finding.
func (e *Engine) reasons() (sentences []string) {
	s := &e.cur.subject
	s.ev = &e.cur.ev
	var found []reason
	for _, of := range reasonOf {
		if r := of(s); r.strength >= leastReason {
			r.strength = min(r.strength, mostStrength)
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b reason) int { return cmp.Compare(b.strength, a.strength) })
	for _, r := range found[:min(len(found), mostReasons)] {
		sentences = append(sentences, r.words)
	}
	return sentences
}

const (
	leastReason  = 0.3
	mostStrength = 4.0
)

// reasonTotals: amounts that do not follow from each other.
func reasonTotals(s *Subject) reason {
	e, inv := s.ev, s.Invoice
	x := &e.x
	switch {
	case x[fSumOff] > 0 && e.sumKnown:
		return reason{4, fmt.Sprintf("%s, but the net amount is %s", linesInWords(s, e.sum), s.Money(inv.NetAmount))}
	case x[fLineOff] > 0:
		n := len(inv.Lines)
		off := int(math.Round(float64(x[fLineOffShare]) * float64(n)))
		return reason{4, fmt.Sprintf("%s not quantity × price less discount", ofLines(off, n))}
	case x[fTaxOff] > 0:
		return reason{4, s.taxAmount().Evidence[0]}
	case x[fGrossOff] > 0:
		return reason{4, s.grossAmount().Evidence[0]}
	case x[fZero] > 0:
		return reason{2, "the net amount is 0"}
	case x[fRepeated] > 0:
		n := e.repeated()
		return reason{1 + 2*float64(x[fRepeated]), fmt.Sprintf("%s the same as the line before", ofLines(n, len(inv.Lines)))}
	case x[fZeroPrice] > 0:
		n := len(inv.Lines)
		free := int(math.Round(float64(x[fZeroPrice]) * float64(n)))
		return reason{1 + float64(x[fZeroPrice]), fmt.Sprintf("%s at a price of 0", ofLines(free, n))}
	}
	return reason{}
}

// ofLines is "1 of 3 lines is", "2 of 3 lines are" or "its only line is".
func ofLines(n, all int) string {
	switch {
	case all == 1:
		return "its only line is"
	case n == 1:
		return fmt.Sprintf("1 of %d lines is", all)
	}
	return fmt.Sprintf("%d of %d lines are", n, all)
}

// reasonDelivery: what the warehouse counted.
func reasonDelivery(s *Subject) reason {
	e, inv := s.ev, s.Invoice
	switch {
	case e.x[fLinesOff] != 0:
		d, _ := e.refs.Delivery(inv.Seller, inv.DeliveryRef, inv.IssuedAt)
		return reason{4, fmt.Sprintf("delivery %s had %d lines, the invoice has %d", inv.DeliveryRef, d.Lines.Value,
			len(inv.Lines))}
	case e.short != 0:
		billed := unitsOf(inv)
		return reason{4, fmt.Sprintf("the warehouse counted %v units in delivery %s, the invoice bills %v",
			addFixed(billed, e.short), inv.DeliveryRef, billed)}
	case e.x[fNotCounted] > 0:
		return reason{2, fmt.Sprintf("the warehouse has not counted delivery %s", inv.DeliveryRef)}
	}
	return reason{}
}

// reasonTwin: an earlier invoice of the customer that bills the same.
func reasonTwin(s *Subject) reason {
	e := s.ev
	if e.twin == nil || len(inCommon(&e.facts.Print, e.twin)) == 0 {
		return reason{}
	}
	x := &e.x
	strength := 2 * float64(x[fAlike2])
	for _, same := range [...]feature{fProducts2, fGoods2, fContent2, fOrder2, fShipped2, fDelivery2, fPeriod2} {
		strength += float64(x[same]) / 2
	}
	return reason{strength * (1 - 0.8*float64(x[fRepeatHabit])), s.twinInWords()}
}

// reasonPrice: the unit price that is furthest from the usual one, or the factor
// that most prices share.
func reasonPrice(s *Subject) reason {
	e := s.ev
	at, worst, more := -1, 0.0, 0
	for i := range e.lines {
		le := &e.lines[i]
		if !le.known || le.off < 0.5 || le.expected <= 0 || math.Abs(le.log) <= 0.01 {
			continue
		}
		more++
		if w := le.off * le.stable * math.Min(1, math.Abs(le.log)); at < 0 || w > worst {
			at, worst = i, w
		}
	}
	if at < 0 {
		return s.reasonLastPrice()
	}
	words := fmt.Sprintf("%s: unit price %s, usual %s", s.lineName(at), s.price(s.Invoice.Lines[at].UnitPrice.Value),
		s.price(e.lines[at].expected))
	switch {
	case more == 2:
		words += "; 1 more price is unusual"
	case more > 2:
		words += fmt.Sprintf("; %d more prices are unusual", more-1)
	}
	return reason{0.5 + 3*worst + float64(e.x[fOff]), words}
}

// reasonLastPrice: a usual price, but not the one that this customer paid last.
func (s *Subject) reasonLastPrice() reason {
	at, worst := -1, 0.01
	for i := range s.ev.facts.Lines {
		l := &s.ev.facts.Lines[i]
		if l.OfPair == nil || l.OfPair.Price <= 0 || !l.Priced {
			continue
		}
		if off := math.Abs(math.Log(float64(l.Price) / float64(l.OfPair.Price))); off > worst {
			at, worst = i, off
		}
	}
	if at < 0 {
		return reason{}
	}
	l := &s.ev.facts.Lines[at]
	return reason{0.3 + math.Min(1, worst), fmt.Sprintf("%s: unit price %s, this customer last paid %s", s.lineName(at),
		s.price(l.Price), s.price(l.OfPair.Price))}
}

// price writes what a unit costs: with its currency and at least two decimals.
func (s *Subject) price(p invoice.Fixed) string {
	if p%cent == 0 {
		return s.Money(invoice.Amount(p / (invoice.One / invoice.Fixed(invoice.Unit))))
	}
	return s.say("%v %s", p, s.Invoice.Currency)
}

// reasonQuantity: the quantity that is furthest from the usual one.
func reasonQuantity(s *Subject) reason {
	e := s.ev
	at, worst, usual := -1, 0.0, 0.0
	for i := range e.lines {
		if z, mean := e.quantityZ(i); z > worst {
			at, worst, usual = i, z, mean
		}
	}
	if at < 0 || worst < float64(gates[fQuantity]) {
		return reason{}
	}
	return reason{worst / float64(gates[fQuantity]) * (0.5 + float64(e.x[fQuantityMoney])/2), fmt.Sprintf(
		"%s: quantity %v, usual about %s", s.lineName(at), s.Invoice.Lines[at].Quantity.Value, about(math.Exp(usual)))}
}

// about writes a quantity that is estimated: whole, with two digits below 10.
func about(quantity float64) string {
	if quantity < 10 {
		return fmt.Sprintf("%.2g", quantity)
	}
	return fmt.Sprintf("%.0f", quantity)
}

// reasonDiscount: the discount that is furthest above those of its product, or one
// that nobody allows.
func reasonDiscount(s *Subject) reason {
	e := s.ev
	switch {
	case e.x[fOverCap] > 0:
		return reason{4, fmt.Sprintf("there is a discount of %.4g %%; %s", 100*e.x[fRate], s.overCap())}
	case e.x[fPromoExpired] > 0 && s.outOfDate() != "":
		return reason{3, s.outOfDate()}
	}
	at, worst, most := -1, invoice.Fixed(0), invoice.Fixed(0)
	for i := range e.facts.Lines {
		l := &e.facts.Lines[i]
		rate := s.Invoice.Lines[i].DiscountRate.Value
		if rate <= 0 || l.OfProduct == nil || l.OfProduct.Lines < 3 || e.lines[i].netMet {
			continue
		}
		if highest := highestRate(l.OfProduct); rate-highest > worst {
			at, worst, most = i, rate-highest, highest
		}
	}
	switch {
	case at < 0 && e.x[fRate] >= gates[fRate]:
		return reason{1, fmt.Sprintf("there is a discount of %.4g %%", 100*e.x[fRate])}
	case at < 0:
		return reason{}
	}
	p := e.facts.Lines[at].OfProduct
	rate := percent(s.Invoice.Lines[at].DiscountRate.Value)
	words := fmt.Sprintf("%s: discount of %s, this product's usual ones are at most %s", s.lineName(at), rate,
		percent(most))
	if most == 0 {
		words = fmt.Sprintf("%s: discount of %s, this product usually has none", s.lineName(at), rate)
	}
	return reason{0.5 + 5*fixedFloat(worst)*p.NetKnown.Of(), words}
}

// highestRate returns the highest discount of those that a product is given most.
func highestRate(p *history.Product) (rate invoice.Fixed) {
	for i := range p.Rates {
		if r := &p.Rates[i]; r.Count > 0 {
			rate = max(rate, invoice.Fixed(r.Key)*(invoice.One/10_000))
		}
	}
	return rate
}

// reasonNetPrice: what a unit comes to after the discount, below all known.
func reasonNetPrice(s *Subject) reason {
	e := s.ev
	at, worst, least := -1, 0.0, invoice.Fixed(0)
	for i := range e.facts.Lines {
		l := &e.facts.Lines[i]
		if l.OfProduct == nil || !l.Priced || !l.Discounted || l.NetPrice <= 0 || l.OfProduct.Lines < 2 {
			continue
		}
		lowest, met := netPrices(l)
		if met || lowest <= l.NetPrice {
			continue
		}
		if by := math.Log(float64(lowest) / float64(l.NetPrice)); by > worst {
			at, worst, least = i, by, lowest
		}
	}
	if at < 0 {
		return reason{}
	}
	l := &e.facts.Lines[at]
	return reason{0.3 + 3*worst*l.OfProduct.NetKnown.Of(), fmt.Sprintf(
		"%s: a unit comes to %s after the discount, the lowest known is %s", s.lineName(at), s.price(l.NetPrice),
		s.price(least))}
}
