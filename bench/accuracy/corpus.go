package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"recoup/invoice"
)

// label is the truth about one invoice that carries an error.
type label struct {
	InvoiceID string         `json:"invoice_id"` // as in the invoice
	Cause     string         `json:"cause"`      // a cause code of verdict.v1
	Kind      string         `json:"kind"`       // error within the cause
	TrueGross invoice.Amount `json:"true_gross"` // what was due, tax included
	Loss      invoice.Amount `json:"loss"`       // due less billed, in the seller's currency; negative: too much
	Burst     string         `json:"burst"`      // shared by errors of one origin: "out…", "crm-…"; "" for a single error
}

// corpus is one file of invoices with its labels, decoded.
type corpus struct {
	name     string
	invoices []invoice.Invoice // in file order; only to be read
	labels   map[string]*label // by invoice_id
	standard int               // invoices that are no credit note or correction
}

// dataset is what is measured under one name.
type dataset struct {
	name       string
	plain      *corpus // few errors: ranking, budgets, calibration
	dense      *corpus // many errors: causes, kinds, outages; nil without these files
	references []invoice.Reference
	deliveries []invoice.Reference
	notes      []string // what is missing, in sentences
}

const (
	invoiceEnding   = ".jsonl"
	labelEnding     = ".labels.jsonl"
	referenceEnding = ".reference.jsonl"
	deliveryEnding  = ".deliveries.jsonl"
	denseEnding     = "-dense"
)

// findDatasets returns the names that have both invoices and labels.
func findDatasets(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read corpora: %w; want --data DIR with NAME.jsonl.zst and NAME.labels.jsonl.zst", err)
	}
	var names []string
	for _, entry := range entries {
		name, ok := strings.CutSuffix(strings.TrimSuffix(entry.Name(), ".zst"), labelEnding)
		if !ok || strings.HasSuffix(name, denseEnding) || slices.Contains(names, name) {
			continue
		}
		if _, err := fileOf(dir, name+invoiceEnding); err == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("cannot measure %s: want NAME.jsonl(.zst) with NAME.labels.jsonl(.zst)", dir)
	}
	slices.Sort(names)
	return names, nil
}

// loadDataset decodes every file of a name. Only invoices and labels are required.
func loadDataset(dir, name string) (*dataset, error) {
	set := &dataset{name: name}
	var err error
	if set.plain, err = loadCorpus(dir, name); err != nil {
		return nil, err
	}
	if set.dense, err = loadCorpus(dir, name+denseEnding); errors.Is(err, fs.ErrNotExist) {
		set.notes = append(set.notes, "No "+name+denseEnding+" files: no figures per cause, kind, size and outage.")
	} else if err != nil {
		return nil, err
	}
	for _, feed := range []struct {
		ending  string
		records *[]invoice.Reference
	}{{referenceEnding, &set.references}, {deliveryEnding, &set.deliveries}} {
		*feed.records, err = loadReferences(dir, name+feed.ending)
		if errors.Is(err, fs.ErrNotExist) {
			set.notes = append(set.notes, "No "+name+feed.ending+".")
		} else if err != nil {
			return nil, err
		}
	}
	return set, nil
}

func loadCorpus(dir, name string) (*corpus, error) {
	records, err := readLines(dir, name+invoiceEnding)
	if err != nil {
		return nil, err
	}
	c := &corpus{name: name, invoices: make([]invoice.Invoice, len(records)), labels: map[string]*label{}}
	decoder := invoice.NewDecoder(invoice.Limits{})
	known := make(map[string]bool, len(records))
	for i, record := range records {
		if err := decoder.Decode(record, &c.invoices[i]); err != nil {
			return nil, fmt.Errorf("cannot read invoice %d of %s: %w", i+1, name, err)
		}
		if c.invoices[i].Type == invoice.Standard {
			c.standard++
			known[c.invoices[i].ID] = true
		}
	}
	truths, err := readLines(dir, name+labelEnding)
	if err != nil {
		return nil, err
	}
	for i, truth := range truths {
		l := new(label)
		if err := json.Unmarshal(truth, l); err != nil {
			return nil, fmt.Errorf("cannot read label %d of %s: %w", i+1, name, err)
		}
		if !known[l.InvoiceID] {
			return nil, fmt.Errorf("cannot use label %d of %s: want the id of an invoice of the file, not %q",
				i+1, name, l.InvoiceID)
		}
		c.labels[l.InvoiceID] = l
	}
	return c, nil
}

func loadReferences(dir, file string) ([]invoice.Reference, error) {
	records, err := readLines(dir, file)
	if err != nil {
		return nil, err
	}
	references := make([]invoice.Reference, len(records))
	decoder := invoice.NewDecoder(invoice.Limits{})
	for i, record := range records {
		if err := decoder.DecodeReference(record, &references[i]); err != nil {
			return nil, fmt.Errorf("cannot read reference %d of %s: %w", i+1, file, err)
		}
	}
	return references, nil
}

// readLines returns the lines of a file that are not blank. They stay in memory
// as long as one of them is in use.
func readLines(dir, name string) ([][]byte, error) {
	path, err := fileOf(dir, name)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".zst") {
		z, err := zstd.NewReader(nil)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		if content, err = z.DecodeAll(content, nil); err != nil {
			return nil, fmt.Errorf("cannot decompress %s: %w", path, err)
		}
	}
	var records [][]byte
	for line := range bytes.Lines(content) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			records = append(records, line)
		}
	}
	return records, nil
}

// fileOf finds a file, compressed or plain.
func fileOf(dir, name string) (string, error) {
	compressed := filepath.Join(dir, name+".zst")
	if _, err := os.Stat(compressed); err == nil {
		return compressed, nil
	}
	plain := filepath.Join(dir, name)
	_, err := os.Stat(plain)
	return plain, err
}
