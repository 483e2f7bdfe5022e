package boost

import "math"

// grower grows one tree after the other, level by level, on the same bins.
//
// A histogram holds, per bin, gradient and hessian of its rows in one word: the
// gradient in the upper half, signed, the hessian in the lower, unsigned. Both
// are integers, scaled so that no sum of them leaves its half; adding and
// subtracting words does both at once and exactly.
type grower struct {
	o        Options
	bins     *binned
	gh       []uint64 // gradient and hessian per row
	gScale   float64  // real gradient of 1 in the upper half
	hScale   float64  // real hessian of 1 in the lower half
	rows     []uint32 // rows of the tree, those of a node together
	spare    []uint32
	columns  []uint16   // features this tree may ask about
	pool     []uint64   // memory of all histograms
	partial  [][]uint64 // histograms of parts of a node's rows, for each worker but one
	free     []int      // numbers of histograms not in use
	level    []branch
	children []branch
	leaves   []leaf
	gain     []float64 // per feature, of this tree
}

// branch is a node that may still be divided.
type branch struct {
	slot      int     // in the tree
	from, to  int     // its rows
	sum       uint64  // gradient and hessian of its rows
	histogram int     // its number, none for a node that cannot be divided
	sibling   int     // the smaller sibling's position in the level, whose histogram is to be subtracted; or none
	low, high float64 // bounds on its value before learning rate, infinite where nothing is monotone
	split     split
	left      int // rows that go to the first child
}

const none = -1

// leaf is a node that stays whole.
type leaf struct {
	from, to int
	value    float64 // what the tree adds, as stored
}

func newGrower(o Options, bins *binned) *grower {
	g := &grower{o: o, bins: bins, gh: make([]uint64, bins.rows), gain: make([]float64, len(bins.features))}
	histograms := 1 << (o.Depth - 1)
	// Each histogram is seen as an array of mostBins words, which needs no check
	// of an entry against its end; the windows overlap, and the last one needs
	// room behind its own words. Pages never touched cost nothing.
	g.pool = make([]uint64, histograms*bins.total+mostBins)
	for range o.Workers - 1 {
		g.partial = append(g.partial, make([]uint64, mostBins))
	}
	g.spare = make([]uint32, bins.rows)
	return g
}

// take returns space for the rows of a tree.
func (g *grower) take(rows int) []uint32 {
	if cap(g.rows) < rows {
		g.rows = make([]uint32, rows)
	}
	g.rows = g.rows[:rows]
	return g.rows
}

func (g *grower) histogram(number int) *[mostBins]uint64 {
	return (*[mostBins]uint64)(g.pool[number*g.bins.total:])
}

// quantise rounds the gradients of the rows of the next tree to integers. The
// scales are powers of two: only the rounding itself changes a gradient, by less
// than a billionth of the sum of all.
func (g *grower) quantise(rows []uint32, gradients, hessians []float64) {
	var gSum, hSum float64
	for i := range rows {
		gSum += math.Abs(gradients[i])
		hSum += hessians[i]
	}
	gUnits, hUnits := powerOfTwo(gSum, 30), powerOfTwo(hSum, 31)
	g.gScale, g.hScale = 1/gUnits, 1/hUnits
	for i, row := range rows {
		gradient := int64(math.RoundToEven(float64(gradients[i] * gUnits)))
		hessian := int64(math.RoundToEven(float64(hessians[i] * hUnits)))
		g.gh[row] = uint64(gradient<<32 + hessian)
	}
}

// grow grows a tree over rows, which it reorders, from the given features.
func (g *grower) grow(tree tree, rows []uint32, columns []uint16) {
	g.rows, g.columns, g.leaves = rows, columns, g.leaves[:0]
	clear(g.gain)
	g.free = g.free[:0]
	for i := range 1 << (g.o.Depth - 1) {
		g.free = append(g.free, i)
	}
	root := branch{slot: 1, to: len(rows), histogram: none, sibling: none, low: math.Inf(-1), high: math.Inf(1)}
	for _, row := range rows {
		root.sum += g.gh[row]
	}
	g.level = append(g.level[:0], root)
	if len(columns) > 0 {
		g.level[0].histogram = g.allocate()
	}
	for depth := range g.o.Depth {
		g.addUp()
		inParallel(g.o.Workers, len(g.level), func(i int) { g.divide(&g.level[i]) })
		g.descend(tree, depth)
	}
	for i := range g.level {
		g.finish(tree, &g.level[i], g.o.Depth)
	}
}

func (g *grower) allocate() int {
	number := g.free[len(g.free)-1]
	g.free = g.free[:len(g.free)-1]
	return number
}

func (g *grower) release(number int) {
	if number != none {
		g.free = append(g.free, number)
	}
}

// addUp fills the histograms of the level: of two siblings the smaller is added
// up row by row, and then subtracted from their parent's, which the larger one
// has taken over.
func (g *grower) addUp() {
	for i := range g.level {
		node := &g.level[i]
		if node.histogram != none && node.sibling == none {
			g.addRows(g.histogram(node.histogram), g.rows[node.from:node.to])
		}
	}
	for i := range g.level {
		node := &g.level[i]
		if node.histogram == none || node.sibling == none {
			continue
		}
		whole := g.histogram(node.histogram)[:g.bins.total]
		part := g.histogram(g.level[node.sibling].histogram)[:len(whole)]
		for bin, word := range part {
			whole[bin] -= word
		}
	}
}

