package main

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"recoup/invoice"
)

// What counts as a fact about an invoice, read from the whole file: invoices
// that came later tell too, recoup knows only those before.
const (
	nearInvoices = 3                  // of a customer, before and after, between which terms changed
	nearSales    = 10                 // of a product to others, before and after, that tell its price
	leastSales   = 3                  // fewer tell nothing
	paidTogether = 7 * 24 * time.Hour // others pay a promotion's price within it
	alikePart    = 0.001              // prices that differ by no more than this part are the same
	habitLeast   = 3                  // invoices that make a habit,
	habitShare   = 0.3                // and the share of all from which they do
	exemptShare  = 0.9                // of a customer's invoices without tax
)

// reasonRule is one thing that is usual in a business and looks like an error.
type reasonRule struct {
	name  string
	means string                              // what is counted, for the report
	about func(code string) bool              // codes of the alerts it can cause
	holds func(f *facts, alert *outcome) bool // it really happened
}

// reasonRules are in the order of the report.
var reasonRules = []reasonRule{
	{"renegotiated contract", "an alert about prices or discounts of a customer whose contract rate, by reference, " +
		"changed within its three invoices before or after; in files without contracts, most flagged lines have a net " +
		"price that the customer did not pay on its last purchase of the product and paid again on its next two",
		aboutTerms, (*facts).renegotiated},
	{"promotion", "an alert about promotions, and a flagged line is discounted; one about contract rates, and a flagged " +
		"line has a code that was announced; or one about prices, and a flagged price is below the usual and at least two " +
		"other customers paid it within 7 days, but not for long", aboutTerms, (*facts).promoted},
	{"price-list change", "an alert about prices or discounts, and most of up to ten sales of a flagged product to " +
		"other customers afterwards have the flagged price, few of those before", aboutTerms, (*facts).listChanged},
	{"prepayer", "an alert about shipment, and the customer prepays by reference, or three invoices and 30 % of its " +
		"others were issued before they shipped", aboutShipment, (*facts).prepays},
	{"exempt customer", "an alert about tax, and the customer is exempt by reference, or at least three and 90 % of " +
		"its other invoices bear none", aboutTax, (*facts).exempt},
}

// reason says how many false alerts something usual caused.
type reason struct {
	Name string `json:"name"` // what happened
	N    int    `json:"n"`    // false alerts; one may have several reasons
}

func aboutTerms(code string) bool {
	return strings.HasPrefix(code, "data_entry:price") || strings.HasPrefix(code, "crm_sync:") ||
		strings.HasPrefix(code, "price_list:") || strings.HasPrefix(code, "unknown:") || aboutPromotion(code)
}

func aboutPromotion(code string) bool { return strings.HasPrefix(code, "promotion:") }

func aboutContract(code string) bool {
	return strings.HasPrefix(code, "crm_sync:contract") || code == "crm_sync:terms"
}

func aboutShipment(code string) bool { return strings.HasPrefix(code, "before_shipment:") }

func aboutTax(code string) bool {
	return strings.HasPrefix(code, "billing_system:") && strings.Contains(code, "tax")
}

// namedLine is how evidence names a line, the first being 1.
var namedLine = regexp.MustCompile(`\bline (\d+)\b`)

// linesNamed returns the places, from 0, of the lines that a sentence names.
func linesNamed(sentence string) (places []int) {
	for _, match := range namedLine.FindAllStringSubmatch(sentence, -1) {
		if n, err := strconv.Atoi(match[1]); err == nil && n > 0 {
			places = append(places, n-1)
		}
	}
	return places
}

// party is a customer, and goods are a product, of a seller.
type party struct{ seller, customer string }
type goods struct{ seller, product string }

// sale is a line of an invoice that is right.
type sale struct {
	customer string
	at       time.Time
	price    float64 // of a unit, before the line's discount
	net      float64 // of a unit, after it
}

// agreement is a contract rate from an instant on.
type agreement struct {
	from time.Time
	rate invoice.Fixed
}

// habits are what a customer's right invoices have in common.
type habits struct {
	invoices, early, untaxed int
	dates                    []time.Time // of all of them
}

// facts are what a file tells of what is usual: its invoices without a label, in
// time order, and its references.
type facts struct {
	sales      map[goods][]sale
	customers  map[party]*habits
	agreements map[party][]agreement // by from
	prepay     map[party]bool        // by reference
	untaxed    map[party]bool        // by reference
	announced  map[[2]string]bool    // promotions: seller and code
}

