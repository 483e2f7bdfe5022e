package boost

import "math"

// mostBins is how many bins all features together can have, 256 each. They fit
// into the 16 bits of an entry.
const mostBins = mostFeatures * 256

// feature is how the values of one feature are put into bins, ascending.
type feature struct {
	cuts   []float32 // bin b holds the values above cuts[b-1] and at most cuts[b]
	usual  uint8     // the bin of most rows, which has no entries
	offset int       // of its bins among those of all features
}

// bins is the number of bins.
func (f *feature) bins() int { return len(f.cuts) + 1 }

// binned is a set in bins. It is kept twice: whole and by column, to divide
// rows at a split; and by row, without the usual bin of each feature, to add up
// gradients. Most features of most rows are usual, so that is much less to add;
// what is missing in the sum of a node is in its usual bin.
type binned struct {
	rows     int
	features []feature
	usable   []uint16 // features with at least two bins
	total    int      // bins of all features
	columns  []uint8  // bin of each row, column behind column
	starts   []uint32 // of each row in entries, and the end
	entries  []uint16 // offset + bin of what is not usual, row behind row
}

func (b *binned) column(feature int) []uint8 { return b.columns[feature*b.rows : (feature+1)*b.rows] }

// binSet learns bins and fills them.
func binSet(set *Set, o Options) *binned {
	b := &binned{rows: set.Rows(), features: make([]feature, set.Width), columns: make([]uint8, len(set.X))}
	pairs := make([][]uint64, o.Workers) // two columns for each worker
	inParallelBy(o.Workers, set.Width, func(worker, feature int) {
		if pairs[worker] == nil {
			pairs[worker] = make([]uint64, 2*b.rows)
		}
		b.features[feature] = binColumn(set, feature, o.Bins, pairs[worker], b.column(feature))
	})
	for i := range b.features {
		b.features[i].offset = b.total
		b.total += b.features[i].bins()
		if b.features[i].bins() > 1 {
			b.usable = append(b.usable, uint16(i))
		}
	}
	b.fillEntries(o.Workers)
	return b
}

// fillEntries turns columns into rows.
func (b *binned) fillEntries(workers int) {
	b.starts = make([]uint32, b.rows+1)
	inParallel(workers, blocks(b.rows), func(block int) {
		from, to := blockOf(block, b.rows)
		counts := b.starts[from+1 : to+1]
		for _, i := range b.usable {
			usual := b.features[i].usual
			for row, bin := range b.column(int(i))[from:to] {
				if bin != usual {
					counts[row]++
				}
			}
		}
	})
	for row := range b.rows {
		b.starts[row+1] += b.starts[row]
	}
	b.entries = make([]uint16, b.starts[b.rows])
	inParallel(workers, blocks(b.rows), func(block int) {
		from, to := blockOf(block, b.rows)
		next := append([]uint32(nil), b.starts[from:to]...)
		for _, i := range b.usable {
			usual, offset := b.features[i].usual, b.features[i].offset
			for row, bin := range b.column(int(i))[from:to] {
				if bin != usual {
					b.entries[next[row]] = uint16(offset + int(bin))
					next[row]++
				}
			}
		}
	})
}

// binColumn learns the bins of one feature so that each holds about the same
// weight and equal values share a bin, and writes each row's bin. pairs is
// working space for twice the rows.
func binColumn(set *Set, column, most int, pairs []uint64, bins []uint8) feature {
	sorted := sortColumn(set, column, pairs)
	f := feature{}
	distinct, left := 0, 0.0
	for i, pair := range sorted {
		if i == 0 || pair>>32 != sorted[i-1]>>32 {
			distinct++
		}
		left += set.weight(int(uint32(pair)))
	}
	// A bin is closed when it has its share of the weight that is left, or when
	// the next value alone has as much.
	bin, inBin := 0, 0.0
	for from := 0; from < len(sorted); {
		to, weight := endOfValue(set, sorted, from)
		if from > 0 && (distinct <= most ||
			bin < most-1 && max(inBin, weight) >= (left+inBin)/float64(most-bin)) {
			f.cuts = append(f.cuts, between(keyValue(sorted[from-1]), keyValue(sorted[from])))
			bin, inBin = bin+1, 0
		}
		for _, pair := range sorted[from:to] {
			bins[uint32(pair)] = uint8(bin)
		}
		inBin, left, from = inBin+weight, left-weight, to
	}
	f.usual = mostFrequent(bins)
	return f
}

// endOfValue returns the end of the run of equal values that starts at from,
// and its weight.
func endOfValue(set *Set, sorted []uint64, from int) (to int, weight float64) {
	for to = from; to < len(sorted) && sorted[to]>>32 == sorted[from]>>32; to++ {
		weight += set.weight(int(uint32(sorted[to])))
	}
	return to, weight
}

func mostFrequent(bins []uint8) (most uint8) {
	var counts [256]int
	for _, bin := range bins {
		counts[bin]++
	}
	for bin, count := range counts {
		if count > counts[most] {
			most = uint8(bin)
		}
	}
	return most
}

// sortKey orders values as integers: negative ones turned around, both zeros
// the same, NaN behind all others.
func sortKey(value float32) uint32 {
	if value != value {
		return math.MaxUint32
	}
	bits := math.Float32bits(value + 0) // −0 + 0 is 0
	return bits ^ (uint32(int32(bits)>>31) | 1<<31)
}

// keyValue is the value in the upper half of a sorted pair.
func keyValue(pair uint64) float32 {
	key := uint32(pair >> 32)
	return math.Float32frombits(key ^ (uint32(int32(^key)>>31) | 1<<31))
}

// between returns a cut c with low ≤ c < high, in the middle where there is one;
// high may be NaN.
func between(low, high float32) float32 {
	if middle := low/2 + high/2; low <= middle && middle < high {
		return middle
	}
	return low
}

// sortColumn returns the key and row of each value in ascending order. It is a
// radix sort.
func sortColumn(set *Set, column int, pairs []uint64) []uint64 {
	const digit = 11 // bits; three of them make a key
	rows := set.Rows()
	from, to := pairs[:rows], pairs[rows:2*rows]
	var counts [3][1 << digit]uint32
	for row := range from {
		key := sortKey(set.X[row*set.Width+column])
		from[row] = uint64(key)<<32 | uint64(row)
		counts[0][key&(1<<digit-1)]++
		counts[1][key>>digit&(1<<digit-1)]++
		counts[2][key>>(2*digit)]++
	}
	for pass := range counts {
		next, sum := &counts[pass], uint32(0)
		for i, count := range next {
			next[i], sum = sum, sum+count
		}
		shift := 32 + digit*pass
		for _, pair := range from {
			at := &next[pair>>shift&(1<<digit-1)]
			to[*at] = pair
			*at++
		}
		from, to = to, from
	}
	return from
}
