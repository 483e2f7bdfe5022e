package bridge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

var monday = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// incidentCase is a record of an incident of some promotion.
func incidentCase(name string, seq int64, action cases.Action, severity cases.Severity, members int64) *cases.Case {
	key := cases.IncidentKey("acme", "promotion", name, monday)
	return &cases.Case{Schema: cases.Schema, CaseID: cases.ID(key), DedupKey: key, Seq: seq, Action: action,
		Kind: cases.KindIncident, Severity: severity, Seller: "acme", IssuedAt: monday, DetectedAt: monday,
		Causes: []detectors.Finding{{Code: "promotion", Kind: "over_cap"}}, OwnerTeam: "sales", Currency: "EUR",
		Links: cases.Links{Runbook: "docs/runbooks/promotion.md"},
		Incident: &cases.Incident{ID: cases.ID(key), Seller: "acme", Dimension: "promotion", Value: name, Since: monday,
			Members: members, Money: []cases.IncidentMoney{{Currency: "EUR", Members: members,
				TooLow: detectors.Loss{Point: 100 * invoice.Unit, Low: 90 * invoice.Unit, High: 110 * invoice.Unit}}}}}
}

// invoiceCase is the case of one invoice, a member of an incident or not.
func invoiceCase(id string, seq int64, incidentID string) *cases.Case {
	key := cases.DedupKey("acme", id, 0)
	return &cases.Case{Schema: cases.Schema, CaseID: cases.ID(key), DedupKey: key, Seq: seq, Action: cases.ActionOpen,
		Kind: cases.KindInvoice, Severity: cases.SeverityWarning, Seller: "acme", IssuedAt: monday, DetectedAt: monday,
		InvoiceID: id, IncidentID: incidentID, OwnerTeam: "sales", Currency: "EUR",
		Causes: []detectors.Finding{{Code: "promotion", Kind: "over_cap"}}}
}

// play takes records, the first of which the receiver was told, and returns what it is
// told of the others: by one after the other, or of all together.
func play(b *book, past int, together bool, records ...*cases.Case) string {
	var said []string
	tell := func() {
		for _, x := range b.due(monday, 0) {
			said = append(said, fmt.Sprintf("%s %d", x.Action, x.Alert.Seq))
			b.told(x, monday)
		}
	}
	for at, c := range records {
		b.take(c, at < past)
		if at >= past && !together {
			tell()
		}
	}
	tell()
	return strings.Join(said, ", ")
}

// What a receiver is told of the records of one case.
func TestReceiverIsToldWhatChanged(t *testing.T) {
	record := func(seq int64, action cases.Action, severity cases.Severity, members int64) *cases.Case {
		return incidentCase("BLACK25", seq, action, severity, members)
	}
	const open, update, resolve = cases.ActionOpen, cases.ActionUpdate, cases.ActionResolve
	const critical, failing, warning = cases.SeverityCritical, cases.SeverityError, cases.SeverityWarning
	taken := record(2, update, critical, 4)
	taken.Status = cases.StatusAcknowledged
	for name, c := range map[string]struct {
		past     int
		together bool
		records  []*cases.Case
		want     string
	}{
		"open, worse, over": {0, false, []*cases.Case{record(1, open, failing, 4), record(2, update, critical, 5),
			record(3, resolve, critical, 5)}, "fire 1, update 2, resolve 3"},
		"some more members are no news, twice as many are": {0, false, []*cases.Case{record(1, open, failing, 4),
			record(2, update, failing, 6), record(3, update, failing, 8)}, "fire 1, update 3"},
		"somebody takes it": {0, false, []*cases.Case{record(1, open, critical, 4), taken}, "fire 1, update 2"},
		"an older record again": {0, false, []*cases.Case{record(2, update, critical, 4), record(1, open, failing, 4),
			record(2, update, critical, 4)}, "fire 2"},
		"below what the receiver wants": {0, false, []*cases.Case{record(1, open, warning, 4),
			record(2, resolve, warning, 4)}, ""},
		"it falls below": {0, false, []*cases.Case{record(1, open, failing, 4), record(2, update, warning, 4)},
			"fire 1, resolve 2"},
		"it opens again": {0, false, []*cases.Case{record(1, open, failing, 4), record(2, resolve, failing, 4),
			record(3, open, failing, 4)}, "fire 1, resolve 2, fire 3"},
		"a long time away: only what it came to": {0, true, []*cases.Case{record(1, open, failing, 4),
			record(2, update, critical, 9)}, "fire 2"},
		"a long time away, and over: a crash may have told it": {0, true, []*cases.Case{record(1, open, failing, 4),
			record(2, resolve, failing, 4)}, "resolve 2"},
		"after a restart nothing is told again": {2, false, []*cases.Case{record(1, open, failing, 4),
			record(2, update, critical, 4)}, ""},
		"after a restart what is told goes on": {1, false, []*cases.Case{record(1, open, failing, 4),
			record(2, resolve, failing, 4)}, "resolve 2"},
		"what was over before the restart": {2, false, []*cases.Case{record(1, open, failing, 4),
			record(2, resolve, failing, 4)}, ""},
		"compaction left the end alone": {0, false, []*cases.Case{record(7, resolve, failing, 4)}, "resolve 7"},
	} {
		b := newBook(Filter{Lowest: cases.SeverityError}, Boards{})
		if got := play(b, c.past, c.together, c.records...); got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
	}
}

