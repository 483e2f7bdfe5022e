package desk

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/invoice"
)

// file is all that is known of one case.
type file struct {
	id   string
	seen time.Time // record time of the newest input

	// What stands in recoup.cases, or is about to.
	body    packed             // the record with the highest seq
	over    bool               // body says that it is resolved
	seq     int64              // of body
	applied []invoice.Position // of body
	content content            // of body

	// What was read of recoup.cases; it may lag behind body.
	top     int64  // the highest seq
	topHash uint64 // of its record
	behind  bool   // what stands last has a lower seq than the highest: that is written again
	clash   bool   // two records have the highest seq: one more says which holds

	base     *cases.Case        // what was found newer than content; nil: nothing
	own      *cases.Case        // a base that no worker publishes: the stage opens it
	life     cases.Life         // what happened
	happened bool               // life has something
	worked   bool               // of a person who works the case
	records  int                // that wait for the case: nobody knows it
	waits    []invoice.Position // of these, to be parked if it does not come
	since    time.Time          // when the first of these was recorded
	standing *cases.State       // of life, for origin; nil: to be found again
	origin   cases.Origin       // of standing
	counted  []cases.Plan       // what life added to the account of answers
	segment  string             // customer type of the invoice
	fresh    []touch            // by topic and partition, inputs that touched the case and that body does not contain
	joined   []cases.Member     // of an incident, not listed yet
	member   string             // the incident that the invoice is a member of
	settled  *cases.Resolution  // by a document, according to body
	fix      *correction        // the last document that puts the invoice right
	invoice  string             // invoiceKey by id; "" for other kinds
	numbered string             // invoiceKey by number; "" without one
	revision int64              // of the invoice
	seller   string             // of the invoice
	customer string             // of the invoice
	pError   float32            // of the invoice
	share    float32            // of its loss in what was billed; > 0: billed too little
	found    bool               // recoup found it, before any customer
	bare     bool               // only a dispute says anything of the invoice

	voids     content // of the case that a void record opened
	voidSince time.Time
	isVoid    bool // such a record came
	isValid   bool // a valid one came
}

// content says which of several findings about one invoice a record holds: the one
// decided last counts, wherever it stands.
type content struct {
	detected  time.Time
	partition int
	offset    int64
}

func contentOf(c *cases.Case) content {
	return content{detected: c.DetectedAt, partition: c.Source.Partition, offset: c.Source.Offset}
}

func (a content) compare(b content) int {
	return cmp.Or(a.detected.Compare(b.detected), a.partition-b.partition, cmp.Compare(a.offset, b.offset))
}

// stands notes a record that stands in recoup.cases.
func (f *file) stands(c *cases.Case, body []byte, p *packer) {
	f.behind = c.Seq < f.top
	if c.Seq > f.top {
		f.top, f.topHash = c.Seq, xxhash.Sum64(body)
	}
	switch {
	case c.Seq > f.seq:
		f.take(c, p.pack(c, body))
	case c.Seq == f.seq && !bytes.Equal(body, f.body.body()):
		f.clash = true
	}
}

// take makes a record the one that counts.
func (f *file) take(c *cases.Case, body packed) {
	for i := range c.Applied {
		c.Applied[i].Topic = unique.Make(c.Applied[i].Topic).Value()
	}
	f.over = c.Action == cases.ActionResolve
	f.body, f.seq, f.applied, f.content, f.clash = body, c.Seq, c.Applied, contentOf(c), false
	f.fresh = slices.DeleteFunc(f.fresh, func(t touch) bool { return f.contains(t.Position) })
	f.bare = c.Kind == cases.KindInvoice && c.Currency == noCurrency
	if c.Kind == cases.KindInvoice {
		f.member = cmp.Or(c.IncidentID, f.member)
	}
	f.settled = nil
	if r := c.Resolution; r != nil && (r.Document != "" || r.By == cases.ResolvedByVoid) {
		f.settled = r
	}
	if f.base != nil && contentOf(f.base).compare(f.content) <= 0 && c.Kind == cases.KindInvoice {
		f.base = nil
	}
}

// known tells whether anything says what the case is about.
func (f *file) known() bool { return !f.body.none() || f.base != nil }

// contains tells whether body contains an input.
func (f *file) contains(at invoice.Position) bool {
	return slices.ContainsFunc(f.applied, func(a invoice.Position) bool {
		return a.Topic == at.Topic && a.Partition == at.Partition && at.Offset <= a.Offset
	})
}

