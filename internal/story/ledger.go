package story

import (
	"cmp"
	"slices"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Ledger is all that has happened, each event once. It knows what was meant, not
// what was stored: whatever is counted from it is the truth that a view must meet.
type Ledger struct {
	invoices   []Invoice
	accounts   map[string]*account // by case_id
	disputed   map[string]bool     // invoice_id → the customer said so
	currencies map[string]string   // invoice_id → currency
	members    map[string]string   // case_id, whether there is a case or not → incident it joined
}

// account is all that is known of one case_id. An audited invoice has one without
// ever having a case.
type account struct {
	latest     *cases.Case // record of the highest seq; nil: there is no case
	detectedAt time.Time   // of the lowest seq
	firstSeq   int64
	events     []cases.Event
	recoveries []cases.Recovery
}

func newLedger() *Ledger {
	return &Ledger{accounts: map[string]*account{}, disputed: map[string]bool{},
		currencies: map[string]string{}, members: map[string]string{}}
}

func (l *Ledger) account(caseID string) *account {
	a := l.accounts[caseID]
	if a == nil {
		a = &account{}
		l.accounts[caseID] = a
	}
	return a
}

func (l *Ledger) invoice(inv Invoice) {
	inv.caseID = cases.ID(cases.DedupKey(inv.Seller, inv.ID, 0))
	l.invoices = append(l.invoices, inv)
	l.currencies[inv.ID] = inv.Currency
}

func (l *Ledger) dispute(d *cases.Dispute) { l.disputed[d.InvoiceID] = true }
func (l *Ledger) event(e *cases.Event)     { a := l.account(e.CaseID); a.events = append(a.events, *e) }
func (l *Ledger) recovery(r *cases.Recovery) {
	a := l.account(r.CaseID)
	a.recoveries = append(a.recoveries, *r)
}

// heard keeps what the newest record says of a case, and when the oldest one was detected.
func (l *Ledger) heard(c *cases.Case) {
	a := l.account(c.CaseID)
	if a.latest == nil || c.Seq < a.firstSeq {
		a.firstSeq, a.detectedAt = c.Seq, c.DetectedAt.Truncate(time.Millisecond)
	}
	if a.latest == nil || c.Seq >= a.latest.Seq {
		kept := *c
		a.latest = &kept
	}
	for _, m := range c.Joined {
		id := cases.ID(cases.DedupKey(m.Seller, m.InvoiceID, m.Revision))
		if _, known := l.members[id]; !known {
			l.members[id] = c.CaseID
		}
	}
}

// cases returns the accounts that have a case of one invoice, in a fixed order. A case
// that a customer opened has no currency until somebody decides it, and is counted
// with any.
func (l *Ledger) cases(currency string) []*account {
	var all []*account
	for _, a := range l.accounts {
		if a.latest != nil && a.latest.Kind == cases.KindInvoice &&
			(a.currency() == currency || a.currency() == "") {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *account) int { return cmp.Compare(a.latest.CaseID, b.latest.CaseID) })
	return all
}

// currency is that of the case, else that of what people said first; "" for neither.
func (a *account) currency() string {
	if _, known := invoice.Exponent(a.latest.Currency); known {
		return a.latest.Currency
	}
	for i := range a.events {
		if a.events[i].Currency != "" {
			return a.events[i].Currency
		}
	}
	return ""
}

// last returns the newest event that a condition holds for, nil for none.
func (a *account) last(holds func(*cases.Event) bool) (found *cases.Event) {
	for i := range a.events {
		if e := &a.events[i]; holds(e) && (found == nil || !later(found, e)) {
			found = e
		}
	}
	return found
}

// later tells whether a happened after b; at one time the event id decides.
func later(a, b *cases.Event) bool {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.EventID, b.EventID)) > 0
}

// decision is the newest event with an outcome, nil before it.
func (a *account) decision() *cases.Event {
	return a.last(func(e *cases.Event) bool { return e.Outcome != "" })
}

// outcome is what the case turned out to be, "" before that.
func (a *account) outcome() cases.Outcome {
	if e := a.decision(); e != nil {
		return e.Outcome
	}
	return ""
}

// first returns when a status was reached first, the zero Time before it.
func (a *account) first(status cases.Status) (at time.Time) {
	for i := range a.events {
		if e := &a.events[i]; e.Status == status && (at.IsZero() || e.At.Before(at)) {
			at = e.At
		}
	}
	return at
}

// open tells whether somebody still has to do something.
func (a *account) open() bool {
	e := a.last(func(e *cases.Event) bool { return e.Status != "" })
	if e != nil && e.Status == cases.StatusReopened {
		return true
	}
	return a.latest.Action != cases.ActionResolve && (e == nil || e.Status != cases.StatusClosed)
}

// paid is the money that came in, and when the last of it did.
func (a *account) paid() (sum invoice.Amount, last time.Time) {
	for i := range a.recoveries {
		if r := &a.recoveries[i]; r.Event == cases.StepPaid {
			sum += r.Amount
			if r.At.After(last) {
				last = r.At
			}
		}
	}
	return sum, last
}

// goodwill is what gestures cost: each once, when it is accepted.
func (a *account) goodwill() (sum invoice.Amount) {
	for i := range a.recoveries {
		if r := &a.recoveries[i]; r.Event == cases.StepAccepted {
			sum += r.GoodwillCost.Value
		}
	}
	return sum
}

// handling is what working the case cost: what was noted, else what a confirmed
// error was planned to cost.
func (a *account) handling() (sum invoice.Amount) {
	noted := false
	for i := range a.events {
		if e := &a.events[i]; e.HandlingCost.Set {
			sum, noted = sum+e.HandlingCost.Value, true
		}
	}
	if !noted && a.outcome() == cases.OutcomeConfirmed {
		return a.latest.Economics.HandlingCost
	}
	return sum
}

// cause is the one people named last, else the one recoup named first.
func (a *account) cause() string {
	if e := a.last(func(e *cases.Event) bool { return e.TrueCause != "" }); e != nil {
		return e.TrueCause
	}
	return firstCause(a.latest)
}

func firstCause(c *cases.Case) string {
	if len(c.Causes) == 0 {
		return detectors.CauseUnknown
	}
	return c.Causes[0].Code
}
