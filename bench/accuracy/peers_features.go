package main

import (
	"math"
	"math/rand/v2"

	"recoup/invoice"
)

// amountFeatures is how many numbers stand for an invoice: its log amount, how
// far that is from the mean of its segment and of its customer, tax included
// over without, log number of lines, and log amount per unit.
const amountFeatures = 6

type point [amountFeatures]float64

// featureReader turns invoices into points of about unit variance.
type featureReader struct {
	segments  map[string]*moments
	customers map[string]*moments
	spread    [amountFeatures]moments
}

func newFeatureReader() featureReader {
	return featureReader{segments: map[string]*moments{}, customers: map[string]*moments{}}
}

// read returns the point of an invoice by what was known before, and learns it.
func (f *featureReader) read(inv *invoice.Invoice) point {
	x := logAmount(inv)
	var units invoice.Fixed
	for i := range inv.Lines {
		units += inv.Lines[i].Quantity.Value
	}
	p := point{
		0: x, 1: learnDeviation(of(f.segments, segmentOf(inv)), x), 3: 1, 4: math.Log1p(float64(len(inv.Lines))),
		5: x - math.Log1p(math.Abs(float64(units)/float64(invoice.One))),
	}
	if inv.GrossAmount.Set && inv.NetAmount != 0 {
		p[3] = float64(inv.GrossAmount.Value) / float64(inv.NetAmount)
	}
	if inv.CustomerRef != "" && inv.CustomerRef != invoice.Anonymous {
		p[2] = learnDeviation(of(f.customers, inv.Seller+"|"+inv.CustomerRef), x)
	}
	for i := range p {
		f.spread[i].add(p[i])
		if sd := f.spread[i].sd(); sd > 0 {
			p[i] = (p[i] - f.spread[i].mean) / sd
		}
	}
	return p
}

// learnDeviation returns how far x is from the mean, 0 without any, and adds it.
func learnDeviation(m *moments, x float64) float64 {
	deviation := 0.0
	if m.n > 0 {
		deviation = x - m.mean
	}
	m.add(x)
	return deviation
}

// neighbours is the distance to the k-th nearest of the newest points.
type neighbours struct {
	features featureReader
	recent   []point
	oldest   int
}

const (
	neighbourWindow = 2_000
	neighbourK      = 20
)

func newNeighbours() *neighbours { return &neighbours{features: newFeatureReader()} }

func (n *neighbours) score(inv *invoice.Invoice) (float64, bool) {
	p := n.features.read(inv)
	var nearest [neighbourK]float64 // squared, ascending
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	for i := range n.recent {
		d := 0.0
		for j := range p {
			d += (p[j] - n.recent[i][j]) * (p[j] - n.recent[i][j])
		}
		for k := neighbourK - 1; k >= 0 && d < nearest[k]; k-- {
			if k+1 < neighbourK {
				nearest[k+1] = nearest[k]
			}
			nearest[k] = d
		}
	}
	if len(n.recent) < neighbourWindow {
		n.recent = append(n.recent, p)
	} else {
		n.recent[n.oldest] = p
		n.oldest = (n.oldest + 1) % neighbourWindow
	}
	if math.IsInf(nearest[neighbourK-1], 1) {
		return 0, false
	}
	return math.Sqrt(nearest[neighbourK-1]), false
}

// halfSpaceTrees are Streaming Half-Space Trees (Tan, Ting and Liu, IJCAI 2011):
// random cuts of the space; where few points of the window before lie, a point
// is unusual.
type halfSpaceTrees struct {
	features featureReader
	trees    [][]halfSpace // each a full binary tree, node i has the children 2i+1 and 2i+2
	window   []point       // points of the first window, before there are trees
	seen     int
}

// halfSpace is one node.
type halfSpace struct {
	feature   int
	cut       float64
	reference float64 // points of the window before
	latest    float64 // points of this window
}

const (
	treeCount  = 25
	treeDepth  = 8
	treeWindow = 250
	// treeLeast stops a point's way down where hardly any points are.
	treeLeast = treeWindow / 10
)

func newHalfSpaceTrees() *halfSpaceTrees { return &halfSpaceTrees{features: newFeatureReader()} }

func (h *halfSpaceTrees) score(inv *invoice.Invoice) (float64, bool) {
	p := h.features.read(inv)
	if h.trees == nil {
		if h.window = append(h.window, p); len(h.window) == treeWindow {
			h.grow()
		}
		return math.Inf(-1), false
	}
	mass := 0.0
	for _, tree := range h.trees {
		mass += massAt(tree, p)
		learn(tree, p)
	}
	if h.seen++; h.seen%treeWindow == 0 {
		h.turn()
	}
	return -mass, false
}

// grow cuts the space of the first window at random.
func (h *halfSpaceTrees) grow() {
	draw := rand.New(rand.NewPCG(bootstrapSeed, 1))
	h.trees = make([][]halfSpace, treeCount)
	for t := range h.trees {
		tree := make([]halfSpace, 1<<(treeDepth+1)-1)
		var low, high point
		for j := range low {
			middle := draw.NormFloat64() / 2
			reach := 2 * h.furthest(j, middle)
			low[j], high[j] = middle-reach, middle+reach
		}
		cutSpace(tree, 0, low, high, draw)
		for _, p := range h.window {
			learn(tree, p)
		}
		h.trees[t] = tree
	}
	h.turn()
}

// furthest returns how far the window reaches from a place, by one feature.
func (h *halfSpaceTrees) furthest(feature int, from float64) float64 {
	most := 0.0
	for _, p := range h.window {
		most = max(most, math.Abs(p[feature]-from))
	}
	return most
}

// cutSpace halves the box of a node and of all below it.
func cutSpace(tree []halfSpace, node int, low, high point, draw *rand.Rand) {
	if node >= len(tree) {
		return
	}
	feature := draw.IntN(amountFeatures)
	cut := (low[feature] + high[feature]) / 2
	tree[node].feature, tree[node].cut = feature, cut
	below, above := high, low
	below[feature], above[feature] = cut, cut
	cutSpace(tree, 2*node+1, low, below, draw)
	cutSpace(tree, 2*node+2, above, high, draw)
}

func (n *halfSpace) child(node int, p point) int {
	if p[n.feature] < n.cut {
		return 2*node + 1
	}
	return 2*node + 2
}

// learn counts a point on its way down.
func learn(tree []halfSpace, p point) {
	for node := 0; node < len(tree); node = tree[node].child(node, p) {
		tree[node].latest++
	}
}

// massAt returns how many points of the window before lie around p, weighted by
// how small the space is.
func massAt(tree []halfSpace, p point) float64 {
	size := 1.0
	for node := 0; ; size *= 2 {
		n := &tree[node]
		next := n.child(node, p)
		if n.reference <= treeLeast || next >= len(tree) {
			return n.reference * size
		}
		node = next
	}
}

// turn makes the window that ends the one to compare with.
func (h *halfSpaceTrees) turn() {
	for _, tree := range h.trees {
		for i := range tree {
			tree[i].reference, tree[i].latest = tree[i].latest, 0
		}
	}
}
