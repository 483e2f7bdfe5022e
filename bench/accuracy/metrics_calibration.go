package main

import (
	"math"
	"slices"
)

const (
	calibrationFrom = 0.05 // p_error from which an invoice counts
	calibrationBins = 10   // of equal count
)

// calibration compares p_error with how often an error was there.
type calibration struct {
	N     int     `json:"n"`     // invoices with p_error from calibrationFrom
	Rate  float64 `json:"rate"`  // share of errors among them
	Base  float64 `json:"base"`  // share of errors among all scored invoices
	Bins  []bin   `json:"bins"`  // by rising p_error
	Gap   float64 `json:"gap"`   // mean |said - true| over the bins
	Skill float64 `json:"skill"` // Brier skill over these invoices, against saying Base
	// SkillWithin is the same against saying Rate: how well these invoices are told
	// apart, now that they have been picked.
	SkillWithin float64 `json:"skill_within"`
	SkillAll    float64 `json:"skill_all"` // Brier skill over all scored invoices, against saying Base
	// Gap and Skill of a predictor that says Base of everything.
	ConstantGap   float64 `json:"constant_gap"`
	ConstantSkill float64 `json:"constant_skill"`
}

// bin is a tenth of the invoices.
type bin struct {
	N    int     `json:"n"`    // invoices
	Said float64 `json:"said"` // mean p_error
	True float64 `json:"true"` // share of errors
}

// calibrate measures over outcomes; without any invoice that counts its shares
// are 0 and Gap is 1, the worst there is.
func calibrate(outcomes []outcome) calibration {
	var said, all, truth, wrong []float64
	for i := range outcomes {
		p, y := outcomes[i].pError, 0.0
		if outcomes[i].wrong() {
			y = 1
		}
		all, wrong = append(all, p), append(wrong, y)
		if p >= calibrationFrom {
			said, truth = append(said, p), append(truth, y)
		}
	}
	c := calibration{N: len(said), Gap: 1, ConstantGap: 1}
	if len(said) == 0 {
		return c
	}
	c.Rate, c.Base = mean(truth), mean(wrong)
	constant := repeat(c.Base, len(said))
	c.Bins, c.Gap = equalCountBins(said, truth)
	_, c.ConstantGap = equalCountBins(constant, truth)
	c.Skill = brierSkill(said, truth, c.Base)
	c.SkillWithin = brierSkill(said, truth, c.Rate)
	c.SkillAll = brierSkill(all, wrong, c.Base)
	c.ConstantSkill = brierSkill(constant, truth, c.Base)
	return c
}

// equalCountBins sorts by what was said and returns the bins and their mean gap.
// Where equal values fall into two bins, each gets the errors that a random
// order would give it.
func equalCountBins(said, truth []float64) (bins []bin, gap float64) {
	order := make([]int, len(said))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case said[a] < said[b]:
			return -1
		case said[a] > said[b]:
			return 1
		}
		return 0
	})
	expected := make([]float64, len(order)) // of the invoice at this place, by equal values
	for start := 0; start < len(order); {
		end, sum := start, 0.0
		for ; end < len(order) && said[order[end]] == said[order[start]]; end++ {
			sum += truth[order[end]]
		}
		for i := start; i < end; i++ {
			expected[i] = sum / float64(end-start)
		}
		start = end
	}
	for k := range calibrationBins {
		from, to := k*len(order)/calibrationBins, (k+1)*len(order)/calibrationBins
		if from == to {
			continue
		}
		b := bin{N: to - from}
		for i := from; i < to; i++ {
			b.Said += said[order[i]] / float64(b.N)
			b.True += expected[i] / float64(b.N)
		}
		bins = append(bins, b)
		gap += math.Abs(b.Said - b.True)
	}
	return bins, gap / float64(len(bins))
}

// brierSkill is 1 - the mean squared error over that of always saying rate; 0
// when there is nothing to be better at.
func brierSkill(said, truth []float64, rate float64) float64 {
	own, reference := 0.0, 0.0
	for i := range said {
		own += (said[i] - truth[i]) * (said[i] - truth[i])
		reference += (rate - truth[i]) * (rate - truth[i])
	}
	if reference == 0 {
		return 0
	}
	return 1 - own/reference
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func repeat(value float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = value
	}
	return values
}