// A receiver that was never told anything hears what is open, not what has been.
func TestFirstStartTellsWhatIsOpen(t *testing.T) {
	b := newBook(Filter{Lowest: cases.SeverityInfo}, Boards{})
	for n := range 100 {
		b.take(incidentCase(fmt.Sprint("P", n), 1, cases.ActionOpen, cases.SeverityError, 4), true)
		if n > 0 {
			b.take(incidentCase(fmt.Sprint("P", n), 2, cases.ActionResolve, cases.SeverityError, 4), true)
		}
	}
	b.anew()
	if list := b.due(monday, 0); len(list) != 1 || list[0].Action != Fire ||
		list[0].Alert.CaseID != incidentCase("P0", 1, "", "", 0).CaseID {
		t.Errorf("told %+v, want the one open incident", list)
	}
}

// kpi.md: never page for a single invoice below the page line; an incident mutes its members.
func TestSingleInvoicesAndMembers(t *testing.T) {
	for _, c := range []struct {
		filter        Filter
		alone, member string
	}{
		{Filter{Lowest: cases.SeverityWarning}, "", ""},
		{Filter{Lowest: cases.SeverityError, Invoices: true}, "", ""},
		{Filter{Lowest: cases.SeverityWarning, Invoices: true}, "fire 1", "fire 1, resolve 2"},
		{Filter{Lowest: cases.SeverityWarning, Invoices: true, Members: true}, "fire 1", "fire 1, update 2"},
	} {
		alone := play(newBook(c.filter, Boards{}), 0, false, invoiceCase("1", 1, ""))
		member := play(newBook(c.filter, Boards{}), 0, false, invoiceCase("1", 1, ""), invoiceCase("1", 2, "some incident"))
		if alone != c.alone || member != c.member {
			t.Errorf("%+v: told %q and %q, want %q and %q", c.filter, alone, member, c.alone, c.member)
		}
	}
}

// The kind of a record is told by its key: most need not be read.
func TestKindOfKey(t *testing.T) {
	for want, key := range map[cases.Kind]string{cases.KindInvoice: cases.DedupKey("a|b", "incident|1", 0),
		cases.KindIncident: cases.IncidentKey("invoice", "batch", "x|invoice|y", monday),
		cases.KindRate:     cases.RateKey("acme", "a/b", "customer_favour"), cases.KindBlind: cases.BlindKey("acme", "s"),
		"": "anything"} {
		if got := keyKind([]byte(key)); got != want {
			t.Errorf("%s is of kind %q, want %q", key, got, want)
		}
	}
}

// An alert that a receiver cannot take comes behind the others, and a receiver that
// forgets is told again.
func TestWhatFailsWaitsAndWhatIsOpenIsRepeated(t *testing.T) {
	b := newBook(Filter{Lowest: cases.SeverityInfo}, Boards{})
	for _, name := range []string{"A", "B"} {
		b.take(incidentCase(name, 1, cases.ActionOpen, cases.SeverityError, 4), false)
	}
	first := b.due(monday, time.Minute)
	b.failed(first[0])
	again := b.due(monday.Add(time.Second), time.Minute)
	if len(again) != 2 || again[0].Alert != first[1].Alert || again[1].Alert != first[0].Alert {
		t.Errorf("what failed is not last: %+v", again)
	}
	for _, x := range again {
		b.told(x, monday)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{50 * time.Second, 0}, {time.Minute, 2}} {
		if list := b.due(monday.Add(c.after), time.Minute); len(list) != c.want {
			t.Errorf("%v later %d alerts are repeated, want %d", c.after, len(list), c.want)
		}
	}
	b.forget(first[0].Alert.CaseID)
	if list := b.due(monday.Add(time.Second), time.Minute); len(list) != 1 || list[0].Action != Resolve {
		t.Errorf("a tombstone tells %+v, want one resolve", list)
	}
}
