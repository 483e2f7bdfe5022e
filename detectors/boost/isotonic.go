package boost

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Isotonic turns a model's logits into calibrated ones by the rising curve
// nearest to the observations: pool-adjacent-violators (Ayer et al., 1955) makes
// blocks of like logits in which the share of class 1 rises from block to block.
//
// Within a block all rows would be alike, and their order lost. So the curve
// goes in straight lines, in log-odds, from the centre of a block to that of the
// next, and on at either end: it always rises.
type Isotonic struct {
	knots []knot // ascending in both coordinates, at least one
	slope float64
}

// knot is a block: the mean logit of its rows and the log-odds of their share
// of class 1.
type knot struct{ from, to float64 }

func (k knot) below(next knot) bool { return k.from < next.from && k.to < next.to }

// mostLogit bounds logits, far beyond any that a forest gives, so that no
// arithmetic on them overflows.
const mostLogit = 1e9

// leastSlope is how little order is left where the logits tell nothing.
const leastSlope = 1e-3

// observation is the rows with the same logit.
type observation struct {
	logit  float64
	weight float64
	ones   float64 // weight of class 1
}

// observations sorts rows by logit and joins equal ones.
func observations(logits []float64, classes []uint8, weights []float32) ([]observation, error) {
	if len(logits) == 0 || len(classes) != len(logits) || weights != nil && len(weights) != len(logits) {
		return nil, fmt.Errorf("cannot calibrate on %d logits, %d classes and %d weights: want as many of each, at least one",
			len(logits), len(classes), len(weights))
	}
	rows := make([]observation, 0, len(logits))
	for i, logit := range logits {
		row := observation{logit: logit, weight: 1}
		if weights != nil {
			row.weight = float64(weights[i])
		}
		switch {
		case !(math.Abs(logit) <= mostLogit):
			return nil, fmt.Errorf("cannot calibrate on logit %v of row %d: want at most %g either way", logit, i, mostLogit)
		case classes[i] > 1:
			return nil, fmt.Errorf("cannot calibrate on class %d of row %d: want 0 or 1", classes[i], i)
		case !(row.weight >= 0 && row.weight <= math.MaxFloat32):
			return nil, fmt.Errorf("cannot calibrate on weight %v of row %d: want a finite number of at least 0", row.weight, i)
		case row.weight == 0:
			continue
		}
		row.ones = row.weight * float64(classes[i])
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("cannot calibrate on %d rows without weight: want one with a weight above 0", len(logits))
	}
	slices.SortStableFunc(rows, func(a, b observation) int { return cmp.Compare(a.logit, b.logit) })
	joined := rows[:1]
	for _, row := range rows[1:] {
		if last := &joined[len(joined)-1]; last.logit == row.logit {
			last.weight += row.weight
			last.ones += row.ones
			continue
		}
		joined = append(joined, row)
	}
	return joined, nil
}

// FitIsotonic fits the curve to logits and classes 0 and 1, by weights (finite,
// at least 0; nil is 1 each; one is one observation). The logits should come
// from rows the model did not see: OutOfFold.
//
// Half an observation of class 1 joins the lowest logit and half one of class 0
// the highest, so that no share is 0 or 1, however few rows there are.
func FitIsotonic(logits []float64, classes []uint8, weights []float32) (*Isotonic, error) {
	rows, err := observations(logits, classes, weights)
	if err != nil {
		return nil, err
	}
	const half = 0.5
	rows[0].weight += half
	rows[0].ones += half
	rows[len(rows)-1].weight += half
	c := &Isotonic{}
	for _, block := range pool(rows) {
		k := knot{block.logit, logit(block.ones / block.weight)}
		// What differs by less than a float64 tells is no knot of its own.
		if n := len(c.knots); n == 0 || c.knots[n-1].below(k) {
			c.knots = append(c.knots, k)
		}
	}
	c.slope = endSlope(c.knots)
	return c, nil
}

// pool makes blocks whose shares rise strictly. The logit of a block is the mean
// of its rows.
func pool(rows []observation) []observation {
	blocks := make([]observation, 0, len(rows))
	for _, row := range rows {
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if float64(last.ones*row.weight) < float64(row.ones*last.weight) {
				break
			}
			blocks = blocks[:len(blocks)-1]
			weight := last.weight + row.weight
			row.logit = last.logit + float64((row.logit-last.logit)*(row.weight/weight))
			row.weight, row.ones = weight, last.ones+row.ones
		}
		blocks = append(blocks, row)
	}
	return blocks
}

// endSlope is how the curve goes on before the first and behind the last knot:
// as it rises on the whole, but not faster than the model's own logits.
func endSlope(knots []knot) float64 {
	first, last := knots[0], knots[len(knots)-1]
	if len(knots) == 1 {
		return leastSlope
	}
	return min(max((last.to-first.to)/(last.from-first.from), leastSlope), 1)
}

// Logit returns the calibrated log-odds.
func (c *Isotonic) Logit(logit float64) float64 {
	above, found := slices.BinarySearchFunc(c.knots, logit, func(k knot, logit float64) int {
		return cmp.Compare(k.from, logit)
	})
	switch {
	case found:
		return c.knots[above].to
	case above == 0:
		first := c.knots[0]
		return first.to - float64(c.slope*(first.from-logit))
	case above == len(c.knots):
		last := c.knots[above-1]
		return last.to + float64(c.slope*(logit-last.from))
	}
	low, high := c.knots[above-1], c.knots[above]
	way := (logit - low.from) / (high.from - low.from)
	return min(low.to+float64((high.to-low.to)*way), high.to)
}

// Append appends the stored form to dst: mark, how many knots, both coordinates
// of each, checksum.
func (c *Isotonic) Append(dst []byte) []byte {
	from := len(dst)
	dst = binary.AppendUvarint(append(dst, isotonicMark...), uint64(len(c.knots)))
	for _, k := range c.knots {
		dst = appendFloat(appendFloat(dst, k.from), k.to)
	}
	return seal(dst, from)
}

// ParseIsotonic reads what Append wrote. Whatever the bytes, it returns a
// calibration that can be used or an error.
func ParseIsotonic(data []byte) (*Isotonic, error) {
	r, err := open(data, isotonicMark)
	if err != nil {
		return nil, fmt.Errorf("cannot read an isotonic calibration: %w", err)
	}
	c := &Isotonic{}
	for n := r.count(1, max(len(r.rest)/16, 1)); n > 0 && r.err == nil; n-- {
		k := knot{r.float(), r.float()}
		r.check(max(math.Abs(k.from), math.Abs(k.to)) <= mostLogit, "a number that is too large")
		r.check(len(c.knots) == 0 || c.knots[len(c.knots)-1].below(k), "a curve that does not rise")
		c.knots = append(c.knots, k)
	}
	r.check(len(r.rest) == 0, "bytes behind its end")
	if r.err != nil {
		return nil, fmt.Errorf("cannot read an isotonic calibration: %w", r.err)
	}
	c.slope = endSlope(c.knots)
	return c, nil
}
