package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// The same code makes the same records, and they are what the contract allows.
func TestRecurringIsRepeatable(t *testing.T) {
	first, again := recurringData(), recurringData()
	decoder := invoice.NewDecoder(invoice.Limits{})
	var decoded invoice.Invoice
	for i := range first.dense.invoices {
		inv := &first.dense.invoices[i]
		record := inv.AppendJSON(nil)
		if !bytes.Equal(record, again.dense.invoices[i].AppendJSON(nil)) {
			t.Fatalf("two runs differ at invoice %d", i)
		}
		if err := decoder.Decode(record, &decoded); err != nil {
			t.Fatal(err)
		}
		if got := decoded.AppendJSON(nil); !bytes.Equal(record, got) {
			t.Fatalf("invoice %s is read as\n%s, want\n%s", inv.ID, got, record)
		}
	}
	if n := len(first.plain.labels); n != len(again.plain.labels) {
		t.Errorf("%d labels, then %d", n, len(again.plain.labels))
	}
}

// Size, share of errors and what occurs are those that README.md describes.
func TestRecurringHoldsWhatItSays(t *testing.T) {
	set := recurringData()
	for _, c := range []struct {
		file  *corpus
		share float64
	}{{set.plain, plainErrors}, {set.dense, denseErrors}} {
		errors := ratio(len(c.file.labels), c.file.standard)
		if c.file.standard < 12_000 || c.file.standard > 15_000 || errors < 0.95*c.share || errors > 1.05*c.share {
			t.Errorf("%s: %d invoices, %v of them wrong", c.file.name, c.file.standard, errors)
		}
	}
	found, bursts := map[string]int{}, map[string]int{}
	for id, l := range set.dense.labels {
		found[l.Kind]++
		if strings.HasPrefix(l.Burst, outagePrefix) {
			bursts[l.Burst]++
		}
		silent := l.Cause == detectors.CauseMissingAdminData
		if silent != (l.Loss == 0) {
			t.Errorf("%s: %+v, want a loss unless only a reference is missing", id, l)
		}
	}
	for _, kinds := range [][]errorKind{dataEntryKinds, systemKinds, {unproratedKind}, promotionKinds, crmKinds,
		missingKinds, duplicateKinds} {
		for _, k := range kinds {
			if found[k.name] < 15 {
				t.Errorf("%s: %d in the dense file", k.name, found[k.name])
			}
		}
	}
	if len(bursts) < 20 {
		t.Errorf("%d outages", len(bursts))
	}
	if n := countIdentical(set.plain); n < 1_000 {
		t.Errorf("%d right bills repeat the one before, want recurring bills", n)
	}
}

// countIdentical returns how many right bills have the lines of the one before.
func countIdentical(c *corpus) (n int) {
	last := map[string]string{}
	for i := range c.invoices {
		inv := &c.invoices[i]
		if inv.Type != invoice.Standard || c.labels[inv.ID] != nil {
			continue
		}
		var lines strings.Builder
		for k := range inv.Lines {
			l := &inv.Lines[k]
			fmt.Fprint(&lines, l.ProductID, l.Quantity.Value, l.UnitPrice.Value, l.DiscountRate.Value)
		}
		if last[inv.ContractRef] == lines.String() {
			n++
		}
		last[inv.ContractRef] = lines.String()
	}
	return n
}

