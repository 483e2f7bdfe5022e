package sinks

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// lifeBegan is when the lives of these tests begin; their records are logged within days.
var lifeBegan = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func pickOne[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func sometimes(r *rand.Rand, a invoice.Amount) invoice.OptionalAmount {
	return invoice.OptionalAmount{Value: a, Set: r.IntN(3) == 0}
}

// randomEvent is anything that somebody may say of a case, at few moments, so that
// much happens at once.
func randomEvent(r *rand.Rand, caseID string, n int) *cases.Event {
	e := &cases.Event{EventID: fmt.Sprint(caseID, "-e", n), CaseID: caseID, Origin: cases.OriginDetector,
		At: lifeBegan.Add(time.Duration(r.IntN(6)) * time.Hour)}
	if r.IntN(12) == 0 {
		e.At = e.At.AddDate(90, 0, r.IntN(2)) // somebody mistyped the year
	}
	e.Status = pickOne(r, cases.StatusOpened, cases.StatusAcknowledged, cases.StatusVerified, cases.StatusDecided,
		cases.StatusDecided, cases.StatusClosed, cases.StatusReopened)
	if e.Status == cases.StatusDecided {
		e.Outcome = pickOne(r, cases.OutcomeConfirmed, cases.OutcomeNotAnError, cases.OutcomeUndetermined)
		e.TrueCause = pickOne(r, "", "promotion", "duplicate")
		e.Direction = pickOne(r, "", detectors.DirectionCustomerFavour, detectors.DirectionSellerFavour)
	}
	e.CorrectAmount, e.ConfirmedLoss = sometimes(r, 90_0000), sometimes(r, invoice.Amount(r.IntN(50))*1_0000)
	e.HandlingCost = sometimes(r, invoice.Amount(1+r.IntN(50))*1_0000)
	if e.CorrectAmount.Set || e.ConfirmedLoss.Set || e.HandlingCost.Set {
		e.Currency = pickOne(r, "EUR", "EUR", "USD")
	}
	if r.IntN(3) == 0 {
		answer, minutes, hold := 1+r.IntN(5), float64(r.IntN(60)), r.IntN(2) == 0
		e.Satisfaction, e.HandlingMinutes, e.DunningHold = &answer, &minutes, &hold
		e.CorrectiveAction = pickOne(r, "", "cap checked", "list loaded")
		e.CustomerContactedAt = e.At.Add(-time.Minute)
	}
	return e
}

func randomRecovery(r *rand.Rand, caseID string, n int) *cases.Recovery {
	step := &cases.Recovery{EventID: fmt.Sprint(caseID, "-r", n), CaseID: caseID,
		RecoveryID: fmt.Sprint(caseID, "-plan", r.IntN(3)), // ids that several options share, too
		Option: pickOne(r, cases.OptionImmediate, cases.OptionInstalments, cases.OptionGoodwill, cases.OptionWriteOff,
			cases.OptionFormalNotice, cases.OptionFormalNotice),
		Event: pickOne(r, cases.StepOffered, cases.StepOffered, cases.StepAccepted, cases.StepRefused, cases.StepPaid,
			cases.StepFailed, cases.StepCancelled, cases.StepWrittenOff),
		Amount: invoice.Amount(1+r.IntN(30)) * 1_0000, Currency: pickOne(r, "EUR", "EUR", "EUR", "USD"),
		At: lifeBegan.Add(time.Duration(r.IntN(12)) * time.Hour)}
	if step.Option == cases.OptionGoodwill {
		step.GoodwillCost = invoice.OptionalAmount{Value: invoice.Amount(1+r.IntN(5)) * 1_0000, Set: true}
	}
	return step
}

// toldRecord is a record that somebody sends, and when the log takes it.
type toldRecord struct {
	topic string
	value []byte
	at    time.Time
}

// randomCase draws what happens to a case, and returns where its life ends.
func randomCase(t *testing.T, r *rand.Rand, caseID string) (life *cases.Life, records []toldRecord) {
	t.Helper()
	life = &cases.Life{}
	logged := func(topic string, value []byte, err error) time.Time {
		if err != nil {
			t.Fatal(err)
		}
		at := lifeBegan.AddDate(0, 0, 1+r.IntN(3))
		records = append(records, toldRecord{topic, value, at})
		return at
	}
	for n := range 1 + r.IntN(8) {
		e := randomEvent(r, caseID, n)
		if n == 0 { // the case and its first words agree on a currency
			e.At, e.Currency, e.HandlingCost = lifeBegan.Add(-time.Hour), "EUR", sometimes(r, 1_0000)
		}
		again := 1
		if r.IntN(6) == 0 && n > 0 { // one id, two contents
			again = 2
		}
		for range again {
			value, err := e.Encode()
			at := logged("recoup.case-events", value, err)
			life.Apply(e.Recorded(at))
			other := *e
			other.At, other.TrueCause = e.At.Add(time.Minute), "data_entry"
			e = &other
		}
	}
	for n := range r.IntN(9) {
		step := randomRecovery(r, caseID, n)
		value, err := step.Encode()
		life.ApplyRecovery(step.Recorded(logged("recoup.recoveries", value, err)))
	}
	return life, records
}

// TestViewsAndCaseStageAgree (G2): whatever people say and pay, in any order, twice, with
// wrong years and impossible steps: case_verdicts and case_money come to what the case
// stage makes of it (cases.Life). First decision and flags are asked by one of the two only.
func TestViewsAndCaseStageAgree(t *testing.T) {
	const lives = 400
	r := rand.New(rand.NewPCG(2026, 11))
	s := openStore(t)
	w := newCopyWorld(t, s)
	want := map[string]string{}
	var all []toldRecord
	for i := range lives {
		id := cases.ID(fmt.Sprint("life ", i))
		life, records := randomCase(t, r, id)
		want[id] = stateText(life.State())
		all = append(all, records...)
	}
	all = append(all, all...)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, record := range all {
		_, err := w.log.Append(t.Context(), record.topic, i%3, []pipeline.Record{{Value: record.value, Time: record.at}})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.copyAll(t)
	got, wrong := lifeStates(t, s), 0
	for id, state := range want {
		if got[id] != state {
			if wrong++; wrong < 6 {
				t.Errorf("%s is\n%s\nto the views, to the case stage\n%s", id, got[id], state)
			}
		}
	}
	if wrong > 0 || len(got) != lives {
		t.Errorf("%d of %d states differ, the views have %d", wrong, lives, len(got))
	}
}

// stateText is what both know of a case, in words.
func stateText(s cases.State) string {
	none := func(a invoice.OptionalAmount) string {
		if !a.Set {
			return "none"
		}
		return a.Value.String()
	}
	hour := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.UTC().Format("2006-01-02 15:04")
	}
	hold := "never"
	if !s.DunningSaidAt.IsZero() {
		hold = fmt.Sprint(s.DunningHold)
	}
	return strings.Join([]string{string(s.Status), string(s.Outcome), s.TrueCause, string(s.Direction),
		none(s.CorrectAmount), none(s.ConfirmedLoss), none(s.HandlingCost), fmt.Sprint(s.HandlingMinutes),
		hour(s.AcknowledgedAt), hour(s.ClosedAt), hour(s.ContactedAt), hold, fmt.Sprint(s.Satisfaction), s.CorrectiveAction,
		"paid " + s.Paid.String(), "written off " + s.WrittenOff.String(), "gestures " + s.GoodwillCost.String(),
		"by " + cmp.Or(string(s.Agreed), "none")}, "; ")
}

// lifeStates reads the same from the views.
func lifeStates(t *testing.T, s *Store) map[string]string {
	t.Helper()
	in := s.client.settings.Database + "."
	sql := `WITH (x -> if(x IS NULL, 'never', formatDateTime(assumeNotNull(x),
		'%Y-%m-%d %H:%i', 'UTC'))) AS hour, (x -> if(x IS NULL, 'none', toDecimalString(assumeNotNull(x), 2))) AS cents
		SELECT v.case_id, arrayStringConcat([v.status, v.outcome, v.true_cause, v.direction, cents(v.correct_amount),
		cents(v.confirmed_loss), cents(v.handling_cost), toString(ifNull(v.handling_minutes, 0)), hour(v.acknowledged_at),
		hour(v.closed_at), hour(v.contacted_at), ifNull(toString(v.dunning_hold), 'never'), toString(ifNull(v.satisfaction,
		0)),
		v.corrective_action, concat('paid ', cents(m.paid)), concat('written off ', cents(m.written_off)),
		concat('gestures ', cents(m.goodwill_cost)), concat('by ', if(m.settled_by = '', 'none', m.settled_by))], '; ')
		FROM ` + in + `case_verdicts AS v LEFT JOIN (SELECT * FROM ` + in + `case_money WHERE currency = 'EUR') AS m
		ON v.case_id = m.case_id`
	states := map[string]string{}
	err := s.client.each(t.Context(), statement{sql: sql}, func(scan func(...any) error) error {
		var id, state string
		err := scan(&id, &state)
		states[id] = state
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return states
}
