package desk

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"unique"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/cases/incident"
	"recoup/detectors"
	"recoup/invoice"
)

// mostLogged is how many names are remembered of each sort, at least the half of them that
// was put last. A suspect without a case has two: its case id and its invoice.
const mostLogged = 1_000_000

// newest finds what was put last under a name, by the name's hash. When young is full it
// becomes old, and what was old is forgotten.
type newest[V any] struct {
	young, old map[uint64]V
	lost       bool // something was forgotten
}

func (n *newest[V]) put(name string, v V) {
	if n.young == nil || len(n.young) >= mostLogged/2 {
		n.lost = n.lost || n.old != nil
		n.young, n.old = map[uint64]V{}, n.young
	}
	n.young[xxhash.Sum64String(name)] = v
}

func (n *newest[V]) find(name string) (v V, known bool) {
	key := xxhash.Sum64String(name)
	if v, known = n.young[key]; !known {
		v, known = n.old[key]
	}
	return v, known
}

// logged finds in the decision log again what belongs to no case yet.
type logged struct {
	newest[place]
	topic string // of the decision log
}

// What of the decision log is found again, each in a logged of its own.
const (
	asItCame    = iota // suspects that no worker opened a case of
	bySearch           // such suspects that are older, but were read later
	corrections        // documents that put an invoice right
	logs
)

// ofCorrection begins the name of the documents that put an invoice right; its invoiceKey
// follows. No other name begins with it.
const ofCorrection = "\x00"

// place is where a record stands in the decision log.
type place struct {
	rank      int64 // the highest counts: revision of a suspect, of a correction when it was scored
	offset    int64
	partition int32
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.rank, o.rank), cmp.Compare(p.partition, o.partition), cmp.Compare(p.offset, o.offset))
}

