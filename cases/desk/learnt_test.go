package desk

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"recoup/cases"
	"recoup/invoice"
)

// A14: a worker's case says that nothing is known of what comes back; somebody's first
// step on it brings what customers had answered before the case was detected.
func TestFirstStepShowsWhatComesBack(t *testing.T) {
	const days = 24 * 60
	w := newWorld(t)
	w.now = minutes(3 * days)
	for n := range 25 { // four of five accept and pay
		c := w.opens(fmt.Sprint("early", n), float64(n))
		steps := []cases.Step{cases.StepOffered, cases.StepAccepted, cases.StepPaid}
		if n%5 == 0 {
			steps = []cases.Step{cases.StepOffered, cases.StepRefused}
		}
		for i, step := range steps {
			r := cases.Recovery{EventID: fmt.Sprint(n, "-", i), RecoveryID: fmt.Sprint("r", n), CaseID: c.CaseID,
				Option: cases.OptionImmediate, Event: step, Amount: 120 * invoice.Unit, Currency: "EUR",
				At: minutes(float64(100 + i))}
			w.send("recoveries", func(d *Desk, at At) { d.Recovery(at, &r) })
		}
	}
	worked := w.opens("worked", 2*days)
	w.opens("waits", 2*days)
	w.event(cases.Event{EventID: "ack", CaseID: worked.CaseID, Status: cases.StatusAcknowledged, At: minutes(2*days + 5)})
	w.run(rand.New(rand.NewPCG(1, 1)), 1)
	w.again()
	for id, want := range map[string]string{"waits": "1.00 of 0", "worked": "0.80 of 25"} {
		e := w.last(id).Economics
		if got := fmt.Sprintf("%.2f of %d", e.Rate, e.Offers); got != want {
			t.Errorf("%s: the share that comes back is %s offers, want %s", id, got, want)
		}
	}
}
