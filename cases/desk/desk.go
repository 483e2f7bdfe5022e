// Package desk is the state of the case stage: what is known of every case, and what
// has to be published of it. Inputs come in any order and any number of times; the
// same inputs leave the same cases. It does no I/O and knows no clock but the times
// it is given.
//
// The state of a case is its record in recoup.cases with the highest seq. What a
// record says that is published is derived from three things: what the detector
// found (the record that a worker opened), what happened since (events, recoveries,
// disputes, corrections, incidents), and the record published before. So a new owner
// that reads the cases first, and then the inputs again, publishes what its
// predecessor had left to publish, and nothing else.
package desk

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/cases/incident"
	"recoup/detectors"
	"recoup/invoice"
)

// Settings of a Desk.
type Settings struct {
	// Opener builds the cases of disputes and brings those of invoices up to date. Its
	// Acceptance is the Desk's own.
	Opener cases.Opener
	// Incidents says what is one, and what pages.
	Incidents incident.Settings
	// Keep is how long a case is known after its last record: as long as the topic of
	// the cases holds it. By default 120 days.
	Keep time.Duration
	// VoidAfter is how long a case that only a void record opened waits for a valid
	// one before it is resolved. By default one minute.
	VoidAfter time.Duration
	// MostUnknown is how many events and recoveries may wait for a case that recoup does
	// not know, and how many disputed invoices may be open of which it knows no more. By
	// default 100,000 of each. Above it the oldest events are parked, and new disputes. As
	// many verdicts of audits on invoices without a case are remembered besides.
	MostUnknown int
	// EventsWait is how long an event or a recovery waits for its case before it is
	// parked. By default 7 days.
	EventsWait time.Duration
}

// DefaultSettings returns every setting with its default.
func DefaultSettings() Settings {
	return Settings{Incidents: incident.DefaultSettings(), Keep: 120 * 24 * time.Hour, VoidAfter: time.Minute,
		MostUnknown: 100_000, EventsWait: 7 * 24 * time.Hour}
}

// At is where an input record stands and when its log took it.
type At struct {
	invoice.Position
	Time time.Time // of the record; decides how long it is remembered
}

// Suspect is a decision of the decision log.
type Suspect struct {
	Verdict    *detectors.Verdict // whole
	Subject    *cases.Subject     // nil in records of an older recoup
	Case       []byte             // the case a worker opens for it; nil: none
	DetectedAt time.Time          // when it was decided
	// Void says that a later owner had claimed the partition before the record: it
	// decides nothing, but its case may have been published.
	Void bool
	// Searched says that it is read by a search: what it has in common with others was
	// counted by who read it first.
	Searched bool
}

// Desk holds the files of all cases that are open or were closed of late, and what
// is counted for incidents. Not safe for concurrent use.
type Desk struct {
	settings Settings
	board    *incident.Board
	answers  *cases.Acceptance // of all customers
	files    map[string]*file  // by case id
	dirty    map[string]*file  // those to look at in Changes, by case id
	// byInvoice and byNumber find the cases of an invoice: case ids by invoiceKey.
	byInvoice, byNumber map[string][]string
	corrections         map[string]correction         // that met no case yet, by invoiceKey of what they put right
	logged              [logs]logged                  // what belongs to no case yet
	members             newest[unique.Handle[string]] // incidents of suspects without a case, by case id
	aliases             map[string]string             // ids of incidents, by other ids that workers gave
	incidents           map[string]*cases.Incident    // newest facts, without what they come to, by id
	packer              packer
	waiting             room                   // what people say of cases that nobody knows
	audited             room                   // what audits alone say of such cases
	before              time.Time              // when a predecessor last published; zero: never
	reviewed            time.Time              // when review last ran
	unheard             int                    // disputes of which nothing else is known, at least
	parked              []Parked               // that Parked has not returned yet
	asks                map[string]bool        // names to search for: invoiceKeys and case ids
	disputed            map[string]*disputed   // by invoiceKey
	holds               map[run]hold           // the last word on each
	voids               map[string]bool        // ids of cases that a void record opened and that wait for a valid one
	odds                *cases.DisputeOdds     // what makes customers dispute; nil: too few did
	past                map[string][]time.Time // when customers disputed, by invoiceKey of the customer
	learned             time.Time              // the day that odds and past are of
	now                 time.Time              // of the last Tick
	swept               time.Time              // when old files were last forgotten
	live                bool                   // Restored was called
}

