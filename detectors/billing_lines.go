package detectors

import (
	"encoding/binary"
	"math"

	"recoup/detectors/history"
	"recoup/invoice"
)

// detectLineNet finds lines whose net amount is not quantity × price × (1 -
// discount). Where all that are off are whole units or tenths, and off by less
// than that, the program rounded what it must not.
func detectLineNet(s *Subject) (Finding, bool) {
	if s.ev.x[fLineOff] == 0 || s.Invoice.NetAmount == 0 {
		return Finding{}, false
	}
	step, worst, off := s.ev.roundedTo(), -1, invoice.Amount(0)
	coin := invoice.Coin(s.Invoice.Currency)
	r := s.repair()
	n := 0
	for i := range s.Invoice.Lines {
		l := &s.Invoice.Lines[i]
		due, ok := lineDue(l)
		if !ok || !l.Net.Set {
			continue
		}
		by := sub(due, l.Net.Value)
		if by <= coin && by >= -coin && (step == 0 || l.Net.Value%step != 0) {
			continue
		}
		r.lineNet(i, due)
		if by > coin || by < -coin {
			n++
		}
		if by = max(by, -by); by > off {
			worst, off = i, by
		}
	}
	paid, ok := r.pays()
	if worst < 0 || !ok {
		return Finding{}, false
	}
	l := &s.Invoice.Lines[worst]
	due, _ := lineDue(l)
	f := Finding{Code: CauseBillingSystem, Kind: "line_net", P: s.ev.proves(proofLine), Repaired: paid,
		Evidence: s.list(s.say("%s comes to %s, but its net amount is %s", s.lineInWords(l), s.Money(due),
			s.Money(l.Net.Value)))}
	if step > 0 {
		f.Kind = "rounding"
		f.Evidence = append(f.Evidence, s.cutInWords(n, step))
	}
	return f, true
}

// cutInWords says to what n of the lines were rounded or cut.
func (s *Subject) cutInWords(n int, step invoice.Amount) string {
	to := s.Money(step)
	if step == invoice.Unit {
		to = "whole " + s.Invoice.Currency
	}
	return s.say("%s cut or rounded to %s", ofLines(n, len(s.Invoice.Lines)), to)
}

// lineInWords says what a line bills: "line 3, 12 × 2.50 EUR less 10 %,".
func (s *Subject) lineInWords(l *invoice.Line) string {
	words := s.say("line %s, %v × %s", l.ID, l.Quantity.Value, s.price(l.UnitPrice.Value))
	if l.DiscountRate.Value != 0 {
		words = s.say("%s less %s", words, percent(l.DiscountRate.Value))
	}
	return s.say("%s,", words)
}

// roundedTo returns the unit, 1 or 1/10, to which all lines that are off were
// rounded or cut; 0 for none.
func (e *evidence) roundedTo() invoice.Amount {
	coin := invoice.Coin(e.inv.Currency)
	for _, step := range [...]invoice.Amount{invoice.Unit, invoice.Unit / 10} {
		all := step > coin
		for i := range e.inv.Lines {
			l := &e.inv.Lines[i]
			due, ok := lineDue(l)
			if !ok || !l.Net.Set {
				continue
			}
			if by := sub(due, l.Net.Value); by > coin || by < -coin {
				all = all && l.Net.Value%step == 0 && by < step && by > -step
			}
		}
		if all {
			return step
		}
	}
	return 0
}

// detectLineCount compares the number of lines with the warehouse's: lines were
// lost on the way to the invoice, or stand on it twice.
func detectLineCount(s *Subject) (Finding, bool) {
	off := s.ev.x[fLinesOff]
	switch {
	case off > 0:
		return detectLostLines(s)
	case off < 0 || s.ev.x[fRepeated] > 0:
		return detectRepeatedLines(s)
	}
	return Finding{}, false
}

// detectLostLines says what the lines that are missing are worth: what a delivered
// unit costs on average, or a line where units are not counted.
func detectLostLines(s *Subject) (Finding, bool) {
	inv := s.Invoice
	d, _ := s.ev.refs.Delivery(inv.Seller, inv.DeliveryRef, inv.IssuedAt)
	net, billed := s.repair().net, unitsOf(inv)
	f := Finding{Code: CauseBillingSystem, Kind: "lost_lines", P: s.ev.proves(proofDelivered), Evidence: s.list(
		s.say("delivery %s had %d lines, the invoice has %d", inv.DeliveryRef, d.Lines.Value, len(inv.Lines)))}
	n, per := d.Lines.Value, int64(len(inv.Lines))
	if d.Units.Set && s.ev.short > 0 && billed > 0 {
		f.Evidence = append(f.Evidence, s.say("%v units were delivered, %v are billed", d.Units.Value, billed))
		n, per = int64(d.Units.Value), int64(billed)
	}
	full, ok := net.MulRate(n, max(1, per))
	if !ok {
		return Finding{}, false
	}
	f.Repaired, f.estimated = s.Pays(full), true
	return f, true
}

