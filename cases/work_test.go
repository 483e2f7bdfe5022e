package cases_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// A confirmation says the loss, who gained, and that the claim is disputed while money is
// at stake (E10).
func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		correct, billed invoice.Amount
		loss            string
		favour          detectors.Direction
		disputed        bool
	}{
		{400 * invoice.Unit, 270 * invoice.Unit, "130.00", detectors.DirectionCustomerFavour, true},
		{270 * invoice.Unit, 400 * invoice.Unit, "-130.00", detectors.DirectionSellerFavour, true},
		{5, 5, "0.00", detectors.DirectionNone, false},
	} {
		e := &cases.Event{}
		if !e.Confirm("promotion", c.correct, c.billed, "EUR") || e.ConfirmedLoss.Value.String() != c.loss ||
			e.Direction != c.favour || *e.DunningHold != c.disputed || e.Outcome != cases.OutcomeConfirmed {
			t.Errorf("%s instead of %s: %+v", c.correct, c.billed, e)
		}
	}
	if (&cases.Event{}).Confirm("promotion", math.MaxInt64, -1, "EUR") {
		t.Error("a loss beyond all amounts was confirmed")
	}
}

// What a case does not take is refused with its reason before it is sent.
func TestRefusal(t *testing.T) {
	var l cases.Life
	c := &cases.Case{CaseID: caseID}
	if err := l.Refusal(c, func(l *cases.Life) { l.Apply(event(1, cases.StatusDecided)) }); err != nil {
		t.Errorf("a decision: %v", err)
	}
	err := l.Refusal(c, func(l *cases.Life) { l.Apply(event(2, cases.StatusAcknowledged)) })
	if err == nil || !strings.Contains(err.Error(), "further than that") || !strings.Contains(err.Error(), caseID) {
		t.Errorf("a step back: %v", err)
	}
	refused, is := errors.AsType[*cases.Refused](err)
	if !is || !strings.Contains(refused.FR, "déjà plus avancé") || !strings.Contains(refused.FR, caseID) {
		t.Errorf("a step back, in French: %+v", refused)
	}
}

// A step goes on with the plan under way; an offer begins one.
func TestPlanFor(t *testing.T) {
	s := lived(event(1, cases.StatusDecided), recovery(2, cases.OptionImmediate, cases.StepOffered))
	for _, c := range []struct {
		name   string
		option cases.Option
		step   cases.Step
		want   string
	}{
		{"", cases.OptionImmediate, cases.StepPaid, string(cases.OptionImmediate)},
		{"", cases.OptionImmediate, cases.StepOffered, caseID + "-2"},
		{"", cases.OptionInstalments, cases.StepPaid, caseID + "-2"},
		{"mine", cases.OptionInstalments, cases.StepPaid, "mine"},
	} {
		if got := s.PlanFor(caseID, c.name, c.option, c.step).ID; got != c.want {
			t.Errorf("%s %s of plan %q belongs to %s, want %s", c.option, c.step, c.name, got, c.want)
		}
	}
}
