package main

import (
	"math"
	"slices"
	"strings"
)

// outageLeast is how many scored invoices a burst needs to count.
const outageLeast = 3

// Bursts of the billing system, and runs of one customer's invoices.
const (
	outagePrefix = "out"
	crmPrefix    = "crm-"
)

// outages says how many bursts of one origin are seen, and how soon.
type outages struct {
	N    int    `json:"n"`    // bursts of at least outageLeast scored invoices
	Seen int    `json:"seen"` // at least one of their invoices is a suspect
	Rate figure `json:"rate"` // Seen of N, Wilson interval
	// First is the median place of the first suspect in its burst, from 1; an
	// unseen burst counts as the latest. +Inf: most are unseen.
	First number `json:"first"`
}

// countOutages looks at the bursts whose name starts with prefix.
func countOutages(outcomes []outcome, prefix string) outages {
	members := map[string]int{}
	first := map[string]int{}
	for i := range outcomes {
		o := &outcomes[i]
		if !o.wrong() || !strings.HasPrefix(o.label.Burst, prefix) {
			continue
		}
		burst := o.label.Burst
		members[burst]++
		if o.suspect && first[burst] == 0 {
			first[burst] = members[burst]
		}
	}
	var out outages
	var places []float64
	for burst, n := range members {
		if n < outageLeast {
			continue
		}
		out.N++
		if first[burst] == 0 {
			places = append(places, math.Inf(1))
			continue
		}
		out.Seen++
		places = append(places, float64(first[burst]))
	}
	slices.Sort(places)
	out.Rate = wilson(out.Seen, out.N)
	out.First = number(quantile(places, 0.5))
	return out
}
