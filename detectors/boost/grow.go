package boost

import (
	"math"
	"slices"
)

// grower grows one tree after the other, level by level, on the same bins.
//
// A histogram holds, per bin, gradient and hessian of its rows in one word: the
// gradient in the upper half, signed, the hessian in the lower, unsigned. Both
// are integers, scaled so that no sum of them leaves its half; adding and
// subtracting words does both at once and exactly.
type grower struct {
	o        Options
	bins     *binned
	g, h     []float64  // gradient and hessian of each of rows, before it is reordered
	sums     []blockSum // of blocks of these
	gh       []uint64   // both per row of the set, rounded
	gScale   float64    // real gradient of 1 in the upper half
	hScale   float64    // real hessian of 1 in the lower half
	rows     []uint32   // rows the tree learns from, those of a node together
	spare    []uint32
	columns  []uint16   // features this tree may ask about
	pool     []uint64   // memory of all histograms
	partial  [][]uint64 // histograms of parts of a node's rows, for each worker but one
	free     []int      // numbers of histograms not in use
	level    []branch
	children []branch
	leaves   []leaf
}

// blockSum is what a block of rows adds up to.
type blockSum struct {
	g, h  float64 // gradients without their signs, hessians
	words uint64  // both, rounded
}

// branch is a node that may still be divided.
type branch struct {
	slot      int    // in the tree
	rows      span   // its part of the grower's rows
	sum       uint64 // gradient and hessian of its rows
	histogram int    // its number, none for a node that cannot be divided
	larger    bool   // the histogram is its parent's, less the sibling's
	added     bool   // the histogram is filled
	split     split
	first     int // how many rows go to the first child
}

const none = -1

// mostStep is how far a tree moves log-odds at most, before learning rate.
// Newton's method takes no such steps but where rows are so sure that there is
// next to no hessian to divide by.
const mostStep = 10

// leaf is a node that stays whole.
type leaf struct {
	rows  span
	value float64 // what the tree adds, as stored
}

// span is a part of a list, from from to before to.
type span struct{ from, to int }

func (s span) of(list []uint32) []uint32 { return list[s.from:s.to] }

func (s span) len() int { return s.to - s.from }

// cut divides a span behind its first n.
func (s span) cut(n int) (first, second span) {
	return span{s.from, s.from + n}, span{s.from + n, s.to}
}

func newGrower(o Options, bins *binned) *grower {
	g := &grower{o: o, bins: bins, gh: make([]uint64, bins.rows)}
	g.g, g.h, g.spare = make([]float64, bins.rows), make([]float64, bins.rows), make([]uint32, bins.rows)
	histograms := 1 << (o.Depth - 1)
	// Each histogram is seen as an array of mostBins words, which needs no check
	// of an entry against its end; the windows overlap, and the last one needs
	// room behind its own words. Pages never touched cost nothing.
	g.pool = make([]uint64, histograms*bins.total+mostBins)
	for range o.Workers - 1 {
		g.partial = append(g.partial, make([]uint64, mostBins))
	}
	return g
}

func (g *grower) histogram(number int) *[mostBins]uint64 {
	return (*[mostBins]uint64)(g.pool[number*g.bins.total:])
}

// differentiate asks for gradient and hessian of each row and rounds them to
// integers. The scales are powers of two: only the rounding itself changes a
// gradient, by less than a billionth of the sum of all.
func (g *grower) differentiate(of func(row int) (gradient, hessian float64)) {
	g.sums = slices.Grow(g.sums[:0], blocks(len(g.rows)))[:blocks(len(g.rows))]
	inParallel(g.o.Workers, len(g.sums), func(block int) {
		sum := blockSum{}
		from, to := blockOf(block, len(g.rows))
		for i := from; i < to; i++ {
			g.g[i], g.h[i] = of(int(g.rows[i]))
			sum.g, sum.h = sum.g+math.Abs(g.g[i]), sum.h+g.h[i]
		}
		g.sums[block] = sum
	})
	// Blocks are the same for any number of workers, and so is the order of adding.
	all := blockSum{}
	for _, sum := range g.sums {
		all.g, all.h = all.g+sum.g, all.h+sum.h
	}
	gUnits, hUnits := powerOfTwo(all.g, 30), powerOfTwo(all.h, 31)
	g.gScale, g.hScale = 1/gUnits, 1/hUnits
	inParallel(g.o.Workers, len(g.sums), func(block int) {
		from, to := blockOf(block, len(g.rows))
		for i := from; i < to; i++ {
			gradient := int64(math.RoundToEven(g.g[i] * gUnits))
			hessian := int64(math.RoundToEven(g.h[i] * hUnits))
			word := uint64(gradient<<32 + hessian)
			g.gh[g.rows[i]] = word
			g.sums[block].words += word
		}
	})
}

// powerOfTwo is the scale at which sum is below 2^bits and no less than a quarter
// of it. Scaling by it is exact.
func powerOfTwo(sum float64, bits int) float64 {
	if sum == 0 {
		return 1
	}
	_, exponent := math.Frexp(sum)
	// Where all rows are known for sure, the sum is next to nothing. The scale and
	// its inverse stay finite.
	return math.Ldexp(1, min(bits-exponent, 1000))
}

