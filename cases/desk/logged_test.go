package desk

import (
	"math/rand/v2"
	"testing"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// members are invoices of an incident that have no case, for it mutes them.
func (w *world) members() {
	muted := func(id string, n float64) string {
		s, _ := suspect(id, n, false)
		s.Verdict.Decision, s.Verdict.IncidentID = detectors.DecisionBundle, cases.ID("incident")
		w.decide(s)
		return cases.ID(cases.DedupKey("acme", id, 0))
	}
	muted("member", 8)
	w.event(cases.Event{EventID: "e12", CaseID: muted("member worked", 8), Status: cases.StatusAcknowledged,
		At: minutes(27)})
	w.event(cases.Event{EventID: "e13", CaseID: muted("member audited", 8), Origin: cases.OriginAudit,
		Status: cases.StatusDecided, Outcome: cases.OutcomeConfirmed, At: minutes(27)})
	paid := cases.Recovery{EventID: "r1", RecoveryID: "p", CaseID: muted("member paid", 8), Option: cases.OptionImmediate,
		Event: cases.StepPaid, Amount: 120 * invoice.Unit, Currency: "EUR", At: minutes(27)}
	w.send("recoveries", func(d *Desk, at At) { d.Recovery(at, &paid) })
}

// B11: a member that somebody works, or that pays, has a case from then on, which names
// its incident; one that is only audited has none.
func TestMembersThatAreWorked(t *testing.T) {
	w := newWorld(t)
	w.members()
	w.run(rand.New(rand.NewPCG(1, 1)), 1)
	for _, id := range []string{"member worked", "member paid"} {
		c := w.last(id)
		if c.IncidentID != cases.ID("incident") || c.Loss.Point != 120*invoice.Unit || c.Origin != cases.OriginDetector ||
			c.Economics.Decision != detectors.DecisionBundle || c.Severity != cases.SeverityInfo {
			t.Errorf("%s: %+v", id, c)
		}
	}
	if paid := w.last("member paid").Settlement; paid == nil || paid.Paid != 120*invoice.Unit {
		t.Errorf("what a member paid is not told: %+v", paid)
	}
	for _, body := range w.cases {
		if c, _ := cases.Decode(body); c.InvoiceID == "member" || c.InvoiceID == "member audited" {
			t.Errorf("%s has a case though nobody works it", c.InvoiceID)
		}
	}
}

// G7: the newest suspects are found again, of each invoice the highest revision; how
// many are remembered has a limit.
func TestLogged(t *testing.T) {
	l := logged{}
	l.put("twice", invoice.Position{Offset: 1}, 2)
	l.put("twice", invoice.Position{Offset: 2}, 1)
	if p, _ := l.find("twice"); p.rank != 2 {
		t.Errorf("revision %d stands for the invoice, want 2", p.rank)
	}
	var name [8]byte
	for i := range 2 * mostLogged {
		name[0], name[1], name[2] = byte(i), byte(i>>8), byte(i>>16)
		l.put(string(name[:]), invoice.Position{Offset: int64(i)}, 0)
	}
	n := len(l.young) + len(l.old)
	if p, known := l.find(string(name[:])); !known || p.offset != 2*mostLogged-1 || n > mostLogged {
		t.Errorf("%d names are remembered, the last one at %d (%v)", n, p.offset, known)
	}
}
