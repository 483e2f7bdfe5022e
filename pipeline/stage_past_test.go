package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/pipeline"
)

// mute writes what a worker logs of a suspect that belongs to an incident: a decision
// without a case.
func (w *world) mute(t *testing.T, id string) {
	t.Helper()
	d := &pipeline.Decision{}
	for _, r := range w.log.Records(w.opt.Topics.Suspects, 0) {
		one := &pipeline.Decision{}
		if err := json.Unmarshal(r.Value, one); err == nil && one.Case != nil {
			d = one
		}
	}
	d.Case, d.Verdict.InvoiceID, d.Verdict.CaseID = nil, id, ""
	d.Verdict.Decision, d.Verdict.IncidentID = detectors.DecisionBundle, cases.ID("incident")
	body, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	record := pipeline.Record{Key: []byte("acme|" + id), Value: body, Time: time.Now()}
	if _, err := w.log.Append(t.Context(), w.opt.Topics.Suspects, 0, []pipeline.Record{record}); err != nil {
		t.Fatal(err)
	}
}

// works sends that somebody took a case.
func (w *world) works(t *testing.T, event, caseID string) {
	t.Helper()
	e := cases.Event{EventID: event, CaseID: caseID, Status: cases.StatusAcknowledged, At: start.Add(5 * time.Hour)}
	body, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	record := pipeline.Record{Key: []byte(caseID), Value: body, Time: e.At}
	if _, err := w.log.Append(t.Context(), w.opt.Topics.CaseEvents, 0, []pipeline.Record{record}); err != nil {
		t.Fatal(err)
	}
}

// B11: somebody works a member of an incident that has no case, which stands in the
// decision log long before the place where the owner began to read: it is opened, once.
func TestStageOpensWorkedMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newStageWorld()
		w.opt.Stage.Margin = 1
		run := func() {
			m, _ := w.member("owner", nil)
			if err := m.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.fill(t, 1, 200)
		run()
		w.mute(t, "member")
		time.Sleep(time.Hour)
		w.people(t) // a correction touches a case: the next owner begins there
		run()
		w.works(t, "w1", caseOf("member"))
		run()
		key := cases.DedupKey("acme", "member", 0)
		const want = `invoice detector resolved false  status "acknowledged" outcome "" hold false incident "`
		if got := w.standing(t)[key]; len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("the member that somebody works:\n got %s\nwant %s", got, want)
		}
		said := w.records(w.opt.Topics.Cases)
		run()
		if n := w.records(w.opt.Topics.Cases); n != said {
			t.Errorf("the next owner wrote %d records more", n-said)
		}
	})
}

// G7, G6: of more events of unknown cases than are taken the oldest become dead letters
// that tell why, with the records as they came.
func TestStageParksWhatIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newStageWorld()
		w.opt.Stage.Desk.MostUnknown = 10
		for i := range 12 {
			w.works(t, fmt.Sprint("u", i), cases.ID(fmt.Sprint("nobody", i)))
		}
		m, _ := w.member("owner", nil)
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var parked []int64
		for p := range 2 {
			for _, r := range w.log.Records(w.opt.Topics.DeadLetter, p) {
				var d pipeline.DeadLetter
				if err := json.Unmarshal(r.Value, &d); err != nil {
					t.Fatal(err)
				}
				sent := w.log.Records(w.opt.Topics.CaseEvents, 0)[d.Offset]
				if d.Topic != w.opt.Topics.CaseEvents || d.Stage != "case_event" || d.Reason != "unknown_case" ||
					d.Field != "case_id" || !bytes.Equal(d.Value, sent.Value) {
					t.Errorf("%+v", d)
				}
				parked = append(parked, d.Offset)
			}
		}
		if slices.Sort(parked); len(parked) != 2 {
			t.Errorf("parked %v, want two: the eleventh leaves nine waiting", parked)
		}
	})
}
