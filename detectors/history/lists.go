package history

import (
	"math"
	"slices"
)

// Lists is in which order a seller's lines stand. Where that is the order of
// product numbers, the last one tells how much of a list is there: if n lines are a
// draw from all that is sold, of which a share q has a number up to the last one's,
// n × -ln q is exponentially distributed with mean 1. A list that was cut off ends
// too early.
type Lists struct {
	Sorted Share            // invoices of several lines in the order of product numbers
	Lines  uint32           // that could have been sampled
	Kept   uint16           // numbers in Sample
	Sample [listKeys]uint64 // of lines' product numbers, ascending
	Early  Moments          // how early usual lists end, by the measure above
}

const (
	listKeys = 128
	// listFades is how many invoices a number stays in the sample, on average, at most.
	listFades = 64 * listKeys
	// listsSorted is the share from which the seller's lists are in order, listsLeast
	// how many of them tell.
	listsSorted, listsLeast = 0.98, 100
	// listsBroad is how many different numbers are in the sample where so much is sold
	// that a list is a draw from it.
	listsBroad = 7 * listKeys / 10
	// fewestListed is how many lines tell where a list ends.
	fewestListed = 3
)

// WantsList tells whether an invoice's list of lines is to be looked at: all lists,
// but only some where they are in no order.
func (c *Conduct) WantsList(f *Facts) bool {
	return c == nil || c.Lists.Sorted.All < listsLeast || c.Lists.Sorted.Of() > 0.9 || f.Print.Number%16 == 0
}

// Early tells how early a list ends: 0 not at all, above 5 one of 150 does. ok is
// false where the seller's lists are in no order that is known.
func (c *Conduct) Early(f *Facts) (early float64, ok bool) {
	if c == nil || len(f.Lines) < fewestListed || !f.Listed || !f.Sorted {
		return 0, false
	}
	l := &c.Lists
	if int(l.Kept) < listKeys || l.Sorted.All < listsLeast || l.Sorted.Of() < listsSorted ||
		!l.broad() || !l.spread(f) {
		return 0, false
	}
	if m := l.Early.Mean; l.Early.N >= listsLeast && (m < 0.6 || m > 1.6) {
		return 0, false // what is sold is no draw: some buy from one end only
	}
	return l.early(f), true
}

func (l *Lists) early(f *Facts) float64 {
	upTo, found := slices.BinarySearch(l.Sample[:], f.LastNumber)
	for found && upTo < listKeys && l.Sample[upTo] == f.LastNumber {
		upTo++
	}
	return -float64(len(f.Lines)) * math.Log((float64(upTo)+0.5)/(listKeys+1))
}

// broad tells whether the sample holds listsBroad different numbers. Who sells few
// plans, sets or kits bills the same lines again and again: all such lists end early.
func (l *Lists) broad() bool {
	different := 0
	for i := range l.Sample {
		if i == 0 || l.Sample[i] != l.Sample[i-1] {
			different++
		}
	}
	return different >= listsBroad
}

// spread tells whether the lines lie apart as those of a draw do, of which half
// cover (n - 1) / (n + 1) of what comes before the last: the parts of a set have
// numbers next to each other.
func (l *Lists) spread(f *Facts) bool {
	from, _ := slices.BinarySearch(l.Sample[:], f.FirstNumber)
	to, _ := slices.BinarySearch(l.Sample[:], f.LastNumber)
	n := float64(len(f.Lines))
	return to-from >= 2 && float64(to-from) >= 0.5*(n-1)/(n+1)*float64(to)
}

func (l *Lists) teach(f *Facts) {
	n := len(f.Lines)
	if n == 0 || !f.Listed {
		return
	}
	if n > 1 {
		l.Sorted.teach(f.Sorted)
	}
	if f.Sorted && int(l.Kept) == listKeys {
		l.Early.teach(float32(min(8, l.early(f))))
	}
	l.Lines = min(l.Lines, math.MaxInt32) + 1
	draw := uint64(f.Print.Number) * 0x9e3779b97f4a7c15
	switch at := int(draw >> 40 % listKeys); {
	case int(l.Kept) < listKeys:
		l.Kept++
		l.put(int(l.Kept)-1, f.SomeNumber)
	case draw>>8%uint64(min(l.Lines, listFades)) < listKeys:
		l.put(at, f.SomeNumber)
	}
}

// put replaces the number at a place and moves it to where it belongs.
func (l *Lists) put(at int, number uint64) {
	kept := l.Sample[:l.Kept]
	for ; at > 0 && kept[at-1] > number; at-- {
		kept[at] = kept[at-1]
	}
	for ; at+1 < len(kept) && kept[at+1] < number; at++ {
		kept[at] = kept[at+1]
	}
	kept[at] = number
}

// Cut is what is believed of a source: the logarithm of the odds that it is losing
// the ends of lists. An outage begins at one in some thousand invoices and lasts
// for some dozen, of which most are cut.
type Cut float32

const (
	cutBegins = 1.0 / 3000
	cutEnds   = 1.0 / 20
	cutShare  = 0.75 // of the invoices of an outage
	cutMost   = 9    // most that is believed either way
	cutOne    = 20   // odds that one invoice gives at most
)

// After returns what is believed when one more invoice of n lines ends that early,
// and how probable it is that it was cut.
func (c Cut) After(early float64, lines int) (after Cut, cut float64) {
	p := 1 / (1 + math.Exp(float64(-c)))
	p = p*(1-cutEnds) + (1-p)*cutBegins
	whole, lost := math.Exp(-early), cutDensity(early, lines)
	odds := p / (1 - p) * min(cutOne, cutShare*lost/whole+1-cutShare)
	after = Cut(max(-cutMost, min(cutMost, math.Log(odds))))
	return after, odds / (1 + odds) * cutShare * lost / (cutShare*lost + (1-cutShare)*whole)
}

// cutDensity is how often lists that were cut somewhere end that early: all the
// earlier the more lines are left.
func cutDensity(early float64, lines int) float64 {
	width := 2 + 0.8*float64(min(lines, 20))
	return math.Exp(min(0, width-early)) / width
}

func (c *coder) lists(l *Lists) {
	c.share(&l.Sorted)
	unsigned(c, &l.Lines)
	unsigned(c, &l.Kept)
	c.want(l.Kept <= listKeys)
	for i := range l.Sample[:min(l.Kept, listKeys)] {
		l.Sample[i] = c.uvarint(l.Sample[i])
		c.want(i == 0 || l.Sample[i] >= l.Sample[i-1])
	}
	c.moments(&l.Early)
}
