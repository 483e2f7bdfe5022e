package main

import (
	"fmt"
	"strings"
)

const (
	leftOutLeast  = 30  // scored errors a cause needs in the dense file
	leftOutTarget = 0.5 // of the normal recall
)

// leftOut is what is still found of a cause that the model was never shown.
type leftOut struct {
	Cause   string `json:"cause"`
	N       int    `json:"n"`       // scored errors
	Normal  figure `json:"normal"`  // recall with the cause among the self-injected errors
	Without figure `json:"without"` // recall without it
	Ratio   number `json:"ratio"`   // Without over Normal
}

// leaveOneOut replays the dense file once more for each cause that is frequent
// enough, with that cause not among the errors recoup injects into its history.
// normal is the recall per cause with all of them, nil if it is not known yet.
func (m *measurement) leaveOneOut(data *dataset, normal []group) (rows []leftOut) {
	if data.dense == nil {
		return nil
	}
	variants := variantsOf(data)
	variant := variants[len(variants)-1]
	if normal == nil {
		normal = recallBy(m.replay(data, data.dense, variant, ""), causeOf)
	}
	for _, g := range normal {
		if g.N >= leftOutLeast {
			rows = append(rows, leftOut{Cause: g.Name, N: g.N, Normal: g.Recall})
		}
	}
	var jobs []func()
	for i := range rows {
		row := &rows[i]
		jobs = append(jobs, func() {
			for _, g := range recallBy(m.replay(data, data.dense, variant, row.Cause), causeOf) {
				if g.Name == row.Cause {
					row.Without = g.Recall
					row.Ratio = number(g.Recall.Value / row.Normal.Value)
				}
			}
		})
	}
	inParallel(jobs)
	return rows
}

// reportLeftOut writes what is found of errors never shown.
func reportLeftOut(b *strings.Builder, set *setResult) {
	if len(set.LeftOut) == 0 {
		return
	}
	t := target{bound: leftOutTarget}
	fmt.Fprintf(b, "\n### Cause left out of self-injection (dense file, causes with at least %d errors)\n\n"+
		"| cause | n | normal recall | recall when left out | ratio, target %s |\n|---|---|---|---|---|\n",
		leftOutLeast, t.text(tenths))
	for _, row := range set.LeftOut {
		fmt.Fprintf(b, "| %s | %d | %s | %s | %s |\n", row.Cause, row.N, cell(row.Normal, share, nil),
			cell(row.Without, share, nil), cell(exact(float64(row.Ratio)), tenths, &t))
	}
}
