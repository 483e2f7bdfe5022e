package boost

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestFolds(t *testing.T) {
	for _, test := range []struct {
		name  string
		folds int
		group []uint32
		want  []uint8
	}{
		{"in order", 3, nil, []uint8{0, 0, 1, 1, 2, 2}},
		{"copies stay together", 2, []uint32{1, 2, 3, 1, 2, 3}, []uint8{0, 0, 1, 0, 0, 1}},
		{"a large group fills folds", 3, []uint32{7, 7, 7, 7, 8, 9}, []uint8{0, 0, 0, 0, 2, 2}},
	} {
		if got := foldsOf(6, test.folds, test.group); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// Rows with classes drawn at random cannot be known: a model that saw them
// knows them by heart, one that saw their copies too, and one out of fold does not.
func TestOutOfFoldHasNotSeenTheRow(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	set, group := &Set{Width: 5}, []uint32(nil)
	for i := range 1000 {
		row := make([]float32, set.Width)
		for j := range row {
			row[j] = float32(r.NormFloat64())
		}
		class := uint8(r.IntN(2))
		for range 2 {
			set.X, set.Y, group = append(set.X, row...), append(set.Y, class), append(group, uint32(i))
		}
	}
	o := Options{Rounds: 60, LearningRate: 0.3}
	// Copies 1,000 rows apart, so that only groups keep them together.
	swap := func(i, j int) {
		for k := range set.Width {
			set.X[i*5+k], set.X[j*5+k] = set.X[j*5+k], set.X[i*5+k]
		}
		set.Y[i], set.Y[j] = set.Y[j], set.Y[i]
		group[i], group[j] = group[j], group[i]
	}
	r.Shuffle(set.Rows(), swap)
	byGroup, err := OutOfFold(set, o, 4, group)
	if err != nil {
		t.Fatal(err)
	}
	byRow, err := OutOfFold(set, o, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := auc(byGroup, set.Y); got < 0.4 || got > 0.6 {
		t.Errorf("AUC %.3f out of fold: want 0.5", got)
	}
	if got := auc(byRow, set.Y); got < 0.8 {
		t.Errorf("AUC %.3f with copies in other folds: the test sees nothing", got)
	}
	if got := auc(logitsOf(mustTrain(t, set, o), set), set.Y); got < 0.9 {
		t.Errorf("AUC %.3f on rows it saw: the test sees nothing", got)
	}
}

// A fold's rows get what a model trained on the other folds says, for any
// number of workers, and for any number of classes.
func TestOutOfFoldIsAModelOfTheOthers(t *testing.T) {
	for _, classes := range []int{2, 3} {
		set := blocky(3000, 6, classes)
		o := Options{Classes: classes, Rounds: 10}
		one, err := OutOfFold(set, o, 3, nil)
		if err != nil {
			t.Fatal(err)
		}
		o.Workers = 3
		if three, err := OutOfFold(set, o, 3, nil); err != nil || !slices.Equal(one, three) {
			t.Errorf("%d classes: other results with three workers, %v", classes, err)
		}
		held := slices.Clone(set.W)
		clear(set.W[1000:2000]) // without weight is not seen; bins change a little
		f := mustTrain(t, set, o)
		set.W = held
		scores := make([]float64, classes)
		near := 0
		for row := 1000; row < 2000; row++ {
			f.Scores(set.row(row), scores)
			got := Sigmoid(one[row])
			if classes > 2 {
				got = one[row*classes+1]
			}
			if got > scores[1]-0.1 && got < scores[1]+0.1 {
				near++
			}
		}
		if near < 900 {
			t.Errorf("%d classes: %d of 1000 rows get what such a model says", classes, near)
		}
	}
}

func TestBadFolds(t *testing.T) {
	set := blocky(10, 2, 2)
	for name, try := range map[string]func() error{
		"one fold":      func() error { _, err := OutOfFold(set, Options{}, 1, nil); return err },
		"a group short": func() error { _, err := OutOfFold(set, Options{}, 2, make([]uint32, 9)); return err },
		"bad option":    func() error { _, err := OutOfFold(set, Options{Depth: 99}, 2, nil); return err },
		"too many":      func() error { _, err := OutOfFold(set, Options{}, 101, nil); return err },
	} {
		if try() == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if _, err := OutOfFold(set, Options{Rounds: 3}, 10, nil); err != nil {
		t.Errorf("a fold for each row: %v", err)
	}
}
