package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// The variants: what recoup is told beside the invoices.
const (
	withoutReferences = "no references"
	withReferences    = "references"
	withDeliveries    = "references + deliveries"
)

// engineReads says whether the engine takes references.
const engineReads = false

// variantsOf returns what can be measured on a data set, the variant that knows
// most last, and says what cannot.
func variantsOf(data *dataset) (variants, notes []string) {
	variants = []string{withoutReferences}
	if !engineReads {
		return variants, []string{"This version of recoup reads no references: one variant."}
	}
	if len(data.references) > 0 {
		variants = append(variants, withReferences)
	}
	if len(data.deliveries) > 0 {
		variants = append(variants, withDeliveries)
	}
	return variants, nil
}

// measurement is one run of the command over data sets.
type measurement struct {
	quick     bool // only the variant that knows most, and no peers
	resamples int
	settings  detectors.Settings
	misses    *missFile // nil: not asked for
	progress  io.Writer // one line per replay; io.Discard when nobody looks
}

// parallel is how many replays run at a time.
const parallel = 2

// describe returns what a data set holds, without figures.
func describe(data *dataset) *setResult {
	_, notes := variantsOf(data)
	result := &setResult{Name: data.name, Notes: append(notes, data.notes...), Plain: sizeOfFile(data.plain)}
	if data.dense != nil {
		result.Dense = sizeOfFile(data.dense)
	}
	return result
}

// set measures one data set. Figures do not depend on what runs in parallel.
func (m *measurement) set(data *dataset, result *setResult) error {
	variants, _ := variantsOf(data)
	if m.quick {
		variants = variants[len(variants)-1:]
	}
	known := readFacts(data.references)
	var jobs []func() error
	var first []outcome // of the first variant
	result.Variants = make([]variantResult, len(variants))
	for i, variant := range variants {
		into := &result.Variants[i]
		into.Variant = variant
		jobs = append(jobs, func() error {
			outcomes, err := m.replay(data, data.plain, variant, "")
			if err == nil {
				into.Plain = measurePlain(outcomes, known, m.resamples)
			}
			if i == 0 {
				first = outcomes
			}
			return err
		})
		if data.dense == nil {
			continue
		}
		jobs = append(jobs, func() error {
			outcomes, err := m.replay(data, data.dense, variant, "")
			if err == nil {
				into.Dense = measureDense(outcomes, m.resamples)
			}
			return err
		})
	}
	err := inParallel(jobs)
	if err == nil && !m.quick {
		result.Peers = measurePeers(data.plain, result.Plain, first, m.resamples)
	}
	return err
}

// replay runs one variant over one file, with all causes self-injected but
// withoutCause.
func (m *measurement) replay(data *dataset, file *corpus, variant, withoutCause string) ([]outcome, error) {
	r := replay{corpus: file, settings: m.settings, withoutCause: withoutCause}
	if variant != withoutReferences {
		r.references = data.references
	}
	if variant == withDeliveries {
		r.deliveries = data.deliveries
	}
	started := time.Now()
	outcomes, err := r.run()
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", file.name, variant, err)
	}
	fmt.Fprintf(m.progress, "%s, %s: %d invoices in %.1f s\n", file.name, variant, len(file.invoices),
		time.Since(started).Seconds())
	if withoutCause == "" {
		m.misses.keep(file.name, variant, outcomes)
	}
	return outcomes, nil
}

// inParallel runs jobs, a few at a time, and returns the error of the first one
// in their order that failed.
func inParallel(jobs []func() error) error {
	failures := make([]error, len(jobs))
	next := make(chan int)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for i := range next {
				failures[i] = jobs[i]()
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	workers.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func sizeOfFile(c *corpus) fileSize {
	size := fileSize{Invoices: c.standard, Scored: c.standard - warmUpOf(c.standard)}
	nth := 0
	for i := range c.invoices {
		if c.invoices[i].Type != invoice.Standard {
			continue
		}
		if nth++; nth > c.standard-size.Scored && c.labels[c.invoices[i].ID] != nil {
			size.Errors++
		}
	}
	return size
}
