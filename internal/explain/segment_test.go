package explain_test

import (
	"strings"
	"testing"

	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

// What the rule is worth is said of the segment that it compared with, and of none
// where the verdict does not name it.
func TestWorthOfSegment(t *testing.T) {
	const worth = "in this segment of"
	s := unsuspected(fibre("F-6", 320))
	s.Verdict.N, s.Verdict.CV = 812, 0.062
	said := text(t, explain.English, s)
	want := worth + " 812 invoices with a spread of 6.2 % an alert of this rule is right about 86 % of the time"
	if !strings.Contains(said, want) {
		t.Errorf("no %q in\n%s", want, said)
	}

	s.Invoice.Lines = []invoice.Line{{ProductID: "p-1"}} // the expectation may come from its price
	if said = text(t, explain.English, s); strings.Contains(said, worth) || strings.Contains(said, "points") {
		t.Errorf("the lines were taken for the segment:\n%s", said)
	}

	s.Verdict.Rules = []string{detectors.RuleCustomerType}
	s.Segment = &detectors.SegmentSummary{Level: detectors.LevelCustomerType, CustomerType: "B2C", N: 5, CV: 0.4,
		Currency: "EUR", Mean: 400 * invoice.Unit, Precision: 0.05}
	said = text(t, explain.English, s)
	for _, want := range []string{
		worth + " 5 invoices with a spread of 40.0 % an alert of this rule is right about 5 % of the time",
		"  usual 400.00 EUR net, limit 340.00, billed 320.00\n",
		"against the usual of customer type B2C it is 5.00 points beyond the limit", "that does not count by itself"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}

	s.Verdict.Rules, s.Segment.Mean = nil, 100*invoice.Unit // no points are left of what is no limit
	if said = text(t, explain.English, s); !strings.Contains(said, "the usual of customer type B2C is less than this\n") ||
		strings.Contains(said, "points") {
		t.Errorf("an invoice above the usual:\n%s", said)
	}

	s.Settings.BaseRate = 0.5 // other settings than those of the verdict
	if said = text(t, explain.English, s); strings.Contains(said, worth) {
		t.Errorf("figures of settings that were not in force:\n%s", said)
	}
}

func TestFigureOfSpread(t *testing.T) {
	for cv, want := range map[float64]string{0: "0.0 %", 0.062: "6.2 %", 2: "200 %", 9999: ">1000 %"} {
		if got := explain.English.CV(cv); got != want {
			t.Errorf("CV(%v) = %s, want %s", cv, got, want)
		}
	}
}
