package main

import (
	"cmp"
	"slices"
)

// ruleCount is how many false alerts carry a rule.
type ruleCount struct {
	Rule  string `json:"rule"`  // code in the verdict; "none" without any
	N     int    `json:"n"`     // false alerts that carry it, as a rule or as first cause
	First int    `json:"first"` // false alerts whose first cause it is
}

// alerts are the false alerts at recoup's own threshold, by what tripped them and what happened.
type alerts struct {
	N       int         `json:"n"`       // suspects without an error
	Reasons []reason    `json:"reasons"` // in a fixed order
	Rules   []ruleCount `json:"rules"`   // most frequent first
}

// countAlerts looks at the false alerts.
func countAlerts(outcomes []outcome, known *facts) alerts {
	a := alerts{Reasons: make([]reason, len(reasonRules))}
	rules := map[string]*ruleCount{}
	rule := func(code string) *ruleCount {
		if rules[code] == nil {
			rules[code] = &ruleCount{Rule: code}
		}
		return rules[code]
	}
	for i, r := range reasonRules {
		a.Reasons[i].Name = r.name
	}
	for i := range outcomes {
		o := &outcomes[i]
		if o.wrong() || !o.suspect {
			continue
		}
		a.N++
		codes := o.codes()
		for i, r := range reasonRules {
			if slices.ContainsFunc(codes, r.about) && r.holds(known, o) {
				a.Reasons[i].N++
			}
		}
		for _, code := range codes {
			rule(code).N++
		}
		rule(o.first()).First++
	}
	for _, count := range rules {
		a.Rules = append(a.Rules, *count)
	}
	slices.SortFunc(a.Rules, func(a, b ruleCount) int {
		return cmp.Or(cmp.Compare(b.First, a.First), cmp.Compare(b.N, a.N), cmp.Compare(a.Rule, b.Rule))
	})
	return a
}
