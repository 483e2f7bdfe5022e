package main

import (
	"cmp"
	"math"
	"slices"

	"recoup/invoice"
)

// group is how many of the errors of one sort are found.
type group struct {
	Name   string `json:"name"`   // of the sort
	N      int    `json:"n"`      // scored errors
	Found  int    `json:"found"`  // suspects among them
	Recall figure `json:"recall"` // Found of N, Wilson interval
}

// recallBy groups the errors by what name says of a label; "" leaves one out.
// Groups stand in alphabetical order.
func recallBy(outcomes []outcome, name func(*label) string) []group {
	counts := map[string]*group{}
	for i := range outcomes {
		o := &outcomes[i]
		if !o.wrong() {
			continue
		}
		key := name(o.label)
		if key == "" {
			continue
		}
		if counts[key] == nil {
			counts[key] = &group{Name: key}
		}
		counts[key].N++
		if o.suspect {
			counts[key].Found++
		}
	}
	var groups []group
	for _, g := range counts {
		g.Recall = wilson(g.Found, g.N)
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.Name, b.Name) })
	return groups
}

func causeOf(l *label) string { return l.Cause }

func kindOf(l *label) string { return l.Cause + ":" + l.Kind }

// The band of small errors that the target speaks of, in per cent of what is due.
const (
	bandFrom = 16
	bandTo   = 25
	bandName = "16–25 %"
)

// sizeOf names the band of an under-billed invoice: what is missing, in per cent
// of what is due. Bounds are compared in integers.
func sizeOf(l *label) string {
	if l.Loss <= 0 || l.TrueGross <= 0 {
		return ""
	}
	switch atLeast := func(perCent int64) bool { return int64(l.Loss)*100 >= int64(l.TrueGross)*perCent }; {
	case !atLeast(5):
		return "0–5 %"
	case !atLeast(15):
		return "5–15 %"
	case !atLeast(bandFrom):
		return "15–16 %"
	case int64(l.Loss)*100 <= int64(l.TrueGross)*bandTo:
		return bandName
	case int64(l.Loss)*100 <= int64(l.TrueGross)*50:
		return "25–50 %"
	}
	return "over 50 %"
}

// sizeOrder is the order in which bands are printed.
var sizeOrder = []string{"0–5 %", "5–15 %", "15–16 %", bandName, "25–50 %", "over 50 %"}

// recallBySize returns the bands of under-billing by rising size.
func recallBySize(outcomes []outcome) []group {
	groups := recallBy(outcomes, sizeOf)
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Compare(slices.Index(sizeOrder, a.Name), slices.Index(sizeOrder, b.Name))
	})
	return groups
}

// lossError returns the median relative error of the estimated loss over the
// errors that were found and moved money. An invoice in the wrong currency has a
// label in the seller's currency and an estimate in the billed one, since recoup
// converts nothing; converted tells whether those count.
func lossError(outcomes []outcome, converted bool, resamples int) (f figure, n int) {
	var errors []float64
	for i := range outcomes {
		o := &outcomes[i]
		if !o.wrong() || !o.suspect || o.label.Loss == 0 || (!converted && o.label.Kind == kindWrongCurrency) {
			continue
		}
		errors = append(errors, relativeError(o.loss, o.label.Loss))
	}
	median := make([]float64, len(errors))
	return bootstrapOf(len(errors), resamples, func(sample []int) float64 {
		for i, at := range sample {
			median[i] = errors[at]
		}
		slices.Sort(median)
		return quantile(median, 0.5)
	}), len(errors)
}

const kindWrongCurrency = "wrong_currency"

func relativeError(estimate, truth invoice.Amount) float64 {
	return math.Abs(float64(estimate)-float64(truth)) / math.Abs(float64(truth))
}
