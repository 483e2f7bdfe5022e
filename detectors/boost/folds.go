package boost

import "fmt"

// OutOfFold returns what models that did not see a row's fold say of the row:
// its logit, or, with more than two classes, its probability of each class, row
// behind row. That is what a model says of rows it does not know, and so what
// calibration and thresholds have to be learnt from.
//
// The rows are cut into folds, 2 to 100, in their order, so that rows in order
// of time are judged by models of other times. Rows of the same group, say an
// invoice and its altered copies, stay in the fold of the first of them; nil is
// a group for each row. Only the bins are learnt from all rows; they know no class.
func OutOfFold(set *Set, o Options, folds int, group []uint32) ([]float64, error) {
	o, err := o.check(set)
	if err != nil {
		return nil, err
	}
	if folds < 2 || folds > 100 {
		return nil, fmt.Errorf("cannot train on %d folds: want 2 to 100", folds)
	}
	if group != nil && len(group) != set.Rows() {
		return nil, fmt.Errorf("cannot train on %d groups for %d rows: want one each, or none", len(group), set.Rows())
	}
	bins, fold := binSet(set, o), foldsOf(set.Rows(), folds, group)
	workers, outputs := o.Workers, o.outputs()
	o.Workers = 1
	result := make([]float64, set.Rows()*outputs)
	inParallel(workers, folds, func(i int) {
		held := make([]bool, set.Rows())
		for row := range held {
			held[row] = int(fold[row]) == i
		}
		forest := train(set, o, bins, held).forest
		for row := range held {
			if !held[row] {
				continue
			}
			of := result[row*outputs : (row+1)*outputs]
			forest.margins(set.row(row), of)
			if outputs > 1 {
				softmax(of, of)
			}
		}
	})
	return result, nil
}

// foldsOf returns the fold of each row. Groups go to folds in order of their
// first rows, until a fold has its share of rows.
func foldsOf(rows, folds int, group []uint32) []uint8 {
	fold := make([]uint8, rows)
	if group == nil {
		for row := range fold {
			fold[row] = uint8(row * folds / rows)
		}
		return fold
	}
	size := make(map[uint32]int)
	for _, g := range group {
		size[g]++
	}
	of := make(map[uint32]uint8, len(size))
	before := 0
	for row, g := range group {
		if _, seen := of[g]; !seen {
			of[g] = uint8(before * folds / rows)
			before += size[g]
		}
		fold[row] = of[g]
	}
	return fold
}
