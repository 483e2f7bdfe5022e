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
//
// Measured in time of one core (AMD EPYC, Zen 5): 20,000 rows of 64 features,
// four of five values at their usual value, 80 rounds of depth 5 and 64 bins
// train in 0.11 s, with no usual values in 0.20 s; Logit takes 6 ns a tree.
package boost

// Train fits a forest to a set. It keeps nothing of the set.
func Train(set *Set, o Options) (*Forest, error) {
	o, err := o.check(set)
	if err != nil {
		return nil, err
	}
	return train(set, o, binSet(set, o), nil).forest, nil
}

// train fits a forest to the rows whose held is false; nil holds back none.
func train(set *Set, o Options, bins *binned, held []bool) *booster {
	b := newBooster(set, o, bins, held)
	for round := 0; round < o.Rounds && (o.Stop == nil || !o.Stop()); round++ {
		b.round()
	}
	return b
}

// booster is a training under way.
type booster struct {
	set     *Set
	o       Options
	rows    []uint32  // the rows trained on, ascending
	margins []float64 // per row and output: what the forest says so far, if trained on
	probs   []float64 // softmax: per row and output, at the start of the round
	grower  *grower
	forest  *Forest
	random  random
}

func newBooster(set *Set, o Options, bins *binned, held []bool) *booster {
	b := &booster{set: set, o: o, forest: newForest(o, set.Width), random: random(o.Seed)}
	for row := range set.Y {
		if set.weight(row) > 0 && (held == nil || !held[row]) {
			b.rows = append(b.rows, uint32(row))
		}
	}
	b.grower = newGrower(o, bins)
	b.forest.base = b.base()
	b.forest.reserve(o.Rounds * o.outputs())
	b.margins = make([]float64, 0, set.Rows()*b.forest.outputs())
	for range set.Rows() {
		b.margins = append(b.margins, b.forest.base...)
	}
	if b.forest.outputs() > 1 {
		b.probs = make([]float64, len(b.margins))
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
func (b *booster) round() {
	outputs := b.forest.outputs()
	if outputs > 1 {
		b.softmax()
	}
	for output := range outputs {
		b.grower.rows = append(b.grower.rows[:0], b.rows...)
		b.gradients(output)
		b.grower.grow(b.forest.addTree(), b.random.columns(b.grower.bins.usable, b.o.Columns))
		b.apply(output)
	}
}

// apply adds the newest tree to the margins.
func (b *booster) apply(output int) {
	g, outputs := b.grower, b.forest.outputs()
	inParallel(b.o.Workers, len(g.leaves), func(i int) {
		leaf := &g.leaves[i]
		for _, row := range leaf.rows.of(g.rows) {
			b.margins[int(row)*outputs+output] += leaf.value
		}
	})
}

func (b *booster) softmax() {
	outputs := b.forest.outputs()
	inParallel(b.o.Workers, blocks(len(b.rows)), func(block int) {
		from, to := blockOf(block, len(b.rows))
		for _, row := range b.rows[from:to] {
			at := int(row) * outputs
			softmax(b.margins[at:at+outputs], b.probs[at:at+outputs])
		}
	})
}

// gradients hands the grower the first and second derivative of the weighted
// loss at the margin of each of its rows.
func (b *booster) gradients(output int) {
	outputs, class, scale := b.forest.outputs(), uint8(output), 1.0
	if outputs == 1 {
		class = 1
	} else {
		// Friedman, "Greedy function approximation" (2001), section 4.6: the other
		// classes move as well, so the diagonal of the hessian alone is too small.
		scale = float64(outputs) / float64(outputs-1)
	}
	b.grower.differentiate(func(row int) (gradient, hessian float64) {
		var p, target float64
		if outputs == 1 {
			p = Sigmoid(b.margins[row])
		} else {
			p = b.probs[row*outputs+output]
		}
		if b.set.Y[row] == class {
			target = 1
		}
		w := b.set.weight(row)
		return w * (p - target), w * p * (1 - p) * scale
	})
}
