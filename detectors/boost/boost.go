// Package boost trains and applies gradient-boosted decision trees: a sum of
// small trees, each fitted to what the trees before it got wrong.
//
// Training is the histogram method with second-order gain (Chen and Guestrin,
// "XGBoost", KDD 2016, equation 7; Ke et al., "LightGBM", NIPS 2017): values are
// put into quantile bins once, a node adds up gradients per bin, and of two
// siblings only the smaller is added up, the other is the difference to their
// parent.
//
// The same set and options give the same forest, bit for bit, whatever the
// number of workers, the processor and its architecture: gradients are rounded
// to integers before they are added, so the order of adding does not matter; no
// product is added to anything without being rounded first, so no compiler may
// fuse the two; and exp and log are the package's own, because those of the
// standard library differ between processors.
package boost

import "math"

// Train fits a forest to a set. It keeps nothing of the set.
func Train(set *Set, o Options) (*Forest, error) {
	o, err := o.check(set)
	if err != nil {
		return nil, err
	}
	bins, err := binSet(set, o)
	if err != nil {
		return nil, err
	}
	return train(set, o, bins, nil), nil
}

// train fits a forest to the rows that held does not name; nil names none.
func train(set *Set, o Options, bins *binned, held []bool) *Forest {
	b := newBooster(set, o, bins, held)
	for round := range o.Rounds {
		b.round(round)
	}
	return b.forest
}

// booster is a training under way.
type booster struct {
	set    *Set
	o      Options
	held   []bool    // rows to leave out, nil for none
	rows   []uint32  // the rows trained on, ascending
	margin []float64 // per row and output, what the forest says so far
	g, h   []float64 // per position in rows: gradient and hessian of the output at hand
	probs  []float64 // softmax: per row and output, at the start of the round
	grower *grower
	forest *Forest
	random random
}

func newBooster(set *Set, o Options, bins *binned, held []bool) *booster {
	b := &booster{set: set, o: o, held: held, forest: newForest(o, set.Width), random: random(o.Seed)}
	for row := range set.Y {
		if set.weight(row) > 0 && (held == nil || !held[row]) {
			b.rows = append(b.rows, uint32(row))
		}
	}
	b.g, b.h = make([]float64, len(b.rows)), make([]float64, len(b.rows))
	b.grower = newGrower(o, bins)
	b.forest.base = b.base()
	b.margin = make([]float64, set.Rows()*b.forest.outputs())
	for i := range b.margin {
		b.margin[i] = b.forest.base[i%len(b.forest.base)]
	}
	if b.forest.outputs() > 1 {
		b.probs = make([]float64, len(b.margin))
	}
	return b
}

// base is the forest without trees: the log-odds of each class by weight.
func (b *booster) base() []float64 {
	weights := make([]float64, b.o.Classes)
	var total float64
	for _, row := range b.rows {
		w := b.set.weight(int(row))
		weights[b.set.Y[row]] += w
		total += w
	}
	if total == 0 {
		return make([]float64, b.forest.outputs())
	}
	// A class that never or always occurs still gets finite odds.
	const least = 1e-6
	share := func(class int) float64 { return min(max(weights[class]/total, least), 1-least) }
	if b.o.Classes == 2 {
		return []float64{logit(share(1))}
	}
	base := make([]float64, b.o.Classes)
	for class := range base {
		base[class] = log(share(class))
	}
	return base
}

// round adds one tree per output.
func (b *booster) round(round int) {
	outputs := b.forest.outputs()
	if outputs > 1 {
		for _, row := range b.rows {
			at := int(row) * outputs
			softmax(b.margin[at:at+outputs], b.probs[at:at+outputs])
		}
	}
	for output := range outputs {
		b.gradients(output)
		sample := b.sample()
		tree := b.forest.addTree()
		b.grower.grow(tree, sample, b.random.columns(b.grower.bins.usable, b.o.Columns))
		for feature, gain := range b.grower.gain {
			b.forest.gain[feature] += gain
		}
		b.apply(tree, output, len(sample) < len(b.rows))
	}
}

// gradients sets g and h to the first and second derivative of the weighted
// loss at each row's margin.
func (b *booster) gradients(output int) {
	outputs := b.forest.outputs()
	// The diagonal of softmax's hessian is scaled as by Friedman (2001).
	scale := float64(outputs) / float64(max(outputs-1, 1))
	if outputs == 1 {
		scale = 1
	}
	inParallel(b.o.Workers, blocks(len(b.rows)), func(block int) {
		from, to := blockOf(block, len(b.rows))
		for i, row := range b.rows[from:to] {
			at := int(row)*outputs + output
			var p float64
			if outputs == 1 {
				p = Sigmoid(b.margin[at])
			} else {
				p = b.probs[at]
			}
			w, target := b.set.weight(int(row)), 0.0
			if int(b.set.Y[row]) == output+2-min(outputs, 2) {
				target = 1
			}
			b.g[from+i] = w * (p - target)
			b.h[from+i] = float64(w*p) * float64((1-p)*scale)
		}
	})
}

// sample returns the rows of the next tree and hands their gradients, rounded
// to integers, to the grower.
func (b *booster) sample() []uint32 {
	rows := b.grower.take(len(b.rows))
	if b.o.Rows >= 1 {
		copy(rows, b.rows)
		b.grower.quantise(rows, b.g, b.h)
		return rows
	}
	n := 0
	limit := uint64(float64(b.o.Rows * (1 << 32)))
	for i, row := range b.rows {
		if b.random.next()>>32 < limit {
			rows[n], b.g[n], b.h[n] = row, b.g[i], b.h[i]
			n++
		}
	}
	b.grower.quantise(rows[:n], b.g, b.h)
	return rows[:n]
}

// apply adds the newest tree to the margins. Rows of the tree lie behind its
// leaves; others, when the tree saw a sample only, walk through it.
func (b *booster) apply(tree tree, output int, sampled bool) {
	outputs := b.forest.outputs()
	if !sampled {
		for _, leaf := range b.grower.leaves {
			for _, row := range b.grower.rows[leaf.from:leaf.to] {
				b.margin[int(row)*outputs+output] += leaf.value
			}
		}
		return
	}
	inParallel(b.o.Workers, blocks(len(b.rows)), func(block int) {
		from, to := blockOf(block, len(b.rows))
		for _, row := range b.rows[from:to] {
			b.margin[int(row)*outputs+output] += tree.value(b.set.row(int(row)), b.o.Depth)
		}
	})
}

// powerOfTwo is the scale at which sum is at least a quarter of and below
// 2^bits. Scaling by it is exact.
func powerOfTwo(sum float64, bits int) float64 {
	if sum == 0 {
		return 1
	}
	_, exponent := math.Frexp(sum)
	return math.Ldexp(1, bits-exponent)
}
