package data

import (
	"encoding/json"
	"testing"
	"time"
)

// The excerpt is what its README says: in time order, consecutive in the
// numbering of its source, each invoice_id once, every label of a record that
// is there.
func TestExcerptIsConsecutive(t *testing.T) {
	var record struct {
		EventID   string    `json:"event_id"`
		Seller    string    `json:"seller"`
		InvoiceID string    `json:"invoice_id"`
		IssuedAt  time.Time `json:"issued_at"`
	}
	ids := map[string]bool{}
	var last time.Time
	for line, err := range Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatalf("record %d: %v", len(ids), err)
		}
		if record.IssuedAt.Before(last) {
			t.Errorf("invoice %s is issued at %v, before the one in front of it", record.InvoiceID, record.IssuedAt)
		}
		if record.Seller != Seller || ids[record.InvoiceID] {
			t.Errorf("invoice %s: seller %q, or seen twice", record.InvoiceID, record.Seller)
		}
		last, ids[record.InvoiceID] = record.IssuedAt, true
	}
	if len(ids) != Count {
		t.Errorf("%d records, want %d", len(ids), Count)
	}
	labels, err := Labels()
	if err != nil {
		t.Fatal(err)
	}
	if len(labels) != 145 {
		t.Errorf("%d labels, want 145", len(labels))
	}
	for id := range labels {
		if !ids[id] {
			t.Errorf("label %s has no invoice", id)
		}
	}
}

// Labels carry exact money: the known loss is the true less the billed amount.
func TestLabelsAddUp(t *testing.T) {
	labels, err := Labels()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for id, label := range labels {
		kinds[label.Kind]++
		if label.DuplicateOf == "" && label.TrueGross-label.BilledGross != label.Loss {
			t.Errorf("label %s: true %v, billed %v, loss %v", id, label.TrueGross, label.BilledGross, label.Loss)
		}
	}
	for kind, want := range map[string]int{"zero_total": 10, "sum_mismatch": 16, "exact": 6, "near": 8} {
		if kinds[kind] != want {
			t.Errorf("%d labels of kind %s, want %d", kinds[kind], kind, want)
		}
	}
}

// Stopping early releases the decoder and is not an error.
func TestInvoicesStopsEarly(t *testing.T) {
	seen := 0
	for _, err := range Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 3 {
			break
		}
	}
	if seen != 3 {
		t.Fatalf("saw %d records", seen)
	}
}
