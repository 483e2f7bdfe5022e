package detectors

import (
	"math"

	"recoup/detectors/history"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// detectPromotion finds discounts that nobody is entitled to: two at once, above
// the policy's cap, past their end, for other goods or customers, under no known
// code, 5 % typed 50 %. The repair gives each line what it may have.
func detectPromotion(s *Subject) (Finding, bool) {
	if s.ev.x[fRate] == 0 {
		return Finding{}, false
	}
	w := s.wrongDiscount()
	if w.kind == "" {
		return Finding{}, false
	}
	r := s.repair()
	worst, most, meant := -1, invoice.Fixed(0), invoice.Fixed(0)
	for i := range s.Invoice.Lines {
		l := &s.Invoice.Lines[i]
		if l.DiscountRate.Value <= 0 || !l.Quantity.Set || !l.UnitPrice.Set {
			continue
		}
		due := s.dueRate(i, &w)
		if due >= l.DiscountRate.Value {
			continue
		}
		r.line(i, l.Quantity.Value, l.UnitPrice.Value, due)
		if by := l.DiscountRate.Value - due; by > most {
			worst, most, meant = i, by, due
		}
	}
	paid, ok := r.pays()
	if !ok || (worst < 0 && w.p < proofEnough) {
		return Finding{}, false
	}
	f := Finding{Code: CausePromotion, Kind: w.kind, P: w.p, Repaired: paid, Evidence: s.list(w.words),
		estimated: w.kind == "above_usual" && !w.listed}
	if worst >= 0 {
		l := &s.Invoice.Lines[worst]
		f.Evidence = append(f.Evidence, s.say("%s has a discount of %s, %s would be usual or allowed",
			s.lineInWords(l), percent(l.DiscountRate.Value), percent(meant)))
	}
	return f, true
}

// wrongDiscount is what is wrong with an invoice's discounts.
type wrongDiscount struct {
	kind   string // "": nothing
	p      float64
	words  string
	listed bool // references say what is allowed
}

// Probabilities of an error where only the past tells of the discounts: the share
// of wrong ones among invoices of grocery, whose discounts are many, and less.
const (
	farBelowP = 0.35 // a net price far below every one met
	belowP    = 0.1  // below
	unusualP  = 0.05 // net prices that were never met before
)

// wrongDiscount names what is wrong, the most certain first.
func (s *Subject) wrongDiscount() wrongDiscount {
	e, inv := s.ev, s.Invoice
	x := &e.x
	w := wrongDiscount{listed: e.refs.HasPromotions(inv.Seller, inv.IssuedAt) ||
		e.refs.HasCustomers(inv.Seller, inv.IssuedAt)}
	proved := func(kind string, of proof, words string) bool {
		if p := e.proves(of); p > 0 {
			w.kind, w.p, w.words = kind, p, words
			return true
		}
		return false
	}
	switch {
	case proved("same_code_twice", proofCodeTwice, "the same code stands twice on a line"):
	case proved("stacked", proofStacked, "several codes stand on one line"):
	case proved("expired", proofExpired, s.outOfDate()):
	case x[fPromoFamily] > 0:
		w.kind, w.p, w.words = "ineligible", 0.88, s.say(
			"on %s of the lines the promotion is not meant for this product family or customer type", share(x[fPromoFamily]))
	case x[fPromoOff] > 0.001 && math.Abs(float64(x[fRate])/10-float64(x[fRate]-x[fPromoOff])) < 0.001:
		w.kind, w.p, w.words = "typed_tenfold", 0.92, "the rate is ten times the promotion's"
	case proved("over_cap", proofOverCap, s.overCap()):
	case proved("typed_tenfold", proofTenfold, "a rate is ten times one that the product often had, and was never given"):
	case proved("above_usual", proofFlat, s.say(
		"all that is discounted is so by %.0f %%; hardly any line of the seller has as much", 100*x[fFlat])):
	case !e.contractCode() && proved("unknown_code", proofUnknownCode, "no promotion has the code"):
	case !e.contractCode() && proved("not_allowed", proofNotAllowed, s.say(
		"contract and promotions allow %.2f points less on a line", 100*x[fAllowedOff])):
	default:
		s.unusualDiscount(&w)
	}
	return w
}

// unusualDiscount looks for discounts that only the past tells of.
func (s *Subject) unusualDiscount(w *wrongDiscount) {
	x := &s.ev.x
	switch {
	case x[fNetBelow] > 0.5:
		w.kind, w.p = "above_usual", farBelowP
		w.words = s.say("a net price is %.0f %% below the lowest this product ever had",
			100*(1-math.Exp(-float64(x[fNetBelow]))))
	case x[fNetBelow] > 0.15:
		w.kind, w.p = "above_usual", belowP
		w.words = s.say("a net price is %.0f %% below the lowest this product ever had",
			100*(1-math.Exp(-float64(x[fNetBelow]))))
	case x[fNetNew] > 0.7 && x[fKnownLines] > 1.3 && x[fRate] > 0.2:
		w.kind, w.p = "above_usual", unusualP
		w.words = s.say("%s of the lines have a net price that was never met before", share(x[fNetNew]))
	}
}

// contractCode tells whether some code of the invoice is no promotion's but
// stands for contracts: its rate differs from customer to customer.
func (e *evidence) contractCode() bool {
	for i := range e.facts.Codes {
		t := e.facts.Codes[i].OfSeller
		if t == nil {
			continue
		}
		if share, n := t.Rates.Share(t.Rates.Usual()); n >= 20 && share < 0.6 {
			return true
		}
	}
	return false
}

// outOfDate says when the expired promotion held.
func (s *Subject) outOfDate() string {
	inv := s.Invoice
	for i := range inv.Lines {
		for _, code := range inv.Lines[i].PromoCodes {
			switch p, state := s.ev.refs.Promotion(inv.Seller, code, inv.IssuedAt); state {
			case reference.PromotionExpired:
				return s.say("promotion %s ended on %s", code, p.To().Format("2006-01-02"))
			case reference.PromotionNotBegun:
				return s.say("promotion %s begins on %s", code, p.From().Format("2006-01-02"))
			}
		}
	}
	return ""
}

func (s *Subject) overCap() string {
	if s.ev.x[fOverCap] == 0 {
		return ""
	}
	p, _ := s.ev.refs.Policy(s.Invoice.Seller, s.Invoice.IssuedAt)
	return s.say("the policy allows no discount above %s", percent(p.MaxDiscountRate.Value))
}

// dueRate returns the discount line i should have had: what references allow, else
// what the past tells.
func (s *Subject) dueRate(i int, w *wrongDiscount) invoice.Fixed {
	if w.listed {
		return s.allowedRate(i)
	}
	return s.usualRate(i, w)
}

// allowedRate returns the higher of the contract's rate and that of the valid
// promotions on line i.
func (s *Subject) allowedRate(i int) (rate invoice.Fixed) {
	e, inv := s.ev, s.Invoice
	l := &inv.Lines[i]
	if c, ok := e.refs.Customer(inv.Seller, inv.CustomerRef, inv.IssuedAt); ok {
		rate = c.ContractDiscountRate.Value
	}
	for _, code := range l.PromoCodes {
		p, state := e.refs.Promotion(inv.Seller, code, inv.IssuedAt)
		if state == reference.PromotionValid && p.ForFamily(l.ProductFamily) && p.ForType(inv.CustomerType) {
			rate = max(rate, p.DiscountRate)
		}
	}
	return rate
}

// usualRate returns the rate that makes line i usual: a tenth of its own, the
// code's usual one, or what the product's usual net price comes to.
func (s *Subject) usualRate(i int, w *wrongDiscount) invoice.Fixed {
	l, line := &s.ev.facts.Lines[i], &s.Invoice.Lines[i]
	is := line.DiscountRate.Value
	if l.OfProduct == nil || !l.Priced {
		return is
	}
	if _, met := netPrices(l); met && w.p < proofEnough {
		return is
	}
	if tenth := is / 10; s.ev.metAtRate(i, tenth) || l.OfProduct.Gave(tenth) > 1 && l.OfProduct.Gave(is) == 0 {
		return tenth
	}
	for k := range s.ev.facts.Codes {
		for _, t := range [...]*history.Terms{s.ev.facts.Codes[k].OfCustomer, s.ev.facts.Codes[k].OfSeller} {
			if t == nil || t.Rates.Usual() == 0 {
				continue
			}
			if rate := invoice.Fixed(t.Rates.Usual()-1) * (invoice.One / 10_000); rate < is && s.ev.metAtRate(i, rate) {
				return rate
			}
		}
	}
	usual := history.Best(&l.OfProduct.Net, float64(l.Quantity))
	if l.OfPair != nil && l.OfPair.Net > l.NetPrice && l.OfPair.Net <= l.Price {
		usual = &history.Point{Price: l.OfPair.Net}
	}
	if usual == nil || usual.Price <= l.NetPrice {
		return is
	}
	rate := 1 - fixedFloat(usual.Price)/fixedFloat(l.Price)
	return invoice.Fixed(max(0, math.Round(rate*10_000))) * (invoice.One / 10_000)
}
