package story

import (
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Shares of customers. Acceptance is higher for what was explained before.
const (
	smallest     = 5_0000 // a loss below this many units is written off: asking costs more
	paysLate     = 0.15
	failsFirst   = 0.06 // of one-off payments and of instalments
	goesOn       = 0.60 // of those whose instalment failed: pay after all
	isSued       = 0.50 // of those who refused everything: get a formal notice, the others are let off
	paysAtLast   = 0.40 // of those who got one
	complains    = 0.35 // of customers who were billed too much and whom nobody told
	complainsToo = 0.10 // of those whom recoup found at the same time
	grumbles     = 0.002
)

// amicable are the options in the order they are offered (A26), each with its
// acceptance among those who refused the ones before.
var amicable = []struct {
	option cases.Option
	least  invoice.Amount // not offered below
	takes  float64
}{
	{cases.OptionImmediate, 0, 0.45},
	{cases.OptionInstalments, 25_0000, 0.45},
	{cases.OptionOffset, 0, 0.35},
	{cases.OptionGoodwill, 0, 0.40},
}

// recover is how the money comes back, or not. It returns how satisfied the
// customer is, from 1 to 5, and whether the case is over.
func (w *writer) recover(due invoice.Amount) (satisfaction int, closed bool) {
	if due < smallest {
		w.plans++
		w.recovery(cases.Recovery{Option: cases.OptionWriteOff, Event: cases.StepWrittenOff, Amount: due})
		return 0, true
	}
	for offered, way := range amicable {
		rest := due - w.paid // a plan that failed may have brought some
		if rest < way.least || offered > 0 && w.chance(0.25) {
			continue // the team does not offer everything to everybody
		}
		w.plans++
		offer := cases.Recovery{Option: way.option, Event: cases.StepOffered, Amount: rest, Channel: w.channel()}
		if way.option == cases.OptionGoodwill {
			offer.GoodwillCost = amount(tenth(rest))
		}
		w.wait(time.Hour, 8*time.Hour)
		w.recovery(offer)
		w.wait(4*time.Hour, 5*day)
		answer := offer
		if answer.Event = cases.StepRefused; w.chance(way.takes) {
			answer.Event = cases.StepAccepted
		}
		w.recovery(answer)
		if answer.Event == cases.StepAccepted && w.pay(answer) {
			return 5 - offered - w.dice.IntN(2), true
		}
	}
	return w.lastResort(due)
}

// pay is what an accepted offer comes to: true when all of it is paid.
func (w *writer) pay(r cases.Recovery) bool {
	r.Channel = "bank_transfer"
	switch r.Option {
	case cases.OptionInstalments:
		return w.payInstalments(r)
	case cases.OptionOffset:
		w.wait(25*day, 60*day) // the next order
	default:
		w.wait(day, 14*day)
	}
	if w.chance(paysLate) {
		w.wait(5*day, 40*day)
	}
	if !w.payNow(r, r.Option != cases.OptionOffset) {
		return false
	}
	r.Event = cases.StepCompleted
	w.recovery(r)
	return true
}

// payNow pays what is due now. A payment that may fail fails at times, and then some
// customers give up: it returns false.
func (w *writer) payNow(r cases.Recovery, mayFail bool) bool {
	if mayFail && w.chance(failsFirst) {
		r.Event = cases.StepFailed
		w.recovery(r)
		w.wait(2*day, 10*day)
		if !w.chance(goesOn) {
			r.Event = cases.StepCancelled
			w.recovery(r)
			return false
		}
	}
	r.Event = cases.StepPaid
	w.recovery(r)
	return true
}

// payInstalments schedules a plan that sums exactly, and pays it month by month.
func (w *writer) payInstalments(r cases.Recovery) bool {
	whole := r.Amount
	parts := cases.Schedule(whole, 2+w.dice.IntN(5), invoice.Coin(w.currency))
	r.Instalments, r.Event = len(parts), cases.StepScheduled
	first := w.now.Truncate(day).AddDate(0, 0, 14)
	for i, part := range parts {
		r.Instalment, r.Amount, r.DueDate = i+1, part, first.AddDate(0, i, 0)
		w.recovery(r)
	}
	r.DueDate = time.Time{}
	for i, part := range parts {
		r.Instalment, r.Amount = i+1, part
		w.now = first.AddDate(0, i, 0)
		w.wait(-2*day, 2*day)
		if w.chance(paysLate) {
			w.wait(5*day, 25*day)
		}
		if !w.payNow(r, true) {
			return false
		}
	}
	r.Event, r.Amount, r.Instalment = cases.StepCompleted, whole, len(parts)
	w.recovery(r)
	return true
}

// lastResort is what happens when every amicable way has failed: some get a
// formal notice, whatever was paid before is not asked for again.
func (w *writer) lastResort(due invoice.Amount) (satisfaction int, closed bool) {
	rest := due - w.paid
	w.plans++
	if w.chance(isSued) {
		w.wait(10*day, 20*day)
		notice := cases.Recovery{Option: cases.OptionFormalNotice, Event: cases.StepOffered, Amount: rest,
			Channel: "registered_letter"}
		w.recovery(notice)
		w.wait(5*day, 30*day)
		if w.chance(paysAtLast) {
			notice.Event, notice.Channel = cases.StepPaid, "bank_transfer"
			w.recovery(notice)
			return 1, true
		}
		if w.chance(0.5) {
			return 0, false // still open
		}
		notice.Event = cases.StepFailed
		w.recovery(notice)
		w.plans++
	}
	w.wait(day, 10*day)
	w.recovery(cases.Recovery{Option: cases.OptionWriteOff, Event: cases.StepWrittenOff, Amount: rest})
	return 2, true
}

// channel is how the customer is reached (A16).
func (w *writer) channel() string {
	return []string{"email", "phone", "chat"}[w.dice.IntN(3)]
}

// tenth is a tenth of an amount in whole cents, at least one.
func tenth(a invoice.Amount) invoice.Amount { return max(a/1000, 1) * 100 }

// disputes tells whether the customer finds it first.
func (w *writer) disputes(truth Truth, flagged bool) bool {
	switch {
	case truth.Loss < 0 && flagged:
		return w.chance(complainsToo)
	case truth.Loss < 0:
		return w.chance(complains)
	}
	return !flagged && w.chance(grumbles)
}

// dispute is what the customer says.
func (w *writer) dispute(inv Invoice, truth Truth) {
	reason, known := map[string]cases.Reason{
		detectors.CauseDuplicate: cases.ReasonDuplicate, detectors.CausePriceList: cases.ReasonPrice,
		detectors.CauseCRMSync: cases.ReasonPrice, detectors.CauseBeforeShipment: cases.ReasonNotDelivered,
		detectors.CauseMissingAdminData: cases.ReasonMissingDocument,
	}[truth.Cause]
	if !known {
		reason = cases.ReasonWrongAmount
	}
	d := cases.Dispute{EventID: w.nextID(), Seller: inv.Seller, InvoiceID: inv.ID,
		Reason: reason, At: w.at()}
	w.ledger.dispute(&d)
	w.send(Disputes, inv.ID, &d)
}
