package main

import (
	"fmt"
	"math"
)

// target is a bound that a figure should keep.
type target struct {
	atMost bool // else at least
	bound  float64
}

// text writes the bound: "≥ 0.82".
func (t target) text(write func(float64) string) string {
	if t.atMost {
		return "≤ " + write(t.bound)
	}
	return "≥ " + write(t.bound)
}

// judge says "ok" or "short"; a figure that is not known is short.
func (t target) judge(value float64) string {
	if (t.atMost && value <= t.bound) || (!t.atMost && value >= t.bound) {
		return "ok"
	}
	return "short"
}

// rankingTargets are the targets of average precision and of precision at as
// many alerts as there are errors. A set that is not listed has those of "".
var rankingTargets = map[string]struct{ ap, apDeliveries, atErrors float64 }{
	"retail": {0.82, 0.90, 0.78},
	"":       {0.80, 0.88, 0.76},
}

// The other targets, the same for every set. They hold once references are known.
const (
	budgetTarget      = 0.97
	precisionTarget   = 0.80
	falseAlertsTarget = 0.7 // a day of 100 invoices
	moneyTarget       = 0.90
	bandTarget        = 0.75
	lossErrorTarget   = 0.05
	causeTarget       = 0.93
	gapTarget         = 0.05
	skillTarget       = 0.6
	outageTarget      = 0.95
	firstAlertTarget  = 1
	reasonTarget      = 0.10
)

// rankingTarget returns the targets of a set.
func rankingTarget(set, variant string) (ap, atErrors target) {
	t, ok := rankingTargets[set]
	if !ok {
		t = rankingTargets[""]
	}
	if variant == withDeliveries {
		return target{bound: t.apDeliveries}, target{bound: t.atErrors}
	}
	return target{bound: t.ap}, target{bound: t.atErrors}
}

// atLeast and atMost are targets for every variant that knows references.
func atLeast(bound float64) func(string) *target {
	return func(variant string) *target {
		if variant == withoutReferences {
			return nil
		}
		return &target{bound: bound}
	}
}

func atMost(bound float64) func(string) *target {
	return func(variant string) *target {
		if variant == withoutReferences {
			return nil
		}
		return &target{atMost: true, bound: bound}
	}
}

// withFeed is a target for the variant that knows deliveries only.
func withFeed(bound float64) func(string) *target {
	return func(variant string) *target {
		if variant != withDeliveries {
			return nil
		}
		return &target{bound: bound}
	}
}

// noTarget is for figures that have none.
func noTarget(string) *target { return nil }

// The ways a figure is written.
func share(v float64) string { return write("%.3f", v) }

func tenths(v float64) string { return write("%.2f", v) }

func perCent(v float64) string { return write("%.1f %%", 100*v) }

func place(v float64) string {
	if math.IsInf(v, 1) {
		return "never"
	}
	return write("%g", v)
}

func write(format string, v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf(format, v)
}
