package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"recoup/invoice"
)

// The made-up data set of recurring bills: a utility that also sells telephone
// and internet. Every number is drawn from a seed; nothing of it is real.
const (
	recurringName    = "recurring"
	recurringSeed    = 20_240_701
	recurringMonths  = 18
	recurringStart   = 700  // contracts in the first month
	recurringJoining = 13   // new ones a month
	recurringLeaving = 0.01 // share that ends in a month
	// plainErrors and denseErrors are the share of invoices with an error.
	plainErrors = 0.03
	denseErrors = 0.10
)

// recurringFrom is the first day; recurringIndexed the day of the new price list.
var (
	recurringFrom    = time.Date(2024, time.July, 1, 0, 0, 0, 0, time.UTC)
	recurringIndexed = recurringFrom.AddDate(0, 6, 0)
)

// bill is one document of the made-up seller before it has a number.
type bill struct {
	inv      invoice.Invoice
	contract *contractor // whose
	replaces *bill       // what it reissues or credits
	label    *label      // nil: it is right
}

// recurringData makes the data set: the same right bills twice, with two draws of
// errors.
func recurringData() *dataset {
	w := newWorld()
	set := &dataset{name: recurringName, references: w.references(),
		notes: []string{"Made up by a program: monthly bills of a utility, no deliveries."}}
	set.plain = w.corpus(recurringName, plainErrors, 1)
	set.dense = w.corpus(recurringName+denseEnding, denseErrors, 2)
	return set
}

// newDraw returns a source of numbers that are always the same.
func newDraw(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(recurringSeed, stream)) }

// corpus bills all months and puts a share of errors into the bills.
func (w *world) corpus(name string, share float64, draw uint64) *corpus {
	bills := w.billAll()
	in := injector{world: w, draw: newDraw(draw), bills: bills}
	in.spoil(share)
	bills = in.bills
	slices.SortStableFunc(bills, byIssue)
	c := &corpus{name: name, labels: map[string]*label{}, invoices: make([]invoice.Invoice, len(bills))}
	for i, b := range bills {
		b.inv.ID = fmt.Sprintf("R%06d", 100_000+i)
		b.inv.EventID = "rb-" + b.inv.ID
		if b.replaces != nil {
			b.inv.PrecedingID = b.replaces.inv.ID
		}
	}
	for i, b := range bills {
		c.invoices[i] = b.inv
		if b.inv.Type == invoice.Standard {
			c.standard++
		}
		if b.label != nil {
			b.label.InvoiceID = b.inv.ID
			c.labels[b.inv.ID] = b.label
		}
	}
	return c
}

// contractor is one contract of a customer: what is billed each month, and when.
type contractor struct {
	number    int // of the contract, from 0
	customer  string
	kind      string // customer type
	country   string
	tax       invoice.Fixed // rate
	cycle     int           // day of the month, 1 to 28
	from, to  time.Time     // first and last day
	plan      *product
	later     *product  // after change; nil: the plan is kept
	change    time.Time // first cycle of later
	options   []option
	meters    []meter
	agreed    []agreement // contract rates, by from
	code      string      // promotion of the first months, "" for none
	ownPrice  int64       // per cent of the list it pays for usage by negotiation, 0: the list
	yearly    bool        // pays its fees a year ahead
	exempt    bool        // of tax
	vatID     bool        // billed with its VAT number
	purchase  bool        // billed with its purchase order
	ordered   bool        // billed with the order it answers, the same every month
	system    string      // billing system
	typedPlan bool        // entered by hand, without a run
}

// option is a fee beside the plan.
type option struct {
	product  *product
	quantity int64
	from     time.Time
}

// meter is metered usage.
type meter struct {
	product *product
	level   float64 // units of a usual month
	season  float64 // how much more in winter, share; negative: in summer
	noise   float64 // spread of the logarithm
}
