package boost

import "math"

// split is a question to a row: is this feature at most the cut of this bin?
type split struct {
	feature int    // none when no split is worth it
	bin     int    // the last one on the first side
	sum     uint64 // gradient and hessian of the rows on the first side
}

// node asks the question of whole bins with their cut.
func (s *split) node(bins *binned) node {
	return node{keyOf(bins.features[s.feature].cuts[s.bin]), uint32(s.feature)}
}

// search finds the split of a node that saves most. Of equal ones the first in
// order of features and bins counts.
func (g *grower) search(node *branch) {
	v := g.value(node.sum) // cut off at mostStep, so the node may save less than saved says
	whole := -float64(2*g.gradient(node.sum)*v) - float64((g.hessian(node.sum)+g.o.Lambda)*v*v)
	// What rounding saves is no split.
	s := scan{g: g, node: node, least: g.leastUnits(), most: whole + float64(1e-9*whole)}
	histogram := g.histogram(node.histogram)
	for _, column := range g.columns {
		f := &g.bins.features[column]
		s.column(int(column), f, histogram[f.offset:f.offset+f.bins()])
	}
}

// leastUnits is MinWeight in the units of a histogram, at least 1 so that no
// side is without hessian.
func (g *grower) leastUnits() uint32 {
	return uint32(min(max(math.Ceil(g.o.MinWeight/g.hScale), 1), math.MaxUint32))
}

// scan looks for the best split of one node.
type scan struct {
	g     *grower
	node  *branch
	least uint32  // hessian on each side, in units
	most  float64 // twice what the best split so far saves
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
	var sum uint64
	for bin, word := range bins[:len(f.cuts)] {
		sum += word
		if word != 0 && s.better(sum) { // without a row it is as good as the cut before
			s.node.split = split{column, bin, sum}
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
	saved := s.g.saved(sum) + s.g.saved(other)
	if saved <= s.most {
		return false
	}
	s.most = saved
	return true
}

// saved is twice what rows save by their best value.
func (g *grower) saved(sum uint64) float64 {
	gradient := g.gradient(sum)
	return gradient * gradient / (g.hessian(sum) + g.o.Lambda)
}
