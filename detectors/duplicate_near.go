package detectors

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"recoup/detectors/history"
)

// detectNearDuplicate finds goods that are billed again under another number, and
// another delivery if any: the same order, content or period, nearly the same
// content, or a delivery that the warehouse knows nothing of. Customers who buy
// the same again by habit are no duplicates; nor is a reissue, which names the
// invoice it replaces.
func detectNearDuplicate(s *Subject) (Finding, bool) {
	e, inv := s.ev, s.Invoice
	if e.twin == nil && e.x[fNotCounted] == 0 || e.x[fDelivery2] > 0 || inv.PrecedingID != "" {
		return Finding{}, false
	}
	kind, p := e.repeats()
	uncounted := e.proves(proofNotCounted)
	if p == 0 && uncounted == 0 {
		return Finding{}, false
	}
	f := Finding{Code: CauseDuplicate, Kind: kind, P: max(p, uncounted), Repaired: 0}
	if p > 0 && e.x[fNoDelivery] > 0.9 {
		f.P = billedByHandP
	}
	if uncounted > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("the warehouse has not counted delivery %s, which is said to have left",
			inv.DeliveryRef))
	}
	if p == 0 {
		f.Kind = "not_delivered"
		return f, true
	}
	f.Evidence = append(f.Evidence, s.twinInWords())
	if habit := e.facts.Known.Prints.Repeats; e.facts.Known.Customer != nil && habit.All > 1 {
		f.Evidence = append(f.Evidence, fmt.Sprintf(
			"%d of this customer's last %d invoices repeated the products of an earlier one", habit.Yes, habit.All))
	}
	return f, true
}

// billedByHandP is the probability of an error where what an invoice repeats had a
// delivery and it has none, though everybody has: more than that it was forgotten.
const billedByHandP = 0.93

const (
	// repeatsByHabit is the share of a customer's invoices that bill the same products
	// again from which that is its habit.
	repeatsByHabit = 0.1
	// billedAgain is how long after the first invoice the same goods are usually
	// billed by mistake, in minutes; later it rather is the next month's bill.
	billedAgain = 12 * 24 * 60
)

// repeats tells in what way the invoice repeats an earlier one, the most certain
// first; "" in none. The probabilities are the share of wrong invoices where it
// does in the retail and grocery corpora, taken low.
func (e *evidence) repeats() (kind string, p float64) {
	x, lines := &e.x, e.facts.Print.Lines
	if e.twin == nil {
		return "", 0
	}
	if p := e.proves(proofOrder); p > habitualP {
		return "order", p
	}
	if p := e.proves(proofShipment); p > habitualP {
		return "near", p
	}
	if e.facts.Known.Customer == nil || !e.namesProducts() {
		return "", 0 // counter sales look alike
	}
	soon := e.facts.Print.Minute-e.twin.Minute < billedAgain && (e.twin.Period == 0 || x[fPeriod2] > 0)
	usual := x[fRepeatHabit] >= repeatsByHabit || !soon
	switch {
	case x[fOrder2] > 0 && (x[fProducts2] > 0 || x[fAlike2] >= 0.5):
		return "order", 0.2
	case x[fPeriod2] > 0 && x[fContent2] > 0 && x[fRepeatHabit] < repeatsByHabit:
		return "period", 0.85
	case x[fPeriod2] > 0 && x[fProducts2] > 0 &&
		(x[fRepeatHabit] < repeatsByHabit || e.facts.Known.Prints.Repeats.Yes == 0): // new customers too
		return "period", 0.45
	case x[fContent2] > 0 && lines > 1 && !usual:
		return "content", 0.55
	case x[fProducts2] > 0 && lines > 2 && !usual:
		return "near", 0.4
	case x[fAlike2] >= 0.5 && x[fNear2] > 0 && lines > 3 && soon:
		return "near", 0.15
	}
	return "", 0
}

// namesProducts tells whether every line says what it bills: without that,
// invoices of one amount look the same.
func (e *evidence) namesProducts() bool {
	for i := range e.facts.Lines {
		if e.facts.Lines[i].Product == 0 {
			return false
		}
	}
	return len(e.facts.Lines) > 0
}

// twinInWords says which earlier invoice is meant, what the two have in common and
// what not: so much a clerk needs to find it and to decide.
func (s *Subject) twinInWords() string {
	here, there := &s.ev.facts.Print, s.ev.twin
	words := fmt.Sprintf("invoice %s of %s bills the same %s", idOf(there),
		time.Unix(int64(there.Minute)*60, 0).UTC().Format(time.DateOnly), strings.Join(inCommon(here, there), ", the same "))
	differs := different(here, there)
	if len(differs) == 0 {
		return words + "; nothing differs but the invoice number"
	}
	return words + "; different: " + strings.Join(differs, ", ")
}

// inCommon lists what two invoices have in common.
func inCommon(here, there *history.Print) (common []string) {
	if here.Lines > 0 && there.Lines > 0 {
		switch {
		case there.Content == here.Content:
			common = append(common, "products, quantities and amounts")
		case there.Goods == here.Goods:
			common = append(common, "products and quantities")
		case there.Products == here.Products:
			common = append(common, "products")
		case alike(here, there) >= 0.5:
			common = append(common, "products for the most part")
		}
	}
	if there.Order != 0 && there.Order == here.Order {
		common = append(common, "order")
	}
	if there.Period != 0 && there.Period == here.Period {
		common = append(common, "period")
	}
	if there.Shipped != 0 && there.Shipped == here.Shipped {
		common = append(common, "time of shipping")
	}
	return common
}

// different lists in what they differ, beside the invoice number.
func different(here, there *history.Print) (list []string) {
	if here.Net != there.Net {
		list = append(list, fmt.Sprintf("the net amount (%v there, %v here)", there.Net, here.Net))
	}
	if here.Lines != there.Lines {
		list = append(list, fmt.Sprintf("the number of lines (%d there, %d here)", there.Lines, here.Lines))
	}
	for _, ref := range [...]struct {
		name        string
		there, here uint32
	}{{"the delivery", there.Delivery, here.Delivery}, {"the order", there.Order, here.Order},
		{"the period", there.Period, here.Period}} {
		switch {
		case ref.there == ref.here:
		case ref.there == 0:
			list = append(list, ref.name+" (none there)")
		case ref.here == 0:
			list = append(list, ref.name+" (none here)")
		default:
			list = append(list, ref.name)
		}
	}
	return list
}

// idOf returns the beginning of the id of a remembered invoice, all of it if it is
// shorter than what is remembered.
func idOf(p *history.Print) string {
	id := strings.ToValidUTF8(string(bytes.TrimRight(p.ID[:], "\x00")), "")
	if p.ID[len(p.ID)-1] != 0 {
		id += "…"
	}
	return id
}
