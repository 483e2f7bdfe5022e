package cases_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

const caseID = "2cc67909-3202-5f43-87f9-5a738a7cba8b"

// at is a minute of a case's life.
func at(minute int) time.Time { return detected.UTC().Add(time.Duration(minute) * time.Minute) }

// event is a step of a case at a minute; its id follows from both.
func event(minute int, status cases.Status) *cases.Event {
	e := &cases.Event{EventID: fmt.Sprintf("%s-%d", status, minute), CaseID: caseID, Status: status, At: at(minute)}
	if status == cases.StatusDecided {
		e.Outcome = cases.OutcomeConfirmed
	}
	return e
}

// recovery is a step of a recovery at a minute, of 25.00 EUR; its plan is the option's.
func recovery(minute int, option cases.Option, step cases.Step) *cases.Recovery {
	return &cases.Recovery{EventID: fmt.Sprintf("%s-%s-%d", option, step, minute), RecoveryID: string(option),
		CaseID: caseID, Option: option, Event: step, Amount: 25 * invoice.Unit, Currency: "EUR", At: at(minute)}
}

// lived returns where a case stands after these records.
func lived(records ...any) cases.State {
	var l cases.Life
	for _, r := range records {
		switch r := r.(type) {
		case *cases.Event:
			l.Apply(r)
		case *cases.Recovery:
			l.ApplyRecovery(r)
		}
	}
	return l.State()
}

func flagCodes(s cases.State) (codes []string) {
	for _, f := range s.Flags {
		codes = append(codes, f.Code)
	}
	return codes
}

// An audit's verdict stops no clock of a dispute that comes later, and whoever works that
// one steps back over nothing (B11, B15). Of what an audit alone found it is the decision.
func TestAuditBeforeADispute(t *testing.T) {
	audit := &cases.Event{EventID: "a", CaseID: caseID, Origin: cases.OriginAudit, Status: cases.StatusDecided,
		Outcome: cases.OutcomeConfirmed, TrueCause: detectors.CausePromotion, At: at(1)}
	ack := &cases.Event{EventID: "b", CaseID: caseID, Origin: cases.OriginDispute, Status: cases.StatusAcknowledged,
		At: at(60)}
	var l cases.Life
	l.Apply(audit)
	if s := l.StateOf(cases.OriginDispute); s.Status != "" || s.Outcome != "" || !s.AcknowledgedAt.IsZero() ||
		s.TrueCause != detectors.CausePromotion {
		t.Errorf("before anybody answers: %+v", s)
	}
	for _, origin := range []cases.Origin{"", cases.OriginAudit} {
		if s := l.StateOf(origin); s.Outcome != cases.OutcomeConfirmed {
			t.Errorf("an audit alone, case of %q: %+v", origin, s)
		}
	}
	l.Apply(ack)
	for _, origin := range []cases.Origin{"", cases.OriginDispute, cases.OriginDetector} {
		s := l.StateOf(origin)
		if s.Status != cases.StatusAcknowledged || len(s.Flags) > 0 || !s.AcknowledgedAt.Equal(at(60)) || s.Outcome != "" {
			t.Errorf("answered, case of %q: %+v", origin, s)
		}
	}
}

// B11: the five steps, what leads back, and what cannot be: kept and flagged.
func TestStatus(t *testing.T) {
	const ack, ver, dec, clo, reo = cases.StatusAcknowledged, cases.StatusVerified, cases.StatusDecided,
		cases.StatusClosed, cases.StatusReopened
	for _, c := range []struct {
		steps   []cases.Status
		status  cases.Status
		outcome cases.Outcome
		flags   string
	}{
		{nil, "", "", ""},
		{[]cases.Status{cases.StatusOpened, ack, ver, dec, clo}, clo, cases.OutcomeConfirmed, ""},
		{[]cases.Status{dec, clo}, clo, cases.OutcomeConfirmed, ""},
		{[]cases.Status{ack, ack, dec, dec}, dec, cases.OutcomeConfirmed, ""},
		{[]cases.Status{ack, clo}, clo, "", cases.FlagClosedEarly},
		{[]cases.Status{dec, clo, ack}, clo, cases.OutcomeConfirmed, cases.FlagStepBack},
		{[]cases.Status{dec, clo, reo}, reo, "", ""},
		{[]cases.Status{dec, clo, reo, dec, clo}, clo, cases.OutcomeConfirmed, ""},
		{[]cases.Status{ack, reo}, reo, "", cases.FlagReopenedEarly},
		{[]cases.Status{dec, reo, clo}, clo, "", cases.FlagClosedEarly},
	} {
		var records []any
		for minute, status := range c.steps {
			records = append(records, event(minute, status))
		}
		s := lived(records...)
		if got := strings.Join(flagCodes(s), " "); s.Status != c.status || s.Outcome != c.outcome || got != c.flags {
			t.Errorf("%v: %s, %s, flags %q; want %s, %s, %q", c.steps, s.Status, s.Outcome, got, c.status, c.outcome, c.flags)
		}
	}
}

