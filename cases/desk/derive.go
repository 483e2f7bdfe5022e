package desk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Publication is a record for recoup.cases.
type Publication struct {
	Key    string       // dedup key
	Body   []byte       // the record
	Action cases.Action // what it does
	Kind   cases.Kind   // what its case is about
	// Again says that the record was published before: one of a lower seq stands
	// behind it, and a compacted topic would keep that one.
	Again bool
}

// What one record lists, so that it stays well below what a topic takes. Members that
// are left follow in the next record, flags that are left are counted.
const (
	mostJoined      = 1000
	mostJoinedBytes = 256 << 10 // of their JSON
	mostFlags       = 50
)

// Changes returns what has to be published now, invoices before what they have in
// common: an incident lists its members once, and by then their cases name it. What
// it returns counts as published.
func (d *Desk) Changes() ([]Publication, error) {
	var list []Publication
	for len(d.dirty) > 0 {
		waiting := d.dirty
		d.dirty = map[string]*file{}
		for _, f := range waiting {
			d.countAnswers(f)
		}
		for _, id := range slices.Sorted(maps.Keys(waiting)) {
			p, err := d.publish(waiting[id])
			if err != nil {
				return nil, err
			}
			if p != nil {
				list = append(list, *p)
			}
		}
	}
	rank := func(p Publication) int {
		if p.Kind == cases.KindInvoice {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b Publication) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Key, b.Key))
	})
	return list, nil
}

// countAnswers keeps the account of how customers answered.
func (d *Desk) countAnswers(f *file) {
	if !f.happened || f.body.none() {
		return
	}
	d.answers.Discount(f.segment, f.counted)
	f.counted = f.state("").Plans
	d.answers.Count(f.segment, f.counted)
}

// publish returns the record to write of one case, nil when what stands is right.
func (d *Desk) publish(f *file) (*Publication, error) {
	if f.body.none() && (f.base == nil || !d.opens(f)) {
		return nil, nil
	}
	next, err := d.next(f)
	if err != nil {
		return nil, err
	}
	body, changed, err := f.differs(next)
	if err != nil {
		return nil, err
	}
	p := &Publication{Key: next.DedupKey, Action: next.Action, Kind: next.Kind}
	switch {
	case changed:
		f.take(next, d.packer.pack(next, body))
		p.Body = body
		f.joined = f.joined[len(next.Joined):]
		f.behind = false
		if len(f.joined) > 0 {
			d.touch(f)
		} else {
			f.base, f.own = nil, nil
		}
	case f.behind && f.top == f.seq:
		f.behind, p.Again = false, true
		p.Body = f.body.body()
	default:
		return nil, nil
	}
	return p, nil
}

// opens tells whether the stage opens the case itself: workers open those of
// suspects, and theirs comes by recoup.cases; not of those that were disputed or worked
// though they were logged only, or muted.
func (d *Desk) opens(f *file) bool {
	return f.base.Kind != cases.KindInvoice || (f.base.Origin == cases.OriginDispute || f.base == f.own) && !d.sought(f)
}

// next derives the record that should stand.
func (d *Desk) next(f *file) (*cases.Case, error) {
	c := f.base
	if c == nil {
		var err error
		if c, err = cases.Decode(f.body.body()); err != nil {
			return nil, err
		}
	}
	next := *c
	st := f.state(next.Origin)
	next.Status, next.Outcome, next.Flags = st.Status, st.Outcome, st.Flags[:min(len(st.Flags), mostFlags)]
	next.FlagsMore = int64(len(st.Flags) - len(next.Flags))
	next.Joined = firstOf(f.joined)
	if next.Kind == cases.KindInvoice {
		d.invoiceFacts(f, &next, st)
	}
	if next.Kind == cases.KindInvoice && f.happened {
		d.settings.Opener.Refresh(&next, st)
	}
	next.Resolution = d.resolution(f, &next, st)
	next.DunningHold = d.dunning(f, &next, st)
	if len(next.Joined) < len(f.joined) {
		if err := f.unfinished(&next); err != nil {
			return nil, err
		}
	}
	f.number(&next)
	return &next, nil
}

