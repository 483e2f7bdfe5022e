package boost

import (
	"fmt"
	"math"
)

// Set is a training set.
type Set struct {
	// Width is the number of features of a row, 1 to 256.
	Width int
	// X holds the rows one behind the other, Width values each. Infinities are
	// values, and so is NaN, the greatest of all.
	X []float32
	// Y is the class of each row, below Options.Classes.
	Y []uint8
	// W is the weight of each row: finite, at least 0. A weight of 2 counts like
	// the same row twice. nil weighs every row 1.
	W []float32
}

// Bounds of a set. The greatest number of cells keeps row positions in 32 bits.
const (
	mostFeatures = 256
	mostCells    = 1<<31 - 1
	mostRows     = 1 << 26
)

// Rows is the number of rows.
func (s *Set) Rows() int { return len(s.Y) }

func (s *Set) row(row int) []float32 { return s.X[row*s.Width : (row+1)*s.Width] }

func (s *Set) weight(row int) float64 {
	if s.W == nil {
		return 1
	}
	return float64(s.W[row])
}

// Options say how to train. The zero value of a field is its default.
type Options struct {
	// Classes is how many classes there are, 2 to 256. By default 2: one tree a
	// round and the logistic loss; with more, a tree per class a round and softmax.
	Classes int
	// Rounds is how often a tree (per class) is added, at most 10,000. By default 80.
	Rounds int
	// Depth is how many questions a tree asks at most, 1 to 8. By default 5.
	Depth int
	// LearningRate is the share of each tree's step that is taken, above 0 and at
	// most 1. By default 0.1. A tree moves log-odds by at most 10 times as much.
	LearningRate float64
	// Lambda is the L2 penalty on leaf values, in units of hessian: a leaf whose
	// rows weigh as much is halved. At least 0. By default 0, no penalty.
	Lambda float64
	// MinWeight is the least sum of hessians, for two classes weight × p × (1 − p),
	// on each side of a split. At least 0. By default 0.
	MinWeight float64
	// Bins is into how many bins the values of a feature are put at most, 2 to 256.
	// By default 64. A feature with fewer distinct values has one for each.
	Bins int
	// Columns is the share of features that each tree may ask about, above 0 and
	// at most 1, drawn from Seed. By default 1.
	Columns float64
	// Seed draws columns. With all of them it changes nothing.
	Seed uint64
	// Workers is how many goroutines train at once. By default 1. It changes the
	// duration only.
	Workers int
	// Stop, where there is one, is asked before each round: when it returns true, no
	// more trees are added, and what comes back is of no use. It must be safe for
	// concurrent use.
	Stop func() bool
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	if o.Classes == 0 {
		o.Classes = 2
	}
	if o.Rounds == 0 {
		o.Rounds = 80
	}
	if o.Depth == 0 {
		o.Depth = 5
	}
	if o.LearningRate == 0 {
		o.LearningRate = 0.1
	}
	if o.Bins == 0 {
		o.Bins = 64
	}
	if o.Columns == 0 {
		o.Columns = 1
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	return o
}

// check returns the options with their defaults, or what is wrong with them or
// the set.
func (o Options) check(set *Set) (Options, error) {
	o = o.withDefaults()
	for _, field := range []struct {
		name         string
		value, least float64
		most         float64
	}{
		{"Classes", float64(o.Classes), 2, 256},
		{"Rounds", float64(o.Rounds), 1, 10_000},
		{"Depth", float64(o.Depth), 1, mostDepth},
		{"LearningRate", o.LearningRate, math.SmallestNonzeroFloat64, 1},
		{"Lambda", o.Lambda, 0, math.MaxFloat64},
		{"MinWeight", o.MinWeight, 0, math.MaxFloat64},
		{"Bins", float64(o.Bins), 2, 256},
		{"Columns", o.Columns, math.SmallestNonzeroFloat64, 1},
		{"Workers", float64(o.Workers), 1, 1024},
	} {
		if !(field.value >= field.least && field.value <= field.most) {
			return o, fmt.Errorf("cannot train with %s %v: want %v to %v", field.name, field.value, field.least, field.most)
		}
	}
	if slots := o.Rounds * o.outputs() << o.Depth; slots > mostSlots {
		return o, fmt.Errorf("cannot train %d trees of depth %d: want at most %d of that depth, so fewer Rounds",
			o.Rounds*o.outputs(), o.Depth, mostSlots>>o.Depth)
	}
	return o, set.check(o.Classes)
}

// outputs is how many trees a round adds: one margin per class, or the one of
// class 1 against class 0.
func (o Options) outputs() int {
	if o.Classes == 2 {
		return 1
	}
	return o.Classes
}

func (s *Set) check(classes int) error {
	switch {
	case s.Width < 1 || s.Width > mostFeatures:
		return fmt.Errorf("cannot train on %d features: want 1 to %d", s.Width, mostFeatures)
	case s.Rows() == 0 || s.Rows() > mostRows || s.Rows() > mostCells/s.Width:
		return fmt.Errorf("cannot train on %d rows of %d features: want 1 to %d rows and at most %d values",
			s.Rows(), s.Width, mostRows, mostCells)
	case len(s.X) != s.Rows()*s.Width:
		return fmt.Errorf("cannot train on %d values for %d classes: want %d for each class", len(s.X), s.Rows(), s.Width)
	case s.W != nil && len(s.W) != s.Rows():
		return fmt.Errorf("cannot train on %d weights for %d rows: want one each, or none", len(s.W), s.Rows())
	}
	for row, class := range s.Y {
		if int(class) >= classes {
			return fmt.Errorf("cannot train on class %d of row %d: want below %d", class, row, classes)
		}
		if w := s.weight(row); !(w >= 0 && w <= math.MaxFloat32) {
			return fmt.Errorf("cannot train on weight %v of row %d: want a finite number of at least 0", w, row)
		}
	}
	return nil
}
