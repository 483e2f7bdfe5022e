package desk

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/invoice"
)

// mostLogged is how many names of suspects without a case are remembered, at least the
// newest half of them: each has two, its case id and its invoice.
const mostLogged = 1_000_000

// logged finds the suspects that no worker opened a case of again in the decision log,
// by the hash of a name. When young is full it becomes old, and what was old is
// forgotten.
type logged struct {
	young, old map[uint64]place
	topic      string // of the decision log
}

// place is where a decision stands in the decision log.
type place struct {
	revision, offset int64
	partition        int32
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.revision, o.revision), cmp.Compare(p.partition, o.partition),
		cmp.Compare(p.offset, o.offset))
}

// put remembers where the suspect of a name stands; the highest revision counts.
func (l *logged) put(name string, p place) {
	if was, known := l.find(name); known && was.compare(p) >= 0 {
		return
	}
	if l.young == nil || len(l.young) >= mostLogged/2 {
		l.young, l.old = map[uint64]place{}, l.young
	}
	l.young[xxhash.Sum64String(name)] = p
}

func (l *logged) find(name string) (p place, known bool) {
	key := xxhash.Sum64String(name)
	if p, known = l.young[key]; !known {
		p, known = l.old[key]
	}
	return p, known
}

// mostAsked is how many names Wanted returns at once.
const mostAsked = 1000

// Wanted returns names of what somebody spoke of and that has no case: an invoice that
// is disputed, or a case id with events. recoup may have found it suspect and opened
// none. Once the whole decision log was given to Decision, what stands at Places is
// given to it again, and then the names to Answered.
func (d *Desk) Wanted() []string {
	names := slices.Sorted(maps.Keys(d.asks))
	return names[:min(len(names), mostAsked)]
}

// Places returns where in the decision log suspects of these names stand.
func (d *Desk) Places(names []string) (at []invoice.Position) {
	for _, name := range names {
		for i := range d.logged {
			if p, known := d.logged[i].find(name); known {
				at = append(at, invoice.Position{Topic: d.logged[i].topic, Partition: int(p.partition), Offset: p.offset})
			}
		}
	}
	return at
}

// Answered says that the decision log was searched for these names: a disputed invoice
// that it did not have is opened with what the customer says alone.
func (d *Desk) Answered(names []string) {
	for _, name := range names {
		delete(d.asks, name)
		if p := d.disputed[name]; p != nil && !p.asked {
			p.asked = true
			d.openBare(name, p)
		}
	}
}

// note takes a suspect that no worker opened a case of, being logged only or a member of
// an incident. It is opened when a customer disputes it or somebody works it, whichever
// is read first.
func (d *Desk) note(at At, s *Suspect) {
	v := s.Verdict
	if s.Void || s.Subject == nil || s.Subject.Canary || v.Stage != invoice.Issued {
		return
	}
	id, key := cases.ID(cases.DedupKey(v.Seller, v.InvoiceID, v.Revision)), invoiceKey(v.Seller, v.InvoiceID)
	read := &d.logged[0]
	if s.Searched {
		read = &d.logged[1] // older, but read later
	}
	read.topic = at.Topic
	for _, name := range []string{id, key} {
		read.put(name, place{revision: v.Revision, partition: int32(at.Partition), offset: at.Offset})
	}
	f, p := d.files[id], d.disputed[key]
	if p == nil && (f == nil || !f.worked) {
		return
	}
	c := d.settings.Opener.OpenDecided(v, s.Subject, s.DetectedAt)
	c.IncidentID = cmp.Or(d.board.Incident(v.Seller, v.InvoiceID, v.Revision), c.IncidentID)
	f = d.file(id, at.Time)
	if p != nil {
		c.Origin = cases.OriginDispute
		f.touched(p.first.Position)
	}
	f.member = cmp.Or(f.member, c.IncidentID)
	if f.offer(c); f.base == c {
		f.own = c
	}
	d.index(f, c)
	d.touch(f)
}