// What people say of a case: the last word counts, the first contact stays, what was
// spent adds up, and amounts of another currency count for nothing.
func TestWhatEventsSay(t *testing.T) {
	yes, no, minutes, happy := true, false, 12.5, 4
	first := event(1, cases.StatusAcknowledged)
	first.DunningHold, first.HandlingMinutes, first.CustomerContactedAt = &yes, &minutes, at(5)
	first.Verified = &cases.Verified{InvoiceIsWrong: &no, InvoiceWasSent: &yes}
	decided := event(9, cases.StatusDecided)
	decided.TrueCause, decided.Direction, decided.Currency = "promotion", detectors.DirectionCustomerFavour, "EUR"
	decided.ConfirmedLoss = invoice.OptionalAmount{Value: 25 * invoice.Unit, Set: true}
	decided.CorrectAmount = invoice.OptionalAmount{Value: 100 * invoice.Unit, Set: true}
	decided.HandlingCost = invoice.OptionalAmount{Value: 18 * invoice.Unit, Set: true}
	decided.HandlingMinutes, decided.CustomerContactedAt, decided.DunningHold = &minutes, at(3), &no
	decided.Verified = &cases.Verified{InvoiceIsWrong: &yes}
	closed := event(20, cases.StatusClosed)
	closed.Satisfaction, closed.Currency, closed.HandlingCost = &happy, "EUR", decided.HandlingCost
	foreign := event(21, cases.StatusClosed)
	foreign.Currency, foreign.HandlingCost = "USD", decided.HandlingCost
	s := lived(foreign, closed, decided, first)
	want := cases.State{Status: cases.StatusClosed, Outcome: cases.OutcomeConfirmed, TrueCause: "promotion",
		CorrectAmount: decided.CorrectAmount, ConfirmedLoss: decided.ConfirmedLoss, Currency: "EUR",
		Direction: decided.Direction, Verified: cases.Verified{InvoiceIsWrong: &yes, InvoiceWasSent: &yes},
		AcknowledgedAt: at(1), DecidedAt: at(9), ClosedAt: at(21), ContactedAt: at(3), DunningSaidAt: at(9),
		HandlingMinutes: 25, HandlingCost: invoice.OptionalAmount{Value: 36 * invoice.Unit, Set: true}, Satisfaction: 4,
		Flags: []cases.Flag{{Code: cases.FlagCurrency, EventID: "closed-21"}}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("state\n%+v\nwant\n%+v", s, want)
	}
}

