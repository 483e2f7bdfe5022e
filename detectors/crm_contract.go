package detectors

import (
	"recoup/detectors/history"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// Contract rates that billing and the customer system do not share (A11, E1).
const (
	contractOffP    = 0.75 // a contract's rate by reference, another on the lines
	contractMoreP   = 0.25 // the same, and it looks like a promotion on top of the contract
	contractNoneP   = 0.20 // a contract by reference, no discount
	termsOffP       = 0.20 // the customer's code with another rate than it always had
	contractFreshP  = 0.15 // one code and rate on all lines that the customer never had
	leastContractP  = 0.05 // below it nothing is said
	sameRate        = invoice.One / 2000
	termsHeld       = 0.6 // share of the past from which a rate is the customer's
	freshAfter      = 3   // invoices of a customer from which a new code means something
	contractOnShare = 0.5 // share of lines without the rate from which it is forgotten
)

// detectContract compares the lines' discounts with the contract that the customer
// system holds.
func detectContract(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fContract] == 0 && e.x[fContractNone] == 0 {
		return Finding{}, false
	}
	inv := s.Invoice
	c, ok := e.refs.Customer(inv.Seller, inv.CustomerRef, inv.IssuedAt)
	agreed := c.ContractDiscountRate.Value
	if !ok || !c.ContractDiscountRate.Set {
		return Finding{}, false
	}
	r := s.repair()
	off, bare := 0, 0
	was := invoice.Fixed(0)
	for i := range inv.Lines {
		l := &inv.Lines[i]
		rate := l.DiscountRate.Value
		if l.UnitPrice.Value <= 0 || near(rate, agreed) || e.promoted(l) {
			continue
		}
		if rate == 0 {
			bare++
		} else {
			off, was = off+1, rate
		}
		r.line(i, l.Quantity.Value, l.UnitPrice.Value, agreed)
	}
	f := Finding{Code: CauseCRMSync, Kind: "contract_rate", P: contractOffP}
	switch {
	case off > 0:
		if e.x[fOverCap] > 0 || stacked(agreed, was) {
			f.P = contractMoreP
		}
		f.Evidence = s.list(s.say("the contract of customer %s gives %s, but %d of %d lines are discounted by %s",
			inv.CustomerRef, percent(agreed), off, len(inv.Lines), percent(was)))
	case float64(bare) > contractOnShare*float64(len(inv.Lines)):
		f.Kind, f.P = "contract_forgotten", contractNoneP
		f.Evidence = s.list(s.say("the contract of customer %s gives %s, but %d of %d lines have no discount",
			inv.CustomerRef, percent(agreed), bare, len(inv.Lines)))
	default:
		return Finding{}, false
	}
	return f.repairedBy(&r)
}

// stacked tells whether a rate is ten times the agreed one, or the agreed one with
// a promotion of whole 5 % on top of it.
func stacked(agreed, rate invoice.Fixed) bool {
	const step = invoice.One / 20
	if near(rate, 10*agreed) {
		return true
	}
	for extra := step; extra <= invoice.One/2; extra += step {
		both := invoice.One - (invoice.One-agreed)/100*((invoice.One-extra)/(invoice.One/100))
		if near(rate, both) || near(rate, agreed+extra) {
			return true
		}
	}
	return false
}

func near(a, b invoice.Fixed) bool { return a-b <= sameRate && b-a <= sameRate }

// promoted tells whether a line carries a promotion, valid or not, beside or
// instead of its contract.
func (e *evidence) promoted(l *invoice.Line) bool {
	for _, code := range l.PromoCodes {
		if _, state := e.refs.Promotion(e.inv.Seller, code, e.inv.IssuedAt); state != reference.PromotionUnknown {
			return true
		}
	}
	return len(l.PromoCodes) > 1
}

