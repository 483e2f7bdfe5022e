package desk

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/invoice"
)

// Why records of people are parked: reasons of dead letters.
const (
	// ReasonUnknownCase is that of an event or a recovery whose case did not come.
	ReasonUnknownCase = "unknown_case"
	// ReasonUnknownInvoice is that of a dispute on an invoice that recoup has no case of,
	// when so many cases are open already of which only a dispute is known.
	ReasonUnknownInvoice = "unknown_invoice"
)

// Parked is a record that the desk has put aside, for good: it belongs to the dead
// letters, from where it can be sent again once its case is there.
type Parked struct {
	invoice.Position        // of the record
	Reason           string // one of the Reasons
}

// overlap is how long before it began a new owner takes for granted that a predecessor
// has parked what had to be: a record is parked once, or twice where owners changed.
const overlap = 24 * time.Hour

// wait notes that a record speaks of a case that nobody knows. What only an audit says
// waits, too, but is not parked: of an invoice that is right no case ever comes.
func (d *Desk) wait(f *file, at At, audit bool) {
	if f.known() {
		return
	}
	if f.records == 0 {
		f.since = at.Time
		d.waiting[f.id] = f
	}
	f.records++
	d.records++
	if !audit {
		f.waits = append(f.waits, at.Position)
	}
	if d.records > d.settings.MostUnknown {
		d.shed()
	}
}

// arrived notes that the case of what waited is known.
func (d *Desk) arrived(f *file) {
	d.records -= f.records
	f.records, f.waits = 0, nil
	delete(d.waiting, f.id)
}

// shed parks the tenth of all that waits which came first.
func (d *Desk) shed() {
	for _, f := range d.oldest() {
		if d.records <= d.settings.MostUnknown*9/10 {
			return
		}
		d.leave(f)
	}
}

// oldest returns what waits, what came first before what came later.
func (d *Desk) oldest() []*file {
	return slices.SortedFunc(maps.Values(d.waiting), func(a, b *file) int {
		return cmp.Or(a.since.Compare(b.since), strings.Compare(a.id, b.id))
	})
}

// leave forgets a file whose case did not come.
func (d *Desk) leave(f *file) {
	due := f.since.Add(d.settings.EventsWait)
	if d.now.IsZero() { // it is reading what a predecessor has read, who parked what came first, too
		due = f.seen
	}
	if !due.Before(d.settings.Began.Add(-overlap)) {
		for _, at := range f.waits {
			d.parked = append(d.parked, Parked{at, ReasonUnknownCase})
		}
	}
	d.arrived(f)
	delete(d.files, f.id)
	delete(d.dirty, f.id)
	delete(d.asks, f.id)
}

// admits tells whether one more dispute on an invoice without a case is taken; else it
// is parked.
func (d *Desk) admits(at At) bool {
	if d.unheard < d.settings.MostUnknown {
		d.unheard++
		return true
	}
	if !d.now.IsZero() || !at.Time.Before(d.settings.Began.Add(-overlap)) {
		d.parked = append(d.parked, Parked{at.Position, ReasonUnknownInvoice})
	}
	return false
}

// review parks events that waited too long, and counts the disputes of which nothing
// else is known.
func (d *Desk) review(now time.Time) {
	for _, f := range d.oldest() {
		if len(f.waits) > 0 && now.Sub(f.since) > d.settings.EventsWait {
			d.leave(f)
		}
	}
	d.unheard = 0
	for key, p := range d.disputed {
		if f := d.disputedCase(key); f == nil && !p.asked || f != nil && f.bareNow() && !f.over {
			d.unheard++
		}
	}
}

// Waiting returns how many records wait for a case, and how many disputes are all that
// is known of their invoice.
func (d *Desk) Waiting() (records, disputes int) { return d.records, d.unheard }

// mostParked is how many records Parked returns at once.
const mostParked = 1000

// Parked returns records to write to the dead letters, once each; call it until it
// returns none.
func (d *Desk) Parked() []Parked {
	n := min(len(d.parked), mostParked)
	list := d.parked[:n:n]
	d.parked = d.parked[n:]
	return list
}