// A22–A26: the money of every option, each gesture's cost once, and what does not fit.
func TestRecoveries(t *testing.T) {
	const imm, ins, good, off, note = cases.OptionImmediate, cases.OptionInstalments, cases.OptionGoodwill,
		cases.OptionWriteOff, cases.OptionFormalNotice
	cost := func(r *cases.Recovery) *cases.Recovery {
		r.GoodwillCost = invoice.OptionalAmount{Value: 2 * invoice.Unit, Set: true}
		return r
	}
	part := func(minute, n int, cents invoice.Amount) *cases.Recovery {
		r := recovery(minute, ins, cases.StepScheduled)
		r.EventID += fmt.Sprint("-", n)
		r.Instalment, r.Instalments, r.Amount, r.DueDate = n, 3, cents*cent, at(n*1000)
		return r
	}
	type list = []any
	for _, c := range []struct {
		name                      string
		records                   list
		agreed                    cases.Option
		paid, writtenOff, gesture invoice.Amount
		failed, notice            bool
		flags                     string
	}{
		{"paid at once", list{recovery(1, imm, cases.StepOffered), recovery(2, imm, cases.StepAccepted),
			recovery(3, imm, cases.StepPaid)}, imm, 25, 0, 0, false, false, ""},
		{"three instalments", list{recovery(1, ins, cases.StepOffered), recovery(2, ins, cases.StepAccepted),
			part(3, 1, 834), part(3, 2, 833), part(3, 3, 833)}, ins, 0, 0, 0, false, false, ""},
		{"a cent is missing", list{recovery(1, ins, cases.StepOffered), recovery(2, ins, cases.StepAccepted),
			part(3, 1, 833), part(3, 2, 833), part(3, 3, 833)}, ins, 0, 0, 0, false, false, cases.FlagScheduleSum},
		{"a corrected instalment", list{recovery(1, ins, cases.StepOffered), recovery(2, ins, cases.StepAccepted),
			part(3, 1, 833), part(3, 2, 833), part(3, 3, 833), part(4, 1, 834)}, ins, 0, 0, 0, false, false, ""},
		{"a gesture offered twice", list{cost(recovery(1, good, cases.StepOffered)),
			cost(recovery(2, good, cases.StepOffered)), cost(recovery(3, good, cases.StepAccepted))},
			good, 0, 0, 2, false, false, ""},
		{"a gesture refused", list{cost(recovery(1, good, cases.StepOffered)), cost(recovery(2, good, cases.StepRefused))},
			"", 0, 0, 0, true, false, ""},
		{"written off", list{recovery(1, off, cases.StepWrittenOff)}, "", 0, 25, 0, false, false, ""},
		{"a notice after a refusal", list{recovery(1, imm, cases.StepOffered), recovery(2, imm, cases.StepRefused),
			recovery(3, note, cases.StepOffered)}, "", 0, 0, 0, true, true, ""},
		{"a notice at once", list{recovery(3, note, cases.StepOffered)}, "", 0, 0, 0, false, false, cases.FlagNoticeTooEarly},
		{"a notice before the answer", list{recovery(1, imm, cases.StepOffered), recovery(3, imm, cases.StepRefused),
			recovery(2, note, cases.StepOffered)}, "", 0, 0, 0, true, false, cases.FlagNoticeTooEarly},
		{"money that an early notice brought", list{recovery(3, note, cases.StepPaid)}, "", 25, 0, 0, false, false,
			cases.FlagNoticeTooEarly},
		{"refused without an offer", list{recovery(1, imm, cases.StepRefused), recovery(3, note, cases.StepOffered)},
			"", 0, 0, 0, false, false, cases.FlagNotOffered + " " + cases.FlagNoticeTooEarly},
		{"cancelled, then agreed otherwise", list{recovery(1, imm, cases.StepOffered), recovery(2, imm, cases.StepAccepted),
			recovery(3, imm, cases.StepCancelled), recovery(4, ins, cases.StepOffered), recovery(5, ins, cases.StepAccepted)},
			ins, 0, 0, 0, false, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := lived(c.records...)
			flags := flagCodes(s)
			slices.Sort(flags)
			want := strings.Fields(c.flags)
			slices.Sort(want)
			if s.Agreed != c.agreed || s.Paid != c.paid*invoice.Unit || s.WrittenOff != c.writtenOff*invoice.Unit ||
				s.GoodwillCost != c.gesture*invoice.Unit || s.AmicableFailed != c.failed || s.FormalNotice != c.notice ||
				!slices.Equal(flags, want) {
				t.Errorf("%+v, want %+v", s, c)
			}
		})
	}
}

// The instalments of one moment come back by number, whatever their event ids are.
func TestInstalmentsInTheirOrder(t *testing.T) {
	var l cases.Life
	for _, n := range []int{4, 12, 1, 11, 2, 10, 3, 9, 5, 8, 6, 7} {
		part := recovery(1, cases.OptionInstalments, cases.StepScheduled)
		part.EventID, part.Instalment, part.Instalments = fmt.Sprint("part-", n*7%13), n, 12
		l.ApplyRecovery(part)
	}
	for i, part := range l.Recoveries() {
		if part.Instalment != i+1 {
			t.Errorf("instalment %d stands at %d", part.Instalment, i+1)
		}
	}
}

// More came in than was lost: kept, and said.
func TestOverpaid(t *testing.T) {
	decided := event(1, cases.StatusDecided)
	decided.Currency, decided.ConfirmedLoss = "EUR", invoice.OptionalAmount{Value: 20 * invoice.Unit, Set: true}
	s := lived(decided, recovery(2, cases.OptionImmediate, cases.StepPaid))
	if s.Paid != 25*invoice.Unit || !slices.Equal(flagCodes(s), []string{cases.FlagOverpaid}) {
		t.Errorf("paid %v, flags %v", s.Paid, s.Flags)
	}
}

// One event id with two contents counts once, whichever came first.
func TestEventIDUsedTwice(t *testing.T) {
	one, two := event(1, cases.StatusAcknowledged), event(2, cases.StatusVerified)
	two.EventID = one.EventID
	a, b := lived(one, two), lived(two, one, two)
	if !reflect.DeepEqual(a, b) || a.Status != cases.StatusAcknowledged ||
		!slices.Equal(flagCodes(a), []string{cases.FlagReused}) {
		t.Errorf("states %+v and %+v", a, b)
	}
}

