package detectors

import (
	"recoup/detectors/history"
	"recoup/invoice"
)

// taxRateP is the probability of an error where the rate is new for the customer
// only: some are exempt, or bill to other countries.
const taxRateP = 0.2

// detectTax finds a tax rate that is not the customer's, a tax amount that does
// not follow from the rate, and a gross amount that is not net plus tax.
func detectTax(s *Subject) (Finding, bool) {
	x := &s.ev.x
	switch {
	case x[fTaxOff] > 0 && x[fGrossOff] == 0 && s.ev.proves(proofTaxAmount) > 0:
		return s.taxAmount(), true
	case s.ev.proves(proofGross) > 0:
		return s.grossAmount(), true
	case x[fTaxRare] > 0.8 && !(x[fExempt] > 0 && s.Invoice.TaxRate.Value == 0), s.ev.proves(proofTaxRate) > 0:
		return s.taxRate()
	}
	return Finding{}, false
}

func (s *Subject) taxAmount() Finding {
	inv := s.Invoice
	due, _ := inv.NetAmount.MulFixed(inv.TaxRate.Value)
	return Finding{Code: CauseBillingSystem, Kind: "tax_amount", P: s.ev.proves(proofTaxAmount),
		Repaired: s.Pays(inv.NetAmount), Evidence: s.list(s.say("%s of %s are %s, but the tax amount is %s",
			percent(inv.TaxRate.Value), s.Money(inv.NetAmount), s.Money(s.pays.coins(due)), s.Money(inv.TaxAmount.Value)))}
}

func (s *Subject) grossAmount() Finding {
	inv := s.Invoice
	due := add(inv.NetAmount, inv.TaxAmount.Value)
	return Finding{Code: CauseBillingSystem, Kind: "gross", P: s.ev.proves(proofGross), Repaired: due,
		Evidence: s.list(s.say("net and tax come to %s, but the gross amount is %s",
			s.Money(due), s.Money(inv.GrossAmount.Value)))}
}

// taxRate compares the rate with the one the customer usually has, which the
// country should have as well; of a new customer the country's alone is known.
func (s *Subject) taxRate() (Finding, bool) {
	k, inv := &s.ev.facts.Known, s.Invoice
	p := max(s.ev.proves(proofTaxRate), taxRateP)
	habit, whose := s.usualTax()
	if habit == nil {
		return Finding{}, false
	}
	key := habit.Usual()
	rate := invoice.Fixed(key-1) * (invoice.One / 10_000)
	tax, ok := inv.NetAmount.MulFixed(rate)
	if !ok || key == 0 || rate == inv.TaxRate.Value {
		return Finding{}, false
	}
	f := Finding{Code: CauseBillingSystem, Kind: "tax_rate", P: p, Repaired: s.pays.coins(add(inv.NetAmount, tax)),
		Evidence: s.list(s.say("the tax rate is %s; %s is usual%s", percent(inv.TaxRate.Value), percent(rate),
			asOn(habit, key, whose, "")))}
	if k.Country != nil && k.Country.Tax.Total > 0 {
		f.Evidence = append(f.Evidence, s.say("the rate is %s%s", percent(inv.TaxRate.Value),
			asOn(&k.Country.Tax, s.ev.facts.Tax, "the", " to "+inv.Country)))
	}
	return f, true
}

// taxChanges tells whether the invoice is one of a run with a new tax rate: an
// outage, or the law. Neither says how often single invoices are wrong.
func (e *evidence) taxChanges() bool {
	source := e.facts.Known.Source
	return e.facts.Signals[history.TaxRate] > 0 && source != nil && source.Runs[history.TaxRate].Shared
}

// usualTax is the habit a tax rate is compared with: the customer's, or its
// country's where the customer's is not known or is this very rate.
func (s *Subject) usualTax() (habit *history.Habit, whose string) {
	k := &s.ev.facts.Known
	if c := k.Customer; c != nil && c.Tax.Usual() != 0 && c.Tax.Usual() != s.ev.facts.Tax {
		return &c.Tax, "this customer's"
	}
	if k.Country != nil {
		return &k.Country.Tax, "the country's"
	}
	return nil, ""
}

// kindCurrency is the kind of a wrong currency.
const kindCurrency = "currency"

// detectCurrency finds a currency that is not the customer's or the seller's.
// recoup never converts: the same figure is due in the usual currency.
func detectCurrency(s *Subject) (Finding, bool) {
	x, inv := &s.ev.x, s.Invoice
	p := s.ev.proves(proofCurrency)
	if p == 0 {
		return Finding{}, false
	}
	f := Finding{Code: CauseBillingSystem, Kind: kindCurrency, P: p, Repaired: s.pays.billed(inv)}
	if x[fCurrencyPolicy] > 0 {
		f.Evidence = append(f.Evidence, s.say("the seller does not bill in %s", inv.Currency))
	}
	k := &s.ev.facts.Known
	if c := k.Customer; c != nil && x[fCurrencyRare] > 0 {
		f.Evidence = append(f.Evidence, s.say("the currency is %s%s", inv.Currency,
			asOn(&c.Currency, s.ev.facts.Currency, "this customer's", "")))
	}
	if g := k.Seller; g != nil {
		f.Evidence = append(f.Evidence, s.say("the currency is %s%s", inv.Currency,
			asOn(&g.Currency, s.ev.facts.Currency, "the seller's", "")))
	}
	f.Evidence = append(f.Evidence, "nothing is converted: the same figure is taken to be due in the usual currency")
	return f, true
}
