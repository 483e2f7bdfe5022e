package detectors

import (
	"encoding/binary"

	"recoup/invoice"
)

// shadow is what one partition's newest suspects of a segment were billed. It is no
// part of the segment's baseline: however long a release bills too little, it is as
// unusual on its last day as on its first. Only when somebody says that it was meant
// to be so does the shadow take the baseline's place.
//
// It begins with a suspect and is empty again when suspects have become rare, so
// that the single errors of a year never add up to a new usual.
type shadow struct {
	baseline  Baseline
	held, all uint8 // suspects among the newest invoices, and all of these; halved together
	// meant is the amount of one that people said was meant; 0: none. Where a change has
	// only begun, they may say so before anybody can tell that it concerns everybody.
	meant invoice.Amount
}

const (
	// shadowFades is how many invoices a shadow counts before it halves its counts.
	shadowFades = 64
	// shadowRare is one in how many must be suspect for the shadow to last.
	shadowRare = 8
	// shadowLeast is from how many invoices on, over all partitions, it may prevail.
	shadowLeast = 8
)

// hold adds the amount of a suspect of the given event hour.
func (s *shadow) hold(amount invoice.Amount, hour int64, halfLifeHours float64) {
	s.baseline.teach(amount, hour, halfLifeHours)
	s.held++
	s.count()
}

// pass counts an invoice that is not suspect.
func (s *shadow) pass() {
	if s.held > 0 {
		s.count()
	}
}

func (s *shadow) count() {
	if s.all++; s.all >= shadowFades {
		s.held, s.all = s.held/2, s.all/2
	}
	if int(s.held)*shadowRare < int(s.all) {
		*s = shadow{}
	}
}

// holdBack puts the amount of the invoice last begun, a suspect, into the shadow of one
// of its segments. Where no partition taught it there is nothing to be replaced.
func (e *Engine) holdBack(kind segmentKind, s *segment) {
	c := &e.cur
	if s == &c.untaught[kind] {
		if !e.elsewhere(s) {
			return
		}
		s = e.keep(kind)
	}
	e.segments.shade(s).hold(c.inv.NetAmount, hourOf(c.eventMS), e.halfLife)
	e.segments.slim(s)
	if e.segments.rareOf(s).held().isMeant(e.settings.DeviationBasisPoints) && e.prevails(s) {
		e.replace(s)
	}
	e.change(s)
}

// prevails tells whether most of the newest invoices of a segment, over all
// partitions, are in its shadows: what they share is no exception then.
func (e *Engine) prevails(s *segment) bool {
	here := e.segments.rareOf(s).held()
	held, all := int(here.held), int(here.all)
	for list, _ := e.parts(s); len(list) > 0; {
		var p part
		p, list = nextPart(list)
		if c, err := decodeContribution(p.value); err == nil && p.partition != e.partition && c.rare != nil {
			held, all = held+int(c.rare.shadow.held), all+int(c.rare.shadow.all)
		}
	}
	return all >= shadowLeast && 2*held >= all
}

// isMeant tells whether what the shadow holds is about as much as people said was meant.
func (s *shadow) isMeant(basisPoints int64) bool {
	mean := s.baseline.Mean()
	return s.meant > 0 && !invoice.LessByBasisPoints(mean, s.meant, basisPoints) &&
		!invoice.LessByBasisPoints(s.meant, mean, basisPoints)
}

// replace makes the shadow of a segment its baseline.
func (e *Engine) replace(s *segment) {
	s.own = e.segments.rareOf(s).held().baseline
	*e.segments.shade(s) = shadow{}
	e.segments.slim(s)
	e.replaced = true
	e.change(s)
}

// appendSegment writes the stored form of a segment: its baseline, 0 where there is
// none; and where a shadow or outcomes make it differ from what its invoices taught,
// how many of how many the shadow holds, its baseline, what was meant, and the outcomes
// that all this contains.
// Without either it is the baseline alone. nil is a segment of which nothing is left.
func (o *outcomes) appendSegment(dst []byte, own *Baseline, r *rare) []byte {
	if own.n > 0 {
		dst = own.append(dst)
	} else {
		dst = append(dst, 0)
	}
	held, learned := r.held(), furthest(o.learned, r.outcomes())
	if held.held == 0 && len(learned) == 0 {
		if own.n == 0 {
			return nil
		}
		return dst
	}
	dst = append(dst, held.held, held.all)
	if held.held > 0 {
		dst = held.baseline.append(dst)
		dst = binary.AppendVarint(dst, int64(held.meant))
	}
	return appendPositions(dst, learned)
}

// furthest returns the higher of each two positions.
func furthest(a, b []int64) []int64 {
	if len(b) == 0 {
		return a
	}
	all := make([]int64, max(len(a), len(b)))
	copy(all, a)
	for i, position := range b {
		all[i] = max(all[i], position)
	}
	return all
}

func appendPositions(dst []byte, positions []int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(positions)))
	for _, position := range positions {
		dst = binary.AppendUvarint(dst, uint64(position))
	}
	return dst
}

// decodeContribution reads what appendSegment wrote.
func decodeContribution(data []byte) (c contribution, err error) {
	r := stateReader{rest: data}
	if len(data) > 0 && data[0] == 0 {
		r.advance(1)
	} else {
		c.baseline = r.baseline()
	}
	held := &noShadow
	if len(r.rest) > 0 && !r.failed {
		c.rare = &rare{}
		held = &c.rare.shadow
		counts := r.bytes(2)
		if len(counts) == 2 {
			held.held, held.all = counts[0], counts[1]
		}
		if held.held > 0 {
			held.baseline, held.meant = r.baseline(), invoice.Amount(r.varint())
		}
		c.rare.learned = r.positions()
	}
	if r.failed || len(r.rest) > 0 || len(data) < 2 || held.held > held.all || held.all >= shadowFades {
		return contribution{}, errBaseline
	}
	return c, nil
}

// mostEventPartitions bounds what a damaged record can make its reader allocate.
const mostEventPartitions = 1 << 16

func (r *stateReader) positions() (list []int64) {
	n := r.uvarint()
	if n > mostEventPartitions {
		r.failed = true
	}
	for range n {
		if r.failed {
			return nil
		}
		list = append(list, int64(r.uvarint()))
	}
	return list
}
