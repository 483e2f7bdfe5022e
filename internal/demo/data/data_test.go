package data

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"recoup/internal/personal"
	"recoup/invoice"
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

// Every reference is as the contract says; the deliveries are those of the
// invoices, the customers theirs.
func TestReferencesBelongToTheInvoices(t *testing.T) {
	named := map[string]bool{}
	d := invoice.NewDecoder(invoice.Limits{})
	var inv invoice.Invoice
	for line, err := range Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(line, &inv); err != nil {
			t.Fatal(err)
		}
		named[strings.Clone(inv.CustomerRef)], named[strings.Clone(inv.DeliveryRef)] = true, true
	}
	kinds := map[invoice.ReferenceKind]int{}
	for line, err := range References() {
		if err != nil {
			t.Fatal(err)
		}
		var r invoice.Reference
		if err := d.DecodeReference(line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if kinds[r.Kind]++; r.Seller != Seller || !named[r.CustomerRef+r.DeliveryRef] {
			t.Errorf("%s: nobody names it", line)
		}
	}
	want := map[invoice.ReferenceKind]int{invoice.CustomerReference: 308, invoice.PromotionReference: 6,
		invoice.PolicyReference: 1, invoice.DeliveryReference: 3613}
	if sum := 308 + 6 + 1 + 3613; !maps.Equal(kinds, want) || sum != ReferenceCount {
		t.Errorf("got %v, want %v, %d in all", kinds, want, ReferenceCount)
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

// B10: what the demo stores are these invoices, and none holds personal data.
func TestNoPersonalValues(t *testing.T) {
	n := 0
	for record, err := range Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		if kind := personal.In(string(record)); kind != "" {
			t.Fatalf("an invoice holds what looks like %s: %s", kind, record)
		}
		n++
	}
	if n != Count {
		t.Errorf("%d invoices looked at, want %d", n, Count)
	}
}
