package boost

import "math"

// split is a question to a row: is this feature at most the cut of this bin?
type split struct {
	feature      int // none when no split is worth it
	bin          int // the last one on the first side; the last of all values puts missing ones alone
	missingFirst bool
	sum          uint64  // gradient and hessian of the rows on the first side
	gain         float64 // loss saved
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
	s := scan{g: g, node: node, least: g.leastUnits()}
	s.bounded = node.low > -mostStep || node.high < mostStep
	whole := s.saved(node.sum)
	// What rounding saves is no split.
	s.most = whole + float64(2*g.o.MinGain) + float64(1e-9*whole)
	histogram := g.histogram(node.histogram)
	for _, column := range g.columns {
		f := &g.bins.features[column]
		s.column(int(column), f, histogram[f.offset:f.offset+f.bins()])
	}
	node.split.gain = (s.most - whole) / 2
}

// leastUnits is MinWeight in the units of a histogram, at least 1 so that no
// side is without hessian.
func (g *grower) leastUnits() uint32 {
	return uint32(min(max(math.Ceil(g.o.MinWeight/g.hScale), 1), math.MaxUint32))
}

// scan looks for the best split of one node.
type scan struct {
	g       *grower
	node    *branch
	least   uint32  // hessian on each side, in units
	bounded bool    // the node has bounds of its own
	sign    int8    // of the column at hand
	most    float64 // twice what the best split so far saves
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
	values, missing := f.values(), uint64(0)
	if f.missing {
		missing = bins[values]
	}
	s.sign = s.g.sign(column)
	var sum uint64
	for bin, word := range bins[:values] {
		if word == 0 {
			continue // as good as the cut before
		}
		sum += word
		if s.better(sum) {
			// Where nothing is missing here, what is later goes with the most.
			larger := missing == 0 && uint32(sum) >= uint32(s.node.sum-sum)
			s.node.split = split{column, bin, larger, sum, 0}
		}
		if missing != 0 && s.better(sum+missing) {
			s.node.split = split{column, bin, true, sum + missing, 0}
		}
	}
}

// better tells whether a split with these rows on the first side is the best so
// far, and notes what it saves.
func (s *scan) better(sum uint64) bool {
	other := s.node.sum - sum
	if uint32(sum) < s.least || uint32(other) < s.least {
		return false
	}
	var saved float64
	if s.sign == 0 && !s.bounded {
		g1, h1 := s.g.gradient(sum), s.g.hessian(sum)+s.g.o.Lambda
		g2, h2 := s.g.gradient(other), s.g.hessian(other)+s.g.o.Lambda
		saved = g1*g1/h1 + g2*g2/h2
	} else {
		v1, v2 := s.g.value(s.node, sum), s.g.value(s.node, other)
		if s.sign > 0 && v1 > v2 || s.sign < 0 && v1 < v2 {
			return false
		}
		saved = s.saved(sum) + s.saved(other)
	}
	if saved <= s.most {
		return false
	}
	s.most = saved
	return true
}

// saved is twice what rows save by their best value within the node's bounds.
func (s *scan) saved(sum uint64) float64 {
	v := s.g.value(s.node, sum)
	return -float64(2*s.g.gradient(sum)*v) - float64((s.g.hessian(sum)+s.g.o.Lambda)*v*v)
}
