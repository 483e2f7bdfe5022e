package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// The acceptance of shared causes: 1,000 errors of one release are one incident that
// all of them join, over 16 partitions and however many causes they show.
func TestThousandErrorsOfOneReleaseAreOneIncident(t *testing.T) {
	for _, causes := range [][]string{{detectors.CausePriceList},
		{detectors.CauseBillingSystem, detectors.CausePriceList, detectors.CauseUnknown}} {
		c := newCompany(t, 16, 1)
		c.quietly(6*time.Hour, 1200, c.everyday)
		bugs := 0
		c.quietly(time.Hour, 4000, func() (*invoice.Invoice, *bad) {
			inv := c.plain()
			if inv.SourceSystem == "erp1" && bugs < 1000 {
				inv.SourceRelease = "r1.2"
				bugs++
				return inv, &bad{cause: causes[bugs%len(causes)], kind: "wrong", loss: 20 * invoice.Unit}
			}
			return inv, c.chance()
		})
		i := c.only("release", "r1.2")
		if i.Members != 1000 || c.joined() != 1000 {
			t.Errorf("%d members, %d listed; want 1000", i.Members, c.joined())
		}
		if m := i.Money[0]; m.TooLow.Point != 20_000*invoice.Unit || m.TooHigh.Point != 0 || m.Currency != "EUR" {
			t.Errorf("money %+v, want 20,000 EUR too low", m)
		}
		last := c.changes[len(c.changes)-1]
		if last.Severity != cases.SeverityCritical {
			t.Errorf("severity %s at %v an hour, want critical", last.Severity, i.Money[0].AtLeast)
		}
	}
}

// 50 errors that have nothing in common open nothing, in an hour or in a minute.
func TestUnrelatedErrorsOpenNothing(t *testing.T) {
	for _, within := range []time.Duration{time.Hour, time.Minute} {
		for seed := range uint64(5) {
			c := newCompany(t, 4, seed)
			c.quietly(6*time.Hour, 600, c.everyday)
			left := 50
			c.quietly(within, int(600*time.Hour/within), func() (*invoice.Invoice, *bad) {
				inv := c.plain()
				if left > 0 && c.rng.IntN(8) == 0 {
					left--
					return inv, c.any()
				}
				return inv, nil
			})
			if list := c.opened(); len(list) > 0 {
				t.Errorf("%s, seed %d: opened %s=%s", within, seed, list[0].Incident.Dimension, list[0].Incident.Value)
			}
		}
	}
}

// A14: one case of 25 EUR costs more than it brings; four that share cause and value
// are worth one investigation, unless it is known that little of such money comes back.
func TestSmallSiblings(t *testing.T) {
	for _, tc := range []struct {
		siblings int
		rate     float64
		opens    bool
	}{{1, 0, false}, {3, 0, false}, {4, 0, true}, {4, 0.65, true}, {4, 0.6, false}} {
		siblings := tc.siblings
		c := newCompany(t, 4, 7)
		c.quietly(6*time.Hour, 600, c.everyday)
		left := siblings
		c.quietly(20*time.Minute, 600, func() (*invoice.Invoice, *bad) {
			inv := c.plain()
			inv.PromoCodes = nil
			if left > 0 && c.rng.IntN(20) == 0 {
				left--
				inv.PromoCodes = []string{"BLACK25"}
				return inv, &bad{cause: detectors.CausePromotion, kind: "over_cap", loss: 25 * invoice.Unit, rate: tc.rate}
			}
			return inv, nil
		})
		if !tc.opens {
			if list := c.opened(); len(list) > 0 {
				t.Errorf("%+v opened %s=%s", tc, list[0].Incident.Dimension, list[0].Incident.Value)
			}
			continue
		}
		i := c.only("promotion", "BLACK25")
		if f := i.Findings[0]; i.Money[0].Recovery != 80*invoice.Unit || f.Finding != "promotion:over_cap" ||
			f.Members != 4 || f.Fits != 4 || f.Losses["EUR"] != (cases.Losses{TooLow: 100 * invoice.Unit}) {
			t.Errorf("recovery %v, findings %v", i.Money[0].Recovery, i.Findings)
		}
	}
}

