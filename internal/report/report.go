// Package report writes what scoring said of one file of invoices as a single
// HTML page that can be read without a network, printed and handed on. It holds
// counts and the suspects that matter most, so its size and its memory do not
// grow with the file.
package report

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

// Report collects what scoring says of the invoices of one file.
type Report struct {
	in                                  tongue // language of the page
	scored, suspects, late, implausible int64
	first, last                         time.Time // dates of issue; zero before the first invoice
	days                                map[int64]*day
	currencies                          map[string]*currency
	causes                              map[causeKey]*cause
	decisions                           map[detectors.Decision]int64
	levels                              map[detectors.Level]int64
	types                               map[invoice.Type]int64
	models                              map[string]int64  // verdicts by model version; at most mostNames
	lastModel                           string            // newest trained version, else the prior
	thresholds                          [2]float64        // lowest and highest p_error where suspicion began
	sellers                             map[string]int64  // invoices by seller; at most mostNames
	has                                 [fieldCount]int64 // of standard invoices
}

// mostNames bounds how many sellers and models are told apart.
const mostNames = 1000

// day counts the invoices issued on one day, UTC.
type day struct{ scored, suspects int64 }

// currency is what the invoices of one currency come to. Two currencies are
// never added up, and the two directions are never netted.
type currency struct {
	scored, suspects int64
	billed           big.Int // in 1/10,000
	little, much     stake
	top              ranking
}

// stake is the money that is at stake in one direction.
type stake struct {
	n       int64   // suspects
	sum     big.Int // their losses, positive, in 1/10,000
	weighed big.Int // the same, each times its probability
	cases   int64   // those of them that are worth a case
	worth   big.Int // their losses
}

// causeKey names a row of the causes.
type causeKey struct {
	code, currency string
	direction      detectors.Direction
}

// cause counts suspects by their first cause.
type cause struct {
	n   int64
	sum big.Int // their losses, positive, in 1/10,000
}

// New returns a report of no invoices, in a language. What invoices and settings are
// called, and messages about records that cannot be read, stay English.
func New(l explain.Lang) *Report {
	return &Report{in: tongue{l}, days: map[int64]*day{}, currencies: map[string]*currency{},
		causes: map[causeKey]*cause{}, decisions: map[detectors.Decision]int64{}, levels: map[detectors.Level]int64{},
		types: map[invoice.Type]int64{}, models: map[string]int64{}, sellers: map[string]int64{}}
}

// entry returns the value of a key, made if it is new.
func entry[K comparable, V any](m map[K]*V, key K) *V {
	if m[key] == nil {
		m[key] = new(V)
	}
	return m[key]
}

// count adds one to the count of a name, which is kept only if there are few.
func count(m map[string]int64, name string) {
	if _, known := m[name]; known || len(m) < mostNames {
		m[strings.Clone(name)]++
	}
}

// Add takes in one invoice with its verdict and copies what it keeps of them.
// segment is what the 15 % rule compared it with, nil where that is not known; of
// suspects it tells what their expectation was made from. threshold is the p_error
// from which it would be suspect, 0 to 1.
func (r *Report) Add(inv *invoice.Invoice, v *detectors.Verdict, segment *detectors.SegmentSummary,
	threshold float64) {
	r.scored++
	if r.first.IsZero() || inv.IssuedAt.Before(r.first) {
		r.first = inv.IssuedAt
	}
	if inv.IssuedAt.After(r.last) {
		r.last = inv.IssuedAt
	}
	if time.Duration(v.LateBy) > 24*time.Hour {
		r.late++
	}
	if slices.Contains(v.Rules, detectors.RuleImplausibleTime) {
		r.implausible++
	}
	r.types[inv.Type]++
	r.levels[v.Level]++
	count(r.sellers, inv.Seller)
	if inv.Type == invoice.Standard {
		r.countFields(inv)
		if r.types[inv.Type] == 1 {
			r.thresholds = [2]float64{threshold, threshold}
		}
		r.thresholds = [2]float64{min(r.thresholds[0], threshold), max(r.thresholds[1], threshold)}
		count(r.models, v.Model.Version)
		if version := v.Model.Version; version != r.lastModel && (version != detectors.ModelVersion || r.lastModel == "") {
			r.lastModel = strings.Clone(version)
		}
	}
	d := entry(r.days, inv.IssuedAt.Unix()/86400)
	d.scored++
	c := r.currency(v.Currency)
	c.scored++
	add(&c.billed, v.Billed)
	if v.Suspect {
		d.suspects++
		c.suspects++
		r.suspects++
		r.suspect(c, inv, v, segment)
	}
}

// currency returns the entry of a currency.
func (r *Report) currency(code string) *currency {
	if c := r.currencies[code]; c != nil {
		return c
	}
	return entry(r.currencies, strings.Clone(code))
}