// grow grows a tree over the rows, which it reorders, from the given features.
func (g *grower) grow(tree tree, columns []uint16) {
	g.columns, g.leaves, g.free = columns, g.leaves[:0], g.free[:0]
	for i := range 1 << (g.o.Depth - 1) {
		g.free = append(g.free, i)
	}
	root := branch{slot: 1, rows: span{0, len(g.rows)}, histogram: none}
	for _, sum := range g.sums {
		root.sum += sum.words
	}
	if g.divisible(&root) {
		root.histogram = g.allocate()
	}
	g.level = append(g.level[:0], root)
	for depth := range g.o.Depth {
		g.addTogether()
		// Siblings stand side by side. The root has none.
		inParallel(g.o.Workers, (len(g.level)+1)/2, func(i int) {
			g.dividePair(g.level[2*i : min(2*i+2, len(g.level))])
		})
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

// addTogether fills the histograms of nodes with so many rows that several
// workers share them.
func (g *grower) addTogether() {
	for i := range g.level {
		node := &g.level[i]
		shares := min(g.o.Workers, blocks(node.rows.len()))
		if node.histogram == none || node.larger || shares < 2 {
			continue
		}
		node.added = true
		histogram, rows := g.histogram(node.histogram), node.rows.of(g.rows)
		inParallel(shares, shares, func(share int) {
			into := histogram
			if share > 0 {
				into = (*[mostBins]uint64)(g.partial[share-1])
			}
			clear(into[:g.bins.total])
			g.addShare(into, rows[len(rows)*share/shares:len(rows)*(share+1)/shares])
		})
		for _, partial := range g.partial[:shares-1] {
			for bin, word := range partial[:g.bins.total] {
				histogram[bin] += word
			}
		}
	}
}

// dividePair divides two siblings. Only the rows of the smaller are added up;
// the larger has its parent's histogram, from which the other is subtracted.
func (g *grower) dividePair(nodes []branch) {
	for i := range nodes {
		if node := &nodes[i]; node.histogram != none && !node.larger && !node.added {
			histogram := g.histogram(node.histogram)
			clear(histogram[:g.bins.total])
			g.addShare(histogram, node.rows.of(g.rows))
		}
	}
	for i := range nodes {
		if nodes[i].larger {
			whole := g.histogram(nodes[i].histogram)[:g.bins.total]
			part := g.histogram(nodes[1-i].histogram)[:len(whole)]
			for bin, word := range part {
				whole[bin] -= word
			}
		}
	}
	for i := range nodes {
		g.divide(&nodes[i])
	}
}

// addShare adds rows to a histogram.
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
	column := g.bins.column(node.split.feature)
	node.first = partition(node.rows.of(g.rows), node.rows.of(g.spare), column, uint8(node.split.bin))
}

// partition moves the rows with at most this bin to the front and returns how many
// there are. Both sides stay in order.
func partition(rows, spare []uint32, column []uint8, last uint8) int {
	ones, others := 0, 0
	for _, row := range rows {
		// Both are written and one is kept: faster than a branch taken at random.
		one := 0
		if column[row] <= last {
			one = 1
		}
		rows[ones], spare[others] = row, row
		ones += one
		others += 1 - one
	}
	copy(rows[ones:], spare[:others])
	return ones
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
		tree.nodes[node.slot] = node.split.node(g.bins)
		first, second := node.children()
		g.inherit(node, &first, &second, depth+1)
		g.children = append(g.children, first, second)
	}
	g.level, g.children = g.children, g.level
}

// children makes both children of a node.
func (b *branch) children() (first, second branch) {
	first = branch{slot: 2 * b.slot, sum: b.split.sum, histogram: none}
	second = branch{slot: 2*b.slot + 1, sum: b.sum - b.split.sum, histogram: none}
	first.rows, second.rows = b.rows.cut(b.first)
	return first, second
}

// inherit gives histograms to the children that may be divided again: the
// larger takes over its parent's.
func (g *grower) inherit(node, first, second *branch, depth int) {
	small, large := first, second
	if first.rows.len() > second.rows.len() {
		small, large = second, first
	}
	switch {
	case depth < g.o.Depth && g.divisible(large):
		large.histogram, large.larger = node.histogram, true
		small.histogram = g.allocate()
	case depth < g.o.Depth && g.divisible(small):
		small.histogram = node.histogram
	default:
		g.release(node.histogram)
	}
}

// divisible tells whether a node has enough for two children.
func (g *grower) divisible(node *branch) bool {
	return node.rows.len() > 1 && g.hessian(node.sum) >= 2*g.o.MinWeight
}

// finish makes a leaf of a node.
func (g *grower) finish(tree tree, node *branch, depth int) {
	stored := float32(g.value(node.sum) * g.o.LearningRate)
	tree.fill(node.slot, depth, g.o.Depth, stored)
	g.leaves = append(g.leaves, leaf{node.rows, float64(stored)})
}

// gradient is the real sum of gradients in a word. The product is exact.
func (g *grower) gradient(word uint64) float64 { return float64(int32(word>>32)) * g.gScale }

// hessian is the real sum of hessians in a word. The product is exact.
func (g *grower) hessian(word uint64) float64 { return float64(uint32(word)) * g.hScale }

// value is the best value for rows, within mostStep and before learning rate.
func (g *grower) value(sum uint64) float64 {
	hessian := g.hessian(sum) + g.o.Lambda
	if hessian <= 0 {
		return 0
	}
	return min(max(-g.gradient(sum)/hessian, -mostStep), mostStep)
}