// readFacts reads the facts of a file.
func readFacts(c *corpus, references []invoice.Reference) *facts {
	f := &facts{sales: map[goods][]sale{}, customers: map[party]*habits{}, agreements: map[party][]agreement{},
		prepay: map[party]bool{}, untaxed: map[party]bool{}, announced: map[[2]string]bool{}}
	for i := range c.invoices {
		if inv := &c.invoices[i]; inv.Type == invoice.Standard && c.labels[inv.ID] == nil {
			f.learn(inv)
		}
	}
	for i := range references {
		r := &references[i]
		if r.Kind == invoice.PromotionReference {
			f.announced[[2]string{r.Seller, r.Code}] = true
		}
		if r.Kind != invoice.CustomerReference {
			continue
		}
		of := party{r.Seller, r.CustomerRef}
		f.prepay[of] = f.prepay[of] || r.Prepays.Value
		f.untaxed[of] = f.untaxed[of] || r.TaxExempt.Value
		if r.ContractDiscountRate.Set {
			f.agreements[of] = append(f.agreements[of], agreement{r.ValidFrom, r.ContractDiscountRate.Value})
		}
	}
	for _, agreed := range f.agreements {
		slices.SortStableFunc(agreed, func(a, b agreement) int { return a.from.Compare(b.from) })
	}
	return f
}

func (f *facts) learn(inv *invoice.Invoice) {
	for i := range inv.Lines {
		if l := &inv.Lines[i]; l.ProductID != "" && l.UnitPrice.Value > 0 {
			of := goods{inv.Seller, l.ProductID}
			f.sales[of] = append(f.sales[of], sale{inv.CustomerRef, inv.IssuedAt,
				numberOf(l.UnitPrice.Value), netPrice(l)})
		}
	}
	if inv.CustomerRef == "" || inv.CustomerRef == invoice.Anonymous {
		return
	}
	of := party{inv.Seller, inv.CustomerRef}
	h := f.customers[of]
	if h == nil {
		h = &habits{}
		f.customers[of] = h
	}
	h.invoices++
	h.dates = append(h.dates, inv.IssuedAt)
	if early(inv) {
		h.early++
	}
	if taxFree(inv) {
		h.untaxed++
	}
}

func early(inv *invoice.Invoice) bool {
	return !inv.ShippedAt.IsZero() && inv.IssuedAt.Before(inv.ShippedAt)
}

func taxFree(inv *invoice.Invoice) bool { return inv.TaxRate.Value == 0 && inv.TaxAmount.Value == 0 }

// numberOf returns a price or rate as a float: only comparisons need it here.
func numberOf(f invoice.Fixed) float64 { return float64(f) / float64(invoice.One) }

func netPrice(l *invoice.Line) float64 {
	return numberOf(l.UnitPrice.Value) * (1 - numberOf(l.DiscountRate.Value))
}

// samePrice tells whether two prices are alike but for rounding.
func samePrice(a, b float64) bool { return math.Abs(a-b) <= alikePart*max(a, b) }

// flaggedLines returns the lines that the causes of an alert name, all lines
// where they name none.
func flaggedLines(alert *outcome) (lines []*invoice.Line) {
	all := alert.invoice.Lines
	for _, at := range alert.named {
		if at < len(all) {
			lines = append(lines, &all[at])
		}
	}
	if len(lines) == 0 {
		for i := range all {
			lines = append(lines, &all[i])
		}
	}
	return lines
}

// renegotiated tells whether the customer's terms changed around the invoice.
func (f *facts) renegotiated(alert *outcome) bool {
	inv := alert.invoice
	of := party{inv.Seller, inv.CustomerRef}
	if len(f.agreements) > 0 {
		h := f.customers[of]
		if h == nil {
			return false
		}
		at, _ := slices.BinarySearchFunc(h.dates, inv.IssuedAt, time.Time.Compare)
		now := rateAt(f.agreements[of], inv.IssuedAt)
		around := h.dates[max(0, at-nearInvoices):min(len(h.dates), at+nearInvoices+1)]
		return slices.ContainsFunc(around, func(t time.Time) bool { return rateAt(f.agreements[of], t) != now })
	}
	told, lasting := 0, 0
	for _, l := range flaggedLines(alert) {
		before, after := f.salesAround(inv, l, func(s *sale) bool { return s.customer == inv.CustomerRef })
		if len(before) == 0 || len(after) < 2 || inv.CustomerRef == invoice.Anonymous {
			continue
		}
		told++
		price := netPrice(l)
		if !samePrice(before[0].net, price) && samePrice(after[0].net, price) && samePrice(after[1].net, price) {
			lasting++
		}
	}
	return 2*lasting > told
}

// rateAt returns the contract rate in force, -1 before the first.
func rateAt(agreed []agreement, at time.Time) (rate invoice.Fixed) {
	rate = -1
	for _, a := range agreed {
		if !a.from.After(at) {
			rate = a.rate
		}
	}
	return rate
}

