package detectors

import (
	"math"

	"recoup/detectors/history"
)

// twins looks for a recent invoice of the same customer that bills the same.
func (e *evidence) twins() {
	f := &e.facts
	if f.Known.Prints == nil {
		return
	}
	best := 0.0
	for i := range f.Known.Prints.Items {
		p := &f.Known.Prints.Items[i]
		if p.Number == 0 || p.Number == f.Print.Number {
			continue
		}
		minutes := f.Print.Minute - p.Minute
		if minutes > history.RepeatMinutes || minutes < -history.RepeatMinutes || e.reissues(p) ||
			p.Elsewhere(&f.Print) {
			continue
		}
		if likeness := e.likeness(p); likeness > best {
			best = likeness
			e.twin = p
			e.set(fHours2, math.Log1p(math.Abs(float64(minutes))/60))
		}
	}
	if p := e.twin; p != nil {
		e.flag(fOrder2, p.Order != 0 && p.Order == f.Print.Order && !e.nextBill())
		e.flag(fDelivery2, p.Delivery != 0 && p.Delivery == f.Print.Delivery)
		e.flag(fProducts2, p.Products == f.Print.Products)
		e.set(fAlike2, alike(p, &f.Print))
		e.flag(fShipped2, p.Shipped != 0 && p.Shipped == f.Print.Shipped)
		e.flag(fGoods2, p.Goods == f.Print.Goods)
		e.flag(fContent2, p.Content == f.Print.Content)
		e.set(fPeriod2, p.Shared(&f.Print))
		if f.Known.Customer != nil {
			e.set(fRepeatHabit, f.Known.Prints.Repeats.Of())
		}
		near := math.Abs(float64(f.Print.Lines)-float64(p.Lines)) <= 1 && relative(p.Net, f.Print.Net) < 0.1
		e.flag(fNear2, near)
	}
}

// nextBill tells whether the invoice rather bills the same for another period than
// its twin does, as standing orders are: it says so, or a month lies between them.
func (e *evidence) nextBill() bool {
	const month = 26 * 24 * 60 // minutes
	apart := e.facts.Print.Minute - e.twin.Minute
	return e.twin.Apart(&e.facts.Print) || apart > month || -apart > month
}

// reissues tells whether the invoice says that it replaces a recent one.
func (e *evidence) reissues(p *history.Print) bool {
	if e.inv.PrecedingID == "" {
		return false
	}
	replaced := p.ID
	clear(replaced[copy(replaced[:], e.inv.PrecedingID):])
	return replaced == p.ID
}

// likeness grades how much a recent invoice looks like this one, 0: not at all.
func (e *evidence) likeness(p *history.Print) (grade float64) {
	f := &e.facts.Print
	if p.Products == f.Products && f.Lines > 0 {
		grade += 4
	}
	grade += 3 * alike(p, f)
	if p.Goods == f.Goods && f.Lines > 0 {
		grade += 2
	}
	if p.Content == f.Content && f.Lines > 0 {
		grade++
	}
	if p.Order != 0 && p.Order == f.Order {
		grade += 5
	}
	if p.Delivery != 0 && p.Delivery == f.Delivery {
		grade += 6
	}
	if p.Shared(f) > 0 {
		grade += 8
	}
	if p.Shipped != 0 && p.Shipped == f.Shipped {
		grade += 4
	}
	if grade == 0 && p.Net == f.Net && f.Net != 0 {
		grade = 0.5
	}
	return grade
}

// alike estimates the share of products that two invoices have in common.
func alike(a, b *history.Print) float64 {
	n := 0
	for i := range a.Sketch {
		if a.Sketch[i] == b.Sketch[i] {
			n++
		}
	}
	return float64(n) / float64(len(a.Sketch))
}
