package main

import (
	"math"
	"slices"
)

// noCause stands for a suspect whose verdict names no cause.
const noCause = "none"

// confusion says which causes were named for the errors that were found.
type confusion struct {
	Labels  []string `json:"labels"`   // true causes, the rows
	Named   []string `json:"named"`    // first cause of the verdict, the columns
	Count   [][]int  `json:"count"`    // [label][named]
	N       int      `json:"n"`        // errors found
	Top1    figure   `json:"top1"`     // share whose first cause is the true one, Wilson interval
	MacroF1 figure   `json:"macro_f1"` // mean over the true causes of their F1
}

// confuse compares the first cause of every error found with the true one.
func confuse(outcomes []outcome, resamples int) confusion {
	var truth, named []string
	for i := range outcomes {
		o := &outcomes[i]
		if !o.wrong() || !o.suspect {
			continue
		}
		truth = append(truth, o.label.Cause)
		if o.cause == "" {
			named = append(named, noCause)
		} else {
			named = append(named, o.cause)
		}
	}
	c := confusion{N: len(truth), Labels: distinct(truth), Named: distinct(named)}
	rows, columns := positions(truth, c.Labels), positions(named, c.Named)
	c.Count = make([][]int, len(c.Labels))
	for i := range c.Count {
		c.Count[i] = make([]int, len(c.Named))
	}
	right := 0
	for i := range truth {
		c.Count[rows[i]][columns[i]]++
		if truth[i] == named[i] {
			right++
		}
	}
	c.Top1 = wilson(right, c.N)
	answers := positions(named, c.Labels)
	c.MacroF1 = bootstrapOf(len(truth), resamples, func(sample []int) float64 {
		return macroF1(len(c.Labels), rows, answers, sample)
	})
	return c
}

// macroF1 is the mean F1 of the causes that occur in the sample. truth and
// answer are cause numbers; an answer of -1 is none of them.
func macroF1(causes int, truth, answer, sample []int) float64 {
	occurs, answered, right := make([]float64, causes), make([]float64, causes), make([]float64, causes)
	for _, i := range sample {
		occurs[truth[i]]++
		if answer[i] < 0 {
			continue
		}
		answered[answer[i]]++
		if answer[i] == truth[i] {
			right[truth[i]]++
		}
	}
	sum, n := 0.0, 0.0
	for cause := range causes {
		if occurs[cause] > 0 {
			sum += 2 * right[cause] / (occurs[cause] + answered[cause])
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / n
}

// distinct returns the names that occur, in alphabetical order.
func distinct(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

// positions returns the place of each name in a list, -1 for none.
func positions(names, in []string) []int {
	at := make(map[string]int, len(in))
	for i, name := range in {
		at[name] = i + 1
	}
	out := make([]int, len(names))
	for i, name := range names {
		out[i] = at[name] - 1
	}
	return out
}
