package story

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// Money is money by who gains by the error; the two are never netted.
type Money struct {
	TooLow  invoice.Amount // billed too little, ≥ 0
	TooHigh invoice.Amount // billed too much, ≥ 0
}

func (m *Money) add(loss invoice.Amount) {
	if loss >= 0 {
		m.TooLow += loss
	} else {
		m.TooHigh -= loss
	}
}

// OptionFigures are the fate of one way to settle (K4).
type OptionFigures struct {
	Option          cases.Option   // which
	Offered         int            // recoveries
	Accepted        int            // of those
	OfferedAmount   invoice.Amount // asked for
	Paid            invoice.Amount // came in
	Goodwill        invoice.Amount // what gestures cost
	Satisfied       int            // customers who answered
	SatisfactionSum int            // of their answers, 1 to 5 each (K15)
}

// CauseFigures are the confirmed errors of one cause (K9).
type CauseFigures struct {
	Cause     string // code
	Confirmed int    // errors
	Loss      Money  // of them
}

// Figures are the truth about every KPI that events tell, in one currency. A view
// that counts the same events must come to the same.
type Figures struct {
	Currency string // ISO 4217

	Invoices       int     // scored, without credit notes (K1's n)
	Customers      int     // that were billed (K13)
	Suspects       int     // of the invoices
	ExpectedErrors float64 // sum of p_error (K1c)
	Unflagged      int     // invoices that are no suspects
	Audited        int     // of the unflagged, with a verdict (K1b)
	AuditedWrong   int     // of the audited

	Cases             int // of single invoices
	Detected          int // of these, by recoup and not by a customer
	Disputed          int // of these, by a customer (K11)
	Open              int // backlog (K14)
	Acknowledged      int // by anybody
	AcknowledgedIn24h int // of these (K6)
	Confirmed         int // errors, whoever found them (K1's k)
	ConfirmedDisputed int // of these, found by a customer first (K11)
	TruePositives     int // confirmed of the detected (K7)
	FalsePositives    int // detected and right, or right from now on (K7)
	Undetermined      int // nobody could say
	CustomersTouched  int // with a confirmed error (K13)

	AtRisk    Money           // sum of loss of all cases, as recoup put it
	Decided   Money           // confirmed loss (K2)
	Undecided Money           // at risk in cases without an outcome
	Paid      invoice.Amount  // cash, not promises (K3)
	Goodwill  invoice.Amount  // cost of accepted gestures
	Handling  invoice.Amount  // noted, else the default per confirmed error (K10)
	Net       invoice.Amount  // Paid less Goodwill less Handling (K3)
	Options   []OptionFigures // most paid first
	Causes    []CauseFigures  // most confirmed first

	HoursToDecide  []float64 // from alert to outcome, sorted (K6)
	HoursToRecover []float64 // from alert to the last cent of closed recoveries, sorted (K6)
}

// Figures counts everything in one currency.
func (l *Ledger) Figures(currency string) Figures {
	f := Figures{Currency: currency}
	l.countInvoices(&f)
	touched, causes, options := map[string]bool{}, map[string]*CauseFigures{}, map[cases.Option]*OptionFigures{}
	for _, a := range l.cases(currency) {
		f.countCase(a)
		f.countMoney(a)
		countOptions(options, a)
		if a.outcome() != cases.OutcomeConfirmed {
			continue
		}
		if a.latest.Customer != "" {
			touched[a.latest.Customer] = true
		}
		decision := a.decision()
		cause := causes[decision.TrueCause]
		if cause == nil {
			cause = &CauseFigures{Cause: decision.TrueCause}
			causes[decision.TrueCause] = cause
		}
		cause.Confirmed++
		cause.Loss.add(decision.ConfirmedLoss.Value)
	}
	f.CustomersTouched = len(touched)
	f.Net = f.Paid - f.Goodwill - f.Handling
	for _, cause := range slices.SortedFunc(maps.Values(causes), func(a, b *CauseFigures) int {
		return cmp.Or(cmp.Compare(b.Confirmed, a.Confirmed), cmp.Compare(a.Cause, b.Cause))
	}) {
		f.Causes = append(f.Causes, *cause)
	}
	for _, option := range slices.SortedFunc(maps.Values(options), func(a, b *OptionFigures) int {
		return cmp.Or(cmp.Compare(b.Paid, a.Paid), cmp.Compare(a.Option, b.Option))
	}) {
		f.Options = append(f.Options, *option)
	}
	slices.Sort(f.HoursToDecide)
	slices.Sort(f.HoursToRecover)
	return f
}

