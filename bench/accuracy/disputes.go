package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/story"
	"recoup/invoice"
)

// disputeResult is how well disputes are foreseen (B22): fitted to one part of a file,
// measured on what comes later. The customers are the story's.
type disputeResult struct {
	Fitted     int     `json:"fitted"`          // invoices
	FittedTo   int     `json:"fitted_disputes"` // disputes among them
	Invoices   int     `json:"invoices"`        // measured
	Disputes   int     `json:"disputes"`        // among them
	AtDisputes float64 `json:"at_disputes"`     // precision when naming as many as there are
	// Area is under the ROC curve: of a disputed and another one, how often the first is above.
	Area  float64 `json:"area"`
	Skill float64 `json:"skill"` // Brier skill against saying the rate
}

// foresee has the story's customers dispute what a replay scored, fits the regression
// to the invoices before a place and measures it on the others; nil where too few dispute.
func foresee(outcomes []outcome, from int) *disputeResult {
	labels := map[string]*label{}
	for i := range outcomes {
		labels[outcomes[i].invoice.ID] = outcomes[i].label
	}
	play := story.New(story.Options{Seed: 1, Truth: func(id string) story.Truth {
		l := labels[id]
		if l == nil {
			return story.Truth{}
		}
		return story.Truth{Cause: l.Cause, Due: l.TrueGross, Loss: l.Loss}
	}})
	var facts []cases.DisputeFacts
	var disputed []bool
	past := map[string]int{}
	for i := range outcomes {
		o := &outcomes[i]
		facts = append(facts, factsFor(o, past[o.invoice.CustomerRef]))
		disputed = append(disputed, false)
		for _, m := range play.Invoice(story.Invoice{Seller: o.invoice.Seller, ID: o.invoice.ID,
			Customer: o.invoice.CustomerRef, Currency: o.invoice.Currency, IssuedAt: o.invoice.IssuedAt,
			ScoredAt: o.invoice.IssuedAt, Billed: o.invoice.NetAmount, Suspect: o.suspect, PError: o.pError, CountsIn: true}) {
			disputed[i] = disputed[i] || m.Topic == story.Disputes
		}
		if disputed[i] {
			past[o.invoice.CustomerRef]++
		}
	}
	odds, ok := cases.FitDisputes(facts[:from], disputed[:from])
	if !ok {
		return nil
	}
	r := &disputeResult{}
	r.Fitted, r.FittedTo = odds.Learned()
	r.measure(odds, facts[from:], disputed[from:])
	return r
}

func factsFor(o *outcome, past int) cases.DisputeFacts {
	f := cases.DisputeFacts{PError: o.pError, Direction: detectors.DirectionNone, Past: past}
	switch {
	case o.loss > 0:
		f.Direction = detectors.DirectionCustomerFavour
	case o.loss < 0:
		f.Direction = detectors.DirectionSellerFavour
	}
	billed := o.invoice.NetAmount
	if o.invoice.GrossAmount.Set {
		billed = o.invoice.GrossAmount.Value
	}
	f.LossShare = math.Abs(units(o.loss)) / max(1, math.Abs(units(max(billed, invoice.Unit))))
	return f
}

func (r *disputeResult) measure(odds *cases.DisputeOdds, facts []cases.DisputeFacts, disputed []bool) {
	said, truth, order := make([]float64, len(facts)), make([]float64, len(facts)), make([]int, len(facts))
	for i := range facts {
		said[i], order[i] = odds.P(facts[i]), i
		if disputed[i] {
			truth[i] = 1
			r.Disputes++
		}
	}
	r.Invoices = len(facts)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(said[b], said[a]) })
	hits, below := 0.0, 0.0
	for place, i := range order {
		if truth[i] == 1 {
			hits++
		} else {
			below += hits
		}
		if place+1 == r.Disputes {
			r.AtDisputes = hits / float64(r.Disputes)
		}
	}
	r.Area = below / (hits * (float64(len(order)) - hits))
	r.Skill = brierSkill(said, truth, mean(truth))
}

// reportDisputes writes how well disputes are foreseen.
func reportDisputes(b *strings.Builder, results []feedbackResult) {
	for _, f := range results {
		r := f.Disputes
		if r == nil {
			continue
		}
		fmt.Fprintf(b, "\np_dispute on %s, with the story's customers: fitted to %d invoices, %d disputed; "+
			"of %d later ones %d are. Naming as many: "+
			"precision %.3f (claim: 0.85). Area under the ROC curve %.3f, Brier skill %.3f.\n", f.File,
			r.Fitted, r.FittedTo, r.Invoices, r.Disputes, r.AtDisputes, r.Area, r.Skill)
	}
}
