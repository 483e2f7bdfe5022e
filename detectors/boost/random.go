package boost

import "slices"

// random is the generator SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the
// same numbers for a seed in every release of Go.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// columns draws a share of the columns, at least one, in ascending order.
func (r *random) columns(all []uint16, share float64) []uint16 {
	if share >= 1 || len(all) == 0 {
		return all
	}
	drawn := slices.Clone(all)
	n := max(int(float64(share*float64(len(all)))+0.5), 1)
	for i := range n {
		j := i + int(r.next()%uint64(len(drawn)-i))
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	slices.Sort(drawn[:n])
	return drawn[:n]
}