// addRows makes a histogram of rows.
func (g *grower) addRows(histogram *[mostBins]uint64, rows []uint32) {
	shares := min(g.o.Workers, blocks(len(rows)))
	inParallel(shares, shares, func(share int) {
		into := histogram
		if share > 0 {
			into = (*[mostBins]uint64)(g.partial[share-1])
		}
		clear(into[:g.bins.total])
		g.addShare(into, rows[len(rows)*share/shares:len(rows)*(share+1)/shares])
	})
	for _, partial := range g.partial[:max(shares, 1)-1] {
		for bin, word := range partial[:g.bins.total] {
			histogram[bin] += word
		}
	}
}

func (g *grower) addShare(histogram *[mostBins]uint64, rows []uint32) {
	starts, entries, gh := g.bins.starts, g.bins.entries, g.gh
	for _, row := range rows {
		word := gh[row]
		for _, bin := range entries[starts[row]:starts[row+1]] {
			histogram[bin] += word
		}
	}
}

// divide finds the best split of a node and divides its rows by it.
func (g *grower) divide(node *branch) {
	node.split.feature = none
	if node.histogram == none {
		return
	}
	g.search(node)
	if node.split.feature == none {
		return
	}
	first := node.split.sides(&g.bins.features[node.split.feature])
	column := g.bins.column(node.split.feature)
	rows, second := g.rows[node.from:node.to], g.spare[node.from:node.to]
	left, right := 0, 0
	for _, row := range rows {
		// Both are written and one is kept: faster than a branch that is right by chance.
		isFirst := int(first[column[row]])
		rows[left], second[right] = row, row
		left += isFirst
		right += 1 - isFirst
	}
	copy(rows[left:], second[:right])
	node.left = left
}

// descend makes leaves of the nodes without a split and the next level of the
// children of the others.
func (g *grower) descend(tree tree, depth int) {
	g.children = g.children[:0]
	for i := range g.level {
		node := &g.level[i]
		if node.split.feature == none {
			g.release(node.histogram)
			g.finish(tree, node, depth)
			continue
		}
		g.gain[node.split.feature] += node.split.gain
		flip := tree.nodes[node.slot].set(node.split, &g.bins.features[node.split.feature])
		first, second := g.childrenOf(node, flip)
		g.inherit(node, &first, &second, depth+1)
		g.children = append(g.children, first, second)
	}
	g.level, g.children = g.children, g.level
}

// childrenOf makes both children of a node, the one below or at the cut first.
func (g *grower) childrenOf(node *branch, flip int) (first, second branch) {
	middle := node.from + node.left
	first = branch{slot: 2*node.slot + flip, from: node.from, to: middle, sum: node.split.sum}
	second = branch{slot: 2*node.slot + 1 - flip, from: middle, to: node.to, sum: node.sum - node.split.sum}
	for _, child := range []*branch{&first, &second} {
		child.low, child.high, child.histogram, child.sibling = node.low, node.high, none, none
	}
	sign := g.sign(node.split.feature)
	if sign == 0 {
		return first, second
	}
	border := (node.split.first + node.split.second) / 2
	if sign > 0 {
		first.high, second.low = border, border
	} else {
		first.low, second.high = border, border
	}
	return first, second
}

func (g *grower) sign(feature int) int8 {
	if g.o.Monotone == nil {
		return 0
	}
	return g.o.Monotone[feature]
}

// inherit gives histograms to the children that may be divided again: the
// larger takes over its parent's, from which the smaller's is subtracted.
func (g *grower) inherit(node, first, second *branch, depth int) {
	small, large := first, second
	smallAt := len(g.children)
	if first.to-first.from > second.to-second.from {
		small, large = second, first
		smallAt++
	}
	switch {
	case depth < g.o.Depth && g.divisible(large):
		large.histogram, large.sibling = node.histogram, smallAt
		small.histogram = g.allocate()
	case depth < g.o.Depth && g.divisible(small):
		small.histogram = node.histogram
	default:
		g.release(node.histogram)
	}
}

// divisible tells whether a node has enough for two children.
func (g *grower) divisible(node *branch) bool {
	return node.to-node.from > 1 && g.hessian(node.sum) >= 2*g.o.MinWeight
}

// finish makes a leaf of a node.
func (g *grower) finish(tree tree, node *branch, depth int) {
	gradient, hessian := g.gradient(node.sum), g.hessian(node.sum)
	value := min(max(best(gradient, hessian+g.o.Lambda), node.low), node.high)
	stored := float32(value * g.o.LearningRate)
	tree.fill(node.slot, depth, g.o.Depth, stored)
	g.leaves = append(g.leaves, leaf{node.from, node.to, float64(stored)})
}

// gradient is the real sum of gradients in a word. The product is exact.
func (g *grower) gradient(word uint64) float64 { return float64(int32(word>>32)) * g.gScale }

// hessian is the real sum of hessians in a word. The product is exact.
func (g *grower) hessian(word uint64) float64 { return float64(uint32(word)) * g.hScale }

// best is the value of a leaf that saves most.
func best(gradient, hessian float64) float64 {
	if hessian <= 0 {
		return 0
	}
	return -gradient / hessian
}
