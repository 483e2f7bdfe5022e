package cases

import (
	"time"

	"recoup/invoice"
)

// Acceptance is how customers answered: per option and segment, from the plans of
// cases, day by day. The same plans give the same, in any order. What was known on a
// day stays, whatever comes later: an offer counts on the day it was answered, or
// after 14 days of silence, and the money of an agreement on the day it was settled.
// A nil Acceptance knows nothing.
type Acceptance struct {
	days map[answerKey]map[int64]*answers // by days since 1970
}

// answerKey is an option within a segment; segment "" is all of them.
type answerKey struct {
	segment string
	option  Option
}

type answers struct {
	offers, accepted int64
	agreed, paid     invoice.Amount // of settled plans
}

const (
	// leastOffers is how many offers of an option a segment needs to be judged by its
	// own; below, all segments speak for it.
	leastOffers = 20
	// silence is after how long an offer without an answer counts as not accepted.
	silence = 14 * 24 * time.Hour
)

// Answer is how customers answer one option.
type Answer struct {
	Accepts Share   // of those it was offered to
	Pays    float64 // share of what was agreed that came in, 0 to 1; 1 as long as nothing was settled
}

// Rate is the share of a claim that the option brings in.
func (a Answer) Rate() float64 { return a.Accepts.P * a.Pays }

// Count adds the plans of one case in a segment. What a case counted before and has
// changed since is taken back with Discount first.
func (a *Acceptance) Count(segment string, plans []Plan) { a.count(segment, plans, 1) }

// Discount takes back what Count added.
func (a *Acceptance) Discount(segment string, plans []Plan) { a.count(segment, plans, -1) }

func (a *Acceptance) count(segment string, plans []Plan, sign int64) {
	for i := range plans {
		p := &plans[i]
		for _, of := range []string{"", segment}[:1+min(1, len(segment))] {
			key := answerKey{of, p.Option}
			if p.Offered {
				answered, accepted := p.answer()
				day := a.on(key, answered)
				day.offers += sign
				if accepted {
					day.accepted += sign
				}
			}
			if !p.SettledAt.IsZero() && p.Accepted {
				day := a.on(key, p.SettledAt)
				day.agreed = add(day.agreed, max(p.Due, p.Paid)*invoice.Amount(sign))
				day.paid = add(day.paid, p.Paid*invoice.Amount(sign))
			}
		}
	}
}

// answer returns when an offer counts, and whether it was accepted in time.
func (p *Plan) answer() (at time.Time, accepted bool) {
	last := p.OfferedAt.Add(silence)
	if p.AnsweredAt.IsZero() || p.AnsweredAt.After(last) {
		return last, false
	}
	if p.AnsweredAt.Before(p.OfferedAt) {
		return p.OfferedAt, p.Accepted
	}
	return p.AnsweredAt, p.Accepted
}

// on returns what was answered on the day of a moment.
func (a *Acceptance) on(key answerKey, at time.Time) *answers {
	if a.days == nil {
		a.days = map[answerKey]map[int64]*answers{}
	}
	if a.days[key] == nil {
		a.days[key] = map[int64]*answers{}
	}
	day := dayOf(at)
	if a.days[key][day] == nil {
		a.days[key][day] = &answers{}
	}
	return a.days[key][day]
}

func dayOf(at time.Time) int64 { return at.Unix() / int64(24*time.Hour/time.Second) }

// Of returns how customers of a segment answer an option, by the days before that of
// a moment: from 20 offers on by their own answers, else by those of all segments.
func (a *Acceptance) Of(segment string, option Option, known time.Time) Answer {
	sum := a.before(answerKey{segment, option}, known)
	if sum.offers < leastOffers {
		sum = a.before(answerKey{"", option}, known)
	}
	answer := Answer{Accepts: Wilson(sum.accepted, sum.offers), Pays: 1}
	if sum.agreed > 0 {
		answer.Pays = float64(sum.paid) / float64(sum.agreed)
	}
	return answer
}

// before adds up the days before that of a moment. Whole numbers: the order does not
// matter.
func (a *Acceptance) before(key answerKey, known time.Time) (sum answers) {
	if a == nil {
		return sum
	}
	for day, d := range a.days[key] {
		if day < dayOf(known) {
			sum.offers, sum.accepted = sum.offers+d.offers, sum.accepted+d.accepted
			sum.agreed, sum.paid = add(sum.agreed, d.agreed), add(sum.paid, d.paid)
		}
	}
	return sum
}

// Best returns how customers of a segment answer the amicable option that brings in
// most; ok is false as long as none was offered 20 times.
func (a *Acceptance) Best(segment string, known time.Time) (best Answer, ok bool) {
	for _, option := range options {
		answer := a.Of(segment, option, known)
		if option.Amicable() && answer.Accepts.N >= leastOffers && (!ok || answer.Rate() > best.Rate()) {
			best, ok = answer, true
		}
	}
	return best, ok
}