// put remembers where the record of a name stands; the highest rank counts.
func (l *logged) put(name string, at invoice.Position, rank int64) {
	p := place{rank: rank, partition: int32(at.Partition), offset: at.Offset}
	if was, known := l.find(name); known && was.compare(p) >= 0 {
		return
	}
	l.topic = at.Topic
	l.newest.put(name, p)
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

// Places returns where in the decision log the records of these names stand. Of the lost
// ones it may have forgotten it: Stands finds them in the log.
func (d *Desk) Places(names []string) (at []invoice.Position, lost []string) {
	for _, name := range names {
		found, forgot := false, false
		for i := range d.logged {
			l := &d.logged[i]
			if p, known := l.find(name); known {
				found = true
				at = append(at, invoice.Position{Topic: l.topic, Partition: int(p.partition), Offset: p.offset})
			}
			forgot = forgot || l.lost && (i == corrections) == strings.HasPrefix(name, ofCorrection)
		}
		if !found && forgot {
			lost = append(lost, name)
		}
	}
	return at, lost
}

// Stands tells, without reading it whole, whether a record of the decision log may be the
// one of a name that Wanted returned.
func Stands(names map[string]bool, key, value []byte) bool {
	if bytes.HasPrefix(value, []byte(`{"schema":"decision.v1","kind":"correction"`)) { // its key is the document's
		for name := range names {
			if strings.HasPrefix(name, ofCorrection) {
				return true
			}
		}
		return false
	}
	seller, id, ok := strings.Cut(string(key), "|")
	return ok && (names[string(key)] || names[cases.ID(cases.DedupKey(seller, id, revisionIn(value)))])
}

// revisionIn reads the first revision that a record speaks of: that of its verdict.
func revisionIn(value []byte) (n int64) {
	_, rest, _ := bytes.Cut(value, []byte(`"revision":`))
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

// Answered says that the decision log was searched for these names: a disputed invoice
// that it did not have is opened with what the customer says alone.
func (d *Desk) Answered(names []string) {
	for _, name := range names {
		delete(d.asks, name)
		if f := d.files[name]; f != nil {
			d.touch(f)
		}
		for _, id := range d.casesOf(strings.TrimPrefix(name, ofCorrection), false) {
			d.touch(d.files[id])
		}
		if p := d.disputed[name]; p != nil && !p.asked {
			p.asked = true
			d.openBare(name, p)
		}
	}
}

// sought tells whether the decision log is searched for what may say more of an invoice:
// its case is opened once all is known, so that no new owner need ask again.
func (d *Desk) sought(f *file) bool {
	return len(d.asks) > 0 && (d.asks[f.id] || d.asks[f.invoice] || d.asks[ofCorrection+f.invoice] ||
		d.asks[ofCorrection+f.numbered])
}

// seekCorrection searches for the last document that puts the invoice of a key right,
// unless the file has it.
func (d *Desk) seekCorrection(f *file, key string) {
	p, known := d.logged[corrections].find(ofCorrection + key)
	switch {
	case key == "":
	case !known && d.logged[corrections].lost && f.body.none(),
		known && (f.fix == nil || p.rank > f.fix.decided.UnixNano()) &&
			(f.settled == nil || f.settled.Document == "" || p.rank > f.settled.At.UnixNano()):
		d.asks[ofCorrection+key] = true
	}
}

// gather notes which incident suspects without a case are members of, and by what other
// ids workers call it. One that ended as part of another one says nothing of what that
// one has.
func (d *Desk) gather(c *cases.Case, joined []cases.Member) {
	if c.Incident == nil {
		return
	}
	if was := d.incidents[c.CaseID]; was == nil || !c.Incident.LastMember.Before(was.LastMember) {
		i := *c.Incident
		i.Money, i.Findings, i.Batches = nil, nil, nil
		d.incidents[c.CaseID] = &i
	}
	whole := d.aliases[c.CaseID]
	for _, alias := range c.Incident.Aliases {
		if was := d.aliases[alias]; was == "" || was != whole {
			d.aliases[alias] = c.CaseID
		}
	}
	own := unique.Make(c.CaseID)
	for i := range joined {
		m := &joined[i]
		if m.CaseID != "" {
			continue
		}
		id := cases.ID(cases.DedupKey(m.Seller, m.InvoiceID, m.Revision))
		if was, known := d.members.find(id); !known || was != own && was.Value() != whole {
			d.members.put(id, own)
		}
	}
}

// incidentOf returns the incident that a suspect is a member of, "" for none, by what the
// board says, by what was published, and by the name that its worker gave.
func (d *Desk) incidentOf(at At, s *Suspect, id string) string {
	v := s.Verdict
	if i := d.board.Incident(v.Seller, v.InvoiceID, v.Revision); i != "" {
		return i
	}
	if i, known := d.members.find(id); known {
		return i.Value()
	}
	if v.IncidentID == "" {
		return d.counted(at, s)
	}
	if f := d.files[v.IncidentID]; f != nil && f.known() {
		return v.IncidentID
	}
	return cmp.Or(d.aliases[v.IncidentID], v.IncidentID)
}

// counted returns the incident that had counted a suspect, "" for none, as a new owner
// knows it that reads the suspect again: the topic of the cases is compacted, and the
// record that listed the member may be gone.
func (d *Desk) counted(at At, s *Suspect) string {
	v, issued := s.Verdict, s.Subject.IssuedAt
	b := incident.New(d.settings.Incidents)
	for _, id := range slices.Sorted(maps.Keys(d.incidents)) {
		i := d.incidents[id]
		if i.Seller == v.Seller && detectors.NearIncident(i.Since, i.Latest(), issued, issued) {
			b.RestoreOver(i, s.DetectedAt)
		}
	}
	b.Suspect(at.Position, v, s.Subject, s.DetectedAt)
	b.Tick(s.DetectedAt)
	return b.Incident(v.Seller, v.InvoiceID, v.Revision)
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
	read := &d.logged[asItCame]
	if s.Searched {
		read = &d.logged[bySearch]
	}
	for _, name := range []string{id, key} {
		read.put(name, at.Position, v.Revision)
	}
	f, p := d.files[id], d.disputed[key]
	if p == nil && (f == nil || !f.worked) {
		return
	}
	c := d.settings.Opener.OpenDecided(v, s.Subject, s.DetectedAt)
	c.IncidentID = d.incidentOf(at, s, id)
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
