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

	"recoup/invoice"
)

// missFile collects what recoup got wrong, for whoever improves a detector. A
// nil missFile collects nothing.
type missFile struct {
	mu    sync.Mutex // guards lines
	lines []miss
}

// miss is a missed error or a false alert.
type miss struct {
	file, variant string
	what          string // "missed" or "false alert"
	invoice       string
	cause, kind   string         // true ones of a missed error, named ones of a false alert
	loss          invoice.Amount // true or estimated
	pError        float64
	rules         []string
}

const missHead = "file\tvariant\twhat\tinvoice_id\tcause\tkind\tloss\tp_error\trules\n"

// keep takes the misses of one replay.
func (m *missFile) keep(file, variant string, outcomes []outcome) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range outcomes {
		o := &outcomes[i]
		if o.wrong() == o.suspect {
			continue
		}
		line := miss{file: file, variant: variant, what: "false alert", invoice: o.invoice.ID,
			cause: o.cause, kind: o.kind, loss: o.loss, pError: o.pError, rules: o.rules}
		if o.wrong() {
			line.what, line.cause, line.kind, line.loss = "missed", o.label.Cause, o.label.Kind, o.label.Loss
		}
		m.lines = append(m.lines, line)
	}
}

// write writes tab-separated lines with a head, by file, variant and what, the
// most money first.
func (m *missFile) write(path string) error {
	slices.SortStableFunc(m.lines, func(a, b miss) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.variant, b.variant), cmp.Compare(a.what, b.what),
			cmp.Compare(math.Abs(float64(b.loss)), math.Abs(float64(a.loss))), cmp.Compare(a.invoice, b.invoice))
	})
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write misses: %w", err)
	}
	out := bufio.NewWriter(file)
	fmt.Fprint(out, missHead)
	for _, l := range m.lines {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%v\t%.4f\t%s\n", l.file, l.variant, l.what, l.invoice,
			l.cause, l.kind, l.loss, l.pError, strings.Join(l.rules, " "))
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
