package detectors

import (
	"testing"
	"time"

	"recoup/invoice"
)

// A shortfall that the 15 % rule proves keeps its money once a classifier judges,
// which names causes without a repair (A7).
func TestShortfallKeepsItsMoney(t *testing.T) {
	e, s := NewEngine(DefaultSettings(), NewShared(), 0), newShop()
	trainer := NewTrainer(TrainerOptions{After: 24 * time.Hour})
	v := new(Verdict)
	for i := range 1500 {
		inv := s.next()
		inv.Lines, inv.NetAmount = nil, invoice.Amount(9900+i%21*10)*invoice.Unit
		wrong := i >= 1200 && i%50 == 0
		if wrong {
			inv.NetAmount = 7500 * invoice.Unit
		}
		e.Begin(inv, invoice.Position{Offset: s.n}, inv.IssuedAt)
		trainer.Prepare(e)
		e.Score(v)
		trainer.Observe(e)
		e.Teach(v.Suspect)
		open := v.Decision == DecisionOpenCase
		if missing := v.Loss.Point.String(); wrong && (!open || v.Loss.Point < 2400*invoice.Unit) {
			t.Errorf("invoice %d: %s, loss %s, causes %v: want a case of about 2500", i, v.Decision, missing, v.Causes)
		}
	}
	if e.Classifier("shop") == nil {
		t.Fatal("nothing was trained")
	}
}

// Who made an error does not change what is due: a cause without a repair takes
// that of what is proved (A12).
func TestProvedRepairStands(t *testing.T) {
	v := &Verdict{Billed: 80 * invoice.Unit, Causes: []Finding{
		{Code: CausePromotion, Kind: "over_cap", P: 0.97, Repaired: 117 * invoice.Unit,
			Evidence: []string{"30 % is above 25 %"}},
	}}
	if f := withoutRepair(v, CauseCRMSync, 0.9); f.Repaired != 117*invoice.Unit || len(f.Evidence) != 2 || !f.repairs(v) {
		t.Errorf("got %+v", f)
	}
	v.Causes[0].P = 0.3
	if f := withoutRepair(v, CauseCRMSync, 0.9); f.Repaired != v.Billed || f.repairs(v) {
		t.Errorf("what is not proved repairs: %+v", f)
	}
}

// Of an invoice in a foreign currency all is at stake; other causes are worth what
// they lose.
func TestStake(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	for _, tc := range []struct {
		kind, currency string
		billed, loss   invoice.Amount
		worth          bool
	}{
		{kindCurrency, "EUR", 13199, 0, true},
		{kindCurrency, "EUR", 20, 0, false},
		{kindCurrency, "XAF", 20, 0, true}, // nobody said what a case costs there
		{"zero_net", "EUR", 13199, 0, false},
		{"zero_net", "EUR", 0, 60, true},
		{"zero_net", "XAF", 0, 60, false},
	} {
		v := &Verdict{Currency: tc.currency, Billed: tc.billed * invoice.Unit, PError: 0.95,
			Loss:   Loss{Point: tc.loss * invoice.Unit},
			Causes: []Finding{{Code: CauseBillingSystem, Kind: tc.kind, P: 0.95}}}
		if got := e.worthIt(v); got != tc.worth {
			t.Errorf("%+v: worth a case %v", tc, got)
		}
	}
}

// A14: what figures prove is lost to the cent; what is estimated by what is usual is lost
// within the band of the expectation, and never the other way.
func TestLossOfAnEstimateIsAnInterval(t *testing.T) {
	const u = invoice.Unit
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	for _, tc := range []struct {
		name      string
		estimated bool
		repaired  invoice.Amount
		level     Level
		want      Loss
	}{
		{"proved", false, 300, LevelCustomer, Loss{100 * u, 100 * u, 100 * u}},
		{"estimated", true, 300, LevelCustomer, Loss{100 * u, 60 * u, 140 * u}},
		{"estimated beyond the band", true, 350, LevelCustomer, Loss{150 * u, 60 * u, 150 * u}},
		{"estimated, too much", true, 150, LevelCustomer, Loss{-50 * u, -50 * u, 0}},
		{"estimated without history", true, 300, LevelNone, Loss{100 * u, 100 * u, 100 * u}},
	} {
		v := &Verdict{Billed: 200 * u, Expected: 300 * u, ExpectedLow: 260 * u, ExpectedHigh: 340 * u, Level: tc.level,
			Causes: []Finding{{Code: CauseBillingSystem, Kind: "zero_net", Repaired: tc.repaired * u, estimated: tc.estimated}}}
		if e.weighLoss(v); v.Loss != tc.want {
			t.Errorf("%s: loss %v, want %v", tc.name, v.Loss, tc.want)
		}
	}
}

// A12: causes stand most probable first: an amount that is unusual for sure is no surer
// of why than the check that proves it.
func TestMostProbableCauseStandsFirst(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	v := &Verdict{Seller: "s", PError: 1, Suspect: true, Causes: []Finding{{Code: CauseUnknown, Kind: "deviation", P: 1},
		{Code: CauseBillingSystem, Kind: "line_sum", P: 0.98}}}
	if e.nameCauses(v); v.Causes[0].Kind != "line_sum" || v.Causes[0].P != 0.98 || v.Causes[1].P != 0.98 {
		t.Errorf("causes %v", v.Causes)
	}
}
