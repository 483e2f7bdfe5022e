package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"recoup/detectors"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// The variants: what recoup is told beside the invoices.
const (
	withoutReferences = "no references"
	withReferences    = "references"
	withDeliveries    = "references + deliveries"
)

// variantsOf returns what can be measured on a data set, the variant that knows
// most last.
func variantsOf(data *dataset) []string {
	variants := []string{withoutReferences}
	if len(data.references) > 0 {
		variants = append(variants, withReferences)
	}
	if len(data.deliveries) > 0 {
		variants = append(variants, withDeliveries)
	}
	return variants
}

// known returns the references that a variant is told.
func known(data *dataset, variant string) *reference.Store {
	store := reference.NewStore(0)
	tell := func(records []invoice.Reference) {
		for i := range records {
			store.Apply(&records[i], time.Time{}) // no time of receipt: nothing is forgotten
		}
	}
	if variant != withoutReferences {
		tell(data.references)
	}
	if variant == withDeliveries {
		tell(data.deliveries)
	}
	return store
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
	result := &setResult{Name: data.name, Notes: data.notes, Plain: sizeOfFile(data.plain)}
	if data.dense != nil {
		result.Dense = sizeOfFile(data.dense)
	}
	return result
}

// set measures one data set. Figures do not depend on what runs in parallel.
func (m *measurement) set(data *dataset, result *setResult) {
	variants := variantsOf(data)
	if m.quick {
		variants = variants[len(variants)-1:]
	}
	facts := readFacts(data.plain, data.references)
	var jobs []func()
	var first []outcome // of the first variant
	result.Variants = make([]variantResult, len(variants))
	for i, variant := range variants {
		into := &result.Variants[i]
		into.Variant = variant
		jobs = append(jobs, func() {
			outcomes := m.replay(data, data.plain, variant, "")
			into.Plain = measurePlain(outcomes, facts, m.resamples)
			if i == 0 {
				first = outcomes
			}
		})
		if data.dense == nil {
			continue
		}
		jobs = append(jobs, func() {
			into.Dense = measureDense(m.replay(data, data.dense, variant, ""), m.resamples)
		})
	}
	inParallel(jobs)
	if !m.quick {
		result.Peers = measurePeers(data.plain, result.Plain, first, m.resamples)
	}
}

// replay runs one variant over one file, with all causes self-injected but
// withoutCause.
func (m *measurement) replay(data *dataset, file *corpus, variant, withoutCause string) []outcome {
	r := replay{corpus: file, settings: m.settings, references: known(data, variant), withoutCause: withoutCause}
	started := time.Now()
	outcomes := r.run()
	fmt.Fprintf(m.progress, "%s, %s: %d invoices in %.1f s\n", file.name, variant, len(file.invoices),
		time.Since(started).Seconds())
	if withoutCause == "" {
		m.misses.keep(file.name, variant, outcomes)
	}
	return outcomes
}

// inParallel runs jobs in their order, a few at a time.
func inParallel(jobs []func()) {
	next := make(chan func())
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for job := range next {
				job()
			}
		})
	}
	for _, job := range jobs {
		next <- job
	}
	close(next)
	workers.Wait()
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