// New returns a Desk that knows nothing.
func New(s Settings) *Desk {
	answers := &cases.Acceptance{}
	s.Opener.Acceptance = answers
	return &Desk{settings: s, answers: answers, board: incident.New(s.Incidents),
		files: map[string]*file{}, dirty: map[string]*file{}, audited: newRoom(),
		byInvoice: map[string][]string{}, byNumber: map[string][]string{}, corrections: map[string]correction{},
		waiting: newRoom(), asks: map[string]bool{}, disputed: map[string]*disputed{}, holds: map[run]hold{},
		voids: map[string]bool{}, aliases: map[string]string{}, incidents: map[string]*cases.Incident{}}
}

// invoiceKey names an invoice, by its id or its number, within its seller. It is the
// key of the decision log, too.
func invoiceKey(seller, invoice string) string { return seller + "|" + invoice }

// run names billing runs that a person holds or releases: one of a seller, or those of
// this name of all sellers where seller is "".
type run struct{ seller, batch string }

// hold is what a person said of a run.
type hold struct {
	at    time.Time
	event string // its id: of two at one time the greater counts
	held  bool
}

// after tells whether h is the later word.
func (h hold) after(o hold) bool { return h.at.After(o.at) || h.at.Equal(o.at) && h.event > o.event }

// Restore takes a record of recoup.cases, written by whoever: all of them before
// anything else, and later ones as they come. An error names a record that cannot be
// read; it is passed over.
func (d *Desk) Restore(at At, body []byte) error {
	c, err := cases.Decode(body)
	if err != nil {
		return err
	}
	f := d.file(c.CaseID, at.Time)
	d.predecessor(at.Time, c)
	f.stands(c, body, &d.packer)
	f.offer(c)
	d.index(f, c)
	d.gather(c, c.Joined)
	if d.live || f.behind || f.clash || f.base != nil { // else it stands as it should, as far as the cases tell
		d.touch(f)
	}
	return nil
}

// Restored says that all of recoup.cases was read: what is open of incidents, rates
// and blindness goes on where a predecessor has published it, and what is over stays over.
func (d *Desk) Restored() error {
	d.live = true
	d.countUnheard()
	for _, id := range slices.Sorted(maps.Keys(d.files)) {
		f := d.files[id]
		if f.body.none() || f.invoice != "" {
			continue
		}
		c, err := cases.Decode(f.body.body())
		if err != nil {
			return err
		}
		d.adopt(c)
	}
	return nil
}

// adopt gives the board back what is open, and the incidents that are over.
func (d *Desk) adopt(c *cases.Case) {
	if c.Action == cases.ActionResolve {
		if i := c.Incident; i != nil && c.Resolution != nil {
			d.board.RestoreOver(i, c.Resolution.At)
		}
		return
	}
	switch c.Kind {
	case cases.KindIncident:
		if c.Incident != nil {
			d.board.Restore(c.Incident)
		}
	case cases.KindRate:
		d.board.RestoreRate(rateOf(c))
	case cases.KindBlind:
		d.board.RestoreBlind(blindOf(c))
	}
}

// ReadFrom returns, by partition, the offset in the decision log that a new owner has
// to begin before: behind it stands what no case contains yet. What is absent is read
// from its start. topic is the name of the log.
func (d *Desk) ReadFrom(topic string) map[int]int64 {
	from := map[int]int64{}
	for _, f := range d.files {
		for _, at := range f.applied {
			if at.Topic == topic {
				from[at.Partition] = max(from[at.Partition], at.Offset)
			}
		}
	}
	for _, i := range d.board.Incidents() {
		for p, offset := range i.Counted {
			if at, known := from[p]; known {
				from[p] = min(at, offset)
			}
		}
	}
	return from
}

// Cases returns how many cases are known.
func (d *Desk) Cases() int { return len(d.files) }

// Cut says that a record was too large for its topic and stands there shortened; it
// may have been read back already.
func (d *Desk) Cut(whole, short []byte) {
	c, err := cases.Decode(short)
	if err != nil {
		return
	}
	if f := d.files[c.CaseID]; f != nil && bytes.Equal(f.body.body(), whole) {
		f.body = d.packer.pack(c, short)
		f.clash = f.clash && f.top == f.seq && f.topHash != xxhash.Sum64(short)
	}
}

