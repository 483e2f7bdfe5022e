package cases

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// Life is all that happened to one case: its events and recoveries, applied in
// any order and any number of times. The same records give the same State,
// however they came. The zero value is a case to which nothing happened; it is
// owned by one goroutine.
//
// Records are ordered by the time they tell (At), then by the order of their
// steps, then by event id; not by their arrival. Nothing is refused: a step that
// cannot follow the one before is kept and flagged.
type Life struct {
	events     map[string]*Event    // by event id
	recoveries map[string]*Recovery // by event id
	reused     map[string]bool      // event ids that came with two contents
}

// Flag says that a record does not fit the ones before it.
type Flag struct {
	Code    string `json:"code"`     // one of the Flag constants
	EventID string `json:"event_id"` // the record
}

// Codes of flags.
const (
	FlagStepBack       = "step_back"             // a step before the one reached, without reopened: the status stays
	FlagClosedEarly    = "closed_undecided"      // closed although nobody decided
	FlagReopenedEarly  = "reopened_undecided"    // reopened although nobody had decided
	FlagNotOffered     = "answer_without_offer"  // accepted or refused what was never offered
	FlagNoticeTooEarly = "formal_notice_refused" // before an amicable option was refused or failed: it does not count
	FlagScheduleSum    = "schedule_sum"          // the instalments do not add up to what was agreed
	FlagOverpaid       = "overpaid"              // more came in than was lost
	FlagCurrency       = "currency_differs"      // another currency than the case's: the amount does not count
	FlagReused         = "event_id_reused"       // one event id with two contents: the smaller one counts
	FlagTime           = "time_implausible"      // it tells a time that had not come: a day after its arrival counts
)

// Apply adds what a person or the case system did, and reports whether nothing with
// its id was known. The event must not change afterwards.
func (l *Life) Apply(e *Event) (added bool) {
	if l.events == nil {
		l.events = map[string]*Event{}
	}
	return put(l, l.events, e.EventID, e, eventOrder, func(e *Event) []byte {
		said := *e
		said.At = e.told.or(e.At)
		return eventTable.Append(nil, &said)
	})
}

// ApplyRecovery adds a step of a recovery, and reports whether nothing with its id was
// known. The step must not change afterwards.
func (l *Life) ApplyRecovery(r *Recovery) (added bool) {
	if l.recoveries == nil {
		l.recoveries = map[string]*Recovery{}
	}
	return put(l, l.recoveries, r.EventID, r, recoveryOrder, func(r *Recovery) []byte {
		said := *r
		said.At = r.told.or(r.At)
		return recoveryTable.Append(nil, &said)
	})
}

// put keeps one record by id; of two contents the smaller, whichever came first.
func put[T any](l *Life, kept map[string]*T, id string, v *T, order func(a, b *T) int,
	text func(*T) []byte) (added bool) {
	old := kept[id]
	if old == nil {
		kept[id] = v
		return true
	}
	a, b := text(v), text(old)
	if !bytes.Equal(a, b) {
		if l.reused == nil {
			l.reused = map[string]bool{}
		}
		l.reused[id] = true
	}
	if cmp.Or(order(v, old), bytes.Compare(a, b)) < 0 {
		kept[id] = v
	}
	return false
}

func eventOrder(a, b *Event) int {
	return cmp.Or(a.At.Compare(b.At), a.told.Compare(b.told.Time),
		slices.Index(statuses, a.Status)-slices.Index(statuses, b.Status), strings.Compare(a.EventID, b.EventID))
}

func recoveryOrder(a, b *Recovery) int {
	return cmp.Or(a.At.Compare(b.At), a.told.Compare(b.told.Time),
		slices.Index(steps, a.Event)-slices.Index(steps, b.Event), strings.Compare(a.EventID, b.EventID))
}

// Events returns the events in their order.
func (l *Life) Events() []*Event { return slices.SortedFunc(maps.Values(l.events), eventOrder) }

// Recoveries returns the steps of recoveries in their order, the instalments of one moment by
// number: people read them. What they come to goes by recoveryOrder, as in the views.
func (l *Life) Recoveries() []*Recovery {
	return slices.SortedFunc(maps.Values(l.recoveries), func(a, b *Recovery) int {
		if a.Event == b.Event && a.At.Equal(b.At) && a.told.Equal(b.told.Time) && a.Instalment != b.Instalment {
			return a.Instalment - b.Instalment
		}
		return recoveryOrder(a, b)
	})
}

