package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

// day returns an instant, from 0.
func day(n int) time.Time {
	return time.Date(2026, time.January, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, n)
}

// oneLine makes an invoice of one line from "day customer price rate%", with a
// mark behind: "!" is issued before it ships, "0" bears no tax.
func oneLine(t *testing.T, id int, text string) invoice.Invoice {
	t.Helper()
	var on, rate int
	var price invoice.Fixed
	var customer, marks string
	if n, _ := fmt.Sscan(text, &on, &customer, &price, &rate, &marks); n < 4 {
		t.Fatalf("cannot read invoice %q", text)
	}
	inv := invoice.Invoice{Seller: "acme", ID: fmt.Sprintf("I%d", id), CustomerRef: customer, IssuedAt: day(on),
		TaxRate: invoice.OptionalFixed{Value: invoice.One / 5, Set: true},
		Lines: []invoice.Line{{ProductID: "tea", UnitPrice: invoice.OptionalFixed{Value: price * invoice.One, Set: true},
			DiscountRate: invoice.OptionalFixed{Value: invoice.Fixed(rate) * invoice.One / 100, Set: rate > 0}}}}
	if strings.Contains(marks, "!") {
		inv.ShippedAt = inv.IssuedAt.AddDate(0, 0, 1)
	}
	if strings.Contains(marks, "0") {
		inv.TaxRate.Value = 0
	}
	return inv
}

func contract(customer string, perCent invoice.Fixed, from int) invoice.Reference {
	return invoice.Reference{Kind: invoice.CustomerReference, Seller: "acme", CustomerRef: customer, ValidFrom: day(from),
		ContractDiscountRate: invoice.OptionalFixed{Value: perCent * invoice.One / 100, Set: true}}
}

