// Package explain tells verdicts in words of people: what was billed, what was
// expected and from what, which single change would make an invoice usual, what
// else was considered, and what was decided and why. It reads what scoring has
// said and judges nothing anew.
package explain

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// causes are the causes of the contract, as a person would say them.
var causes = map[string]string{
	detectors.CauseDataEntry:        "Data entry: a digit or a decimal point",
	detectors.CauseBillingSystem:    "Billing system: lines, totals, tax or currency",
	detectors.CausePromotion:        "Promotion: a discount that does not apply",
	detectors.CauseCRMSync:          "Customer data: an old or wrong price tier, contract or type",
	detectors.CauseDuplicate:        "Duplicate: invoiced before",
	detectors.CausePriceList:        "Price list: not the listed price",
	detectors.CauseBeforeShipment:   "Before shipment: nothing had been delivered",
	detectors.CauseMissingAdminData: "Missing data: a reference or legal field",
	detectors.CauseUnknown:          "Unknown: the amount is unusual, no single change repairs it",
}

// Cause returns what a cause code means; a code that is not known stands for itself.
func Cause(code string) string {
	if words, ok := causes[code]; ok {
		return words
	}
	return code
}

// Kind returns what a finding has found, in a few words.
func Kind(f *detectors.Finding) string {
	if f.Kind == detectors.KindNoRepair {
		cause, _, _ := strings.Cut(Cause(f.Code), ":")
		return strings.ToLower(cause[:1]) + cause[1:] + ", which no single change repairs"
	}
	if words, _, ok := cases.Words(f); ok {
		return words
	}
	return strings.ReplaceAll(f.Code+": "+f.Kind, "_", " ")
}

// Probability writes a probability as whole per cent; none is certainty.
func Probability(p float64) string {
	switch {
	case p > 0 && p < 0.01:
		return "<1 %"
	case p > 0.99:
		return ">99 %"
	}
	return strconv.FormatFloat(100*p, 'f', 0, 64) + " %"
}

// Likely says how probable an error is.
func Likely(p float64) string {
	switch {
	case p >= 0.98:
		return "almost certainly wrong"
	case p >= 0.8:
		return "very probably wrong"
	case p >= 0.5:
		return "probably wrong"
	case p >= 0.2:
		return "perhaps wrong"
	case p > 0.05:
		return "probably right"
	}
	return "no sign of an error"
}

// Suspicion says the same of a suspect: one whose error is not even probable is
// worth a look, as enough of its kind are wrong.
func Suspicion(p float64) string {
	if p < 0.5 {
		return "worth a look"
	}
	return Likely(p)
}

// missing are the fields of missing_admin_data, by kind.
var missing = map[string]string{"customer": "the buyer reference", "delivery": "the delivery reference",
	"customer_type": "the buyer's type", "product_family": "the product family", "purchase_order": "the purchase order",
	"vat_id": "the VAT number"}

// Action says what to do about a finding whose amount is right; "" where the
// repaired amount says it.
func Action(f *detectors.Finding) string {
	switch f.Code {
	case detectors.CauseBeforeShipment:
		return "the amount stands: hold the invoice until the goods leave"
	case detectors.CauseMissingAdminData:
		return "the amount stands: add " + cmp.Or(missing[f.Kind], "what is missing") + " and send the invoice again"
	}
	return ""
}

// spread says how much invoices or prices differ, and what that makes of a deviation.
func spread(cv float64) string {
	vary := "they vary by " + perCent(100*cv)
	switch {
	case cv <= 0.02:
		return "all but equal"
	case cv <= 0.075:
		return "much alike (" + vary + ")"
	case cv <= 0.3:
		return "not quite alike (" + vary + ")"
	case cv <= 1:
		return "unlike each other (" + vary + "), so a deviation says little"
	}
	return "beyond comparison (" + vary + "), so a deviation says next to nothing"
}

// Invoices writes a number of invoices.
func Invoices(n int64) string {
	if n == 1 {
		return "1 invoice"
	}
	return fmt.Sprintf("%d invoices", n)
}

// Money writes an amount without its sign, with its currency.
func Money(a invoice.Amount, currency string) string {
	return strings.TrimPrefix(a.String(), "-") + " " + currency
}

// Gap says which way and how far a second amount lies from a first one: what is
// to be added to or taken off the first.
func Gap(from, to invoice.Amount, currency string) string {
	gap, ok := to.Sub(from)
	switch {
	case !ok:
		return "more than can be written"
	case gap == 0:
		return "nothing"
	case gap < 0:
		return Money(gap, currency) + " less"
	}
	return Money(gap, currency) + " more"
}

// Favour says who gains by an error.
func Favour(d detectors.Direction) string {
	switch d {
	case detectors.DirectionCustomerFavour:
		return "billed too little"
	case detectors.DirectionSellerFavour:
		return "billed too much"
	}
	return "no money is at stake"
}

// Decision says what is done about an invoice.
func Decision(d detectors.Decision) string {
	switch d {
	case detectors.DecisionOpenCase:
		return "a case is opened"
	case detectors.DecisionBundle:
		return "part of an incident"
	case detectors.DecisionLogOnly:
		return "logged only"
	case detectors.DecisionHold:
		return "held, not to be sent"
	}
	return "nothing to do"
}

// Clean makes a text safe to print: what is no visible character becomes �, so
// that nothing in an invoice can speak to a terminal.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// perCent writes per cent with as many decimals as matter.
func perCent(value float64) string {
	decimals := 1
	if math.Abs(value) >= 100 {
		decimals = 0
	}
	return strconv.FormatFloat(value, 'f', decimals, 64) + " %"
}

// instant writes a time to the second.
func instant(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// Evidence returns all sentences of a verdict, one a line.
func Evidence(v *detectors.Verdict) string {
	var all []string
	for i := range v.Causes {
		all = append(all, v.Causes[i].Evidence...)
	}
	return strings.Join(all, "\n")
}

// Names tells whether a text has an id as a word of its own.
func Names(text, id string) bool {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' }
	for rest := text; id != ""; {
		before, after, found := strings.Cut(rest, id)
		if !found {
			return false
		}
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		if (before == "" || !inWord(last)) && (after == "" || !inWord(next)) {
			return true
		}
		rest = rest[len(before)+1:]
	}
	return false
}