// A14: forty errors of a release whose money nobody can claim any more are not worth an
// incident, however much it was; forty that can be are.
func TestTooLateOpensNoIncident(t *testing.T) {
	for _, late := range []bool{false, true} {
		c := newCompany(t, 4, 7)
		c.quietly(6*time.Hour, 600, c.everyday)
		left := 40
		c.quietly(20*time.Minute, 600, func() (*invoice.Invoice, *bad) {
			inv := c.plain()
			if left > 0 && c.rng.IntN(4) == 0 {
				left--
				inv.SourceRelease = "r9"
				return inv, &bad{cause: detectors.CausePriceList, kind: "stale", loss: 900 * invoice.Unit, late: late}
			}
			return inv, nil
		})
		if opened := len(c.opened()); opened > 0 == late || left > 0 {
			t.Errorf("too late %v: %d incidents were opened, %d errors are left", late, opened, left)
		}
	}
}

// The narrowest cause wins: a batch within a release within a system.
func TestNarrowestCause(t *testing.T) {
	for _, c := range []struct {
		name, dimension, value string
		change                 func(inv *invoice.Invoice, inBatch bool) (affected bool)
	}{
		{"a batch of a release that was right", "batch", "BAD", func(inv *invoice.Invoice, in bool) bool {
			if in && inv.SourceRelease == "r0.1" {
				inv.BatchID = "BAD"
			}
			return inv.BatchID == "BAD"
		}},
		{"a release in several batches", "release", "r0.9", func(inv *invoice.Invoice, in bool) bool {
			if inv.SourceRelease == "r0.1" {
				inv.SourceRelease = "r0.9"
			}
			return inv.SourceRelease == "r0.9"
		}},
		{"a segment everywhere", "segment", "B2B/tv", func(inv *invoice.Invoice, in bool) bool {
			return inv.CustomerType == "B2B" && inv.ProductFamily == "tv"
		}},
		{"a price list", "price_list", "p9", func(inv *invoice.Invoice, in bool) bool {
			if inv.PriceListVersion == "p1" {
				inv.PriceListVersion = "p9"
			}
			return inv.PriceListVersion == "p9"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			co := newCompany(t, 4, 11)
			co.quietly(6*time.Hour, 600, co.everyday)
			n := 0
			co.quietly(time.Hour, 900, func() (*invoice.Invoice, *bad) {
				n++
				inv := co.plain()
				if c.change(inv, n < 600) && co.rng.IntN(10) < 7 {
					return inv, &bad{cause: detectors.CauseBillingSystem, kind: "tax_rate", loss: 9 * invoice.Unit}
				}
				return inv, co.chance()
			})
			co.only(c.dimension, c.value)
		})
	}
}

// Batches of one system that go wrong one after the other are the system's trouble: its
// incident takes over what those of the batches began.
func TestBatchesBecomeTheirSystemsIncident(t *testing.T) {
	c := newCompany(t, 4, 11)
	c.quietly(6*time.Hour, 600, c.everyday)
	bugs := 0
	c.quietly(90*time.Minute, 900, func() (*invoice.Invoice, *bad) {
		inv := c.plain()
		if inv.SourceSystem == "erp0" && c.rng.IntN(10) < 7 {
			bugs++
			return inv, &bad{cause: detectors.CauseBillingSystem, kind: "tax_rate", loss: 9 * invoice.Unit}
		}
		return inv, c.chance()
	})
	open := c.board.Incidents()
	if len(open) != 1 || open[0].Dimension != "source" || open[0].Value != "erp0" {
		for _, i := range open {
			t.Logf("open: %s=%s with %d members", i.Dimension, i.Value, i.Members)
		}
		t.Fatalf("%d incidents are open, want one of the system", len(open))
	}
	if i := open[0]; i.Members < int64(bugs) || i.Members > int64(bugs)*103/100 {
		t.Errorf("%d members of %d errors", i.Members, bugs)
	}
	if opened := len(c.opened()); opened > 3 {
		t.Errorf("%d incidents were opened on the way", opened)
	}
	for _, ch := range c.changes {
		if ch.Action == cases.ActionResolve && ch.Why != "it is part of the incident of source erp0" {
			t.Errorf("resolved because %q", ch.Why)
		}
	}
}