// Each reason counts by what the file tells; the line in brackets is the alert.
func TestReasons(t *testing.T) {
	contracts := []invoice.Reference{contract("a", 5, 0), contract("a", 10, 30), contract("b", 5, 0)}
	for _, c := range []struct {
		name, code string
		references []invoice.Reference
		file       string
		want       string
	}{
		{"the first invoice of a new contract", "crm_sync:contract_rate", contracts,
			"1 a 9 5, 20 a 9 5, [35 a 9 10], 50 a 9 10", "renegotiated contract"},
		{"long after it", "crm_sync:contract_rate", contracts,
			"20 a 9 5, 35 a 9 10, 40 a 9 10, 45 a 9 10, [50 a 9 10]", ""},
		{"a customer whose contract never changed", "crm_sync:contract_rate", contracts, "1 b 9 5, [35 b 9 5], 50 b 9 5", ""},
		{"a second order is not about terms", "duplicate:order", contracts, "1 a 9 5, [35 a 9 10], 50 a 9 10", ""},
		{"without contracts, a price that the customer keeps", "data_entry:price", nil,
			"1 a 9 0, 8 b 9 0, [9 a 7 0], 12 b 9 0, 15 a 7 0, 20 b 9 0, 22 a 7 0", "renegotiated contract"},
		{"a price that it pays once", "data_entry:price", nil, "1 a 9 0, [9 a 7 0], 15 a 9 0, 20 a 7 0, 22 a 7 0", ""},
		{"a price that only a wrong invoice confirms", "data_entry:price", nil,
			"1 a 9 0, [9 a 7 0], 15 a 7 0 wrong, 22 a 7 0", ""},
		{"a real discount", "promotion:over_cap", nil, "1 b 9 0, [9 a 9 50], 15 b 9 0", "promotion"},
		{"no discount stands there", "promotion:over_cap", nil, "1 b 9 0, [9 a 9 0], 15 b 9 0", ""},
		{"a discount is not what is flagged", "data_entry:price_comma", nil, "1 b 9 0, [9 a 9 50], 15 b 9 0", ""},
		{"a price that is low for all, for a week", "data_entry:price", nil,
			"1 b 9 0, 2 c 9 0, 3 d 9 0, 8 b 7 0, [9 a 7 0], 10 c 7 0, 15 b 9 0, 16 c 9 0, 17 d 9 0, 18 b 9 0", "promotion"},
		{"a new price list", "data_entry:price", nil,
			"1 b 7 0, 2 c 7 0, 3 d 7 0, [9 a 9 0], 10 b 9 0, 11 c 9 0, 12 d 9 0", "price-list change"},
		{"nobody else paid it", "data_entry:price", nil,
			"1 b 7 0, 2 c 7 0, 3 d 7 0, [9 a 9 0], 10 b 7 0, 11 c 7 0, 12 d 7 0", ""},
		{"too few sales to tell", "data_entry:price", nil, "1 b 7 0, [9 a 9 0], 10 b 9 0", ""},
		{"who regularly prepays", "before_shipment:shipped_later", nil,
			"1 a 9 0 !, 2 a 9 0 !, 3 a 9 0 !, 4 a 9 0, [5 a 9 0 !]", "prepayer"},
		{"who prepaid twice", "before_shipment:shipped_later", nil, "1 a 9 0 !, 2 a 9 0 !, 3 a 9 0, [5 a 9 0 !]", ""},
		{"who never pays tax", "billing_system:wrong_tax", nil, "1 a 9 0 0, 2 a 9 0 0, 3 a 9 0 0, [5 a 9 0 0]",
			"exempt customer"},
		{"who does", "billing_system:wrong_tax", nil, "1 a 9 0, 2 a 9 0 0, 3 a 9 0 0, [5 a 9 0 0]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := &corpus{labels: map[string]*label{}}
			alert := outcome{suspect: true}
			alert.cause, alert.kind, _ = strings.Cut(c.code, ":")
			at := -1
			for i, text := range strings.Split(c.file, ",") {
				text = strings.TrimSpace(text)
				if strings.HasPrefix(text, "[") {
					at = i
				}
				file.invoices = append(file.invoices, oneLine(t, i, strings.Trim(text, "[]")))
				if strings.HasSuffix(text, "wrong") {
					file.labels[file.invoices[i].ID] = &label{}
				}
			}
			alert.invoice = &file.invoices[at]
			counted := countAlerts([]outcome{alert}, readFacts(file, c.references))
			var got []string
			for _, r := range counted.Reasons {
				if r.N > 0 {
					got = append(got, r.Name)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// What references say of prepaying and tax holds without any habit.
func TestReasonsByReference(t *testing.T) {
	yes := invoice.OptionalBool{Value: true, Set: true}
	known := readFacts(&corpus{}, []invoice.Reference{
		{Kind: invoice.CustomerReference, Seller: "acme", CustomerRef: "a", Prepays: yes},
		{Kind: invoice.CustomerReference, Seller: "acme", CustomerRef: "b", TaxExempt: yes},
	})
	for _, c := range []struct {
		customer        string
		prepays, exempt bool
	}{{"a", true, false}, {"b", false, true}, {"c", false, false}} {
		alert := &outcome{invoice: &invoice.Invoice{Seller: "acme", CustomerRef: c.customer}}
		if known.prepays(alert) != c.prepays || known.exempt(alert) != c.exempt {
			t.Errorf("%s: prepays %v and exempt %v", c.customer, known.prepays(alert), known.exempt(alert))
		}
	}
}

// Only lines that the causes name are flagged; without any name all are.
func TestFlaggedLines(t *testing.T) {
	inv := &invoice.Invoice{Lines: make([]invoice.Line, 12)}
	for _, c := range []struct {
		sentence string
		want     int
	}{
		{"line 12 (tea): unit price 9, line 3 the same", 2}, {"5 of 7 known prices are the usual ones times 0.8", 12},
		{"line 13 is none", 12},
	} {
		if got := len(flaggedLines(&outcome{invoice: inv, named: linesNamed(c.sentence)})); got != c.want {
			t.Errorf("%q flags %d lines, want %d", c.sentence, got, c.want)
		}
	}
}

func TestRulesOfFalseAlerts(t *testing.T) {
	outcomes := mark(t, "1! 1! 1! 1:x! 0")
	for i, rules := range []string{"crm_sync:contract_rate", "crm_sync:contract_rate promotion:expired", ""} {
		outcomes[i].rules = strings.Fields(rules)
	}
	for i, first := range []string{"crm_sync:contract_rate", "crm_sync:contract_rate", "crm_sync:no_repair"} {
		outcomes[i].cause, outcomes[i].kind, _ = strings.Cut(first, ":")
	}
	a := countAlerts(outcomes, readFacts(&corpus{}, nil))
	if a.N != 3 {
		t.Fatalf("%d false alerts, want 3", a.N)
	}
	if top := a.Rules[0]; top != (ruleCount{Rule: "crm_sync:contract_rate", N: 2, First: 2}) {
		t.Errorf("first rule %+v", top)
	}
}
