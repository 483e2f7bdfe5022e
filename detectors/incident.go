package detectors

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"recoup/detectors/history"
	"recoup/invoice"
)

// signalWords say what is wrong with the invoices of a source, by signal; "" is no
// sign of a shared cause by itself.
var signalWords = [history.Signals]string{
	"lines that do not add up", "lines that are not quantity × price", "a tax rate that is new",
	"a currency that is new", "nothing to pay", "mostly unknown prices of many products",
	"lists that end early",
	"fewer lines than delivered",
}

// joinIncident has a suspect share the incident of its source, release or batch,
// if the ones just before it had the same trouble: one shared cause is one
// incident and no case for each of hundreds of invoices. The first ones were decided
// before the shared cause could be seen; they are examples of it.
//
// The id is that of the source's or release's incident of the day the trouble began,
// so that every partition that sees it, and the case stage, name the same incident.
func (e *Engine) joinIncident(v *Verdict) (joined bool) {
	c := &e.cur
	f := &c.ev.facts
	if !v.Suspect || len(v.Causes) == 0 || f.Known.Source == nil {
		return false
	}
	for signal, words := range signalWords {
		if f.Signals[signal] == 0 || words == "" {
			continue
		}
		run, shared := f.Known.Source.Joins(signal, f)
		if !shared {
			continue
		}
		dimension, value := DimensionSource, c.inv.SourceSystem
		if c.inv.SourceRelease != "" {
			dimension, value = DimensionRelease, c.inv.SourceRelease
		}
		began := time.Unix(int64(run.Since)*3600, 0).UTC()
		v.IncidentID = IncidentID(IncidentKey(v.Seller, dimension.String(), value, began))
		first := &v.Causes[0]
		first.Evidence = append(first.Evidence, fmt.Sprintf("%d suspects of %s %q since %s have %s",
			run.Invoices, dimension, value, began.Format(time.DateOnly), words))
		return true
	}
	return false
}

// OpenIncident is an incident that suspects may be members of.
type OpenIncident struct {
	ID     string    // of its case
	Value  Value     // what its members have in common
	Causes []string  // codes of first causes that are members; nil: all
	Since  time.Time // event time at which the trouble began
	Until  time.Time // and up to which it was seen
}

// incidentsApart is the event time without members from which on the same trouble of
// the same value is another incident. While invoices come as they are issued, the first
// one has ended by then; where a year of them is read in minutes, nothing else tells an
// outage of March from one of July. A weekend is no end.
const incidentsApart = 3 * 24 * time.Hour

// NearIncident tells whether invoices issued from first to last may be members of an
// incident whose trouble was seen from since to until.
func NearIncident(since, until, first, last time.Time) bool {
	return !last.Before(since.Add(-incidentsApart)) && !first.After(until.Add(incidentsApart))
}

// Incidents are those that are open, as far as this process has heard of them. Every
// method may be called at any time by any goroutine, also while engines score.
type Incidents struct {
	mu      sync.Mutex // guards byID, and replacing byValue
	byID    map[string]OpenIncident
	byValue atomic.Pointer[map[Value][]OpenIncident] // replaced whole, never changed
}

// NewIncidents returns a book without any.
func NewIncidents() *Incidents {
	b := &Incidents{byID: map[string]OpenIncident{}}
	b.byValue.Store(&map[Value][]OpenIncident{})
	return b
}

// Open makes suspects of the incident's value and causes its members from now on. An
// incident of the same id is replaced.
func (b *Incidents) Open(i OpenIncident) { b.change(func() { b.byID[i.ID] = i }) }

// Close ends that; nobody need have opened it.
func (b *Incidents) Close(id string) { b.change(func() { delete(b.byID, id) }) }

func (b *Incidents) change(how func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	how()
	byValue := map[Value][]OpenIncident{}
	for _, id := range slices.Sorted(maps.Keys(b.byID)) {
		i := b.byID[id]
		byValue[i.Value] = append(byValue[i.Value], i)
	}
	b.byValue.Store(&byValue)
}

// find returns the id of the incident that a suspect of some event time with the given
// first cause is a member of, "" for none. Of several it is the narrowest: the fewest causes, then by
// dimension and id.
func (b *Incidents) find(inv *invoice.Invoice, cause string, event time.Time) (id string) {
	open := *b.byValue.Load()
	if len(open) == 0 {
		return ""
	}
	var found []OpenIncident
	for _, v := range valuesOf(inv) {
		for _, i := range open[v] {
			if (i.Causes == nil || slices.Contains(i.Causes, cause)) && NearIncident(i.Since, i.Until, event, event) {
				found = append(found, i)
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	slices.SortFunc(found, func(x, y OpenIncident) int {
		return cmp.Or(cmp.Compare(x.breadth(), y.breadth()), compareValues(x.Value, y.Value), cmp.Compare(x.ID, y.ID))
	})
	return found[0].ID
}

func (i *OpenIncident) breadth() int {
	if i.Causes == nil {
		return Causes
	}
	return len(i.Causes)
}

// valuesOf lists all an invoice may have in common with others.
func valuesOf(inv *invoice.Invoice) []Value {
	all := []Value{{inv.Seller, DimensionSource, inv.SourceSystem}}
	for _, d := range singleValued {
		if name := valueOf(d, inv); name != "" {
			all = append(all, Value{inv.Seller, d, name})
		}
	}
	for _, code := range promotionsOf(nil, inv) {
		all = append(all, Value{inv.Seller, DimensionPromotion, code})
	}
	if inv.CustomerType != "" || inv.ProductFamily != "" {
		all = append(all, Value{inv.Seller, DimensionSegment, SegmentValue(inv.CustomerType, inv.ProductFamily)})
	}
	return all
}

// UseIncidents has suspects join open incidents from the next Score on. The book may
// be shared with other engines and change meanwhile.
func (e *Engine) UseIncidents(b *Incidents) { e.incidents = b }

// memberOf returns the id of the open incident that a suspect is a member of, "" for
// none.
func (e *Engine) memberOf(v *Verdict) string {
	if e.incidents == nil || !v.Suspect {
		return ""
	}
	cause := CauseUnknown
	if len(v.Causes) > 0 {
		cause = v.Causes[0].Code
	}
	return e.incidents.find(e.cur.inv, cause, time.UnixMilli(e.cur.eventMS))
}
