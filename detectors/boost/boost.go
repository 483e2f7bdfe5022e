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
	forest, _ := train(set, o, bins, nil)
	return forest, nil
}

// train fits a forest to the rows whose held is false; nil holds back none.
// margins are what the forest says of every row and output, held ones included.
func train(set *Set, o Options, bins *binned, held []bool) (forest *Forest, margins []float64) {
	b := newBooster(set, o, bins, held)
	for range o.Rounds {
		b.round()
	}
	return b.forest, b.margins
}

// booster is a training under way.
type booster struct {
	set     *Set
	o       Options
	rows    []uint32  // the rows trained on, then the others; both ascending
	trained int       // how many are trained on
	margins []float64 // per row and output: what the forest says so far
	g, h    []float64 // per trained row, in order: gradient and hessian for the output at hand
	probs   []float64 // softmax: per row and output, at the start of the round
	grower  *grower
	forest  *Forest
	random  random
}

func newBooster(set *Set, o Options, bins *binned, held []bool) *booster {
	b := &booster{set: set, o: o, forest: newForest(o, set.Width), random: random(o.Seed)}
	var others []uint32
	for row := range set.Y {
		if set.weight(row) > 0 && (held == nil || !held[row]) {
			b.rows = append(b.rows, uint32(row))
		} else {
			others = append(others, uint32(row))
		}
	}
	b.trained = len(b.rows)
	b.rows = append(b.rows, others...)
	b.g, b.h = make([]float64, b.trained), make([]float64, b.trained)
	b.grower = newGrower(o, bins)
	b.forest.base = b.base()
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
	for _, row := range b.rows[:b.trained] {
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
		b.gradients(output)
		b.sample()
		b.grower.grow(b.forest.addTree(), b.random.columns(b.grower.bins.usable, b.o.Columns))
		for feature, gain := range b.grower.gain {
			b.forest.gain[feature] += gain
		}
		for _, leaf := range b.grower.leaves {
			b.add(leaf.rows.of(b.grower.rows), output, leaf.value)
			b.add(leaf.riders.of(b.grower.riders), output, leaf.value)
		}
	}
}

func (b *booster) add(rows []uint32, output int, value float64) {
	outputs := b.forest.outputs()
	for _, row := range rows {
		b.margins[int(row)*outputs+output] += value
	}
}

func (b *booster) softmax() {
	outputs := b.forest.outputs()
	inParallel(b.o.Workers, blocks(b.trained), func(block int) {
		from, to := blockOf(block, b.trained)
		for _, row := range b.rows[from:to] {
			at := int(row) * outputs
			softmax(b.margins[at:at+outputs], b.probs[at:at+outputs])
		}
	})
}

// gradients sets g and h to the first and second derivative of the weighted
// loss at each trained row's margin.
func (b *booster) gradients(output int) {
	outputs, class, scale := b.forest.outputs(), uint8(output), 1.0
	if outputs == 1 {
		class = 1
	} else {
		// Friedman, "Greedy function approximation" (2001), section 4.6: the other
		// classes move as well, so the diagonal of the hessian alone is too small.
		scale = float64(outputs) / float64(outputs-1)
	}
	inParallel(b.o.Workers, blocks(b.trained), func(block int) {
		from, to := blockOf(block, b.trained)
		for i := from; i < to; i++ {
			row := int(b.rows[i])
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
			b.g[i] = w * (p - target)
			b.h[i] = w * p * (1 - p) * scale
		}
	})
}

// sample draws the rows of the next tree and hands them to the grower, with
// their gradients. All other rows ride along.
func (b *booster) sample() {
	g, drawn := b.grower, 0
	g.rows, g.riders = g.rows[:0], append(g.riders[:0], b.rows[b.trained:]...)
	limit := uint64(b.o.Rows * (1 << 32))
	for i, row := range b.rows[:b.trained] {
		if b.o.Rows < 1 && b.random.next()>>32 >= limit {
			g.riders = append(g.riders, row)
			continue
		}
		g.rows = append(g.rows, row)
		b.g[drawn], b.h[drawn] = b.g[i], b.h[i]
		drawn++
	}
	g.quantise(b.g, b.h)
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
