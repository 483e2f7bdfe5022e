package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// incidentMembers is what leads to the members of an incident: the ids by which workers
// call it in their verdicts, and the members that the case stage found.
type incidentMembers struct {
	ids    []string           // its own, and its aliases
	joined []invoice.Position // decisions in the log, the newest last
	cases  []*casePlace       // of those that have cases of their own
	of     *casePlace         // the incident that this one is an alias of, nil: none
}

const (
	// mostMembers is how many members of an incident teach in each partition, the newest
	// ones: they are alike.
	mostMembers = 200
	// mostJoined is how many members that the case stage found a member remembers of each
	// incident, the newest ones.
	mostJoined = 4096
)

// incident returns the place of an incident, a new one if there is none. o.mu is held.
func (o *outcomes) incident(id string) *casePlace {
	p, _ := o.known.find(id)
	if p == nil || p.shared == nil {
		p = &casePlace{key: xxhash.Sum64String(id), shared: &incidentMembers{ids: []string{id}}}
		o.known.put(id, p)
	}
	return p
}

// takeIncident notes what a record of an incident says of its members: each lists the
// new ones only. o.mu is held.
func (o *outcomes) takeIncident(c *caseHead) {
	p := o.incident(c.CaseID)
	s := p.shared
	for _, alias := range c.Incident.Aliases {
		if !slices.Contains(s.ids, alias) {
			s.ids = append(s.ids, alias)
			o.incident(alias).shared.of = p
		}
	}
	for i := range c.Joined {
		if at := c.Joined[i].At; at.Topic == o.m.opt.Topics.Suspects {
			at.Topic = o.m.opt.Topics.Suspects // that of the record lives as long as its bytes
			s.joined = append(s.joined, at)
		}
	}
	s.joined = s.joined[max(0, len(s.joined)-mostJoined):]
}

// joins notes the incident that the invoice of a case belongs to. o.mu is held.
func (o *outcomes) joins(p *casePlace, incident string) {
	if of := o.incident(incident); p.member != of {
		p.member = of
		of.shared.cases = append(of.shared.cases, p)
		of.shared.cases = of.shared.cases[max(0, len(of.shared.cases)-mostJoined):]
	}
}

// taught tells whether another outcome teaches the invoice of a case: what is decided of
// an incident is said of all its members, what is decided of an invoice of that alone.
// The first one counts, so that each invoice teaches once, whatever order they are read
// in. A confirmed error of an incident teaches no amounts and hides nothing.
func (o *outcomes) taught(d *decided, invoice uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d.place.shared != nil {
		own, _ := o.known.at(invoice)
		return own != nil && slices.ContainsFunc(own.decided, func(s said) bool { return !s.at.After(d.at) })
	}
	for p := d.place.member; p != nil; p = p.shared.of {
		if slices.ContainsFunc(p.decided, func(s said) bool {
			return s.kind == d.kind && s.kind != detectors.ConfirmedError && s.at.Before(d.at)
		}) {
			return true
		}
	}
	return false
}

// members returns the invoices of a partition that an incident is about, by rising
// offset. It reads the decision log.
func (o *outcomes) members(ctx context.Context, place *casePlace, partition int, incarnation int64) (
	list []heldInvoice, err error,
) {
	ids, joined, own := o.leads(place, partition)
	needles := make([][]byte, len(ids))
	for i, id := range ids {
		needles[i] = []byte(id)
	}
	topic := o.m.opt.Topics.Suspects
	err = o.m.persist(ctx, fmt.Sprintf("reading %s/%d", topic, partition), func(ctx context.Context) error {
		list = slices.Clone(own)
		start, end, err := o.m.log.Bounds(ctx, topic, partition)
		if err != nil {
			return err
		}
		return o.m.readRange(ctx, topic, partition, start, end, func(r Record) error {
			named := slices.ContainsFunc(needles, func(id []byte) bool { return bytes.Contains(r.Value, id) })
			if !named && !joined[r.Offset] {
				return nil
			}
			d, err := decodeDecision(r.Value)
			if err != nil || d.Kind != kindDecision || d.Verdict == nil ||
				!joined[r.Offset] && !slices.Contains(ids, d.Verdict.IncidentID) {
				return nil
			}
			v := d.Verdict
			list = append(list, heldInvoice{offset: d.Source.Offset, incarnation: d.Source.Incarnation, rules: v.Rules,
				key: xxhash.Sum64String(cases.ID(cases.DedupKey(v.Seller, v.InvoiceID, v.Revision)))})
			if len(list) > 8*mostMembers+len(own) {
				list = newestMembers(list, incarnation)
			}
			return nil
		})
	})
	return newestMembers(list, incarnation), err
}

// leads returns what the members of an incident in a partition are found by: ids,
// offsets in the decision log, and those that have cases.
func (o *outcomes) leads(place *casePlace, partition int) (ids []string, joined map[int64]bool, list []heldInvoice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ids, joined = slices.Clone(place.shared.ids), map[int64]bool{}
	leads := []*casePlace{place}
	for _, id := range ids[1:] {
		leads = append(leads, o.incident(id))
	}
	for _, p := range leads {
		for _, at := range p.shared.joined {
			if at.Partition == partition {
				joined[at.Offset] = true
			}
		}
		for _, c := range p.shared.cases {
			if c.partition == partition {
				list = append(list, heldInvoice{offset: c.offset, incarnation: c.incarnation, rules: c.rules, key: c.key})
			}
		}
	}
	return ids, joined, list
}

// newestMembers returns the newest ones in the topic as it is now, each once: some were
// decided by two owners.
func newestMembers(list []heldInvoice, incarnation int64) []heldInvoice {
	list = slices.DeleteFunc(list, func(i heldInvoice) bool { return i.incarnation != incarnation })
	slices.SortStableFunc(list, func(a, b heldInvoice) int { return cmp.Compare(a.offset, b.offset) })
	list = slices.CompactFunc(list, func(a, b heldInvoice) bool { return a.offset == b.offset })
	return list[max(0, len(list)-mostMembers):]
}