// Decision takes a decision of the decision log.
func (d *Desk) Decision(at At, s *Suspect) {
	v := s.Verdict
	if !s.Void && !s.Searched && s.Subject != nil {
		d.board.Suspect(at.Position, v, s.Subject, s.DetectedAt)
	}
	if s.Case == nil {
		d.note(at, s)
		return
	}
	if f := d.files[v.CaseID]; s.Searched && f != nil && !f.body.none() {
		return // its case stands already
	}
	c, err := cases.Decode(s.Case)
	if err != nil {
		return // it stands in the cases too, if it could be published: Restore says so
	}
	f := d.file(c.CaseID, at.Time)
	if s.Void {
		f.void(at, c)
		d.voids[f.id] = true
	} else {
		f.valid(c)
	}
	d.index(f, c)
	d.touch(f)
}

// Correction takes a document that puts an invoice right; it settles the cases of
// that invoice. decided is when it was scored.
func (d *Desk) Correction(at At, c *cases.Correction, decided time.Time) {
	key, byID := invoiceKey(c.Seller, c.PrecedingNumber), false
	if c.PrecedingNumber == "" {
		key, byID = invoiceKey(c.Seller, c.InvoiceID), true
	}
	fact := correction{Correction: *c, position: at.Position, decided: decided, byID: byID}
	d.logged[corrections].put(ofCorrection+key, at.Position, decided.UnixNano())
	if d.now.Sub(decided) <= CorrectionsWait { // else a search reads it
		d.corrections[key] = later(d.corrections[key], fact)
	}
	for _, id := range d.casesOf(key, byID) {
		f := d.files[id]
		f.correct(fact)
		d.touch(f)
	}
}

// casesOf returns the ids of the cases of an invoice, by its id, or by its number or
// id: documents name either.
func (d *Desk) casesOf(key string, byID bool) []string {
	if byID {
		return d.byInvoice[key]
	}
	ids := d.byNumber[key]
	return append(ids[:len(ids):len(ids)], d.byInvoice[key]...)
}

// Event takes what a person or the case system did.
func (d *Desk) Event(at At, e *cases.Event) {
	e = e.Recorded(at.Time)
	if h := e.Hold; h != nil {
		key, said := run{h.Seller, h.BatchID}, hold{at: e.At, event: e.EventID, held: h.State == cases.Held}
		if said.after(d.holds[key]) {
			d.holds[key] = said
		}
	}
	if e.CaseID == "" {
		return
	}
	f := d.fileOf(at, e.CaseID)
	if f == nil {
		return
	}
	if f.life.Apply(e) {
		f.touched(at.Position)
		d.wait(f, at, e.Origin == cases.OriginAudit)
	}
	f.happened, f.standing = true, nil
	if e.Origin != cases.OriginAudit { // whoever looks at a sample works no case
		d.works(f)
	}
	d.touch(f)
}

// works notes that somebody works a case: one that nobody opened is searched for.
func (d *Desk) works(f *file) {
	if !f.worked && !f.known() {
		d.asks[f.id] = true
	}
	f.worked = true
}

// Recovery takes one step of getting money back.
func (d *Desk) Recovery(at At, r *cases.Recovery) {
	f := d.fileOf(at, r.CaseID)
	if f == nil {
		return
	}
	if f.life.ApplyRecovery(r.Recorded(at.Time)) {
		f.touched(at.Position)
		d.wait(f, at, false)
	}
	f.happened, f.standing = true, nil
	d.works(f)
	d.touch(f)
}

// Count folds what a source partition counted: key and value of a record of
// recoup.baselines that begins with detectors.CountPrefix, without partition and stamp.
func (d *Desk) Count(key, value []byte, partition int) error {
	return d.board.Count(key, value, partition)
}

// fileOf returns the file of a case that a record is about. A record that is older
// than any case is kept belongs to one that is forgotten: nil.
func (d *Desk) fileOf(at At, id string) *file {
	if f := d.files[id]; f != nil {
		f.seen = latest(f.seen, at.Time)
		return f
	}
	if d.old(at.Time) {
		return nil
	}
	return d.file(id, at.Time)
}

// old tells whether what a log took at a time is forgotten already.
func (d *Desk) old(t time.Time) bool { return !d.swept.IsZero() && d.swept.Sub(t) > d.settings.Keep }

// file returns the file of a case, a new one if there is none.
func (d *Desk) file(id string, at time.Time) *file {
	f := d.files[id]
	if f == nil {
		f = &file{id: strings.Clone(id)}
		d.files[f.id] = f
	}
	f.seen = latest(f.seen, at)
	return f
}

// touch has Changes look at a file.
func (d *Desk) touch(f *file) { d.dirty[f.id] = f }

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
