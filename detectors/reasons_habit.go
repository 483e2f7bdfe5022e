package detectors

import (
	"fmt"
	"math"

	"recoup/detectors/history"
	"recoup/invoice"
)

// reasonTax: a rate that is not the customer's or the country's.
func reasonTax(s *Subject) reason {
	rare := max(s.ev.x[fTaxRare], s.ev.x[fTaxCountry])
	habit, whose := s.usualTax()
	if rare < gates[fTaxRare] || habit == nil {
		return reason{}
	}
	return reason{3 * float64(rare), fmt.Sprintf("the tax rate is %s%s", percent(s.Invoice.TaxRate.Value),
		asOn(habit, s.ev.facts.Tax, whose, ""))}
}

// reasonCurrency: one that is not the customer's or the seller's.
func reasonCurrency(s *Subject) reason {
	e, currency := s.ev, s.Invoice.Currency
	k := &e.facts.Known
	switch {
	case e.x[fCurrencyPolicy] > 0:
		return reason{4, fmt.Sprintf("the seller does not bill in %s", currency)}
	case e.x[fCurrencyRare] >= gates[fCurrencyRare] && k.Customer != nil:
		return reason{3 * float64(e.x[fCurrencyRare]), fmt.Sprintf("the currency is %s%s", currency,
			asOn(&k.Customer.Currency, e.facts.Currency, "this customer's", ""))}
	case e.x[fCurrencySeller] >= gates[fCurrencySeller] && k.Seller != nil:
		return reason{3 * float64(e.x[fCurrencySeller]), fmt.Sprintf("the currency is %s%s", currency,
			asOn(&k.Seller.Currency, e.facts.Currency, "the seller's", ""))}
	}
	return reason{}
}

// reasonType: a customer type that is not the customer's.
func reasonType(s *Subject) reason {
	rare, c := s.ev.x[fTypeRare], s.ev.facts.Known.Customer
	if rare < gates[fTypeRare] || c == nil || s.Invoice.CustomerType == "" {
		return reason{}
	}
	return reason{3 * float64(rare), fmt.Sprintf("billed as customer type %s%s", s.Invoice.CustomerType,
		asOn(&c.Type, s.ev.facts.Type, "this customer's", ""))}
}

// asOn says on how many of the last invoices a value stood, as the end of a
// sentence that names it. They are whose and, if that says not enough, of where.
func asOn(h *history.Habit, key uint32, whose, where string) string {
	share, n := h.Share(key)
	if n == 0 {
		return ""
	}
	met := int(math.Round(share * float64(n)))
	last := fmt.Sprintf("%s last %d invoices%s", whose, n, where)
	if n == 1 {
		last = whose + " last invoice" + where
	}
	switch {
	case n == 1 && met == 0:
		return ", unlike " + last
	case n == 1:
		return ", as on " + last
	case met == 0:
		return ", as on none of " + last
	case met == n:
		return ", as on all of " + last
	}
	return fmt.Sprintf(", as on %d of %s", met, last)
}

// reasonAbsent: what nearly all such invoices say and this one does not.
func reasonAbsent(s *Subject) reason {
	x := &s.ev.x
	var most *absent
	for i := range absences {
		a := &absences[i]
		if x[a.of] >= gates[a.of] && (most == nil || x[a.of] > x[most.of]) {
			most = a
		}
	}
	if most != nil {
		return reason{2 * float64(x[most.of]), fmt.Sprintf("there is no %s; %s of %s invoices have one", most.what,
			share(x[most.of]), most.whose)}
	}
	if x[fNoShipped] >= gates[fNoShipped] {
		return reason{2 * float64(x[fNoShipped]), fmt.Sprintf(
			"no shipment is known, as it is for %s of the seller's invoices to such customers", share(x[fNoShipped]))}
	}
	return reason{}
}

// reasonEarly: goods that leave after the invoice, where that is no habit.
func reasonEarly(s *Subject) reason {
	if s.ev.x[fEarly] == 0 {
		return reason{}
	}
	days := s.Invoice.ShippedAt.Sub(s.Invoice.IssuedAt).Hours() / 24
	return reason{2 * (1 - float64(s.ev.x[fEarlyHabit])), fmt.Sprintf(
		"the goods leave %.1f days after the invoice", days)}
}