// A right bill adds up and has the prices, rates and taxes that are known of it.
func TestRightBillsAreRight(t *testing.T) {
	set := recurringData()
	store := known(set, withReferences)
	for i := range set.plain.invoices {
		inv := &set.plain.invoices[i]
		if set.plain.labels[inv.ID] != nil || inv.Type != invoice.Standard {
			continue
		}
		sum := invoice.Amount(0)
		contract, _ := store.Customer(sellerName, inv.CustomerRef, inv.IssuedAt)
		for k := range inv.Lines {
			l := &inv.Lines[k]
			sum += l.Net.Value
			price, ok := store.Price(sellerName, l.ProductID, inv.CustomerType, inv.CustomerRef, l.Quantity.Value, inv.IssuedAt)
			if !ok || price.UnitPrice != l.UnitPrice.Value {
				t.Fatalf("%s, %s: billed at %v, listed at %v", inv.ID, l.ProductID, l.UnitPrice.Value, price.UnitPrice)
			}
			if slices.Contains(l.PromoCodes, contractCode) && l.DiscountRate.Value != contract.ContractDiscountRate.Value {
				t.Fatalf("%s: discounted by %v, agreed are %v", inv.ID, l.DiscountRate.Value, contract.ContractDiscountRate.Value)
			}
		}
		if sum != inv.NetAmount || (inv.TaxRate.Value == 0) != contract.TaxExempt.Value ||
			inv.CustomerType != contract.Type || inv.GrossAmount.Value != sum+inv.TaxAmount.Value {
			t.Fatalf("%s: net %v of lines of %v, tax %v", inv.ID, inv.NetAmount, sum, inv.TaxRate.Value)
		}
	}
}

// What an error does is told by its label: the due amount less the billed one.
func TestErrorsAreLabelled(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		kind errorKind
		want func(before, after *invoice.Invoice) bool
	}{
		{unproratedKind, func(_, after *invoice.Invoice) bool { return after.Lines[0].Quantity.Value%invoice.One == 0 }},
		{crmKinds[1], func(before, after *invoice.Invoice) bool {
			return after.Lines[0].UnitPrice.Value < before.Lines[0].UnitPrice.Value
		}},
		{systemKinds[1], func(before, after *invoice.Invoice) bool { return after.NetAmount < before.NetAmount }},
		{dataEntryKinds[0], func(before, after *invoice.Invoice) bool { return after.NetAmount != before.NetAmount }},
		{promotionKinds[0], func(_, after *invoice.Invoice) bool {
			return after.Lines[0].DiscountRate.Value > mostDiscount*invoice.One/100
		}},
	} {
		in := injector{world: w, draw: newDraw(7), bills: w.billAll()}
		done := 0
		for _, b := range in.bills {
			before := b.copy()
			if !in.apply("cause", &c.kind, b, "") {
				if b.label != nil || string(b.inv.AppendJSON(nil)) != string(before.inv.AppendJSON(nil)) {
					t.Fatalf("%s: a bill that cannot hold it was changed", c.kind.name)
				}
				continue
			}
			done++
			if !c.want(&before.inv, &b.inv) || b.label.Loss != before.inv.GrossAmount.Value-b.inv.GrossAmount.Value {
				t.Errorf("%s: %+v\n%s\n%s", c.kind.name, b.label, before.inv.AppendJSON(nil), b.inv.AppendJSON(nil))
			}
			if done == 20 {
				break
			}
		}
		if done < 20 {
			t.Errorf("%s: only %d bills can hold it", c.kind.name, done)
		}
	}
}

// Who begins within a month pays for the days that are left, and at the new price
// from the indexation on.
func TestFeesAreProratedAndIndexed(t *testing.T) {
	c := &contractor{kind: "private", cycle: 1, plan: &plans[0], from: recurringIndexed.AddDate(0, -2, 15)}
	bills := c.billMonths(newDraw(1))
	for i, want := range []struct {
		quantity, price string
		from            time.Time
	}{
		{"0.5", "9.99", c.from}, {"1", "9.99", recurringIndexed.AddDate(0, -1, 0)}, {"1", "10.39", recurringIndexed},
	} {
		inv := &bills[i].inv
		l := &inv.Lines[0]
		if l.Quantity.Value.String() != want.quantity || l.UnitPrice.Value.String() != want.price ||
			!inv.PeriodStart.Equal(want.from) {
			t.Errorf("bill %d: %v × %v from %v, want %+v", i, l.Quantity.Value, l.UnitPrice.Value, inv.PeriodStart, want)
		}
	}
}
