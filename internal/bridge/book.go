package bridge

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"recoup/cases"
)

// Action is what a receiver is told.
type Action string

// The actions, in the order an alert goes through them.
const (
	Fire    Action = "fire"
	Update  Action = "update"
	Resolve Action = "resolve"
)

// Filter says which cases a receiver is told of.
type Filter struct {
	// Lowest is the lowest severity.
	Lowest cases.Severity
	// Invoices lets cases of single invoices pass, too: they are worked in the case
	// system, and nobody is paged for one.
	Invoices bool
	// Members lets invoices pass that belong to an incident: for a receiver that mutes
	// them itself.
	Members bool
}

// severities from the least on.
var severities = []cases.Severity{cases.SeverityInfo, cases.SeverityWarning, cases.SeverityError,
	cases.SeverityCritical}

// passes tells whether a case is of those a receiver may ever be told of.
func (f Filter) passes(c *cases.Case) bool { return c.Kind != cases.KindInvoice || f.Invoices }

// wants tells whether a receiver is to know of the case as it is.
func (f Filter) wants(c *cases.Case) bool {
	return c.Action != cases.ActionResolve && slices.Index(severities, c.Severity) >= slices.Index(severities, f.Lowest) &&
		(c.Kind != cases.KindInvoice || c.IncidentID == "" || f.Members)
}

// Event is one thing that a receiver is to be told.
type Event struct {
	Action Action // what became of it
	Alert  *Alert // as it is now
	Was    *Alert // as it was told last; nil: never, or that is not known
}

// entry is what is known of one case. One that is over and told keeps its seq alone.
type entry struct {
	seq    int64
	now    *Alert // its newest record
	told   *Alert // what the receiver was told last; nil: nothing, or it is not known
	wanted bool   // the receiver is to know of it
	heard  bool   // the receiver may have heard of it
	sent   time.Time
	failed int // attempts since it was told last
}

// book is what one receiver knows, and is to know, of one partition's cases. It is
// owned by one goroutine.
type book struct {
	filter  Filter
	boards  Boards
	entries map[string]*entry // by case id
	changed map[string]bool   // case ids to look at
	swept   time.Time         // when all were last looked at
}

func newBook(filter Filter, boards Boards) *book {
	return &book{filter: filter, boards: boards, entries: map[string]*entry{}, changed: map[string]bool{}}
}

// take notes a record. past says that the receiver has been told all up to it.
func (b *book) take(c *cases.Case, past bool) {
	if !b.filter.passes(c) {
		return
	}
	e := b.entries[c.CaseID]
	if e == nil {
		// Compaction may have removed a record that was told.
		e = &entry{heard: !past && c.Seq > 1}
		b.entries[c.CaseID] = e
	}
	if c.Seq <= e.seq {
		return
	}
	e.seq, e.now, e.wanted = c.Seq, NewAlert(c, b.boards), b.filter.wants(c)
	switch {
	case past && e.wanted:
		e.told, e.heard = e.now, true
	case past:
		e.over()
	default:
		e.heard = e.heard || e.wanted // a process that crashed may have told this one
		b.changed[c.CaseID] = true
	}
}

// forget takes the tombstone of a case.
func (b *book) forget(caseID string) {
	switch e := b.entries[caseID]; {
	case e == nil:
	case e.now == nil: // over, and told
		delete(b.entries, caseID)
	default:
		e.wanted, b.changed[caseID] = false, true
	}
}

func (e *entry) over() { e.now, e.told, e.heard = nil, nil, false }

// anew is for a receiver that has never been told anything: what is over is none of its
// business, and what is open is news.
func (b *book) anew() {
	for id, e := range b.entries {
		if e.told = nil; e.wanted {
			b.changed[id] = true
		}
	}
}

// due lists what the receiver is to be told now: what failed most often comes last, so
// that it holds up nothing else. A receiver that forgets is told again after repeat; 0:
// it does not forget.
func (b *book) due(now time.Time, repeat time.Duration) (list []Event) {
	if repeat > 0 && now.Sub(b.swept) >= repeat/10 {
		b.swept = now
		for id, e := range b.entries {
			if e.wanted && now.Sub(e.sent) >= repeat {
				b.changed[id] = true
			}
		}
	}
	for id := range b.changed {
		e := b.entries[id]
		switch {
		case e.wanted && e.told == nil:
			list = append(list, Event{Action: Fire, Alert: e.now})
		case e.wanted && (e.now.differs(e.told) || repeat > 0 && now.Sub(e.sent) >= repeat):
			list = append(list, Event{Action: Update, Alert: e.now, Was: e.told})
		case !e.wanted && e.heard && e.now != nil:
			list = append(list, Event{Action: Resolve, Alert: e.now, Was: e.told})
		default:
			delete(b.changed, id)
			if !e.wanted {
				e.over()
			}
		}
	}
	slices.SortFunc(list, func(x, y Event) int {
		return cmp.Or(b.entries[x.Alert.CaseID].failed-b.entries[y.Alert.CaseID].failed,
			x.Alert.Started.Compare(y.Alert.Started), strings.Compare(x.Alert.CaseID, y.Alert.CaseID))
	})
	return list
}

// told notes that an event arrived, or will never.
func (b *book) told(x Event, now time.Time) {
	e := b.entries[x.Alert.CaseID]
	e.told, e.heard, e.sent, e.failed = x.Alert, true, now, 0
	if !e.wanted {
		e.over()
	}
	delete(b.changed, x.Alert.CaseID)
}

// failed notes that an event did not arrive.
func (b *book) failed(x Event) { b.entries[x.Alert.CaseID].failed++ }

// open counts the cases that the receiver is to know of.
func (b *book) open() (n int) {
	for _, e := range b.entries {
		if e.wanted {
			n++
		}
	}
	return n
}