// firstOf returns the members that the next record lists, one at least.
func firstOf(joined []cases.Member) []cases.Member {
	size := 0
	for i := range joined[:min(len(joined), mostJoined)] {
		body, _ := json.Marshal(&joined[i]) // what cannot be encoded is told when its case is
		if size += len(body); size > mostJoinedBytes && i > 0 {
			return joined[:i]
		}
	}
	return joined[:min(len(joined), mostJoined)]
}

// unfinished makes a record of an incident that lists some members and leaves others
// to the next: what all of them come to, and up to where they are counted, only the
// last one says. An owner that begins in between counts all of them again.
func (f *file) unfinished(next *cases.Case) error {
	facts := *next.Incident
	facts.Members, facts.LastMember, facts.Counted = 0, time.Time{}, map[int]int64{}
	facts.Money, facts.Findings, facts.Batches = []cases.IncidentMoney{}, []cases.FindingCount{}, nil
	for _, m := range next.Incident.Money {
		facts.Money = append(facts.Money, cases.IncidentMoney{Currency: m.Currency})
	}
	if !f.body.none() {
		was, err := cases.Decode(f.body.body())
		if err != nil {
			return err
		}
		if was.Incident != nil {
			facts = *was.Incident
		}
	}
	next.Incident, next.Resolution = &facts, nil
	return nil
}

// invoiceFacts fills in what only cases of invoices have.
func (d *Desk) invoiceFacts(f *file, next *cases.Case, st *cases.State) {
	if p := d.dispute(f); p != nil && p.earliest.At.Before(next.DetectedAt) {
		next.Origin = cases.OriginDispute // the customer found it first
	}
	d.foresee(f, next)
	next.IncidentID = cmp.Or(f.member, next.IncidentID)
	if f.member != "" {
		next.Severity, next.Economics.Decision = cases.SeverityInfo, detectors.DecisionBundle
	}
	if st.Outcome == cases.OutcomeNotAnError || st.Outcome == cases.OutcomeExpectedChange {
		d.board.Settle(next.Seller, next.InvoiceID, f.revision)
	}
}

// bareNow tells whether only disputes say anything of the invoice.
func (f *file) bareNow() bool {
	if f.base != nil {
		return f.base.Kind == cases.KindInvoice && f.base.Currency == noCurrency
	}
	return f.bare
}

// dispute returns what customers say of the file's invoice, nil when nothing, or when
// it concerns another revision.
func (d *Desk) dispute(f *file) *disputed {
	if f.invoice == "" || d.disputed[f.invoice] == nil || d.disputedCase(f.invoice) != f {
		return nil
	}
	return d.disputed[f.invoice]
}

// resolution says why a case is resolved; nil: it is not. What reopens it must be
// newer than what resolved it.
func (d *Desk) resolution(f *file, next *cases.Case, st *cases.State) *cases.Resolution {
	var r *cases.Resolution
	reopened := d.reopenedAt(f, next, st)
	settles := func(by cases.Resolver, at time.Time, document string) {
		if !reopened.After(at) && (r == nil || at.After(r.At)) {
			r = &cases.Resolution{By: by, At: at, Document: document}
		}
	}
	if st.Status == cases.StatusClosed {
		settles(cases.ResolvedByOutcome, st.ClosedAt, "")
	}
	if f.settled != nil && (f.settled.By != cases.ResolvedByVoid || f.base == nil) {
		settles(f.settled.By, f.settled.At, f.settled.Document)
	}
	if f.fix != nil && f.fix.settles(f, next) {
		settles(f.fix.by(), f.fix.decided, cmp.Or(f.fix.InvoiceNumber, f.fix.InvoiceID))
	}
	if next.Kind != cases.KindInvoice && next.Resolution != nil && next.Resolution.By == cases.ResolvedByItself {
		settles(cases.ResolvedByItself, next.Resolution.At, "")
	}
	if r == nil && f.bareNow() && d.disputedCase(f.invoice) != f {
		r = &cases.Resolution{By: cases.ResolvedByDuplicate, At: next.DetectedAt}
	}
	if r == nil && f.isVoid && !f.isValid && f.content == f.voids && d.graced(f) {
		r = &cases.Resolution{By: cases.ResolvedByVoid, At: f.voidSince}
	}
	return r
}

