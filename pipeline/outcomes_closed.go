package pipeline

import (
	"unique"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// closedCase is what a case asked for, and what came back of it: both 0 as long as it is
// not closed.
type closedCase struct {
	seller      string
	seq         int64
	asked, back invoice.Amount
}

// mostClosed is how many closed cases a member remembers at least, some 100 bytes each:
// those met last.
const mostClosed = 50_000

// takeClosed notes what a record of an invoice's case says came back. o.mu is held.
func (o *outcomes) takeClosed(c *caseHead) {
	record := cases.Case{Kind: cases.KindInvoice, Outcome: c.Outcome, Loss: c.Loss, TooLate: c.TooLate,
		Settlement: c.Settlement, Resolution: c.Resolution}
	asked, back := record.Claimed()
	was, known := o.closed.find(c.CaseID)
	if known && c.Seq > was.seq || !known && asked > 0 {
		o.closed.put(c.CaseID, closedCase{unique.Make(c.Seller).Value(), c.Seq, asked, back})
	}
}

// recoveryOf returns how much of what a seller asks for comes back, as its closed cases say.
func (o *outcomes) recoveryOf(seller string) detectors.RecoveryRate {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all cases.Claims
	for key, c := range o.closed.newest {
		if c.seller == seller {
			all.Add(c.asked, c.back)
		}
		delete(o.closed.older, key) // it is said anew
	}
	for _, c := range o.closed.older {
		if c.seller == seller {
			all.Add(c.asked, c.back)
		}
	}
	return all.Recovery()
}