// Incidents by operator go to the owner's team: they never page, whatever they cost.
func TestOperatorNeverPages(t *testing.T) {
	c := newCompany(t, 2, 3)
	c.quietly(6*time.Hour, 600, c.everyday)
	c.quietly(time.Hour, 600, func() (*invoice.Invoice, *bad) {
		inv := c.plain()
		if inv.OperatorRef == "o5" {
			return inv, &bad{cause: detectors.CauseDataEntry, kind: "price_comma", loss: 900 * invoice.Unit}
		}
		return inv, c.chance()
	})
	i := c.only("operator", "o5")
	if i.Money[0].AtLeast < 10_000*invoice.Unit {
		t.Errorf("%v an hour: the test wants more", i.Money[0].AtLeast)
	}
	for _, ch := range c.changes {
		if ch.Incident != nil && ch.Severity != cases.SeverityWarning {
			t.Errorf("severity %s of an operator's incident", ch.Severity)
		}
	}
}

// An incident ends half an hour after its last member: once its batches are held, or
// right invoices come; else it waits for a day.
func TestResolve(t *testing.T) {
	trouble := func(c *company) {
		c.quietly(6*time.Hour, 600, c.everyday)
		c.quietly(10*time.Minute, 600, func() (*invoice.Invoice, *bad) {
			inv := c.plain()
			inv.BatchID, inv.SourceRelease, inv.SourceSystem = "BAD", "r7", "erp7"
			return inv, &bad{cause: detectors.CauseBillingSystem, kind: "gross", loss: 30 * invoice.Unit}
		})
	}
	other := func(c *company) func() (*invoice.Invoice, *bad) {
		return func() (*invoice.Invoice, *bad) { return c.plain(), nil }
	}
	for _, s := range []struct {
		name  string
		after func(c *company)
		why   string
	}{
		{"held", func(c *company) { c.board.Hold("acme", "BAD", true); c.quietly(40*time.Minute, 600, other(c)) },
			"no new member for 30m0s, and its batches are held"},
		{"right again", func(c *company) {
			c.quietly(40*time.Minute, 600, func() (*invoice.Invoice, *bad) {
				inv := c.plain()
				inv.SourceRelease, inv.SourceSystem = "r7", "erp7"
				return inv, nil
			})
		}, "no new member for 30m0s, and what is billed is right again"},
		{"nothing more of it", func(c *company) { c.quietly(30*time.Hour, 60, other(c)) }, "no new member for 24h0m0s"},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := newCompany(t, 2, 5)
			trouble(c)
			c.only("release", "r7")
			s.after(c)
			resolved := slices.IndexFunc(c.changes, func(ch Change) bool {
				return ch.Action == cases.ActionResolve && ch.Incident != nil
			})
			if resolved < 0 || len(c.board.Incidents()) != 0 {
				t.Fatal("it stays open")
			}
			if why := c.changes[resolved].Why; why != s.why {
				t.Errorf("resolved because %q, want %q", why, s.why)
			}
		})
	}
}

