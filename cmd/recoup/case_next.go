package main

import (
	"fmt"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// next says which command comes next.
func (f *caseFile) next(state *cases.State, t *tongue) string {
	id, shared := f.Case.CaseID[:13], f.Case.Kind != cases.KindInvoice
	switch {
	case !f.open(state):
		return fmt.Sprintf(t.nothing, id)
	case state.AcknowledgedAt.IsZero():
		return fmt.Sprintf(t.ack, id)
	case state.Outcome == "" && shared:
		return fmt.Sprintf(t.decideShared, id)
	case state.Outcome == "" && !f.knowsBilled():
		return fmt.Sprintf(t.decideUnknown, id)
	case state.Outcome == "":
		return fmt.Sprintf(t.decide, id)
	case state.Outcome == cases.OutcomeConfirmed && f.Case.Kind == cases.KindIncident:
		return fmt.Sprintf(t.members, id)
	case state.Outcome == cases.OutcomeConfirmed && state.Owed() > 0 && state.WrittenOff == 0:
		return f.nextMoney(state, t)
	case state.Outcome == cases.OutcomeConfirmed && state.ConfirmedLoss.Value < 0:
		return fmt.Sprintf(t.credit, t.money(-state.ConfirmedLoss.Value, f.currency(state)), id)
	}
	return fmt.Sprintf(t.close, id)
}

// nextMoney follows the plan that runs; without one something is to be offered.
func (f *caseFile) nextMoney(state *cases.State, t *tongue) string {
	id, owed := f.Case.CaseID[:13], t.money(state.Owed(), f.currency(state))
	p := running(state)
	switch {
	case p == nil:
		return fmt.Sprintf(t.offer, id, owed)
	case !p.Accepted && len(p.Scheduled) == 0:
		return fmt.Sprintf(t.await, id, p.Option)
	case p.Option != cases.OptionInstalments:
		return fmt.Sprintf(t.collect, id, p.Option, owed)
	}
	part := due(p)
	if part == nil {
		return fmt.Sprintf(t.schedule, id, t.money(p.Due, f.currency(state)))
	}
	return fmt.Sprintf(t.pay, part.Number, len(p.Scheduled), t.money(part.Amount, f.currency(state)),
		part.DueAt.Format(t.day), id)
}

// running is the plan under way: the one agreed, else the last one offered.
func running(state *cases.State) (found *cases.Plan) {
	for i := range state.Plans {
		p := &state.Plans[i]
		if p.Ended || !p.Accepted && !p.Offered && len(p.Scheduled) == 0 {
			continue
		}
		if found == nil || p.Accepted || !found.Accepted {
			found = p
		}
	}
	return found
}

// due is the first instalment that what came in does not cover; nil: none is left.
func due(p *cases.Plan) *cases.Instalment {
	var sum invoice.Amount
	for i := range p.Scheduled {
		if sum += p.Scheduled[i].Amount; sum > p.Paid {
			return &p.Scheduled[i]
		}
	}
	return nil
}

// whyNoDraft says why there is nothing to tell the customer.
func (f *caseFile) whyNoDraft(state *cases.State) string {
	c := f.Case
	switch {
	case c.Kind != cases.KindInvoice:
		return "it is about no single customer; its members have drafts"
	case !f.drafted():
		return "recoup does not know what was billed"
	case c.Customer == "" || c.Customer == invoice.Anonymous:
		return "the invoice names no customer, as that of a counter sale"
	case state.Status == cases.StatusClosed:
		return "it is closed; if that is wrong: recoup case reopen " + c.CaseID[:13]
	case f.resolved(state):
		return "it is resolved: the invoice was credited, corrected or replaced"
	case state.Status == cases.StatusReopened && c.Status != cases.StatusReopened:
		return "it was reopened and the service has not drafted a new text yet; ask again once `recoup run` has"
	case state.Outcome != "" && state.Outcome != cases.OutcomeConfirmed && state.Outcome != cases.OutcomeUndetermined:
		return "it was decided that there is nothing to correct: " + string(state.Outcome)
	case state.Agreed != "":
		return "the customer has agreed already: " + string(state.Agreed)
	case state.ConfirmedLoss.Set && state.ConfirmedLoss.Value >= 0 && state.Owed() == 0 || c.Loss.Point == 0:
		return "no money is owed"
	}
	return "the service has not written one yet, or the text in cases.templates cannot be filled"
}

// contactFlags say what the customer was told and promised (E10).
type contactFlags struct {
	Contacted time.Time `placeholder:"TIME" help:"When the customer was first told, such as 2026-03-02T09:30:00Z."`
	Restart   time.Time `placeholder:"DAY" format:"2006-01-02" help:"From when the payment term runs again (UTC)."`
	Hold      *bool     `negatable:"" help:"The claim is disputed: no reminders, no interest. --no-hold lifts it."`
}

// fill adds them to an event.
func (f *contactFlags) fill(e *cases.Event) {
	if e.CustomerContactedAt, e.PaymentTermRestartAt = f.Contacted.UTC(), f.Restart; f.Contacted.IsZero() {
		e.CustomerContactedAt = time.Time{}
	}
	if f.Hold != nil {
		e.DunningHold = f.Hold
	}
}