// State is where a case stands. Amounts are in Currency and never negative but
// for CorrectAmount and ConfirmedLoss; a zero time did not come.
type State struct {
	Status        Status                 // "" when nothing happened: as good as opened
	Outcome       Outcome                // the last one since the case was last reopened; "": none
	TrueCause     string                 // the last one that was confirmed
	CorrectAmount invoice.OptionalAmount // the last one
	ConfirmedLoss invoice.OptionalAmount // the last one; > 0: billed too little
	Currency      string                 // of the first record that names one
	Direction     detectors.Direction    // the last one; "": not said
	Verified      Verified               // what was made sure of, the last word on each

	AcknowledgedAt time.Time // first sign that somebody took it: any event but opened
	DecidedAt      time.Time // last decision since the case was last reopened
	ClosedAt       time.Time // last closing since the case was last reopened
	ContactedAt    time.Time // first contact with the customer
	TermRestartAt  time.Time // from when the payment term runs again, the last word
	ReopenedAt     time.Time // last reopening
	DunningHold    bool      // no reminders, the last word
	DunningSaidAt  time.Time // when that was said

	HandlingMinutes  float64                // of all events
	HandlingCost     invoice.OptionalAmount // of all events that say one
	Satisfaction     int                    // the last word, 1 to 5; 0: not said
	CorrectiveAction string                 // the last one

	Plans          []Plan         // recoveries in the order of their ids, then options
	Agreed         Option         // of the agreement that was accepted last and still stands; "": none
	AmicableFailed bool           // an amicable option was offered and then refused or failed: more may be tried
	FormalNotice   bool           // a formal notice went out, after that
	Paid           invoice.Amount // money that came in, whatever the option
	WrittenOff     invoice.Amount // what was given up
	GoodwillCost   invoice.Amount // what accepted gestures cost, each counted once

	Flags []Flag // what does not fit, in order of code and event id
}

// Plan is one recovery: an option that was offered under one recovery id.
type Plan struct {
	ID        string         // recovery_id
	Option    Option         // what was offered
	Offered   bool           // it was offered
	Accepted  bool           // the customer agreed, or paid without a word
	Ended     bool           // refused, failed or cancelled, and nothing was agreed since
	Due       invoice.Amount // what was agreed, else offered
	Paid      invoice.Amount // what came in
	Scheduled []Instalment   // the plan of payment, by number

	OfferedAt  time.Time // first offer; zero: none
	AnsweredAt time.Time // first answer, or sign that there was one; zero: none
	SettledAt  time.Time // paid in full, failed, taken back or given up, whichever was first; zero: none yet

	cost invoice.Amount // of the gesture
	of   int            // how many instalments the plan says it has
}

// Instalment is one part of a plan.
type Instalment struct {
	Number int            // from 1
	Amount invoice.Amount // what is due
	DueAt  time.Time      // when
}

// Open tells whether somebody still has to do something.
func (s *State) Open() bool { return s.Status != StatusClosed }

// State returns where the case stands, from all records applied so far.
func (l *Life) State() State { return l.StateOf("") }

// StateOf is State of a case of this origin; "": not known. Unless an audit found the
// case, the verdicts of one say what is true and take no step of it: whoever disputes
// the invoice later still wants an answer.
func (l *Life) StateOf(origin Origin) State {
	s := State{}
	for id := range l.reused {
		s.flag(FlagReused, id)
	}
	events, recoveries := l.Events(), slices.SortedFunc(maps.Values(l.recoveries), recoveryOrder)
	s.Currency = currencyOf(events, recoveries)
	for _, r := range recoveries {
		s.flagTime(r.told, r.EventID)
	}
	audited := origin == OriginAudit || origin == "" &&
		!slices.ContainsFunc(events, func(e *Event) bool { return e.Origin != OriginAudit })
	for _, e := range events {
		s.flagTime(e.told, e.EventID)
		if e.Origin != OriginAudit || audited {
			s.advance(e)
			s.reach(e)
		}
		s.take(e)
	}
	s.recover(recoveries)
	if s.ConfirmedLoss.Set && len(recoveries) > 0 && s.Paid > max(0, s.ConfirmedLoss.Value) {
		s.flag(FlagOverpaid, recoveries[len(recoveries)-1].EventID)
	}
	slices.SortFunc(s.Flags, func(a, b Flag) int {
		return cmp.Or(strings.Compare(a.Code, b.Code), strings.Compare(a.EventID, b.EventID))
	})
	return s
}

