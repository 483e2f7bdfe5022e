package desk

import (
	"fmt"
	"testing"
	"time"

	"recoup/cases"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

// memory is a decision log, what a desk published, and the desk that reads both.
type memory struct {
	t         *testing.T
	log       []func(d *Desk, at At, searched bool)
	published [][]byte
	desk      *Desk
	unread    int // records of the log that the desk has not read
	events    []cases.Event
}

func (m *memory) suspect(s *Suspect) {
	m.log = append(m.log, func(d *Desk, at At, searched bool) {
		one := *s
		one.Searched = searched
		d.Decision(at, &one)
	})
}

func (m *memory) at(offset int) At {
	return At{Position: invoice.Position{Topic: "suspects", Offset: int64(offset)}, Time: recorded}
}

// owner has a new desk take over; it reads the log from an offset.
func (m *memory) owner(from int) {
	m.t.Helper()
	m.desk, m.unread = New(DefaultSettings()), from
	for i, body := range m.published {
		at := At{Position: invoice.Position{Topic: "cases", Offset: int64(i)}, Time: recorded}
		if err := m.desk.Restore(at, body); err != nil {
			m.t.Fatal(err)
		}
	}
	if err := m.desk.Restored(); err != nil {
		m.t.Fatal(err)
	}
	for i := range m.events {
		m.event(i)
	}
	for i, read := range m.log[from:] {
		read(m.desk, m.at(from+i), false)
	}
}

// tick has the desk search for what it wants and say what there is; it returns that.
func (m *memory) tick(now time.Time) (said []*cases.Case) {
	m.t.Helper()
	m.desk.Tick(now)
	for again := true; again; again = len(m.desk.Wanted()) > 0 {
		if wanted := m.desk.Wanted(); len(wanted) > 0 {
			for i, read := range m.log[:m.unread] {
				read(m.desk, m.at(i), true)
			}
			m.unread = 0
			places, _ := m.desk.Places(wanted)
			for _, at := range places {
				m.log[at.Offset](m.desk, m.at(int(at.Offset)), true)
			}
			said = append(said, m.changes()...) // before the answer: a stage publishes meanwhile
			m.desk.Answered(wanted)
		}
		said = append(said, m.changes()...)
	}
	return said
}

func (m *memory) changes() (said []*cases.Case) {
	m.t.Helper()
	list, err := m.desk.Changes()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, p := range list {
		if err := contracttest.Validate(p.Body); err != nil {
			m.t.Errorf("%v\n%s", err, p.Body)
		}
		c, err := cases.Decode(p.Body)
		if err != nil {
			m.t.Fatal(err)
		}
		m.published, said = append(m.published, p.Body), append(said, c)
	}
	return said
}

// works sends that somebody took an invoice.
func (m *memory) works(id string) {
	m.events = append(m.events, cases.Event{EventID: id, CaseID: cases.ID(cases.DedupKey("acme", id, 0)),
		Status: cases.StatusAcknowledged, At: minutes(40)})
	m.event(len(m.events) - 1)
}

func (m *memory) event(offset int) {
	at := At{Position: invoice.Position{Topic: "events", Offset: int64(offset)}, Time: recorded}
	m.desk.Event(at, &m.events[offset])
}

// B11: a member has its incident's id when it is worked, however late, whatever its worker
// called the incident, and whoever runs the stage.
func TestWorkedMemberKeepsItsIncident(t *testing.T) {
	incident := cases.ID(cases.IncidentKey("acme", "release", "r2", t0))
	for _, c := range []struct {
		name     string
		after    time.Duration
		takeOver bool
		compact  bool // the topic of the cases: the record that listed the members is gone
	}{
		{"after an hour", time.Hour, false, false}, {"after 8 hours", 8 * time.Hour, false, false},
		{"after 3 days", 72 * time.Hour, false, false}, {"by a new owner", 8 * time.Hour, true, false},
		{"by a new owner after 3 days", 72 * time.Hour, true, false}, {"compacted", 72 * time.Hour, true, true},
	} {
		m := &memory{t: t}
		for n := range 12 {
			s, _ := suspect(fmt.Sprint("i", n), float64(n), false)
			s.Subject.SourceRelease = "r2"
			switch { // the others their worker only logged
			case n < 4:
				s.Verdict.IncidentID = incident
			case n < 8:
				s.Verdict.IncidentID = cases.ID(cases.IncidentKey("acme", "release", "r2", t0.AddDate(0, 0, -3)))
			}
			m.suspect(s)
		}
		none, _ := suspect("none", 5, false)
		none.Subject.SourceRelease = "r1"
		m.suspect(none)
		m.owner(0)
		m.tick(minutes(20))
		if c.compact {
			m.tick(minutes(40 * 60)) // it is over
			m.published = m.published[len(m.published)-1:]
		}
		if c.takeOver {
			m.owner(len(m.log))
		}
		m.tick(minutes(20).Add(c.after))
		for n := range 12 {
			id := fmt.Sprint("i", n)
			m.works(id)
			said := m.tick(minutes(20).Add(c.after))
			if len(said) != 1 || said[0].InvoiceID != id || said[0].IncidentID != incident ||
				said[0].Severity != cases.SeverityInfo {
				t.Errorf("%s: %s is worked: %+v, want a case of %s", c.name, id, said, incident)
			}
		}
		m.works("none")
		if said := m.tick(minutes(20).Add(c.after)); len(said) != 1 || said[0].IncidentID != "" {
			t.Errorf("%s: what is no member: %+v", c.name, said)
		}
	}
}

// B11: a credited invoice that somebody works days later has nothing left to do, whoever
// was looked for first, and whoever runs the stage.
func TestWorkedAfterCredit(t *testing.T) {
	for _, takeOver := range []bool{false, true} {
		for _, creditFirst := range []bool{false, true} {
			for _, otherFirst := range []bool{false, true} {
				m := &memory{t: t}
				credit := func(d *Desk, at At, _ bool) {
					d.Correction(at, &cases.Correction{Seller: "acme", PrecedingNumber: "F-i", InvoiceID: "note",
						Type: "credit_note", Billed: -280 * invoice.Unit, Currency: "EUR"}, minutes(30))
				}
				if creditFirst { // it stands in another partition
					m.log = append(m.log, credit)
				}
				for _, id := range []string{"other", "i"} {
					s, _ := suspect(id, 1, false)
					m.suspect(s)
				}
				if !creditFirst {
					m.log = append(m.log, credit)
				}
				m.owner(0)
				if takeOver {
					m.owner(len(m.log))
				}
				m.tick(minutes(72 * 60))
				if otherFirst {
					m.works("other")
					m.tick(minutes(72*60 + 1))
				}
				m.works("i")
				said := m.tick(minutes(72*60 + 2))
				if len(said) != 1 || said[0].Resolution == nil || said[0].Resolution.Document != "note" {
					t.Errorf("new owner %v, the note first %v, another first %v: %+v, want one record, resolved by the note",
						takeOver, creditFirst, otherFirst, said)
				}
				m.owner(0)
				if said := m.tick(minutes(72*60 + 3)); len(said) > 0 {
					t.Errorf("the next owner says %+v", said)
				}
			}
		}
	}
}

// A search passes over what a worker opened a case of: it stands in recoup.cases.
func TestSearchPassesOverCases(t *testing.T) {
	w := newWorld(t)
	w.opens("i", 1)
	d := New(DefaultSettings())
	w.restore(d, 0)
	s, _ := suspect("i", 1, true)
	s.Searched = true
	d.Decision(At{Position: invoice.Position{Topic: "suspects"}, Time: recorded}, s)
	if len(d.dirty) > 0 {
		t.Error("the case is derived again")
	}
}

// G7: a name whose place may be forgotten is told, and found again by the record's key.
func TestForgottenPlaces(t *testing.T) {
	id := cases.ID(cases.DedupKey("acme", "i|1", 12))
	names := []string{id, "acme|j", ofCorrection + "acme|k"}
	d := New(DefaultSettings())
	if _, lost := d.Places(names); len(lost) > 0 {
		t.Errorf("nothing was forgotten, lost %q", lost)
	}
	d.logged[asItCame].lost = true
	if _, lost := d.Places(names); len(lost) != 2 {
		t.Errorf("suspects were forgotten, lost %q", lost)
	}
	wanted := map[string]bool{id: true, "acme|j": true}
	for _, c := range []struct {
		key, value string
		want       bool
	}{
		{"acme|i|1", `{"schema":"decision.v1","kind":"decision","verdict":{"revision":12,"n":1}}`, true},
		{"acme|i|1", `{"schema":"decision.v1","kind":"decision","verdict":{"revision":1}}`, false},
		{"acme|j", `{"schema":"decision.v1","kind":"decision","verdict":{"revision":3}}`, true},
		{"acme|l", `{"schema":"decision.v1","kind":"decision"}`, false},
		{"acme|n", `{"schema":"decision.v1","kind":"correction"}`, false},
		{"ownership", `{}`, false},
	} {
		if got := Stands(wanted, []byte(c.key), []byte(c.value)); got != c.want {
			t.Errorf("%s %s: %v", c.key, c.value, got)
		}
	}
}
