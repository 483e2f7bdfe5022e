package story

import (
	"cmp"
	"maps"
	"math"
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
// that counts the same events must come to the same. An invoice that nobody judged by
// itself is what its incident was found to be.
type Figures struct {
	Currency string // ISO 4217

	Invoices       int   // scored, without credit notes (K1's n)
	Customers      int   // that were billed (K13)
	Flagged        int   // suspects, credit notes too
	Suspects       int   // of the invoices
	ExpectedErrors int64 // sum of p_error, in billionths (K1c)
	Wrong          int   // of the invoices, really, whether anybody found it or not
	WrongSuspects  int   // of these, flagged
	// Spread is the standard deviation that the number of errors has when p_error is right.
	Spread       float64
	Unflagged    int // invoices that are no suspects
	Audited      int // of the unflagged, with a verdict (K1b)
	AuditedWrong int // of the audited

	Confirmed           int // errors, whoever found them, but for audits (K1's k)
	ConfirmedByIncident int // of these, judged with their incident and not by themselves
	ConfirmedDisputed   int // of these, found by a customer first (K11)
	Caught              int // errors that were flagged (K1b, K8)
	NotAsked            int // billed too little, judged with their incident alone: nobody asks for them
	CustomersTouched    int // with a confirmed error (K13)

	Cases             int // of single invoices
	Detected          int // of these, by recoup and not by a customer
	Disputed          int // of these, by a customer
	Open              int // backlog: those that joined an open incident are worked there (K14)
	Acknowledged      int // by anybody
	AcknowledgedIn24h int // of these (K6)
	TruePositives     int // detected and confirmed by itself (K7)
	FalsePositives    int // detected and right, or right from now on (K7)
	Undetermined      int // detected, but nobody could say (K7)
	Incidents         int // cases of many invoices
	IncidentsRight    int // of these, confirmed (K7)

	Scored       int     // all, credit notes too (K17)
	Levels       Counts  // invoices by the baseline behind their expectation (K17)
	Anomalies    Counts  // invoices by type of rule that fired, each once per type (K16)
	Brier        float64 // mean squared distance of p_error from what was found (K1c)
	AfterReceipt Delay   // from receipt to alert (K5)
	AfterIssue   Delay   // from issue to alert (K5)
	Repeats      Repeats // whether corrective actions helped (K9)

	AtRisk    Money           // sum of loss of all suspects, as recoup put it
	Weighed   Money           // the same, each times its p_error
	Largest   Invoice         // suspect of the largest loss in either direction
	LeftOut   invoice.Amount  // confirmed loss of NotAsked
	OpenLoss  Money           // p_error times what is at stake, of what nobody has decided (K2)
	Decided   Money           // confirmed loss (K2)
	Paid      invoice.Amount  // cash, not promises (K3)
	Goodwill  invoice.Amount  // cost of accepted gestures
	Handling  invoice.Amount  // noted, else the default per confirmed case (K10)
	Net       invoice.Amount  // Paid less Goodwill less Handling (K3)
	Worth     Worth           // whether handling pays (K10)
	Options   []OptionFigures // most paid first
	Causes    []CauseFigures  // most confirmed first (K9)
	Answers   int             // customers who said how satisfied they are (K15)
	AnswerSum int             // of their answers, 1 to 5 each

	HoursToDecide  []float64 // from alert to outcome, sorted (K6)
	HoursToRecover []float64 // from alert to the last cent of closed recoveries, sorted (K6)
}

// Figures counts everything in one currency.
func (l *Ledger) Figures(currency string) Figures {
	f := Figures{Currency: currency, Levels: Counts{}, Anomalies: Counts{}}
	l.countInvoices(&f)
	findings := l.findings(currency)
	f.countFindings(findings)
	f.countOpen(findings)
	f.countBelief(findings)
	l.countDelays(&f)
	l.countRepeats(&f, findings)
	options, incidents := map[cases.Option]*OptionFigures{}, l.incidents()
	for _, a := range l.cases(currency) {
		f.countCase(a)
		f.countMoney(a)
		if with := incidents[a.latest.IncidentID]; a.open() && (with == nil || !with.open()) {
			f.Open++
		}
		countOptions(options, a)
	}
	l.countWhole(&f)
	f.Net = f.Paid - f.Goodwill - f.Handling
	for _, option := range slices.SortedFunc(maps.Values(options), func(a, b *OptionFigures) int {
		return cmp.Or(cmp.Compare(b.Paid, a.Paid), cmp.Compare(a.Option, b.Option))
	}) {
		f.Options = append(f.Options, *option)
	}
	l.countWorth(&f, findings)
	slices.Sort(f.HoursToDecide)
	slices.Sort(f.HoursToRecover)
	return f
}

// countInvoices counts what was scored.
func (l *Ledger) countInvoices(f *Figures) {
	customers, variance := map[string]bool{}, 0.0
	for i := range l.invoices {
		inv := &l.invoices[i]
		if inv.Currency != f.Currency {
			continue
		}
		f.Scored++
		if inv.Suspect {
			f.Flagged++
			f.countRisk(inv)
		}
		if !inv.CountsIn {
			continue
		}
		f.Invoices++
		f.ExpectedErrors += nano(inv.PError)
		variance += inv.PError * (1 - inv.PError)
		f.countRules(inv)
		if inv.wrong {
			if f.Wrong++; inv.Suspect {
				f.WrongSuspects++
			}
		}
		if inv.Customer != "" {
			customers[inv.Customer] = true
		}
		if inv.Suspect {
			f.Suspects++
		} else {
			f.Unflagged++
		}
	}
	f.Customers, f.Spread = len(customers), math.Sqrt(variance)
}

// countRisk adds what a suspect may cost.
func (f *Figures) countRisk(inv *Invoice) {
	f.AtRisk.add(inv.Loss)
	f.Weighed.add(scaled(inv.Loss, nano(inv.PError)))
	if size, most := max(inv.Loss, -inv.Loss), max(f.Largest.Loss, -f.Largest.Loss); size > most ||
		size == most && inv.ID > f.Largest.ID {
		f.Largest = *inv
	}
}

// countFindings counts the errors, each invoice once.
func (f *Figures) countFindings(findings []finding) {
	touched, causes := map[string]bool{}, map[string]*CauseFigures{}
	for i := range findings {
		found := &findings[i]
		wrong := found.outcome == cases.OutcomeConfirmed
		if found.audited() {
			f.Audited++
			if wrong {
				f.AuditedWrong++
			}
		}
		if wrong && found.inv.Suspect {
			f.Caught++
		}
		if !found.confirmed() {
			continue
		}
		f.Confirmed++
		if found.joined {
			if f.ConfirmedByIncident++; found.loss > 0 {
				f.NotAsked, f.LeftOut = f.NotAsked+1, f.LeftOut+found.loss
			}
		}
		if found.cased() && found.account.latest.Origin == cases.OriginDispute {
			f.ConfirmedDisputed++
		}
		if found.inv.Customer != "" {
			touched[found.inv.Customer] = true
		}
		f.Decided.add(found.loss)
		code := found.code()
		cause := causes[code]
		if cause == nil {
			cause = &CauseFigures{Cause: code}
			causes[code] = cause
		}
		cause.Confirmed++
		cause.Loss.add(found.loss)
	}
	f.CustomersTouched = len(touched)
	for _, cause := range slices.SortedFunc(maps.Values(causes), func(a, b *CauseFigures) int {
		return cmp.Or(cmp.Compare(b.Confirmed, a.Confirmed), cmp.Compare(a.Cause, b.Cause))
	}) {
		f.Causes = append(f.Causes, *cause)
	}
}

// countWhole counts the cases of many invoices: what working them cost.
func (l *Ledger) countWhole(f *Figures) {
	for _, a := range l.accounts {
		if a.latest == nil || a.latest.Kind == cases.KindInvoice {
			continue
		}
		if a.latest.Kind == cases.KindIncident {
			if f.Incidents++; a.outcome() == cases.OutcomeConfirmed {
				f.IncidentsRight++
			}
		}
		if a.currency() == f.Currency {
			f.Handling += a.handling()
		}
	}
}

// countCase counts how far a case came.
func (f *Figures) countCase(a *account) {
	f.Cases++
	detected := a.latest.Origin == cases.OriginDetector
	if detected {
		f.Detected++
	} else if a.latest.Origin == cases.OriginDispute {
		f.Disputed++
	}
	if at := a.first(cases.StatusAcknowledged); !at.IsZero() {
		f.Acknowledged++
		if at.Sub(a.detectedAt) <= 24*time.Hour {
			f.AcknowledgedIn24h++
		}
	}
	if e := a.decision(); e != nil {
		f.HoursToDecide = append(f.HoursToDecide, e.At.Sub(a.detectedAt).Hours())
	}
	if answer := a.last(func(e *cases.Event) bool { return e.Satisfaction != nil }); answer != nil {
		f.Answers++
		f.AnswerSum += *answer.Satisfaction
	}
	if !detected {
		return
	}
	switch a.outcome() {
	case cases.OutcomeConfirmed:
		f.TruePositives++
	case cases.OutcomeNotAnError, cases.OutcomeExpectedChange:
		f.FalsePositives++
	case cases.OutcomeUndetermined:
		f.Undetermined++
	}
}

// countMoney adds what came in for a case, and what that cost.
func (f *Figures) countMoney(a *account) {
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
	var settled cases.Option // the agreement that stands
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
		case cases.StepRefused, cases.StepFailed, cases.StepCancelled, cases.StepWrittenOff:
			if settled == r.Option {
				settled = ""
			}
		}
	}
	answer := a.last(func(e *cases.Event) bool { return e.Satisfaction != nil })
	if answer != nil && settled != "" {
		options[settled].Satisfied++
		options[settled].SatisfactionSum += *answer.Satisfaction
	}
}
