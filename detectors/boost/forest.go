package boost

import "math"

// Bounds of a forest.
const (
	mostDepth = 8
	mostTrees = 1 << 16
	mostName  = 255
)

// Forest is a trained model. Its methods may be called from many goroutines at
// once.
type Forest struct {
	classes int
	width   int
	depth   int
	base    []float64 // per output
	nodes   []node    // 2^depth for each tree
	leaves  []float32 // 2^depth for each tree
	gain    []float64 // per feature
	names   []string
}

// tree is one tree of a forest, as a full binary tree: the children of the node
// in slot i are in slots 2i and 2i+1, the root is in slot 1, the leaves follow
// behind the last node. Every row asks as many questions, so a processor need
// not guess when a walk ends and works on several trees at once.
type tree struct {
	nodes  []node
	leaves []float32
}

// node is a question: is the value, with its sign as flip says, at most the
// threshold? If so, or else, the row goes to the first or second child. No
// missing value is at most anything, so it goes to the second; flip turns a node
// around whose missing values belong with the small ones.
type node struct {
	threshold float32
	feature   uint16
	flip      uint16 // signBit, 0, or padding
}

const (
	signBit = 1 << 15
	// padding marks a slot below a leaf: wherever a row goes, it finds the same.
	padding = 1
)

func newForest(o Options, width int) *Forest {
	return &Forest{classes: o.Classes, width: width, depth: o.Depth, gain: make([]float64, width), names: o.Names}
}

func (f *Forest) outputs() int { return Options{Classes: f.classes}.outputs() }

// addTree appends a tree without questions.
func (f *Forest) addTree() tree {
	from := len(f.nodes)
	for range 1 << f.depth {
		f.nodes = append(f.nodes, node{flip: padding})
		f.leaves = append(f.leaves, 0)
	}
	return tree{f.nodes[from:], f.leaves[from:]}
}

// set makes a node of a split and returns which child is on the split's first
// side.
func (n *node) set(s split, f *feature) (first int) {
	cut := float32(math.Inf(1))
	if s.bin < len(f.cuts) {
		cut = f.cuts[s.bin]
	}
	*n = node{threshold: cut, feature: uint16(s.feature)}
	if !s.missingFirst {
		return 0
	}
	// value > cut, if and only if −value ≤ −(the next value after cut)
	n.flip = signBit
	n.threshold = -math.Nextafter32(cut, float32(math.Inf(1)))
	return 1
}

// fill gives all leaves below a slot at some depth the same value.
func (t tree) fill(slot, at, depth int, value float32) {
	below := 1 << (depth - at)
	first := slot<<(depth-at) - 1<<depth
	for i := range below {
		t.leaves[first+i] = value
	}
}

// value walks through the tree.
func (t tree) value(x []float32, depth int) float64 {
	slot := 1
	for range depth {
		n := &t.nodes[slot]
		value := math.Float32frombits(math.Float32bits(x[n.feature]) ^ uint32(n.flip)<<16)
		second := 1
		if value <= n.threshold {
			second = 0
		}
		slot = 2*slot + second
	}
	return float64(t.leaves[slot-1<<depth])
}

// Logit returns the log-odds of class 1 against class 0. It is for two classes,
// x has Width values, and nothing is allocated.
func (f *Forest) Logit(x []float32) float64 {
	margin := f.base[0]
	size := 1 << f.depth
	for from := 0; from < len(f.nodes); from += size {
		margin += tree{f.nodes[from : from+size], f.leaves[from : from+size]}.value(x, f.depth)
	}
	return margin
}

// Scores writes the probability of each class, by softmax, to dst, which has
// room for all.
func (f *Forest) Scores(x []float32, dst []float64) {
	if f.classes == 2 {
		p := Sigmoid(f.Logit(x))
		dst[0], dst[1] = 1-p, p
		return
	}
	dst = dst[:f.classes]
	copy(dst, f.base)
	size := 1 << f.depth
	for from, class := 0, 0; from < len(f.nodes); from += size {
		dst[class] += tree{f.nodes[from : from+size], f.leaves[from : from+size]}.value(x, f.depth)
		if class++; class == f.classes {
			class = 0
		}
	}
	softmax(dst, dst)
}

// Gain returns how much of the training loss each feature's splits saved.
func (f *Forest) Gain() []float64 { return append([]float64(nil), f.gain...) }

// Names returns the features' names as given in training, nil when there were
// none.
func (f *Forest) Names() []string { return append([]string(nil), f.names...) }

// Width is how many features a row has.
func (f *Forest) Width() int { return f.width }

// Classes is how many classes there are.
func (f *Forest) Classes() int { return f.classes }
