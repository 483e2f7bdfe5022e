package pipeline

import (
	"testing"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Training is told what was decided last of an invoice, whoever found it; what nobody
// could tell is told as nothing.
func TestLabels(t *testing.T) {
	o := &outcomes{labels: book[detectors.Label]{limit: 2}}
	inv := &invoice.Invoice{Seller: "acme", ID: "F-1"}
	say := func(id string, outcome cases.Outcome, origin cases.Origin) {
		o.label(&cases.Event{CaseID: cases.ID(cases.DedupKey("acme", id, 0)), Outcome: outcome, Origin: origin,
			TrueCause: detectors.CausePromotion})
	}
	if _, ok := o.labelOf(inv); ok {
		t.Error("nothing was decided, and yet it has a label")
	}
	for _, c := range []struct {
		outcome cases.Outcome
		origin  cases.Origin
		want    detectors.Label
	}{
		{cases.OutcomeNotAnError, cases.OriginDetector, detectors.Label{}},
		{cases.OutcomeUndetermined, cases.OriginDetector, detectors.Label{}},
		{cases.OutcomeConfirmed, cases.OriginDispute, detectors.Label{Wrong: true, Cause: detectors.CausePromotion}},
		{cases.OutcomeExpectedChange, cases.OriginAudit, detectors.Label{Audit: true}},
	} {
		say("F-1", c.outcome, c.origin)
		if got, ok := o.labelOf(inv); !ok || got != c.want {
			t.Errorf("%s by %s: label %+v, %v; want %+v", c.outcome, c.origin, got, ok, c.want)
		}
	}
	for _, id := range []string{"F-2", "F-3"} { // more than the limit: what was put last stays
		say(id, cases.OutcomeConfirmed, cases.OriginDetector)
	}
	if _, ok := o.labelOf(&invoice.Invoice{Seller: "acme", ID: "F-3"}); !ok {
		t.Error("the newest label is forgotten")
	}
	for range 4 {
		say("F-4", cases.OutcomeConfirmed, cases.OriginDetector)
		say("F-5", cases.OutcomeConfirmed, cases.OriginDetector)
	}
	if n := len(o.labels.newest) + len(o.labels.older); n > 4 {
		t.Errorf("%d labels are kept, want twice the limit at most", n)
	}
}
