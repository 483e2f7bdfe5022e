package detectors

import (
	"time"

	"recoup/invoice"
)

// RuleTooLate stands in Verdict.Rules of a suspect that was billed too little so long
// ago that its money can no longer be claimed: nobody has to look at it.
const RuleTooLate = "limitation:over"

// UseLimitation has such suspects logged only, from the next Score on. last returns the
// last day, as 2028-02-29, on which the money of an invoice can be claimed, "" where
// no law is known; the same invoice has the same day.
func (e *Engine) UseLimitation(last func(*invoice.Invoice) string) { e.lastDay = last }

// tooLate tells whether that day was over when a suspect's record was written. What
// was billed too much is no claim of the seller's: no day ends it.
func (e *Engine) tooLate(v *Verdict) bool {
	c := &e.cur
	if e.lastDay == nil || v.Stage != invoice.Issued || v.Loss.Point <= 0 && !ForeignCurrency(v.Causes) {
		return false
	}
	last := e.lastDay(c.inv)
	return last != "" && c.received.UTC().Format(time.DateOnly) > last
}