// reopenedAt returns when a case was last made open again.
func (d *Desk) reopenedAt(f *file, next *cases.Case, st *cases.State) time.Time {
	at := st.ReopenedAt
	if p := d.dispute(f); p != nil {
		at = latest(at, p.last)
	}
	if next.Incident != nil {
		at = latest(at, next.Incident.LastMember)
	}
	return at
}

// graced tells whether a case that a void record opened has waited long enough.
func (d *Desk) graced(f *file) bool { return d.now.Sub(f.voidSince) >= d.settings.VoidAfter }

// settles tells whether a document leaves nothing to do of a case. A credit note that
// gives back less than was billed settles what was billed too much, never too little.
func (c *correction) settles(f *file, next *cases.Case) bool {
	if c.byID {
		return c.Seller == next.Seller && c.InvoiceID == next.InvoiceID && c.Revision > f.revision
	}
	if c.Seller != next.Seller || c.PrecedingNumber != next.Number && c.PrecedingNumber != next.InvoiceID {
		return false
	}
	partly := c.Type == "credit_note" && c.Currency == next.Currency && abs(c.Billed) < abs(next.Billed)
	return !partly || next.Direction != detectors.DirectionCustomerFavour
}

// by names the document.
func (c *correction) by() cases.Resolver {
	switch c.Type {
	case "credit_note":
		return cases.ResolvedByCreditNote
	case "correction":
		return cases.ResolvedByCorrection
	}
	return cases.ResolvedByRevision
}

func abs(a invoice.Amount) invoice.Amount {
	if a < 0 {
		return -a
	}
	return a
}

// dunning tells whether the claim is disputed: from the customer's word on until the
// case is resolved, unless a person said otherwise since (E10).
func (d *Desk) dunning(f *file, next *cases.Case, st *cases.State) bool {
	if next.Resolution != nil {
		return false
	}
	p := d.dispute(f)
	if p == nil {
		return st.DunningHold
	}
	return st.DunningHold || !st.DunningSaidAt.After(p.last)
}

// number fills in action, seq and the inputs that the record contains.
func (f *file) number(next *cases.Case) {
	next.Action = cases.ActionUpdate
	inputs, last := int64(0), []invoice.Position(nil)
	for _, t := range f.fresh {
		inputs += t.inputs
		last = append(last, t.Position)
	}
	next.Seq = f.seq + max(1, inputs)
	switch {
	case next.Resolution != nil:
		next.Action = cases.ActionResolve
	case f.body.none() || f.over:
		next.Action = cases.ActionOpen
	}
	next.Applied = merge(f.applied, last)
}

// merge returns the highest position of each topic and partition.
func merge(applied, fresh []invoice.Position) []invoice.Position {
	all := append(slices.Clone(applied), fresh...)
	slices.SortFunc(all, func(a, b invoice.Position) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), a.Partition-b.Partition, cmp.Compare(b.Offset, a.Offset))
	})
	return slices.CompactFunc(all, func(a, b invoice.Position) bool {
		return a.Topic == b.Topic && a.Partition == b.Partition
	})
}

// differs tells whether a record says anything that the one that stands does not; its body is
// made if it does.
func (f *file) differs(next *cases.Case) (body []byte, changed bool, err error) {
	if !f.body.none() && !f.clash && len(next.Joined) == 0 {
		if changed, err = f.changes(next); err != nil || !changed {
			return nil, false, err
		}
	}
	body, err = next.Encode()
	return body, true, err
}

// changes compares what a record without new members says with what stands.
func (f *file) changes(next *cases.Case) (bool, error) {
	stands := f.body.body()
	was, err := cases.Decode(stands)
	if err != nil {
		return false, fmt.Errorf("cannot compare with the record before: %w", err)
	}
	same := *next
	same.Seq, same.Applied, same.Joined = was.Seq, was.Applied, nil
	same.PDispute = was.PDispute // it rides along: of its own it is not worth a record
	if (was.Action == cases.ActionResolve) == (next.Action == cases.ActionResolve) {
		same.Action = was.Action
	}
	body, err := same.Encode()
	if err != nil || bytes.Equal(body, stands) {
		return false, err
	}
	was.Joined = nil // another recoup may have written what stands otherwise
	before, err := was.Encode()
	return !bytes.Equal(body, before), err
}