// salesAround returns the sales of a line's product before and after an invoice,
// the nearest first, at most nearSales each.
func (f *facts) salesAround(inv *invoice.Invoice, l *invoice.Line, to func(*sale) bool) (before, after []sale) {
	all := f.sales[goods{inv.Seller, l.ProductID}]
	at, _ := slices.BinarySearchFunc(all, inv.IssuedAt, func(s sale, t time.Time) int { return s.at.Compare(t) })
	for i := at - 1; i >= 0 && len(before) < nearSales; i-- {
		if to(&all[i]) {
			before = append(before, all[i])
		}
	}
	for i := at; i < len(all) && len(after) < nearSales; i++ {
		if all[i].at.After(inv.IssuedAt) && to(&all[i]) {
			after = append(after, all[i])
		}
	}
	return before, after
}

// toOthers returns the sales of a line's product to other customers.
func (f *facts) toOthers(inv *invoice.Invoice, l *invoice.Line) (before, after []sale) {
	return f.salesAround(inv, l, func(s *sale) bool {
		return s.customer != inv.CustomerRef || s.customer == invoice.Anonymous
	})
}

// priced returns how many sales had a price.
func priced(sales []sale, price float64) (n int) {
	for i := range sales {
		if samePrice(sales[i].price, price) {
			n++
		}
	}
	return n
}

// notAbove returns how many sales had a price or less.
func notAbove(sales []sale, price float64) (n int) {
	for i := range sales {
		if sales[i].price < price || samePrice(sales[i].price, price) {
			n++
		}
	}
	return n
}

// moved tells whether a line has the price that others paid afterwards and not
// before.
func (f *facts) moved(inv *invoice.Invoice, l *invoice.Line) bool {
	before, after := f.toOthers(inv, l)
	price := numberOf(l.UnitPrice.Value)
	return len(before) >= leastSales && len(after) >= leastSales &&
		2*priced(before, price) < len(before) && 2*priced(after, price) > len(after)
}

// listChanged tells whether the price of a flagged product really moved and stayed.
func (f *facts) listChanged(alert *outcome) bool {
	return slices.ContainsFunc(flaggedLines(alert), func(l *invoice.Line) bool { return f.moved(alert.invoice, l) })
}

// promoted tells whether what is flagged is a discount, or a price that is low for
// all and for a while.
func (f *facts) promoted(alert *outcome) bool {
	inv := alert.invoice
	discount := slices.ContainsFunc(alert.codes(), aboutPromotion)
	terms := slices.ContainsFunc(alert.codes(), aboutContract)
	return slices.ContainsFunc(flaggedLines(alert), func(l *invoice.Line) bool {
		announced := slices.ContainsFunc(l.PromoCodes, func(code string) bool {
			return f.announced[[2]string{inv.Seller, code}]
		})
		return discounted(l) && (discount || terms && announced) || f.reduced(inv, l)
	})
}

func discounted(l *invoice.Line) bool {
	return l.DiscountRate.Value > 0 || l.DiscountAmount.Value > 0
}

// reduced tells whether the price of a line is below the usual, others paid it at
// the same time, and it did not stay.
func (f *facts) reduced(inv *invoice.Invoice, l *invoice.Line) bool {
	before, after := f.toOthers(inv, l)
	price := numberOf(l.UnitPrice.Value)
	if len(before) < leastSales || 2*notAbove(before, price) >= len(before) || f.moved(inv, l) {
		return false
	}
	together := map[string]bool{}
	for _, s := range slices.Concat(before, after) {
		gap := s.at.Sub(inv.IssuedAt).Abs()
		if gap <= paidTogether && samePrice(s.price, price) {
			together[s.customer] = true
		}
	}
	return len(together) >= 2
}

// prepays tells whether the customer regularly is billed before shipment.
func (f *facts) prepays(alert *outcome) bool {
	of := party{alert.invoice.Seller, alert.invoice.CustomerRef}
	if f.prepay[of] {
		return true
	}
	h := f.customers[of]
	if h == nil {
		return false
	}
	others, n := h.invoices-1, h.early
	if early(alert.invoice) {
		n--
	}
	return n >= habitLeast && float64(n) >= habitShare*float64(others)
}

// exempt tells whether the customer constantly is billed without tax.
func (f *facts) exempt(alert *outcome) bool {
	of := party{alert.invoice.Seller, alert.invoice.CustomerRef}
	if f.untaxed[of] {
		return true
	}
	h := f.customers[of]
	if h == nil {
		return false
	}
	others, n := h.invoices-1, h.untaxed
	if taxFree(alert.invoice) {
		n--
	}
	return n >= habitLeast && float64(n) >= exemptShare*float64(others)
}