// suspect takes in a suspect.
func (r *Report) suspect(c *currency, inv *invoice.Invoice, v *detectors.Verdict, segment *detectors.SegmentSummary) {
	r.decisions[v.Decision]++
	code := detectors.CauseUnknown
	if len(v.Causes) > 0 {
		code = v.Causes[0].Code
	}
	of := entry(r.causes, causeKey{strings.Clone(code), strings.Clone(v.Currency), v.Direction})
	of.n++
	add(&of.sum, v.Loss.Point)
	switch v.Direction {
	case detectors.DirectionCustomerFavour:
		c.little.add(v)
	case detectors.DirectionSellerFavour:
		c.much.add(v)
	}
	from, known := r.in.Usual(v, inv, segment)
	c.top.add(inv, v, from+r.in.Say(": ", " : ")+known)
}

func (s *stake) add(v *detectors.Verdict) {
	s.n++
	add(&s.sum, v.Loss.Point)
	if expected, ok := v.Loss.Point.MulFixed(invoice.Fixed(math.Round(v.PError * float64(invoice.One)))); ok {
		add(&s.weighed, expected/100*100) // no more than hundredths of what is an estimate
	}
	if v.Decision == detectors.DecisionOpenCase {
		s.cases++
		add(&s.worth, v.Loss.Point)
	}
}

// add adds an amount to a sum, which cannot overflow.
func add(sum *big.Int, a invoice.Amount) {
	var term big.Int
	sum.Add(sum, term.SetInt64(int64(a)))
}

// said is a text in both languages.
type said struct{ en, fr string }

// fields of the contract that make verdicts sharper, and what each is for.
var fields = []struct {
	name, use said
	of        func(*invoice.Invoice) bool
}{
	{said{"customer_type, product_family", "customer_type, product_family"},
		said{"the usual amount of a segment: the 15 % rule",
			"le montant habituel d'un segment : la règle des 15 %"},
		func(i *invoice.Invoice) bool { return i.CustomerType != "" && i.ProductFamily != "" }},
	{said{"customer_ref", "customer_ref"},
		said{"the customer's own prices and habits", "les prix et habitudes du client"},
		func(i *invoice.Invoice) bool { return i.CustomerRef != "" }},
	{said{"lines", "lines"}, said{"lost lines, and totals that do not add up", "les lignes perdues et les totaux faux"},
		func(i *invoice.Invoice) bool { return len(i.Lines) > 0 }},
	{said{"lines: product_id, quantity, unit_price", "lines : product_id, quantity, unit_price"},
		said{"wrong prices and quantities", "les prix et quantités faux"}, hasPrices},
	{said{"gross_amount or tax_rate", "gross_amount ou tax_rate"},
		said{"what the customer pays; wrong tax", "ce que le client paie ; les taxes fausses"},
		func(i *invoice.Invoice) bool { return i.GrossAmount.Set || i.TaxRate.Set }},
	{said{"delivery_ref", "delivery_ref"},
		said{"one delivery invoiced twice, lost quantities", "une livraison facturée deux fois, les quantités perdues"},
		func(i *invoice.Invoice) bool { return i.DeliveryRef != "" }},
	{said{"source_release or batch_id", "source_release ou batch_id"},
		said{"errors that come from one release or billing run", "les erreurs d'une même version ou d'un même lot"},
		func(i *invoice.Invoice) bool { return i.SourceRelease != "" || i.BatchID != "" }},
}

const fieldCount = 7

// hasPrices tells whether every line names product, quantity and price.
func hasPrices(i *invoice.Invoice) bool {
	for l := range i.Lines {
		line := &i.Lines[l]
		if line.ProductID == "" || !line.Quantity.Set || !line.UnitPrice.Set {
			return false
		}
	}
	return len(i.Lines) > 0
}

func (r *Report) countFields(inv *invoice.Invoice) {
	for i := range fields {
		if fields[i].of(inv) {
			r.has[i]++
		}
	}
}

// mostRanked is how many suspects of one currency are kept.
const mostRanked = 200

// suspect is what the report keeps of one.
type suspect struct {
	invoice *invoice.Invoice // its own copy, without the lines
	verdict *detectors.Verdict
	usual   string  // what was expected was made from
	rank    float64 // expected loss: p × |loss|
}

// ranking keeps the suspects with the most expected loss, highest first; of
// equals the one that came earlier.
type ranking []suspect

func (k *ranking) add(inv *invoice.Invoice, v *detectors.Verdict, usual string) {
	rank := v.PError * math.Abs(float64(v.Loss.Point))
	at := len(*k)
	for at > 0 && (*k)[at-1].rank < rank {
		at--
	}
	if at == mostRanked {
		return
	}
	few := *inv
	few.Lines = nil // there may be thousands
	*k = slices.Insert(*k, at, suspect{few.Clone(), v.Clone(), usual, rank})
	*k = (*k)[:min(len(*k), mostRanked)]
}