// reasonCode: discount codes that are unusual.
func reasonCode(s *Subject) reason {
	x := &s.ev.x
	switch {
	case x[fCodeTwice] > 0:
		return reason{3, "the same discount code stands twice on a line"}
	case x[fCodes] > 0:
		return reason{2, fmt.Sprintf("%.0f discount codes stand on one line", 1+x[fCodes])}
	case x[fPromoUnknown] > 0:
		return reason{2, "no promotion has the discount code"}
	case x[fTermsRare] >= gates[fTermsRare] && x[fTermsOff] > 0:
		return reason{2 * float64(x[fTermsRare]), fmt.Sprintf(
			"the discount is %.4g points higher than this customer usually has with the code", 100*x[fTermsOff])}
	case x[fTermsRare] >= gates[fTermsRare] && x[fTermsOff] < 0:
		return reason{2 * float64(x[fTermsRare]), fmt.Sprintf(
			"the discount is %.4g points lower than this customer usually has with the code", -100*x[fTermsOff])}
	case x[fCodeNew] > 0:
		return reason{1, "the discount code is new"}
	}
	return reason{}
}

// reasonNet: an amount that is far from the customer's.
func reasonNet(s *Subject) reason {
	z, c := math.Abs(float64(s.ev.x[fNetZ])), s.ev.facts.Known.Customer
	if z < float64(gates[fNetZ])/2 || c == nil {
		return reason{}
	}
	low, high := usually(&c.Net)
	if !(high < float64(mostAmount)/float64(2*invoice.Unit)) {
		return reason{}
	}
	money := func(v float64) string {
		return s.Money(s.pays.coins(invoice.Amount(math.Round(v * float64(invoice.Unit)))))
	}
	return reason{z / float64(gates[fNetZ]), fmt.Sprintf("net %s, this customer's invoices usually come to %s to %s",
		s.Money(s.Invoice.NetAmount), money(low), money(high))}
}

// usually returns the values between which two of three lie, of their logarithms'
// mean and variance.
func usually(m *history.Moments) (low, high float64) {
	sd := math.Sqrt(float64(m.Variance))
	return math.Exp(float64(m.Mean) - sd), math.Exp(float64(m.Mean) + sd)
}

// reasonLines: a number of lines that is far from the customer's, or a list that
// ends early.
func reasonLines(s *Subject) reason {
	e, c := s.ev, s.ev.facts.Known.Customer
	n := len(s.Invoice.Lines)
	if e.cut >= leastCut && n > 0 {
		return reason{4 * e.cut, fmt.Sprintf("lines stand in the order of product numbers and end early, at %s",
			s.Invoice.Lines[n-1].ProductID)}
	}
	z := math.Abs(float64(e.x[fLinesZ]))
	if z < float64(gates[fLinesZ])/2 || c == nil {
		return reason{}
	}
	low, high := usually(&c.Lines)
	from, to := math.Round(low), math.Round(high)
	usual := fmt.Sprintf("%.0f to %.0f", from, to)
	if from == to {
		usual = fmt.Sprintf("%.0f", to)
	}
	lines := "lines"
	if n == 1 {
		lines = "line"
	}
	return reason{z / float64(gates[fLinesZ]), fmt.Sprintf("%d %s, this customer's invoices usually have %s", n, lines,
		usual)}
}

// reasonSource: a trouble that the invoices before it had too.
func reasonSource(s *Subject) reason {
	worst, most := -1, float32(0)
	for signal, words := range signalWords {
		if recent := s.ev.x[fBurst+feature(signal)]; words != "" && recent > most {
			worst, most = signal, recent
		}
	}
	if worst < 0 || most < gates[fBurst] {
		return reason{}
	}
	strength := 1 + float64(most)
	if s.ev.facts.Signals[worst] == 0 {
		strength /= 3 // this invoice does not show it
	}
	return reason{strength, fmt.Sprintf("%s of the newest invoices of its billing system have %s", share(most),
		signalWords[worst])}
}

// reasonNew: products that were never sold before, and what goods of the same
// description cost.
func reasonNew(s *Subject) reason {
	e := s.ev
	at, worst := -1, 0.0
	for i := range e.facts.Lines {
		l := &e.facts.Lines[i]
		if l.OfLike == nil || l.OfLike.Price.N < 4 {
			continue
		}
		if off := math.Abs(float64(l.LogPrice - l.OfLike.Price.Mean)); off > worst {
			at, worst = i, off
		}
	}
	if at >= 0 && e.x[fLike] >= gates[fLike] {
		l := &e.facts.Lines[at]
		usual := invoice.Fixed(math.Round(100*math.Exp(float64(l.OfLike.Price.Mean)))) * cent
		return reason{float64(e.x[fLike] / gates[fLike]), fmt.Sprintf(
			"%s: unit price %s, goods of its description usually cost about %s", s.lineName(at), s.price(l.Price),
			s.price(usual))}
	}
	fresh := 0
	for i := range e.facts.Lines {
		if l := &e.facts.Lines[i]; l.Product != 0 && (l.OfProduct == nil || l.OfProduct.Lines == 0) {
			fresh++
		}
	}
	n := len(e.facts.Lines)
	if fresh == 0 {
		return reason{}
	}
	return reason{0.3 + 0.5*float64(fresh)/float64(n), ofLines(fresh, n) + " for goods never sold before"}
}
