package main

import (
	"bufio"
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
)

// missFile collects what recoup got wrong, for whoever improves a detector. A
// nil missFile collects nothing.
type missFile struct {
	mu    sync.Mutex // guards lines
	lines []miss
}

// miss is one invoice that was judged wrong.
type miss struct {
	file, variant string
	what          string // as missOf says
	outcome       *outcome
}

const missHead = "file\tvariant\twhat\tinvoice_id\tcause\tkind\tloss\tnamed\testimated\tp_error\trules\n"

// missOf says what is wrong with a judgement, "" when nothing is. An error that
// was found may still be put down to another cause or to another amount.
func missOf(o *outcome) string {
	switch {
	case o.wrong() && !o.suspect:
		return "missed"
	case !o.wrong() && o.suspect:
		return "false alert"
	case !o.wrong():
		return ""
	case o.cause != o.label.Cause:
		return "wrong cause"
	case o.label.Loss != 0 && relativeError(o.loss, o.label.Loss) > lossErrorTarget:
		return "wrong loss"
	}
	return ""
}

// keep takes the misses of one replay.
func (m *missFile) keep(file, variant string, outcomes []outcome) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range outcomes {
		o := &outcomes[i]
		if what := missOf(o); what != "" {
			m.lines = append(m.lines, miss{file: file, variant: variant, what: what, outcome: o})
		}
	}
}

// money is what is at stake: the true loss, of a false alert the estimated one.
func (m *miss) money() float64 {
	if m.outcome.wrong() {
		return math.Abs(float64(m.outcome.label.Loss))
	}
	return math.Abs(float64(m.outcome.loss))
}

// write writes tab-separated lines with a head, by file, variant and what, the
// most money first.
func (m *missFile) write(path string) error {
	slices.SortStableFunc(m.lines, func(a, b miss) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.variant, b.variant), cmp.Compare(a.what, b.what),
			cmp.Compare(b.money(), a.money()), cmp.Compare(a.outcome.invoice.ID, b.outcome.invoice.ID))
	})
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write misses: %w", err)
	}
	out := bufio.NewWriter(file)
	fmt.Fprint(out, missHead)
	for _, l := range m.lines {
		o, truth := l.outcome, label{}
		if o.wrong() {
			truth = *o.label
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%v\t%s\t%v\t%.4f\t%s\n", l.file, l.variant, l.what, o.invoice.ID,
			truth.Cause, truth.Kind, truth.Loss, o.first(), o.loss, o.pError, strings.Join(o.rules, " "))
	}
	err = out.Flush()
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("cannot write misses: %w", err)
	}
	return nil
}
