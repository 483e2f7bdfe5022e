package boost

import "math"

// split is a question to a row: is this feature at most the cut of this bin?
type split struct {
	feature       int // none when no split is worth it
	bin           int // the last one on the first side; the last of all values puts missing ones alone
	missingFirst  bool
	sum           uint64  // gradient and hessian of the rows on the first side
	gain          float64 // loss saved
	first, second float64 // values of the sides, bounded, before learning rate
}

// sides tells of each bin whether it goes to the first side: 1 or 0.
func (s *split) sides(f *feature) (first [256]uint8) {
	for bin := range s.bin + 1 {
		first[bin] = 1
	}
	if f.missing && s.missingFirst {
		first[f.values()] = 1
	}
	return first
}

// node asks the question of whole bins with their cut.
func (s *split) node(bins *binned) node {
	f := &bins.features[s.feature]
	cut := float32(math.Inf(1))
	if s.bin < len(f.cuts) {
		cut = f.cuts[s.bin]
	}
	key := s.feature
	if s.missingFirst {
		key += len(bins.features)
	}
	return node{keyOf(cut), uint32(key)}
}

// search finds the split of a node that saves most. Of equal ones the first in
// order of features and bins counts.
func (g *grower) search(node *branch) {
	histogram := g.histogram(node.histogram)
	gradient, hessian := g.gradient(node.sum), g.hessian(node.sum)
	s := scan{g: g, node: node, lambda: g.o.Lambda, least: g.leastUnits()}
	s.bounded = !math.IsInf(node.low, 0) || !math.IsInf(node.high, 0)
	s.whole = s.saved(gradient, hessian)
	node.split = split{feature: none, gain: g.o.MinGain}
	for _, column := range g.columns {
		f := &g.bins.features[column]
		s.column(int(column), f, histogram[f.offset:f.offset+f.bins()])
	}
}

// leastUnits is MinWeight in the units of a histogram, at least 1 so that no
// side is empty of hessian.
func (g *grower) leastUnits() uint32 {
	return uint32(min(max(math.Ceil(g.o.MinWeight/g.hScale), 1), math.MaxUint32))
}

// scan looks for the best split of one node.
type scan struct {
	g       *grower
	node    *branch
	lambda  float64
	least   uint32  // hessian on each side, in units
	bounded bool    // the node's value has bounds
	whole   float64 // what the undivided node saves
}

// column tries all cuts of one feature.
func (s *scan) column(column int, f *feature, bins []uint64) {
	// The usual bin has what no other has.
	bins[f.usual] = 0
	rest := s.node.sum
	for _, word := range bins {
		rest -= word
	}
	bins[f.usual] = rest
	var missing uint64
	values := f.values()
	if f.missing {
		missing = bins[values]
	}
	var sum uint64
	for bin, word := range bins[:values] {
		if word == 0 {
			continue // as good as the cut before
		}
		sum += word
		s.try(column, bin, sum, missing == 0 && uint32(sum) >= uint32(s.node.sum-sum))
		if missing != 0 {
			s.try(column, bin, sum+missing, true)
		}
	}
}

// try takes a split if it is the best so far.
func (s *scan) try(column, bin int, sum uint64, missingFirst bool) {
	other := s.node.sum - sum
	if uint32(sum) < s.least || uint32(other) < s.least {
		return
	}
	g := s.g
	g1, h1 := g.gradient(sum), g.hessian(sum)
	g2, h2 := g.gradient(other), g.hessian(other)
	sign := g.sign(column)
	var gain float64
	if sign == 0 && !s.bounded {
		gain = (g1*g1/(h1+s.lambda) + g2*g2/(h2+s.lambda) - s.whole) / 2
	} else {
		v1, v2 := s.value(g1, h1), s.value(g2, h2)
		if sign > 0 && v1 > v2 || sign < 0 && v1 < v2 {
			return
		}
		gain = (s.saved(g1, h1) + s.saved(g2, h2) - s.whole) / 2
	}
	if gain > s.node.split.gain {
		s.node.split = split{column, bin, missingFirst, sum, gain, s.value(g1, h1), s.value(g2, h2)}
	}
}

// value is the best value within the node's bounds.
func (s *scan) value(gradient, hessian float64) float64 {
	return min(max(best(gradient, hessian+s.lambda), s.node.low), s.node.high)
}

// saved is twice what a node with its best value within bounds saves.
func (s *scan) saved(gradient, hessian float64) float64 {
	v := s.value(gradient, hessian)
	return -float64(2*gradient*v) - float64(float64((hessian+s.lambda)*v)*v)
}