// countInvoices counts what was scored and audited.
func (l *Ledger) countInvoices(f *Figures) {
	customers := map[string]bool{}
	for i := range l.invoices {
		inv := &l.invoices[i]
		if !inv.CountsIn || inv.Currency != f.Currency {
			continue
		}
		f.Invoices++
		f.ExpectedErrors += inv.PError
		if inv.Customer != "" {
			customers[inv.Customer] = true
		}
		if inv.Suspect {
			f.Suspects++
			continue
		}
		f.Unflagged++
		a := l.accounts[cases.ID(cases.DedupKey(inv.Seller, inv.ID, 0))]
		if a == nil {
			continue
		}
		audit := a.last(func(e *cases.Event) bool { return e.Origin == cases.OriginAudit && e.Outcome != "" })
		if audit != nil {
			f.Audited++
			if audit.Outcome == cases.OutcomeConfirmed {
				f.AuditedWrong++
			}
		}
	}
	f.Customers = len(customers)
}

// countCase counts how far a case came.
func (f *Figures) countCase(a *account) {
	f.Cases++
	disputed := a.latest.Origin == cases.OriginDispute
	if disputed {
		f.Disputed++
	} else if a.latest.Origin == cases.OriginDetector {
		f.Detected++
	}
	if a.open() {
		f.Open++
	}
	if at := a.first(cases.StatusAcknowledged); !at.IsZero() {
		f.Acknowledged++
		if at.Sub(a.detectedAt) <= 24*time.Hour {
			f.AcknowledgedIn24h++
		}
	}
	detected := a.latest.Origin == cases.OriginDetector
	switch a.outcome() {
	case cases.OutcomeConfirmed:
		f.Confirmed++
		if disputed {
			f.ConfirmedDisputed++
		} else if detected {
			f.TruePositives++
		}
	case cases.OutcomeNotAnError, cases.OutcomeExpectedChange:
		if detected {
			f.FalsePositives++
		}
	case cases.OutcomeUndetermined:
		f.Undetermined++
	}
	if e := a.decision(); e != nil {
		f.HoursToDecide = append(f.HoursToDecide, e.At.Sub(a.detectedAt).Hours())
	}
}

// countMoney adds the money of a case.
func (f *Figures) countMoney(a *account) {
	loss := a.latest.Loss.Point
	f.AtRisk.add(loss)
	switch e := a.decision(); {
	case e == nil:
		f.Undecided.add(loss)
	case e.Outcome == cases.OutcomeConfirmed:
		f.Decided.add(e.ConfirmedLoss.Value)
	}
	paid, last := a.paid()
	f.Paid += paid
	f.Goodwill += a.goodwill()
	f.Handling += a.handling()
	if paid > 0 {
		f.HoursToRecover = append(f.HoursToRecover, last.Sub(a.detectedAt).Hours())
	}
}

// countOptions adds the recoveries of a case.
func countOptions(options map[cases.Option]*OptionFigures, a *account) {
	var settled cases.Option // what the customer paid by in the end
	for i := range a.recoveries {
		r := &a.recoveries[i]
		o := options[r.Option]
		if o == nil {
			o = &OptionFigures{Option: r.Option}
			options[r.Option] = o
		}
		switch r.Event {
		case cases.StepOffered:
			o.Offered++
			o.OfferedAmount += r.Amount
		case cases.StepAccepted:
			o.Accepted++
			o.Goodwill += r.GoodwillCost.Value
			settled = r.Option
		case cases.StepPaid:
			o.Paid += r.Amount
		}
	}
	answer := a.last(func(e *cases.Event) bool { return e.Satisfaction != nil })
	if answer != nil && settled != "" {
		options[settled].Satisfied++
		options[settled].SatisfactionSum += *answer.Satisfaction
	}
}
