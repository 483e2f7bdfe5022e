package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// decisionLog is what the decision log holds of a company's suspects.
type decisionLog []struct {
	at      invoice.Position
	verdict *detectors.Verdict
	subject *cases.Subject
	decided time.Time
}

// sells bills an invoice, writes it to the log if it is suspect, and waits.
func (l *decisionLog) sells(c *company, inv *invoice.Invoice, found *bad, wait time.Duration) {
	c.bills(inv, found)
	if found != nil {
		p := c.n % len(c.counts)
		*l = append(*l, decisionLog{{invoice.Position{Topic: "recoup.suspects", Partition: p, Offset: c.offsets[p] - 1},
			c.verdict.Clone(), cases.SubjectOf(inv, c.now), c.now}}...)
	}
	c.now = c.now.Add(wait)
}

// takeOver gives a company a new board that restores what the one before published,
// and reads the counts and the log.
func (c *company) takeOver(log decisionLog, restore bool) {
	c.t.Helper()
	old := c.board
	c.board = New(DefaultSettings())
	var keys []string
	newest := map[string]Change{}
	for _, ch := range c.changes {
		if ch.Incident != nil {
			keys = append(keys, ch.Incident.Key)
			newest[ch.Incident.Key] = ch
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		switch ch := newest[key]; {
		case !restore:
		case ch.Action == cases.ActionResolve:
			c.board.RestoreOver(ch.Incident, ch.Incident.LastMember.Add(30*time.Minute))
		default:
			c.board.Restore(ch.Incident)
		}
	}
	for v, known := range old.values { // what recoup.baselines holds
		for _, part := range known.parts {
			key := fmt.Sprintf("count|%s|%s|%s", v.Seller, v.Dimension, v.Name)
			if err := c.board.Count([]byte(key), part.body, part.partition); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	for _, l := range log {
		c.board.Suspect(l.at, l.verdict, l.subject, l.decided)
	}
}

// An incident that was resolved before a take-over stays resolved, whether the counts
// showed it or a worker named it; what comes after it opens it again, with its members.
func TestResolvedStaysResolvedAfterTakeOver(t *testing.T) {
	for _, s := range []struct {
		name  string
		named bool
		after time.Duration
	}{
		{"counted", false, 40 * time.Minute}, {"named", true, 40 * time.Minute}, {"named long ago", true, 8 * time.Hour},
		{"named days ago", true, 60 * time.Hour},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := newCompany(t, 2, 5)
			c.quietly(6*time.Hour, 600, c.everyday)
			found := &bad{cause: detectors.CauseBillingSystem, kind: "gross", loss: 30 * invoice.Unit}
			if s.named {
				found.incident = detectors.IncidentID(detectors.IncidentKey("acme", "release", "r7", c.now))
			}
			faulty := func() *invoice.Invoice {
				inv := c.plain()
				inv.BatchID, inv.SourceRelease, inv.SourceSystem = "BAD", "r7", "erp7"
				return inv
			}
			var log decisionLog
			for range 100 {
				log.sells(c, faulty(), found, 6*time.Second)
			}
			c.tick()
			c.board.Hold("acme", "BAD", true)
			c.quietly(s.after, 120, func() (*invoice.Invoice, *bad) { return c.plain(), nil })
			if last := c.changes[len(c.changes)-1]; last.Action != cases.ActionResolve || len(c.board.Incidents()) > 0 {
				t.Fatalf("before the take-over: %s, %d open", last.Action, len(c.board.Incidents()))
			}
			c.takeOver(log, true)
			for range 3 {
				for _, ch := range c.tick() {
					t.Errorf("after the take-over: %s %s with %d members", ch.Action, ch.Incident.Key, ch.Incident.Members)
				}
				c.now = c.now.Add(time.Minute)
			}
			if s.after > time.Hour {
				return
			}
			for range 60 {
				log.sells(c, faulty(), found, 6*time.Second)
			}
			c.tick()
			if open := c.board.Incidents(); len(open) != 1 || open[0].Members != 160 {
				t.Errorf("then %d are open, want the one with 160 members: %+v", len(open), open)
			}
		})
	}
}

// A suspect that was read before a take-over counts when its cause becomes one of the
// incident after it: no predecessor had counted it.
func TestLaterCauseAfterTakeOver(t *testing.T) {
	c := newCompany(t, 2, 9)
	c.quietly(6*time.Hour, 600, c.everyday)
	price := &bad{cause: detectors.CausePriceList, kind: "stale", loss: 30 * invoice.Unit}
	gross := &bad{cause: detectors.CauseBillingSystem, kind: "gross", loss: 30 * invoice.Unit}
	var log decisionLog
	sell := func(n int, found *bad) {
		for range n {
			inv := c.plain()
			inv.SourceRelease = "r9"
			log.sells(c, inv, found, 6*time.Second)
		}
	}
	for _, cause := range []string{detectors.CauseBillingSystem, detectors.CausePromotion, detectors.CauseCRMSync} {
		sell(3, &bad{cause: cause, kind: "some", loss: 30 * invoice.Unit}) // too few to be of it
	}
	sell(40, price)
	c.tick()
	if i := c.only("release", "r9"); i.Members != 40 || len(i.Causes) != 1 {
		t.Fatalf("%d members of causes %v before: the test sees nothing", i.Members, i.Causes)
	}
	c.takeOver(log, true)
	sell(30, gross)
	c.tick()
	open := c.board.Incidents()
	if len(open) != 1 || open[0].Members != 79 || c.joined() != 79 {
		t.Errorf("%d members, %d listed; want 79 of one", open[0].Members, c.joined())
	}
}

// After a pause of all of recoup nothing is blind until workers had time to read again;
// a partition that nobody reads then is, and one that was blind before stays so.
func TestNotBlindAfterPause(t *testing.T) {
	for _, s := range []struct {
		name   string
		before bool // it was blind before the pause
		lag    int64
		comes  time.Duration // until a worker says that it reads; 0: none does
		want   []cases.Action
	}{
		{"workers come back", false, 0, time.Minute, nil},
		{"with what came meanwhile", false, 50, time.Minute, nil},
		{"nobody comes", false, 0, 0, []cases.Action{cases.ActionOpen}},
		{"it was blind and stays so", true, 0, 0, nil},
		{"it was blind and is seen", true, 0, 4 * time.Minute, []cases.Action{cases.ActionResolve}},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := watched(t, 2, 2)
			mark := detectors.ReadMark{Until: c.now, At: c.now, Lag: s.lag}
			for p := range c.counts {
				r := mark.Record()
				if err := c.board.Count(r.Key, r.Value, p); err != nil {
					t.Fatal(err)
				}
			}
			marks, lags := c.board.marks, c.board.lags
			c.takeOver(nil, true)
			c.board.marks, c.board.lags = marks, lags
			if s.before {
				key := cases.BlindKey("acme", "")
				c.board.RestoreBlind(&Blind{Key: key, ID: cases.ID(key), Seller: "acme", Reason: BlindLag, Since: c.now})
			}
			c.now = c.now.Add(10 * time.Minute)
			back := c.now
			c.wait(7*time.Minute, func(int) detectors.ReadMark {
				if away := c.now.Sub(back); s.comes > 0 && away >= s.comes {
					mark = detectors.ReadMark{Until: c.now, At: c.now, Lag: max(0, 20*s.lag-int64(away/time.Second)*s.lag/20)}
				}
				return mark
			})
			var got []cases.Action
			for _, ch := range c.changes {
				if ch.Blind.Reason == BlindLag {
					got = append(got, ch.Action)
				}
			}
			if !slices.Equal(got, s.want) {
				t.Errorf("lags %v, want %v", got, s.want)
			}
		})
	}
}

// Of two open incidents of one value the first by key takes what comes; when it is over,
// the other one. An id that no value makes is looked for once.
func TestOpenByValue(t *testing.T) {
	b := New(DefaultSettings())
	v := detectors.Value{Seller: "acme", Dimension: detectors.DimensionRelease, Name: "r1"}
	var list []*openIncident
	for _, key := range []string{"b", "a", "c"} {
		b.Restore(&cases.Incident{ID: key, Key: key, Seller: "acme", Dimension: "release", Value: "r1"})
		list = append(list, b.open[key])
	}
	for _, at := range []int{1, 0, 2} {
		if i := b.openNear(v, time.Time{}, time.Time{}); i != list[at] {
			t.Fatalf("%v is open, want %s", i, list[at].Key)
		}
		b.hide(list[at])
	}
	if len(b.openOf)+len(b.open) > 0 {
		t.Error("one stays open")
	}
	for n := range 100 {
		x := &suspect{named: "nobody's", event: monday.Add(time.Duration(n) * time.Minute), values: []detectors.Value{v}}
		if b.openNamed(x) != nil || len(b.unnamed) != 1 {
			t.Fatalf("suspect %d: %d ids are remembered, want one", n, len(b.unnamed))
		}
	}
}
