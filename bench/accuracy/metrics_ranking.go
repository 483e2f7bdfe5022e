package main

import (
	"cmp"
	"math"
	"slices"

	"recoup/invoice"
)

// budgetShare is the share of invoices that a small team can look at.
const budgetShare = 0.01

// headline names the figures that are read from one ranking.
type headline int

const (
	averagePrecision    headline = iota // area under the precision-recall curve
	precisionAtErrors                   // precision when flagging as many invoices as there are errors
	precisionAtBudget                   // precision of the most suspicious 1 %
	precisionOfSuspects                 // at recoup's own threshold, as are the rest
	recallOfSuspects
	falseAlertsPer100 // false alerts a day of 100 invoices
	underBillingCaught
	overBillingCaught
	headlines int = iota
)

// ranking holds invoices by falling score. Invoices of equal score form a
// group: nothing tells which of them would be looked at first, so figures are
// those of a random order within it.
type ranking struct {
	groupEnd []int // end of each group
	wrong    []bool
	suspect  []bool
	under    []float64 // money billed too little; floats, because only shares are read from it
	over     []float64 // money billed too much
	rank     []int32   // of each invoice in file order
}

// rankOutcomes orders outcomes by a score, highest first, and takes what flagged
// tells for suspects.
func rankOutcomes(outcomes []outcome, score func(int) float64, flagged func(int) bool) *ranking {
	n := len(outcomes)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score(b), score(a)) })
	r := &ranking{
		wrong: make([]bool, n), suspect: make([]bool, n), under: make([]float64, n), over: make([]float64, n),
		rank: make([]int32, n),
	}
	for rank, i := range order {
		r.rank[i] = int32(rank)
		r.suspect[rank] = flagged(i)
		if l := outcomes[i].label; l != nil {
			r.wrong[rank] = true
			r.under[rank] = units(max(l.Loss, 0))
			r.over[rank] = units(max(-l.Loss, 0))
		}
		if rank+1 == n || score(order[rank+1]) != score(i) {
			r.groupEnd = append(r.groupEnd, rank+1)
		}
	}
	return r
}

// units returns an amount in currency units, for shares and for print.
func units(a invoice.Amount) float64 { return float64(a) / float64(invoice.Unit) }

// figures computes every headline figure when the invoice of rank i counts
// weights[i] times. What cannot be told, such as a share of nothing, is NaN.
func (r *ranking) figures(weights []uint16) (f [headlines]float64) {
	var all, wrong float64
	var flagged, found, under, underFound, over, overFound float64
	for i, w := range weights {
		if w == 0 {
			continue
		}
		count := float64(w)
		all += count
		if r.suspect[i] {
			flagged += count
		}
		if !r.wrong[i] {
			continue
		}
		wrong += count
		under += count * r.under[i]
		over += count * r.over[i]
		if r.suspect[i] {
			found += count
			underFound += count * r.under[i]
			overFound += count * r.over[i]
		}
	}
	f[precisionOfSuspects] = found / flagged
	f[recallOfSuspects] = found / wrong
	f[falseAlertsPer100] = 100 * (flagged - found) / all
	f[underBillingCaught] = underFound / under
	f[overBillingCaught] = overFound / over
	budget := max(1, math.Round(budgetShare*all))
	f[averagePrecision], f[precisionAtErrors], f[precisionAtBudget] = r.walk(weights, wrong, budget)
	return f
}

// walk goes down the ranking once.
func (r *ranking) walk(weights []uint16, wrong, budget float64) (ap, atErrors, atBudget float64) {
	atErrors, atBudget = math.NaN(), math.NaN()
	var all, hits float64
	start := 0
	for _, end := range r.groupEnd {
		var groupAll, groupHits float64
		for i := start; i < end; i++ {
			groupAll += float64(weights[i])
			if r.wrong[i] {
				groupHits += float64(weights[i])
			}
		}
		start = end
		if groupAll == 0 {
			continue
		}
		for _, cut := range []struct {
			at float64
			p  *float64
		}{{wrong, &atErrors}, {budget, &atBudget}} {
			if cut.at > all && cut.at <= all+groupAll {
				*cut.p = (hits + (cut.at-all)*groupHits/groupAll) / cut.at
			}
		}
		all += groupAll
		hits += groupHits
		ap += groupHits / wrong * hits / all
	}
	if wrong == 0 {
		ap = math.NaN()
	}
	return ap, atErrors, atBudget
}
