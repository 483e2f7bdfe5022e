package cases

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/invoice"
)

// planKey tells plans apart: an id that two options share is two plans.
type planKey struct {
	id     string
	option Option
}

func planOrder(a, b *Plan) int {
	return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(string(a.Option), string(b.Option)))
}

// recover folds the steps of recoveries, in their order.
func (s *State) recover(steps []*Recovery) {
	plans := map[planKey]*Plan{}
	for _, r := range steps {
		if r.Currency != s.Currency {
			s.flag(FlagCurrency, r.EventID)
			continue
		}
		if r.Option == OptionFormalNotice && !s.AmicableFailed {
			s.flag(FlagNoticeTooEarly, r.EventID)
			if r.Event == StepPaid { // money is money
				s.Paid = add(s.Paid, r.Amount)
			}
			continue
		}
		key := planKey{r.RecoveryID, r.Option}
		p := plans[key]
		if p == nil {
			p = &Plan{ID: r.RecoveryID, Option: r.Option}
			plans[key] = p
		}
		s.step(p, r)
	}
	for _, p := range slices.SortedFunc(maps.Values(plans), planOrder) {
		if p.Accepted {
			s.GoodwillCost = add(s.GoodwillCost, p.cost)
		}
		if !p.adds() {
			s.flag(FlagScheduleSum, lastScheduled(steps, p))
		}
		s.Plans = append(s.Plans, *p)
	}
}

// step takes over one step of a plan.
func (s *State) step(p *Plan, r *Recovery) {
	s.FormalNotice = s.FormalNotice || r.Option == OptionFormalNotice
	p.date(r)
	switch r.Event {
	case StepOffered:
		p.Offered, p.Ended = true, false
		if !p.Accepted {
			p.Due = r.Amount
		}
	case StepAccepted, StepRefused:
		if !p.Offered {
			s.flag(FlagNotOffered, r.EventID)
		}
		if r.Event == StepAccepted {
			p.Accepted, p.Ended, p.Due = true, false, r.Amount
			s.Agreed = p.Option
			break
		}
		s.end(p)
	case StepScheduled:
		p.schedule(r)
	case StepPaid:
		p.Accepted = true
		p.Paid, s.Paid = add(p.Paid, r.Amount), add(s.Paid, r.Amount)
	case StepFailed:
		s.end(p)
	case StepCancelled:
		p.Ended = true
		s.leave(p)
	case StepWrittenOff:
		s.WrittenOff = add(s.WrittenOff, r.Amount)
		s.leave(p)
	}
	if r.GoodwillCost.Set && r.Option == OptionGoodwill {
		p.cost = max(0, r.GoodwillCost.Value)
	}
}

// date notes when a plan was first offered, first answered and first over.
func (p *Plan) date(r *Recovery) {
	first := func(at *time.Time, is bool) {
		if is && at.IsZero() {
			*at = r.At
		}
	}
	switch r.Event {
	case StepOffered:
		first(&p.OfferedAt, true)
	case StepAccepted, StepRefused:
		first(&p.AnsweredAt, true)
	case StepPaid:
		first(&p.AnsweredAt, true)
		first(&p.SettledAt, p.Due > 0 && add(p.Paid, r.Amount) >= p.Due)
	case StepFailed, StepCancelled, StepCompleted, StepWrittenOff:
		first(&p.AnsweredAt, true)
		first(&p.SettledAt, true)
	}
}

// end notes that a plan was refused or failed.
func (s *State) end(p *Plan) {
	p.Ended = true
	s.AmicableFailed = s.AmicableFailed || p.Offered && p.Option.Amicable()
	s.leave(p)
}

// leave takes back the agreement if it was this plan's.
func (s *State) leave(p *Plan) {
	if s.Agreed == p.Option {
		s.Agreed = ""
	}
}

// schedule notes an instalment; a later word on the same number replaces it.
func (p *Plan) schedule(r *Recovery) {
	p.of = r.Instalments
	at, known := slices.BinarySearchFunc(p.Scheduled, r.Instalment, func(i Instalment, n int) int { return i.Number - n })
	if !known {
		p.Scheduled = slices.Insert(p.Scheduled, at, Instalment{})
	}
	p.Scheduled[at] = Instalment{Number: r.Instalment, Amount: r.Amount, DueAt: r.DueDate}
}

// adds tells whether a plan that is known whole adds up to what is due.
func (p *Plan) adds() bool {
	if p.of == 0 || len(p.Scheduled) < p.of || p.Due == 0 {
		return true
	}
	var sum invoice.Amount
	for _, i := range p.Scheduled {
		sum = add(sum, i.Amount)
	}
	return sum == p.Due && len(p.Scheduled) == p.of
}

// lastScheduled returns the event id of the last instalment that was scheduled in a plan.
func lastScheduled(steps []*Recovery, p *Plan) (eventID string) {
	for _, r := range steps {
		if r.RecoveryID == p.ID && r.Option == p.Option && r.Event == StepScheduled {
			eventID = r.EventID
		}
	}
	return eventID
}