// A board that takes over goes on where the one before stopped: no incident is opened
// twice, no member counted twice.
func TestRestore(t *testing.T) {
	c := newCompany(t, 4, 9)
	c.quietly(6*time.Hour, 600, c.everyday)
	faulty := func() (*invoice.Invoice, *bad) {
		inv := c.plain()
		if inv.SourceRelease == "r0.0" {
			inv.SourceRelease = "r0.8"
			return inv, &bad{cause: detectors.CauseCRMSync, kind: "price_scale", loss: -12 * invoice.Unit}
		}
		return inv, c.chance()
	}
	type logged struct {
		at      invoice.Position
		verdict *detectors.Verdict
		subject *cases.Subject
		decided time.Time
	}
	var log []logged
	old := c.board
	record := func() {
		inv, found := faulty()
		c.bills(inv, found)
		if found != nil {
			p := c.n % len(c.counts)
			log = append(log, logged{invoice.Position{Topic: "recoup.suspects", Partition: p, Offset: c.offsets[p] - 1},
				c.verdict.Clone(), cases.SubjectOf(inv, c.now), c.now})
		}
		c.now = c.now.Add(6 * time.Second)
	}
	for range 300 {
		record()
	}
	c.tick()
	before := c.only("release", "r0.8")
	published := c.changes[len(c.changes)-1].Incident
	c.board = New(DefaultSettings())
	c.board.Restore(published)
	for v, known := range old.values { // what recoup.baselines holds
		for _, part := range known.parts {
			key := fmt.Sprintf("count|%s|%s|%s", v.Seller, v.Dimension, v.Name)
			if err := c.board.Count([]byte(key), part.body, part.partition); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, l := range log {
		c.board.Suspect(l.at, l.verdict, l.subject, l.decided)
	}
	if out := c.tick(); len(out) > 0 && out[0].Action == cases.ActionOpen {
		t.Fatalf("opened %v again", out[0].Incident)
	}
	if after := c.board.Incidents(); len(after) != 1 || after[0].Members != before.Members {
		t.Fatalf("%d incidents with %d members, want one with %d", len(after), after[0].Members, before.Members)
	}
	for range 100 {
		record()
	}
	c.tick()
	if after := c.board.Incidents(); len(after) != 1 || after[0].Members <= before.Members {
		t.Errorf("%d incidents with %d members, want one with more than %d", len(after), after[0].Members, before.Members)
	}
}

// What a worker named is opened at once, whatever it brings; the same trouble of the
// next day's partition joins it under its own name.
func TestWorkersIncident(t *testing.T) {
	c := newCompany(t, 2, 13)
	c.quietly(2*time.Hour, 300, c.everyday)
	id := detectors.IncidentID(detectors.IncidentKey("acme", "release", "r5", c.now))
	alias := detectors.IncidentID(detectors.IncidentKey("acme", "release", "r5", c.now.AddDate(0, 0, -1)))
	for n := range 3 {
		inv := c.plain()
		inv.SourceRelease = "r5"
		named := id
		if n == 2 {
			named = alias
		}
		c.bills(inv, &bad{cause: detectors.CauseMissingAdminData, kind: "vat_id", incident: named})
		c.tick()
		c.now = c.now.Add(10 * time.Second)
	}
	c.tick()
	i := c.only("release", "r5")
	if i.ID != id || i.Members != 3 || !slices.Equal(i.Aliases, []string{alias}) {
		t.Errorf("id %s with %d members, aliases %v; want %s, 3, %s", i.ID, i.Members, i.Aliases, id, alias)
	}
}

// A14: what nobody can claim any more neither opens the incident that a worker named nor
// makes it urgent.
func TestTooLateNeverPages(t *testing.T) {
	c := newCompany(t, 1, 13)
	id := detectors.IncidentID(detectors.IncidentKey("acme", "release", "r5", c.now))
	bills := func(loss invoice.Amount, late bool) {
		inv := c.plain()
		inv.SourceRelease = "r5"
		c.bills(inv, &bad{cause: detectors.CausePriceList, kind: "stale", loss: loss * invoice.Unit, incident: id,
			late: late})
		c.tick()
	}
	bills(900, true)
	if n := len(c.opened()); n > 0 {
		t.Fatalf("%d incidents for what is too late to claim", n)
	}
	bills(1, false)
	for range 4 {
		bills(900, true)
	}
	i := c.only("release", "r5")
	if m := i.Money[0]; i.Members != 6 || m.TooLow.Point != invoice.Unit || m.PerHour > 4*invoice.Unit {
		t.Errorf("%d members, %v too low, %v an hour; want 6, 1.00, at most 4.00", i.Members, m.TooLow.Point, m.PerHour)
	}
	for _, ch := range c.changes {
		if ch.Incident != nil && ch.Severity != cases.SeverityWarning {
			t.Errorf("%s of %d members pages: %s", ch.Action, ch.Incident.Members, ch.Severity)
		}
	}
}

// The page of kpi.md: it names no customer and no invoice, and says what to do.
func TestPage(t *testing.T) {
	i := &cases.Incident{ID: "5f0c2a9e", Seller: "acme", Dimension: "promotion", Value: "BLACK25",
		Causes: []string{"promotion"}, Since: monday, Members: 412, Expected: 1.5, Invoices: 430, P: 1e-90,
		Money: []cases.IncidentMoney{{Currency: "EUR", Members: 412, PerHour: 1900 * invoice.Unit,
			TooLow: detectors.Loss{Point: 10_300 * invoice.Unit, Low: 9650 * invoice.Unit, High: 10_900 * invoice.Unit}}},
		Findings: []cases.FindingCount{{Finding: "promotion:over_cap", Members: 410, Fits: 409}},
		Batches:  []cases.ValueCount{{Value: "B-771", Members: 400}}}
	text := Describe(i, nil)
	page := PageOf(&cases.Case{Kind: cases.KindIncident, CaseID: "5f0c2a9e", Seller: "acme", IssuedAt: monday, Incident: i,
		Severity: cases.SeverityCritical, RespondBy: monday.Add(12 * time.Hour), EscalateAt: monday.Add(time.Hour),
		OwnerTeam: text.OwnerTeam, Links: cases.Links{Runbook: text.Runbook},
		Model: detectors.Model{Version: "m-1", ConfigHash: "c0"}})
	want := `[critical] Promotion BLACK25: a discount is above what the
policy allows
412 invoices, ~10,300 EUR too low (9,650–10,900), +1,900
EUR/h
acme, since 03-02 08:00 UTC. Customer favour.
Why: Its repair fits 409 of 412. Usual among 430: 1.5.
1) recoup hold --batch B-771 --seller acme
2) confirm promotion BLACK25 with sales
3) do not contact customers yet
sales · answer by 03-02 20:00, escalates 03-02 09:00 UTC
Runbook docs/runbooks/promotion.md
recoup case show 5f0c2a9e`
	if got := page.Text(); got != want {
		t.Errorf("page:\n%s\nwant:\n%s", got, want)
	}
	if text.Title.FR != "Promotion BLACK25 : une remise dépasse le maximum prévu : 412 factures, "+
		"env. 10 300 EUR en moins (9 650–10 900), +1 900 EUR/h" {
		t.Error(text.Title.FR)
	}
}

// A page names a billing run to hold only where one is known that nobody holds, and prints
// no range where the loss is known exactly.
func TestPageNamesWhatToHold(t *testing.T) {
	i := &cases.Incident{ID: "5f0c2a9e", Seller: "acme", Dimension: "release", Value: "r5", Since: monday, Members: 4,
		Money: []cases.IncidentMoney{{Currency: "EUR", Members: 4,
			TooLow: detectors.Loss{Point: 400 * invoice.Unit, Low: 400 * invoice.Unit, High: 400 * invoice.Unit}}}}
	for _, c := range []struct {
		batches []cases.ValueCount
		held    []string
		want    string
	}{
		{nil, nil, ""},
		{[]cases.ValueCount{{Value: "B-1", Members: 3}, {Value: "B-2", Members: 1}}, nil,
			"recoup hold --batch B-1 --seller acme"},
		{[]cases.ValueCount{{Value: "B-1", Members: 3}, {Value: "B-2", Members: 1}}, []string{"B-1"},
			"recoup hold --batch B-2 --seller acme"},
		{[]cases.ValueCount{{Value: "B-1", Members: 3}}, []string{"B-1"}, ""},
	} {
		i.Batches, i.Held = c.batches, c.held
		text := Describe(i, nil)
		page := PageOf(&cases.Case{Kind: cases.KindIncident, Incident: i}).Text()
		for _, said := range []string{page, text.Summary.EN, text.Summary.FR} {
			if c.want == "" && strings.Contains(said, "hold") && strings.Contains(said, "--batch") ||
				!strings.Contains(said, c.want) {
				t.Errorf("batches %v, held %v: want %q in\n%s", c.batches, c.held, c.want, said)
			}
		}
		if !strings.Contains(text.Title.EN, ", 400 EUR too low") || strings.ContainsAny(text.Title.EN, "~–") {
			t.Errorf("title %s", text.Title.EN)
		}
	}
}

// Keys and ids are those of package cases.
func TestIncidentKey(t *testing.T) {
	for _, value := range []string{"r1", "a|b", strings.Repeat("é", 65)} {
		mine := detectors.IncidentKey("ac|me", "price_list", value, monday)
		if theirs := cases.IncidentKey("ac|me", "price_list", value, monday); mine != theirs ||
			detectors.IncidentID(mine) != cases.ID(theirs) {
			t.Errorf("key %q, cases has %q", mine, theirs)
		}
	}
}
