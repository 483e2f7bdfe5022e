package cases

import "recoup/invoice"

// Acceptance is what is known of how customers answer: per option and segment, from
// the plans of cases. The same plans give the same, in any order. A nil Acceptance
// knows nothing.
type Acceptance struct {
	answers map[answerKey]*answers
}

// answerKey is an option within a segment; segment "" is all of them.
type answerKey struct {
	segment string
	option  Option
}

type answers struct {
	offers, accepted int64
	agreed, paid     invoice.Amount // of accepted plans
}

// leastOffers is how many offers of an option a segment needs to be judged by its
// own; below, all segments speak for it.
const leastOffers = 20

// Answer is how customers answer one option.
type Answer struct {
	Accepts Share   // of those it was offered to
	Pays    float64 // share of what was agreed that came in, 0 to 1; 1 as long as nothing was agreed
}

// Rate is the share of a claim that the option brings in.
func (a Answer) Rate() float64 { return a.Accepts.P * a.Pays }

// Count adds the plans of one case in a segment. What a case counted before and has
// changed since is taken back with Discount first.
func (a *Acceptance) Count(segment string, plans []Plan) { a.count(segment, plans, 1) }

// Discount takes back what Count added.
func (a *Acceptance) Discount(segment string, plans []Plan) { a.count(segment, plans, -1) }

func (a *Acceptance) count(segment string, plans []Plan, sign int64) {
	if a.answers == nil {
		a.answers = map[answerKey]*answers{}
	}
	for i := range plans {
		p := &plans[i]
		if !p.Offered && !p.Accepted {
			continue
		}
		a.at(answerKey{"", p.Option}).add(p, sign)
		if segment != "" {
			a.at(answerKey{segment, p.Option}).add(p, sign)
		}
	}
}

func (a *Acceptance) at(key answerKey) *answers {
	known := a.answers[key]
	if known == nil {
		known = &answers{}
		a.answers[key] = known
	}
	return known
}

func (a *answers) add(p *Plan, sign int64) {
	a.offers += sign
	if p.Accepted {
		a.accepted += sign
		a.agreed = add(a.agreed, max(p.Due, p.Paid)*invoice.Amount(sign))
		a.paid = add(a.paid, p.Paid*invoice.Amount(sign))
	}
}

// Of returns how customers of a segment answer an option: from 20 offers on by
// their own answers, else by those of all segments.
func (a *Acceptance) Of(segment string, option Option) Answer {
	known := &answers{}
	if a != nil {
		if own := a.answers[answerKey{segment, option}]; own != nil && own.offers >= leastOffers {
			known = own
		} else if all := a.answers[answerKey{"", option}]; all != nil {
			known = all
		}
	}
	answer := Answer{Accepts: Wilson(known.accepted, known.offers), Pays: 1}
	if known.agreed > 0 {
		answer.Pays = float64(known.paid) / float64(known.agreed)
	}
	return answer
}

// Best returns how customers of a segment answer the amicable option that brings in
// most; ok is false as long as none was offered 20 times.
func (a *Acceptance) Best(segment string) (best Answer, ok bool) {
	for _, option := range options {
		answer := a.Of(segment, option)
		if option.Amicable() && answer.Accepts.N >= leastOffers && (!ok || answer.Rate() > best.Rate()) {
			best, ok = answer, true
		}
	}
	return best, ok
}
