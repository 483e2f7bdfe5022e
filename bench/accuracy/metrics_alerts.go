package main

import (
	"cmp"
	"slices"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// reason is something usual in a business that looks like an error.
type reason struct {
	Name string `json:"name"` // what happened
	// ByRule counts false alerts with a rule or first cause that this reason would
	// trip: the most it can be guilty of.
	ByRule int `json:"by_rule"`
	// Confirmed counts those of ByRule where the files tell that it happened.
	Confirmed int `json:"confirmed"`
}

// facts are what the files tell of what is usual.
type facts struct {
	renegotiated map[string]bool // customers whose contract rate changed
	contracts    bool            // the files tell of contracts at all
}

// reasonRules says what trips each reason, and how the files confirm it; where
// they cannot tell, every tripped rule counts.
var reasonRules = []struct {
	name      string
	trips     func(rule string) bool
	confirmed func(*invoice.Invoice, *facts) bool
}{
	{"renegotiated contract", func(rule string) bool { return strings.HasPrefix(rule, "crm_sync:") },
		func(inv *invoice.Invoice, f *facts) bool { return !f.contracts || f.renegotiated[inv.CustomerRef] }},
	{"promotion", func(rule string) bool { return strings.HasPrefix(rule, "promotion:") },
		func(inv *invoice.Invoice, _ *facts) bool { return discounted(inv) }},
	{"price-list change", func(rule string) bool { return strings.HasPrefix(rule, "price_list:") },
		func(*invoice.Invoice, *facts) bool { return true }},
	{"prepayer", func(rule string) bool { return strings.HasPrefix(rule, "before_shipment:") },
		func(inv *invoice.Invoice, _ *facts) bool {
			return inv.ShippedAt.IsZero() || inv.IssuedAt.Before(inv.ShippedAt)
		}},
	{"exempt customer", func(rule string) bool {
		return strings.HasPrefix(rule, "billing_system:") &&
			(strings.Contains(rule, "tax") || strings.HasSuffix(rule, ":"+detectors.KindNoRepair))
	}, func(inv *invoice.Invoice, _ *facts) bool {
		return inv.TaxRate.Value == 0 && inv.TaxAmount.Value == 0
	}},
}

// discounted tells whether anything on the invoice claims a discount.
func discounted(inv *invoice.Invoice) bool {
	return len(inv.PromoCodes) > 0 || inv.DiscountAmount.Value != 0 ||
		slices.ContainsFunc(inv.Lines, func(line invoice.Line) bool {
			return len(line.PromoCodes) > 0 || line.DiscountRate.Value != 0 || line.DiscountAmount.Value != 0
		})
}

// ruleCount is how many false alerts carry a rule.
type ruleCount struct {
	Rule  string `json:"rule"`  // code in the verdict; "none" without any
	N     int    `json:"n"`     // false alerts that carry it, as a rule or as first cause
	First int    `json:"first"` // false alerts whose first cause it is
}

// alerts are the false alerts at recoup's own threshold, by what tripped them.
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
		codes := o.rules
		if !slices.Contains(codes, o.first()) {
			codes = append(slices.Clip(codes), o.first())
		}
		for i, r := range reasonRules {
			if !slices.ContainsFunc(codes, r.trips) {
				continue
			}
			a.Reasons[i].ByRule++
			if r.confirmed(o.invoice, known) {
				a.Reasons[i].Confirmed++
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

// readFacts reads what the references tell of contracts: a customer
// renegotiated when two of its records differ in their rate.
func readFacts(references []invoice.Reference) *facts {
	known := &facts{renegotiated: map[string]bool{}}
	rates := map[string]invoice.Fixed{}
	for i := range references {
		r := &references[i]
		if r.Kind != invoice.CustomerReference || !r.ContractDiscountRate.Set {
			continue
		}
		known.contracts = true
		rate := r.ContractDiscountRate.Value
		if before, ok := rates[r.CustomerRef]; ok && before != rate {
			known.renegotiated[r.CustomerRef] = true
		}
		rates[r.CustomerRef] = rate
	}
	return known
}
