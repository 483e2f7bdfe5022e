package demo

import (
	"testing"

	"recoup/invoice"
)

// Every invoice tells the release that made it, the second one from the upgrade on.
func TestReleases(t *testing.T) {
	const weeks = 700
	all, err := samples(weeks)
	if err != nil {
		t.Fatal(err)
	}
	decoder := invoice.NewDecoder(invoice.Limits{})
	var inv invoice.Invoice
	counts := map[string]int{}
	for i := range all {
		if err := decoder.Decode(all[i].value, &inv); err != nil {
			t.Fatalf("%s: %v", all[i].value, err)
		}
		want := "4.1"
		if !inv.IssuedAt.Before(upgraded.AddDate(0, 0, 7*weeks)) {
			want = "4.2"
		}
		if counts[want]++; inv.SourceRelease != want || inv.SourceSystem != "billing-1" {
			t.Errorf("%s, issued at %v, is of %s %q, want %q", inv.ID, inv.IssuedAt, inv.SourceSystem, inv.SourceRelease, want)
		}
	}
	if counts["4.1"] < 1000 || counts["4.2"] < 1000 {
		t.Errorf("invoices by release: %v", counts)
	}
}
