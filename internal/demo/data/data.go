// Package data holds the real invoices that are bundled with recoup, what other
// systems know about them, and the truth about the errors that were put into
// them. README.md of this folder says where they come from and what is made up.
package data

import (
	"bufio"
	"bytes"
	_ "embed" // the files below
	"encoding/json"
	"fmt"
	"iter"

	"github.com/klauspost/compress/zstd"

	"recoup/invoice"
)

// Seller is the only seller of the bundled invoices.
const Seller = "retail-uk"

// Count is the number of bundled invoices, credit notes included.
const Count = 4367

// ReferenceCount is the number of bundled references, deliveries included.
const ReferenceCount = 3928

// maxLine bounds one record in bytes; the largest bundled one has 114 kB.
const maxLine = 4 << 20

//go:embed invoices.jsonl.zst
var invoicesFile []byte

//go:embed labels.jsonl.zst
var labelsFile []byte

//go:embed references.jsonl.zst
var referencesFile []byte

// Label is the truth about one bundled invoice that holds an error. Amounts
// are what the customer pays, tax included.
type Label struct {
	InvoiceID   string         `json:"invoice_id"`   // every one stands among Invoices
	Cause       string         `json:"cause"`        // a code of the contract, as in detectors.Finding
	Kind        string         `json:"kind"`         // the error within the cause
	Direction   string         `json:"direction"`    // who gains, as in detectors.Direction; "none" at Loss 0
	TrueGross   invoice.Amount `json:"true_gross"`   // what should have been billed
	BilledGross invoice.Amount `json:"billed_gross"` // what was billed
	Loss        invoice.Amount `json:"loss"`         // true less billed: negative when billed too much
	Burst       string         `json:"burst"`        // errors of one outage or one customer share it; may be empty
	DuplicateOf string         `json:"duplicate_of"` // invoice_id of the first copy; empty unless a duplicate
}

// Invoices returns the bundled invoice.v1 records in the order they were
// issued, as JSON without a line end. The bytes are valid until the next one.
// An error ends the sequence; it means that the binary is damaged.
func Invoices() iter.Seq2[[]byte, error] {
	return lines(invoicesFile)
}

// References returns the bundled reference.*.v1 records in the manner of
// Invoices: contracts of their customers, promotions, the policy, then the
// deliveries they name.
func References() iter.Seq2[[]byte, error] {
	return lines(referencesFile)
}

// Labels returns the truth by invoice_id; an invoice without a label is right.
func Labels() (map[string]Label, error) {
	labels := map[string]Label{}
	for line, err := range lines(labelsFile) {
		if err != nil {
			return nil, err
		}
		var label Label
		if err := json.Unmarshal(line, &label); err != nil {
			return nil, fmt.Errorf("cannot read the bundled label %q: %w", line, err)
		}
		labels[label.InvoiceID] = label
	}
	return labels, nil
}

// lines decompresses a bundled file line by line.
func lines(compressed []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		plain, err := zstd.NewReader(bytes.NewReader(compressed), zstd.WithDecoderConcurrency(1))
		if err != nil {
			yield(nil, fmt.Errorf("cannot read the bundled data: %w", err))
			return
		}
		defer plain.Close()
		scanner := bufio.NewScanner(plain)
		scanner.Buffer(make([]byte, 64<<10), maxLine)
		for scanner.Scan() {
			if !yield(scanner.Bytes(), nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(nil, fmt.Errorf("cannot read the bundled data: %w", err))
		}
	}
}
