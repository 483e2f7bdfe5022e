package cases

import (
	"cmp"
	"slices"
	"time"

	"recoup/invoice"
)

// RecoveryOption is a way to settle a case.
type RecoveryOption struct {
	Option   Option           `json:"option"`                  // as in recovery.v1
	Amount   invoice.Amount   `json:"amount"`                  // what the customer would pay, or of a credit note get
	Schedule []invoice.Amount `json:"schedule,omitempty"`      // instalments; their sum is Amount
	Cost     invoice.Amount   `json:"goodwill_cost,omitempty"` // what the gesture costs the seller; 0: none
	PAccept  *float64         `json:"p_accept,omitempty"`      // share that accepted it; nil: it was never offered
	Accepts  *Share           `json:"acceptance,omitempty"`    // the same with its interval; nil: it was never offered
	// ExpectedNet is Amount × the lower end of acceptance × the share that is paid, less
	// the cost: what the ranking goes by. nil: it was never offered.
	ExpectedNet *invoice.Amount `json:"expected_net,omitempty"`
}

// Terms are what a seller offers.
type Terms struct {
	Instalments int   // how many, 2 to 12; 0: none are offered
	Goodwill    int64 // cost of a gesture in basis points of what is due, 0 to 10,000; 0: none is offered
}

// Options returns the ways to settle a sum. What was billed too much, due < 0, is
// credited. Of what was billed too little they are, best first:
// amicable ones, by what they bring at the lower end of acceptance, and in the order
// of the contract where that says nothing; then the write-off; last, and only if an
// amicable option failed, a formal notice (A26). What was refused or failed before is
// not offered again. Nothing is left of a sum below the smallest coin. Answers count
// that were known at a moment.
func (t Terms) Options(due invoice.Amount, currency, segment string, s *State, a *Acceptance,
	known time.Time) []RecoveryOption {
	coin := invoice.Coin(currency)
	due -= due % coin // never more than what was lost
	if due == 0 || s.Agreed != "" {
		return nil
	}
	if due < 0 {
		return []RecoveryOption{{Option: OptionCredit, Amount: magnitude(due)}}
	}
	var list []RecoveryOption
	for _, option := range options {
		o := RecoveryOption{Option: option, Amount: due}
		switch option {
		case OptionInstalments:
			o.Schedule = Schedule(due, t.Instalments, coin)
			if len(o.Schedule) < 2 {
				continue
			}
		case OptionGoodwill:
			cost, ok := due.MulRate(t.Goodwill, wholeBasisPoints)
			if o.Cost = cost - cost%coin; !ok || o.Cost <= 0 {
				continue
			}
		case OptionWriteOff:
			o.Amount = 0
		case OptionFormalNotice:
			if !s.AmicableFailed || s.FormalNotice {
				continue
			}
		}
		if s.tried(option) {
			continue
		}
		o.judge(a.Of(segment, option, known))
		list = append(list, o)
	}
	slices.SortStableFunc(list, byValue)
	return list
}

// byValue puts amicable options first, and among those what brings more. The others
// stay in the order of the contract, whatever they bring.
func byValue(a, b RecoveryOption) int {
	switch amicable := a.Option.Amicable(); {
	case amicable && b.Option.Amicable():
		return cmp.Compare(b.net(), a.net())
	case amicable:
		return -1
	case b.Option.Amicable():
		return 1
	}
	return 0
}

// wholeBasisPoints is 100 %.
const wholeBasisPoints = 10_000

// tried tells whether an option was refused or failed.
func (s *State) tried(option Option) bool {
	return slices.ContainsFunc(s.Plans, func(p Plan) bool { return p.Option == option && p.Offered && p.Ended })
}

// judge fills in how customers answer.
func (o *RecoveryOption) judge(a Answer) {
	if a.Accepts.N == 0 {
		return
	}
	o.PAccept, o.Accepts = &a.Accepts.P, &a.Accepts
	brings := float64(o.Amount)*a.Pays - float64(o.Cost)
	net := invoice.Amount(a.Accepts.Low * brings)
	o.ExpectedNet = &net
}

// net is what the option is ranked by: what was never offered is known to bring nothing.
func (o *RecoveryOption) net() invoice.Amount {
	if o.ExpectedNet == nil {
		return 0
	}
	return *o.ExpectedNet
}

// Schedule splits a sum into at most n instalments that add up to it exactly: whole
// coins, the ones left over go to the first instalments (25.00 in three is 8.34,
// 8.33, 8.33), and what is less than a coin to the very first. None is 0: a sum of
// fewer than n coins has as many instalments as coins. It is empty for a sum that is
// not above 0 and for n below 1.
func Schedule(due invoice.Amount, n int, coin invoice.Amount) []invoice.Amount {
	coins := due / coin
	n = int(min(invoice.Amount(n), max(coins, 1)))
	if due <= 0 || n < 1 {
		return nil
	}
	parts := make([]invoice.Amount, n)
	base, left := coins/invoice.Amount(n), coins%invoice.Amount(n)
	for i := range parts {
		parts[i] = base * coin
		if invoice.Amount(i) < left {
			parts[i] += coin
		}
	}
	parts[0] += due % coin
	return parts
}