// currencyOf is that of the first record that names one, events before recoveries.
func currencyOf(events []*Event, recoveries []*Recovery) string {
	for _, e := range events {
		if e.Currency != "" {
			return e.Currency
		}
	}
	for _, r := range recoveries {
		return r.Currency
	}
	return ""
}

func (s *State) flag(code, eventID string) { s.Flags = append(s.Flags, Flag{code, eventID}) }

func (s *State) flagTime(told implausible, eventID string) {
	if !told.IsZero() {
		s.flag(FlagTime, eventID)
	}
}

// advance moves the status. It goes forward, over steps left out, and back by
// reopened alone.
func (s *State) advance(e *Event) {
	from, to := slices.Index(statuses, s.Status), slices.Index(statuses, e.Status)
	if s.Status == StatusReopened {
		from = 0
	}
	decided := slices.Index(statuses, StatusDecided)
	switch {
	case e.Status == "": // a hold, or an addition to what is known
		return
	case e.Status == StatusReopened:
		if from < decided {
			s.flag(FlagReopenedEarly, e.EventID)
		}
		s.Outcome, s.DecidedAt, s.ClosedAt, s.ReopenedAt = "", time.Time{}, time.Time{}, e.At
	case to < from:
		s.flag(FlagStepBack, e.EventID)
		return
	case e.Status == StatusClosed && from < decided:
		s.flag(FlagClosedEarly, e.EventID)
	}
	s.Status = e.Status
}

// reach notes when a step was reached, and what was decided.
func (s *State) reach(e *Event) {
	if e.Status != "" && e.Status != StatusOpened && s.AcknowledgedAt.IsZero() {
		s.AcknowledgedAt = e.At
	}
	switch e.Status {
	case StatusDecided:
		s.DecidedAt = e.At
	case StatusClosed:
		s.ClosedAt = e.At
	}
	s.Outcome = cmp.Or(e.Outcome, s.Outcome)
}

// take takes over what an event says beside its step.
func (s *State) take(e *Event) {
	s.TrueCause = cmp.Or(e.TrueCause, s.TrueCause)
	s.Direction = cmp.Or(e.Direction, s.Direction)
	s.CorrectiveAction = cmp.Or(e.CorrectiveAction, s.CorrectiveAction)
	if v := e.Verified; v != nil {
		s.Verified.InvoiceIsWrong = cmp.Or(v.InvoiceIsWrong, s.Verified.InvoiceIsWrong)
		s.Verified.InvoiceWasSent = cmp.Or(v.InvoiceWasSent, s.Verified.InvoiceWasSent)
		s.Verified.DueDatePassed = cmp.Or(v.DueDatePassed, s.Verified.DueDatePassed)
	}
	if c := e.CustomerContactedAt; !c.IsZero() && (s.ContactedAt.IsZero() || c.Before(s.ContactedAt)) {
		s.ContactedAt = c
	}
	if !e.PaymentTermRestartAt.IsZero() {
		s.TermRestartAt = e.PaymentTermRestartAt
	}
	if e.DunningHold != nil {
		s.DunningHold, s.DunningSaidAt = *e.DunningHold, e.At
	}
	if e.HandlingMinutes != nil {
		s.HandlingMinutes += *e.HandlingMinutes
	}
	if e.Satisfaction != nil {
		s.Satisfaction = *e.Satisfaction
	}
	if e.Currency != "" && e.Currency != s.Currency {
		s.flag(FlagCurrency, e.EventID)
		return
	}
	if e.CorrectAmount.Set {
		s.CorrectAmount = e.CorrectAmount
	}
	if e.ConfirmedLoss.Set {
		s.ConfirmedLoss = e.ConfirmedLoss
	}
	if e.HandlingCost.Set {
		s.HandlingCost = invoice.OptionalAmount{Value: add(s.HandlingCost.Value, e.HandlingCost.Value), Set: true}
	}
}

// add returns a + b, at the end of the range when the sum lies beyond it.
func add(a, b invoice.Amount) invoice.Amount {
	if sum, ok := a.Add(b); ok {
		return sum
	}
	if a < 0 {
		return math.MinInt64
	}
	return math.MaxInt64
}
