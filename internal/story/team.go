package story

import (
	"cmp"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// How the team works. Shares are of the cases it gets.
const (
	neverSeen      = 0.03 // not even acknowledged: the backlog
	seenLate       = 0.08 // acknowledged after the 24 hours it has
	neverDecided   = 0.04
	undetermined   = 0.03 // decided, but nobody could say
	expectedChange = 0.30 // of the false alerts: new, and right from now on
	notesCost      = 0.35 // of the decided: somebody wrote down what it cost
	learns         = 0.30 // of the confirmed: something was changed so that it does not return
	answers        = 0.50 // of the customers who were contacted: tell how satisfied they are
)

// costPerMinute is what a minute of the team costs, in ten-thousandths: 0.75.
const costPerMinute invoice.Amount = 7_500

// work is the life of a case of one invoice.
func (w *writer) work(truth Truth) {
	if !w.acknowledge() {
		return
	}
	w.wait(20*time.Minute, 6*time.Hour)
	wrong, sent := truth.Wrong(), true
	w.event(cases.Event{Status: cases.StatusVerified,
		Verified: &cases.Verified{InvoiceIsWrong: &wrong, InvoiceWasSent: &sent}})
	if w.chance(neverDecided) {
		return
	}
	w.wait(30*time.Minute, 2*day)
	decision := w.decide(truth)
	w.event(decision)
	if decision.Outcome != cases.OutcomeConfirmed {
		w.wait(time.Minute, time.Hour)
		w.event(cases.Event{Status: cases.StatusClosed})
		return
	}
	satisfaction, closed := 0, true
	if truth.Loss > 0 {
		satisfaction, closed = w.recover(truth.Loss)
	}
	if !closed {
		return
	}
	w.wait(time.Hour, 2*day)
	last := cases.Event{Status: cases.StatusClosed}
	if satisfaction > 0 && w.chance(answers) {
		last.Satisfaction = &satisfaction
	}
	if w.chance(learns) {
		last.CorrectiveAction = correctiveActions[truth.Cause]
	}
	w.event(last)
}

// acknowledge tells whether the team takes the case, and when.
func (w *writer) acknowledge() bool {
	if w.chance(neverSeen) {
		return false
	}
	if w.chance(seenLate) {
		w.wait(25*time.Hour, 60*time.Hour)
	} else {
		w.wait(5*time.Minute, 20*time.Hour)
	}
	w.event(cases.Event{Status: cases.StatusAcknowledged})
	return true
}

// decide is what the team concludes: the truth, where it can tell.
func (w *writer) decide(truth Truth) cases.Event {
	minutes := float64(5 + w.dice.IntN(85))
	e := cases.Event{Status: cases.StatusDecided, HandlingMinutes: &minutes, DecidedByRole: "billing clerk"}
	if w.chance(notesCost) {
		e.HandlingCost = amount(invoice.Amount(minutes) * costPerMinute)
	}
	switch {
	case w.chance(undetermined):
		e.Outcome = cases.OutcomeUndetermined
	case truth.Wrong():
		e.Outcome, e.TrueCause, e.Direction = cases.OutcomeConfirmed, truth.Cause, truth.direction()
		e.CorrectAmount, e.ConfirmedLoss = amount(truth.Due), amount(truth.Loss)
		if truth.Loss != 0 {
			// A disputed claim is not certain: the term runs again from the decision (E10).
			held, restart := true, w.at().Truncate(day).Add(day)
			e.DunningHold, e.PaymentTermRestartAt, e.CustomerContactedAt = &held, restart, w.at()
		}
	case w.chance(expectedChange):
		e.Outcome = cases.OutcomeExpectedChange
	default:
		e.Outcome = cases.OutcomeNotAnError
	}
	return e
}

// correctiveActions are what teams change so that an error does not return (A28).
var correctiveActions = map[string]string{
	"data_entry":         "amounts are typed twice",
	"billing_system":     "release rolled back, test added",
	"promotion":          "cap of the code is checked before billing",
	"crm_sync":           "contracts are synchronised every hour",
	"duplicate":          "a delivery can be billed once only",
	"price_list":         "new list is loaded at its start date",
	"before_shipment":    "billing waits for the delivery note",
	"missing_admin_data": "field is required in the order form",
}

// WorthAsking is the least loss of a member that the team asks for: less does not pay
// for the work.
const WorthAsking invoice.Amount = 50_0000

// pursue has the team ask for the members of confirmed incidents that have no case: as
// soon as somebody works one, recoup opens its case, and its life begins.
func (s *Story) pursue() []Message {
	if !s.incidents {
		return nil
	}
	var messages []Message
	incidents := s.ledger.incidents()
	for i := range s.ledger.invoices {
		inv := &s.ledger.invoices[i]
		if !inv.Suspect || !inv.CountsIn || inv.Loss < WorthAsking || !s.asked[inv.caseID].IsZero() {
			continue
		}
		with := incidents[cmp.Or(inv.IncidentID, s.ledger.members[inv.caseID])]
		own := s.ledger.accounts[inv.caseID]
		if with == nil || with.outcome() != cases.OutcomeConfirmed || own != nil && own.latest != nil {
			continue
		}
		from := with.decision().At
		if inv.ScoredAt.After(from) {
			from = inv.ScoredAt
		}
		w := s.writer(inv.caseID, "member", from)
		w.invoiceID, w.currency, w.origin = inv.ID, inv.Currency, cases.OriginDetector
		w.wait(time.Hour, day)
		w.event(cases.Event{Status: cases.StatusAcknowledged})
		s.asked[inv.caseID] = w.at()
		messages = append(messages, w.messages...)
	}
	return messages
}

// workMany is the life of an incident, a rate or a blind case: one investigation for all
// of it. The money comes back through the cases of its members.
func (w *writer) workMany(c *cases.Case) {
	if !w.acknowledge() {
		return
	}
	w.wait(time.Hour, day)
	minutes := float64(60 + w.dice.IntN(120))
	e := cases.Event{Status: cases.StatusDecided, HandlingMinutes: &minutes, Outcome: cases.OutcomeUndetermined,
		DecidedByRole: "billing lead", HandlingCost: amount(invoice.Amount(minutes) * costPerMinute)}
	last := cases.Event{Status: cases.StatusClosed}
	if c.Kind == cases.KindIncident && len(c.Causes) > 0 {
		e.Outcome, e.TrueCause = cases.OutcomeConfirmed, c.Causes[0].Code
		last.CorrectiveAction = correctiveActions[e.TrueCause]
	}
	if w.currency == "" {
		e.HandlingCost = invoice.OptionalAmount{} // a case about no money names no currency
	}
	w.event(e)
	w.wait(time.Hour, 3*day)
	w.event(last)
}

// audit is the verdict on an invoice that nobody flagged (A5).
func (w *writer) audit(truth Truth) {
	w.origin = cases.OriginAudit
	w.wait(2*day, 9*day)
	e := cases.Event{Status: cases.StatusDecided, Outcome: cases.OutcomeNotAnError, DecidedByRole: "internal audit"}
	if truth.Wrong() {
		e.Outcome, e.TrueCause, e.Direction = cases.OutcomeConfirmed, truth.Cause, truth.direction()
		e.CorrectAmount, e.ConfirmedLoss = amount(truth.Due), amount(truth.Loss)
	}
	w.event(e)
}
