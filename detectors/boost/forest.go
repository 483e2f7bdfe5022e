package boost

import "math"

// Bounds of a forest.
const (
	mostDepth = 8
	mostSlots = 1 << 20 // of all trees, 12 bytes each: 32,768 trees of depth 5
)

// Forest is a trained model. Its methods may be called from many goroutines at
// once.
type Forest struct {
	classes int
	width   int
	depth   int
	base    []float64 // per output, what a forest without trees says
	nodes   []node    // 2^depth for each tree
	leaves  []float32 // 2^depth for each tree
}

// node is a question in a tree: is the feature's key at most the threshold?
//
// A tree is a full binary tree: the root is in slot 1, the children of slot i
// are in 2i and 2i+1, the leaves follow behind the last node. Every row answers
// as many questions and no answer is a jump, so that a processor has nothing to
// guess and works on several trees at once.
type node struct {
	threshold int32
	feature   uint32
}

// padding is the threshold of a slot below a leaf: wherever a row goes from
// there, it finds the same. It is below that of any value.
const padding = math.MinInt32

// keysOf writes the key of each feature of a row to keys, and returns those.
func keysOf(x []float32, keys *[mostFeatures]int32) []int32 {
	for i, value := range x {
		keys[i] = keyOf(value)
	}
	return keys[:len(x)]
}

// keyOf orders values as integers, infinities included and NaN above all: of a
// negative one all bits but the sign are turned around.
func keyOf(value float32) int32 {
	if value != value {
		return math.MaxInt32
	}
	bits := int32(math.Float32bits(value))
	return bits ^ int32(uint32(bits>>31)>>1)
}

func newForest(o Options, width int) *Forest {
	return &Forest{classes: o.Classes, width: width, depth: o.Depth}
}

func (f *Forest) outputs() int { return Options{Classes: f.classes}.outputs() }

// tree is the slots of one tree of a forest.
type tree struct {
	nodes  []node
	leaves []float32
}

// reserve makes room for the trees of an empty forest.
func (f *Forest) reserve(trees int) {
	f.nodes, f.leaves = make([]node, 0, trees<<f.depth), make([]float32, 0, trees<<f.depth)
}

// addTree appends a tree without questions.
func (f *Forest) addTree() tree {
	from := len(f.nodes)
	for range 1 << f.depth {
		f.nodes = append(f.nodes, node{threshold: padding})
		f.leaves = append(f.leaves, 0)
	}
	return tree{f.nodes[from:], f.leaves[from:]}
}

// fill gives all leaves below a slot at some depth the same value.
func (t tree) fill(slot, at, depth int, value float32) {
	below := 1 << (depth - at)
	first := slot<<(depth-at) - 1<<depth
	for i := range below {
		t.leaves[first+i] = value
	}
}

// Logit returns the log-odds of class 1 against class 0. It is for two classes,
// x has Width values, and nothing is allocated.
func (f *Forest) Logit(x []float32) float64 {
	var keys [mostFeatures]int32
	return f.sum(keysOf(x[:f.width], &keys))
}

// sum adds up base and trees, in their order, for two classes.
func (f *Forest) sum(keys []int32) float64 {
	sum, size := f.base[0], 1<<f.depth
	at := 0
	for ; at+4*size <= len(f.nodes); at += 4 * size {
		leaves := f.leaves[at : at+4*size]
		a, b, c, d := walkFour(f.nodes[at:at+4*size], keys, f.depth)
		sum += float64(leaves[a])
		sum += float64(leaves[b])
		sum += float64(leaves[c])
		sum += float64(leaves[d])
	}
	for ; at < len(f.nodes); at += size {
		sum += float64(f.leaves[at+walk(f.nodes[at:at+size], keys, f.depth)])
	}
	return sum
}

// Scores writes the probability of each class to dst, which has room for all.
// Nothing is allocated.
func (f *Forest) Scores(x []float32, dst []float64) {
	dst = dst[:f.classes]
	if f.classes == 2 {
		dst[1] = Sigmoid(f.Logit(x))
		dst[0] = 1 - dst[1]
		return
	}
	f.margins(x, dst)
	softmax(dst, dst)
}

// margins writes what base and trees say of each output.
func (f *Forest) margins(x []float32, dst []float64) {
	if len(dst) == 1 {
		dst[0] = f.Logit(x)
		return
	}
	var all [mostFeatures]int32
	keys := keysOf(x[:f.width], &all)
	copy(dst, f.base)
	output, size, at := 0, 1<<f.depth, 0
	for ; at+4*size <= len(f.nodes); at += 4 * size {
		leaves := f.leaves[at : at+4*size]
		a, b, c, d := walkFour(f.nodes[at:at+4*size], keys, f.depth)
		for _, leaf := range [...]int{a, b, c, d} {
			dst[output] += float64(leaves[leaf])
			if output++; output == len(dst) {
				output = 0
			}
		}
	}
	for ; at < len(f.nodes); at += size {
		dst[output] += float64(f.leaves[at+walk(f.nodes[at:at+size], keys, f.depth)])
		if output++; output == len(dst) {
			output = 0
		}
	}
}

// walk returns the leaf of a tree.
func walk(nodes []node, keys []int32, depth int) int {
	slot := 1
	for range depth {
		slot = answer(nodes, keys, slot)
	}
	return slot - len(nodes)
}

// walkFour returns the leaves of four trees: while one walk waits for memory, the
// others go on.
func walkFour(nodes []node, keys []int32, depth int) (a, b, c, d int) {
	size := 1 << depth
	ta, tb, tc, td := nodes[:size], nodes[size:2*size], nodes[2*size:3*size], nodes[3*size:4*size]
	a, b, c, d = 1, 1, 1, 1
	for range depth {
		a, b, c, d = answer(ta, keys, a), answer(tb, keys, b), answer(tc, keys, c), answer(td, keys, d)
	}
	return a - size, b, c + size, d + 2*size
}

// answer returns the slot that a row goes to from a slot.
func answer(nodes []node, keys []int32, slot int) int {
	n := nodes[slot]
	second := 0
	if keys[n.feature] > n.threshold {
		second = 1
	}
	return 2*slot + second
}

// Width is how many features a row has.
func (f *Forest) Width() int { return f.width }

// Classes is how many classes there are.
func (f *Forest) Classes() int { return f.classes }