// touched notes that an input says something new of the case.
func (f *file) touched(at invoice.Position) {
	if f.contains(at) {
		return
	}
	same := func(t touch) bool { return t.Topic == at.Topic && t.Partition == at.Partition }
	switch i := slices.IndexFunc(f.fresh, same); {
	case i < 0:
		f.fresh = append(f.fresh, touch{at, 1})
	case at.Offset > f.fresh[i].Offset:
		f.fresh[i].Position = at
		f.fresh[i].inputs++
	}
}

// touch is the highest input of a partition that says something new of a case.
type touch struct {
	invoice.Position
	inputs int64 // how many of the partition do
}

// state returns where a case of an origin stands, from what happened.
func (f *file) state(origin cases.Origin) *cases.State {
	if f.standing == nil || f.origin != origin {
		st := f.life.StateOf(origin)
		f.standing, f.origin = &st, origin
	}
	return f.standing
}

// offer takes over what a record of an invoice's case found, if it is the last word.
func (f *file) offer(c *cases.Case) {
	if c.Kind != cases.KindInvoice || f.isVoid && f.isValid && contentOf(c) == f.voids {
		return
	}
	known, bare := f.content, f.bare
	if f.base != nil {
		known, bare = contentOf(f.base), f.base.Currency == noCurrency
	}
	newer := contentOf(c).compare(known) > 0
	switch isBare := c.Currency == noCurrency; {
	case f.body.none() && f.base == nil, bare && !isBare:
		f.base = c
	case isBare && !bare:
	case newer:
		f.base = c
	}
}

// valid takes the case of a valid decision.
func (f *file) valid(c *cases.Case) {
	f.isValid = true
	if f.isVoid && f.content == f.voids && contentOf(c) != f.voids {
		f.base = c // however late the void one was decided
		return
	}
	f.offer(c)
}

// void takes the case of a void decision, which may have been published.
func (f *file) void(at At, c *cases.Case) {
	if !f.isVoid {
		f.isVoid, f.voids, f.voidSince = true, contentOf(c), at.Time
	}
}

// correct takes a document that puts the invoice right.
func (f *file) correct(c correction) {
	if f.fix == nil || c.after(*f.fix) {
		f.fix = &c
	}
	f.touched(c.position)
}

// correction is a document that puts an invoice right.
type correction struct {
	cases.Correction
	position invoice.Position // of its record in the decision log
	decided  time.Time        // when it was scored
	byID     bool             // it names the invoice by its id
}

// after orders the documents about one invoice.
func (c correction) after(o correction) bool {
	return cmp.Or(c.decided.Compare(o.decided), strings.Compare(c.InvoiceID, o.InvoiceID),
		cmp.Compare(c.Revision, o.Revision)) > 0
}

// later returns the one that counts.
func later(a, b correction) correction {
	if b.after(a) {
		return b
	}
	return a
}

// index lets the file be found by its invoice.
func (d *Desk) index(f *file, c *cases.Case) {
	d.arrived(f)
	if c.Kind != cases.KindInvoice {
		return
	}
	f.segment = unique.Make(c.Segment.CustomerType).Value()
	f.seller = unique.Make(c.Seller).Value()
	f.customer, f.pError, f.share = c.Customer, float32(c.PError), lossShare(c)
	f.found = c.Origin == cases.OriginDetector && c.Currency != noCurrency
	f.invoice, f.revision = invoiceKey(c.Seller, c.InvoiceID), revisionOf(c.DedupKey)
	add(d.byInvoice, f.invoice, f.id)
	if c.Number != "" {
		f.numbered = invoiceKey(c.Seller, c.Number)
		add(d.byNumber, f.numbered, f.id)
	}
	for _, key := range []string{f.invoice, f.numbered} {
		if fix, ok := d.corrections[key]; ok {
			f.correct(fix)
		}
		d.seekCorrection(f, key)
	}
}

// revisionOf reads the revision that ends the dedup key of an invoice's case.
func revisionOf(dedupKey string) int64 {
	_, text, _ := strings.Cut(dedupKey[strings.LastIndexByte(dedupKey, '|')+1:], "r")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func add(index map[string][]string, key, id string) {
	if !slices.Contains(index[key], id) {
		index[key] = append(index[key], id)
	}
}