// detectTerms compares the rate of a code with the rate this customer always had
// with it. Where a reference tells the contract, that decides.
func detectTerms(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fTermsRare] < 0.5 || e.x[fTermsOff] == 0 {
		return Finding{}, false
	}
	inv := s.Invoice
	if c, ok := e.refs.Customer(inv.Seller, inv.CustomerRef, inv.IssuedAt); ok && c.ContractDiscountRate.Set {
		return Finding{}, false
	}
	for i := range e.facts.Codes {
		c := &e.facts.Codes[i]
		if c.OfCustomer == nil || c.Rate == 0 {
			continue
		}
		share, n := c.OfCustomer.Rates.Share(c.Rate)
		usual := c.OfCustomer.Rates.Usual()
		if usual == 0 || usual == c.Rate || share > 0.5 {
			continue
		}
		held, _ := c.OfCustomer.Rates.Share(usual)
		if held < termsHeld {
			continue
		}
		p := termsOffP * held * (1 - share) * float64(n) / float64(n+2)
		if p < leastContractP {
			continue
		}
		return s.atTerms(c, invoice.Fixed(usual-1)*(invoice.One/10_000), n, p)
	}
	return Finding{}, false
}

// atTerms bills the lines of a code at the rate the customer always had.
func (s *Subject) atTerms(c *history.Code, usual invoice.Fixed, n int, p float64) (Finding, bool) {
	r := s.repair()
	was := invoice.Fixed(c.Rate-1) * (invoice.One / 10_000)
	changed := 0
	for i := range s.Invoice.Lines {
		l := &s.Invoice.Lines[i]
		if len(l.PromoCodes) > 0 && near(l.DiscountRate.Value, was) {
			changed++
			r.line(i, l.Quantity.Value, l.UnitPrice.Value, usual)
		} else if l.DiscountRate.Value > 0 {
			return Finding{}, false // terms are the same on all lines
		}
	}
	if changed == 0 {
		return Finding{}, false
	}
	f := Finding{Code: CauseCRMSync, Kind: "terms", P: p, Evidence: s.list(s.say(
		"%d lines are discounted by %s, with a code that gave this customer %s on its last invoices (%d known)",
		changed, percent(was), percent(usual), n))}
	return f.repairedBy(&r)
}

// detectFreshContract finds one discount under one code on every line, of a
// customer that never had the code, as another customer's contract gives it.
func detectFreshContract(s *Subject) (Finding, bool) {
	e := s.ev
	f, known := &e.facts, e.facts.Known.Customer
	if e.explained || e.x[fRate] == 0 || known == nil || known.Invoices < freshAfter || len(f.Codes) != 1 ||
		f.Codes[0].OfCustomer != nil {
		return Finding{}, false
	}
	lines := s.Invoice.Lines
	code := ""
	for i := range lines {
		l := &lines[i]
		if len(l.PromoCodes) != 1 || (code != "" && l.PromoCodes[0] != code) || l.DiscountRate.Value <= 0 {
			return Finding{}, false
		}
		code = l.PromoCodes[0]
	}
	if code == "" {
		return Finding{}, false
	}
	if _, state := e.refs.Promotion(s.Invoice.Seller, code, s.Invoice.IssuedAt); state != reference.PromotionUnknown {
		return Finding{}, false
	}
	r, p := s.repair(), e.proves(proofNotAllowed)
	for i := range lines {
		rate := invoice.Fixed(0)
		if l := &f.Lines[i]; p > 0 {
			rate = s.allowedRate(i)
		} else if l.OfProduct != nil && l.OfProduct.Full.Of() < 0.5 {
			if best := history.Best(&l.OfProduct.Net, float64(l.Quantity)); best != nil && best.Price < l.Price {
				rate = invoice.One - invoice.Fixed(float64(best.Price)/float64(l.Price)*10_000)*(invoice.One/10_000)
			}
		}
		r.line(i, lines[i].Quantity.Value, lines[i].UnitPrice.Value, rate)
	}
	found := Finding{Code: CauseCRMSync, Kind: "contract_not_agreed", P: contractFreshP, Evidence: s.list(s.say(
		"all %d lines are discounted with code %s, which none of the customer's %d invoices before had",
		len(lines), code, known.Invoices))}
	if p > found.P {
		found.P = p
		found.Evidence = append(found.Evidence, s.say("contract and promotions allow %.2f points less on a line",
			100*e.x[fAllowedOff]))
	}
	return found.repairedBy(&r)
}
