package desk

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/cases"
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

// overlap is how long a predecessor may have taken to park what had to be. A record is
// parked once, or again by an owner that cannot know that it was.
const overlap = 24 * time.Hour

// predecessor notes when a former owner was at work: what a worker writes of a case is
// its first record.
func (d *Desk) predecessor(at time.Time, c *cases.Case) {
	if !d.live && (c.Seq > 1 || c.Kind != cases.KindInvoice) {
		d.before = latest(d.before, at)
	}
}

// left tells whether a predecessor has parked what had to be at a time. Once it has
// looked at all that was there, an owner parks what comes itself.
func (d *Desk) left(due time.Time) bool {
	return d.reviewed.IsZero() && due.Before(d.before.Add(-overlap))
}

// room holds the files of cases that nobody knows, by case id.
type room struct {
	files   map[string]*file
	records int // of all files
}

func newRoom() room { return room{files: map[string]*file{}} }

func (r *room) put(f *file) {
	r.files[f.id] = f
	r.records += f.records
}

func (r *room) drop(f *file) {
	delete(r.files, f.id)
	r.records -= f.records
}

// roomOf returns where a file waits. What only an audit says of waits apart, and is not
// parked: of an invoice that is right no case ever comes.
func (d *Desk) roomOf(f *file) *room {
	if len(f.waits) > 0 {
		return &d.waiting
	}
	return &d.audited
}

// wait notes that a record speaks of a case that nobody knows.
func (d *Desk) wait(f *file, at At, audit bool) {
	if f.known() {
		return
	}
	d.roomOf(f).drop(f)
	if f.records == 0 {
		f.since = at.Time
	}
	f.records++
	if !audit {
		f.waits = append(f.waits, at.Position)
	}
	r := d.roomOf(f)
	r.put(f)
	if r.records > d.settings.MostUnknown {
		d.shed(r)
	}
}

// arrived notes that the case of what waited is known.
func (d *Desk) arrived(f *file) {
	d.roomOf(f).drop(f)
	f.records, f.waits = 0, nil
}

// shed leaves the tenth of all that waits in a room which came first.
func (d *Desk) shed(r *room) {
	for _, f := range r.oldest() {
		if r.records <= d.settings.MostUnknown*9/10 {
			return
		}
		d.leave(f)
	}
}

// oldest returns what waits, what came first before what came later.
func (r *room) oldest() []*file {
	return slices.SortedFunc(maps.Values(r.files), func(a, b *file) int {
		return cmp.Or(a.since.Compare(b.since), strings.Compare(a.id, b.id))
	})
}

// leave forgets a file whose case did not come. A predecessor has parked the last of its
// records when that one had waited, at the latest.
func (d *Desk) leave(f *file) {
	if !d.left(f.seen.Add(d.settings.EventsWait)) {
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
	if !d.left(at.Time) {
		d.parked = append(d.parked, Parked{at.Position, ReasonUnknownInvoice})
	}
	return false
}

// countUnheard counts the cases that a predecessor has opened and of which only a dispute is
// known.
func (d *Desk) countUnheard() {
	for _, f := range d.files {
		if f.bareNow() && !f.over && d.disputedCase(f.invoice) == f {
			d.unheard++
		}
	}
}

// reviewEvery is how often a desk that takes no more disputes looks whether it can.
const reviewEvery = time.Minute

// review parks events that waited too long, and counts the disputes of which nothing
// else is known.
func (d *Desk) review(now time.Time) {
	for _, f := range d.waiting.oldest() {
		if now.Sub(f.since) <= d.settings.EventsWait {
			break
		}
		d.leave(f)
	}
	d.unheard = 0
	for key, p := range d.disputed {
		if f := d.disputedCase(key); f == nil && !p.asked || f != nil && f.bareNow() && !f.over {
			d.unheard++
		}
	}
	d.reviewed = now
}

// Waiting returns how many records wait for a case, those of audits aside, and how many
// disputes are all that is known of their invoice.
func (d *Desk) Waiting() (records, disputes int) { return d.waiting.records, d.unheard }

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
