package cases

import (
	"math"

	"recoup/detectors"
	"recoup/invoice"
)

// Claims are what a seller's closed cases asked for, and what of it came back. The zero
// value has none. They may be added in any order.
type Claims struct {
	n      int64
	shares int64 // that came back, summed, in basis points
}

// leastRate keeps large claims worth a case whatever came back: else a rate that is low
// could never be seen to rise.
const leastRate = 0.05

// Claimed returns what a case asked for, and what came back of it less what gestures
// cost. asked is 0 as long as people have not closed it, and where it asked for nothing:
// it was no error, the money is the customer's, or it was too late.
func (c *Case) Claimed() (asked, back invoice.Amount) {
	closed := c.Resolution != nil && c.Resolution.By == ResolvedByOutcome && c.Outcome == OutcomeConfirmed
	if c.Kind != KindInvoice || !closed || c.TooLate {
		return 0, 0
	}
	asked = c.Loss.Point
	if s := c.Settlement; s != nil {
		if s.ConfirmedLoss != nil {
			asked = *s.ConfirmedLoss
		}
		back = max(0, s.Paid-s.GoodwillCost)
	}
	if asked <= 0 {
		return 0, 0
	}
	return asked, min(asked, back)
}

// Add counts what Claimed returned of a case.
func (c *Claims) Add(asked, back invoice.Amount) {
	if asked > 0 {
		c.n++
		c.shares += int64(wholeBasisPoints * float64(back) / float64(asked))
	}
}

// Recovery returns the lower end of the share that comes back, each claim counting
// alike, at least 5 %; from 20 claims on. The interval is that of as many whole claims
// as the shares add up to: shares in between vary less.
func (c *Claims) Recovery() detectors.RecoveryRate {
	if c.n < leastOffers {
		return detectors.RecoveryRate{}
	}
	low := Wilson(c.shares/wholeBasisPoints, c.n).Low
	low = math.Floor(wholeBasisPoints*low) / wholeBasisPoints
	return detectors.RecoveryRate{Rate: max(leastRate, low), Cases: c.n}
}