// repeatedP is the probability of an error where neighbouring lines are the same
// and nobody counted the delivery: real invoices often have such lines.
const repeatedP = 0.08

// detectRepeatedLines takes lines off that stand on the invoice before: as many as
// the warehouse did not deliver, or all neighbours that are the same.
func detectRepeatedLines(s *Subject) (Finding, bool) {
	inv := s.Invoice
	most, p := len(inv.Lines), repeatedP
	if s.ev.x[fLinesOff] < 0 {
		d, _ := s.ev.refs.Delivery(inv.Seller, inv.DeliveryRef, inv.IssuedAt)
		most, p = len(inv.Lines)-int(d.Lines.Value), s.ev.proves(proofDelivered)
	}
	r := s.repair()
	before := map[billedLine]int{} // how often each stands on the lines before the one looked at
	for i := range inv.Lines {
		before[billedOf(&inv.Lines[i])]++
	}
	var first *invoice.Line
	n := 0
	for i := len(inv.Lines) - 1; i > 0 && n < most; i-- {
		billed := billedOf(&inv.Lines[i])
		if before[billed]--; before[billed] == 0 || billed.product == "" {
			continue
		}
		r.lineNet(i, 0)
		first = &inv.Lines[i]
		n++
	}
	paid, ok := r.pays()
	if n == 0 || !ok {
		return Finding{}, false
	}
	return Finding{Code: CauseBillingSystem, Kind: "repeated_line", P: p, Repaired: paid, Evidence: s.list(
		s.say("%s there twice, such as product %s, %v × %s", ofLines(n, len(inv.Lines)), first.ProductID,
			first.Quantity.Value, s.price(first.UnitPrice.Value)))}, true
}

// billedLine is what makes two lines the same.
type billedLine struct {
	product             string
	quantity, unitPrice invoice.OptionalFixed
	net                 invoice.OptionalAmount
}

func billedOf(l *invoice.Line) billedLine {
	return billedLine{l.ProductID, l.Quantity, l.UnitPrice, l.Net}
}

const (
	// leastCut is the probability from which a list is said to be cut. In grocery it
	// was right from 0.8 on, below that less often than it says.
	leastCut = 0.6
	sureCut  = 0.8
	sureCutP = 0.9
)

// list tells how early the lines end, where they stand in the order of product
// numbers, and with what the invoices before it say of their source, how probable
// it is that the rest was lost.
func (e *evidence) list() {
	f := &e.facts
	f.Early = -1
	if f.Listed = f.Known.Conduct.WantsList(f); !f.Listed {
		return
	}
	noteList(f, e.inv)
	early, ok := f.Known.Conduct.Early(f)
	if !ok {
		return
	}
	f.Early = float32(min(12, early))
	if s := f.Known.Source; s != nil {
		_, e.cut = s.Cut.After(early, len(f.Lines))
	}
}

// noteList notes whether the lines stand in the order of product numbers.
func noteList(f *history.Facts, inv *invoice.Invoice) {
	f.Sorted = true
	some := int(f.Print.Number) % max(1, len(inv.Lines))
	for i := range inv.Lines {
		number := numberOf(inv.Lines[i].ProductID)
		if i == 0 {
			f.FirstNumber = number
		}
		f.Sorted = f.Sorted && number >= f.LastNumber
		if f.LastNumber = number; i == some {
			f.SomeNumber = number
		}
	}
}

// numberOf maps product numbers to integers of the same order: those of up to 18
// digits to themselves, others to their beginning.
func numberOf(product string) (number uint64) {
	digits := len(product) <= 18
	for i := 0; digits && i < len(product); i++ {
		digit := product[i] - '0'
		digits = digit <= 9
		number = number*10 + uint64(digit)
	}
	if digits {
		return number
	}
	var first [8]byte
	copy(first[:], product)
	return binary.BigEndian.Uint64(first[:])
}

// detectCutList finds lists that end early as those of other invoices of their
// source do. One alone proves nothing: somebody may want goods of the first pages
// only. What is missing is estimated: the list reaches as far as its last number.
func detectCutList(s *Subject) (Finding, bool) {
	e, f := s.ev, &s.ev.facts
	if e.cut < leastCut || e.x[fDelivered] > 0 {
		return Finding{}, false
	}
	early := float64(f.Early)
	part := math.Exp(-early / float64(len(f.Lines)+1))
	full, ok := s.repair().net.MulRate(1000, max(1, int64(1000*part)))
	if !ok {
		return Finding{}, false
	}
	p := 0.8 * e.cut
	if e.cut >= sureCut {
		p = sureCutP
	}
	last := s.Invoice.Lines[len(s.Invoice.Lines)-1].ProductID
	return Finding{Code: CauseBillingSystem, Kind: "lost_lines", P: p, Repaired: s.Pays(full), estimated: true,
		Evidence: s.list(s.say("lines stand in the order of product numbers and end at %s; of %.0f invoices "+
			"with as many lines one does, but this source's latest did so too", last, math.Exp(early)))}, true
}