// randomLife draws records of one case: any step of any option at few moments, so that
// many come at once and out of order.
func randomLife(r *rand.Rand) (records []any) {
	options := []cases.Option{cases.OptionImmediate, cases.OptionInstalments, cases.OptionOffset, cases.OptionGoodwill,
		cases.OptionWriteOff, cases.OptionFormalNotice}
	steps := []cases.Step{cases.StepOffered, cases.StepAccepted, cases.StepRefused, cases.StepScheduled, cases.StepPaid,
		cases.StepFailed, cases.StepCompleted, cases.StepCancelled, cases.StepWrittenOff}
	statuses := []cases.Status{cases.StatusOpened, cases.StatusAcknowledged, cases.StatusVerified, cases.StatusDecided,
		cases.StatusClosed, cases.StatusReopened}
	for range 1 + r.IntN(12) {
		if r.IntN(4) == 0 {
			records = append(records, event(r.IntN(5), statuses[r.IntN(len(statuses))]))
			continue
		}
		step := recovery(r.IntN(5), options[r.IntN(len(options))], steps[r.IntN(len(steps))])
		step.RecoveryID = fmt.Sprint("plan-", r.IntN(3)) // ids that several options share, too
		step.EventID += step.RecoveryID
		step.Amount = invoice.Amount(1+r.IntN(3)) * invoice.Unit
		if r.IntN(8) == 0 {
			step.Currency = "USD"
		}
		if r.IntN(8) == 0 {
			step.EventID = "again"
		}
		records = append(records, step)
	}
	return records
}

// Each record twice and in any order: the same state, and nothing is negative.
func TestAnyOrderGivesTheSameState(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		records := randomLife(r)
		want := lived(records...)
		shuffled := append(slices.Clone(records), records...)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := lived(shuffled...); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v\nin another order give\n%+v\nwant\n%+v", records, got, want)
		}
		if want.Paid < 0 || want.WrittenOff < 0 || want.GoodwillCost < 0 {
			t.Fatalf("%v give %+v", records, want)
		}
	}
}

// amicableFailed says, by the contract's sentence alone, whether an amicable option
// was offered and then refused or failed before a step: in the same plan, in order.
func amicableFailed(before []*cases.Recovery) bool {
	offered := map[string]bool{}
	for _, r := range before {
		switch r.Event {
		case cases.StepOffered:
			if r.Option.Amicable() {
				offered[r.RecoveryID+string(r.Option)] = true
			}
		case cases.StepRefused, cases.StepFailed:
			if offered[r.RecoveryID+string(r.Option)] {
				return true
			}
		}
	}
	return false
}

// A26: all sequences of three steps and 50,000 longer ones. No case reaches a formal
// notice before an amicable option was offered and refused or failed, and none is
// offered one.
func TestNoFormalNoticeBeforeAnAmicableOptionFailed(t *testing.T) {
	reached := 0
	check := func(steps []any) {
		var l cases.Life
		for _, r := range steps {
			if r, ok := r.(*cases.Recovery); ok {
				l.ApplyRecovery(r)
			}
		}
		s := l.State()
		ordered := l.Recoveries()
		allowed := false
		for i, r := range ordered {
			if r.Option == cases.OptionFormalNotice && amicableFailed(ordered[:i]) {
				allowed = true
			}
		}
		if s.FormalNotice && !allowed {
			t.Fatalf("%v reach a formal notice: %+v", steps, s)
		}
		if s.FormalNotice {
			reached++
		}
		for _, o := range terms.Options(25*invoice.Unit, "EUR", "", &s, nil, later) {
			if o.Option == cases.OptionFormalNotice && !amicableFailed(ordered) {
				t.Fatalf("%v offer a formal notice: %+v", steps, s)
			}
		}
	}
	options := []cases.Option{cases.OptionImmediate, cases.OptionGoodwill, cases.OptionWriteOff, cases.OptionFormalNotice}
	steps := []cases.Step{cases.StepOffered, cases.StepAccepted, cases.StepRefused, cases.StepPaid, cases.StepFailed,
		cases.StepCancelled}
	kinds := len(options) * len(steps)
	one := func(minute, n int) any { return recovery(minute, options[n/len(steps)], steps[n%len(steps)]) }
	for i := range kinds * kinds * kinds {
		check([]any{one(0, i%kinds), one(1, i/kinds%kinds), one(2, i/kinds/kinds)})
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 50_000 {
		check(randomLife(r))
	}
	if reached < 100 {
		t.Errorf("only %d lives reach a formal notice: too few to say much", reached)
	}
}

// A13: what was billed too little is never netted against what was billed too much,
// in whichever order losses come.
func TestLossesAreNeverNetted(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		var got cases.Losses
		var low, high invoice.Amount
		for range r.IntN(20) {
			loss := invoice.Amount(r.IntN(2_000_001) - 1_000_000)
			before := got
			got.Add(loss)
			if got.TooLow < before.TooLow || got.TooHigh < before.TooHigh {
				t.Fatalf("%+v became %+v by %v", before, got, loss)
			}
			low, high = low+max(0, loss), high+max(0, -loss)
		}
		if got.TooLow != low || got.TooHigh != high {
			t.Fatalf("%+v, want %v too low and %v too high", got, low, high)
		}
	}
}
