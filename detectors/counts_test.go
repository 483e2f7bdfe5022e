package detectors

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"recoup/invoice"
)

// countedInvoice has a value of every dimension.
func countedInvoice() *invoice.Invoice {
	inv := threeLineInvoice()
	inv.SourceSystem, inv.SourceRelease, inv.BatchID, inv.OperatorRef = "erp", "r1", "B-1", "o1"
	inv.PriceListVersion, inv.CRM.ContractVersion = "p1", "v1"
	inv.PromoCodes, inv.Lines[1].PromoCodes = []string{"TEN"}, []string{"TEN", "FIVE"}
	return inv
}

// published returns all counts by key.
func published(t *testing.T, records []StateRecord) map[string]*Count {
	t.Helper()
	all := map[string]*Count{}
	for _, r := range records {
		if r.Value == nil {
			all[string(r.Key)] = nil
			continue
		}
		c, err := DecodeCount(r.Value)
		if err != nil || !r.Shared {
			t.Fatalf("%s: %v, shared %v", r.Key, err, r.Shared)
		}
		all[string(r.Key)] = c
	}
	return all
}

// Every dimension of an invoice is counted, each promotion once; drafts and
// corrections are not, canaries only as such.
func TestCountsEveryDimension(t *testing.T) {
	c := NewCounts(DefaultSettings())
	inv := countedInvoice()
	suspect := &Verdict{Suspect: true, PError: 0.25, Direction: DirectionSellerFavour,
		Causes: []Finding{{Code: CausePromotion}}}
	c.Note(inv, &Verdict{PError: 0.01}, inv.IssuedAt)
	c.Note(inv, suspect, inv.IssuedAt)
	for _, change := range []func(i *invoice.Invoice){
		func(i *invoice.Invoice) { i.Stage = invoice.PreIssue },
		func(i *invoice.Invoice) { i.Type = invoice.CreditNote },
		func(i *invoice.Invoice) { i.Canary = true },
	} {
		other := countedInvoice()
		change(other)
		c.Note(other, suspect, inv.IssuedAt)
	}
	all := published(t, c.Publish(PublishAll))
	for _, key := range []string{"count|acme|seller|", "count|acme|release|r1", "count|acme|batch|B-1",
		"count|acme|operator|o1", "count|acme|price_list|p1", "count|acme|crm_version|v1", "count|acme|source|erp",
		"count|acme|promotion|TEN", "count|acme|promotion|FIVE", "count|acme|segment|B2C/fibre"} {
		want := Tally{Invoices: 2, TooHigh: 1, PError: 260_000}
		want.Suspects[CauseIndex(CausePromotion)] = 1
		got := all[key]
		if got == nil || len(got.Recent) != 1 || got.Recent[0].Tally != want ||
			got.Recent[0].At != inv.IssuedAt.Unix()/300 {
			t.Errorf("%s: %+v, want %+v", key, got, want)
		}
		delete(all, key)
	}
	if len(all) > 0 {
		t.Errorf("counted %v too", all)
	}
	source := c.tables[DimensionSource].last.count
	if a := source.Arrivals; a.Records != 2 || a.Canaries[0] != (Canary{At: inv.IssuedAt.UnixMilli(), Found: true}) {
		t.Errorf("arrivals %+v", a)
	}
	if again := c.Publish(PublishAll); len(again) > 0 {
		t.Errorf("published again: %d", len(again))
	}
}

// Whatever comes in whatever order, nothing is lost but what is older than five weeks,
// and what is read back is what was written.
func TestCountsKeepEverything(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	c := NewCounts(DefaultSettings())
	inv := countedInvoice()
	start := inv.IssuedAt
	for range 20_000 {
		inv.IssuedAt = start.Add(time.Duration(rng.IntN(27*24*3600)) * time.Second)
		c.Note(inv, &Verdict{Suspect: rng.IntN(9) == 0}, start.AddDate(0, 0, 30))
	}
	records := c.Publish(PublishAll)
	back := NewCounts(DefaultSettings())
	for _, r := range records {
		if err := back.Restore(r.Key, r.Value); err != nil {
			t.Fatal(err)
		}
	}
	for key, count := range published(t, records) {
		var all Tally
		for _, cells := range [][]Cell{count.Weeks, count.Recent} {
			for i, cell := range cells {
				all.Add(&cell.Tally)
				if i > 0 && cell.At <= cells[i-1].At {
					t.Errorf("%s: cells out of order", key)
				}
			}
		}
		if all.Invoices != 20_000 || len(count.Recent) > mostRecent || len(count.Weeks) > mostWeeks {
			t.Errorf("%s: %d invoices in %d and %d cells", key, all.Invoices, len(count.Recent), len(count.Weeks))
		}
	}
	inv.IssuedAt = start
	for _, counts := range []*Counts{c, back} {
		counts.Note(inv, &Verdict{}, start)
	}
	got, want := published(t, back.Publish(PublishAll)), published(t, c.Publish(PublishAll))
	if !reflect.DeepEqual(got, want) {
		t.Error("a restored count goes on otherwise")
	}
}

// G7: at most 10,000 values a dimension; what was idle for a day makes room and gets a
// tombstone, else the new value is one of the others.
func TestCountsAreBounded(t *testing.T) {
	c := NewCounts(DefaultSettings())
	inv := countedInvoice()
	note := func(batch string) {
		inv.BatchID = batch
		c.Note(inv, &Verdict{}, inv.IssuedAt)
	}
	for n := range mostValues + 5 {
		note(fmt.Sprint("B", n))
	}
	if c.Others() != 5 || len(c.tables[DimensionBatch].byName) != mostValues {
		t.Errorf("%d others of %d values, want 5", c.Others(), len(c.tables[DimensionBatch].byName))
	}
	c.Publish(PublishAll)
	inv.IssuedAt = inv.IssuedAt.Add(25 * time.Hour)
	note("new")
	gone := 0
	for key, count := range published(t, c.Publish(PublishAll)) {
		if count == nil {
			gone++
		} else if key == "count|acme|batch|B0" {
			t.Error("what was forgotten is published")
		}
	}
	if gone != mostValues/8 || c.Others() != 5 {
		t.Errorf("%d tombstones and %d others, want %d and 5", gone, c.Others(), mostValues/8)
	}
	inv.IssuedAt = inv.IssuedAt.AddDate(0, 0, 29)
	note("newest")
	if n := len(published(t, c.Publish(PublishAll))); len(c.tables[DimensionBatch].byName) != 1 || n < mostValues*7/8 {
		t.Errorf("%d batches left four weeks later, %d records", len(c.tables[DimensionBatch].byName), n)
	}
}

// G7: two dimensions that name everything anew leave room for the others, and all of
// them together take at most 64 MB.
func TestCountsOfAllDimensionsAreBounded(t *testing.T) {
	c := NewCounts(DefaultSettings())
	inv := countedInvoice()
	for n := range mostValues + 5 {
		inv.BatchID, inv.OperatorRef = fmt.Sprint("B", n), fmt.Sprint("o", n)
		inv.PriceListVersion, inv.CRM.ContractVersion = fmt.Sprint("p", n), fmt.Sprint("v", n)
		c.Note(inv, &Verdict{}, inv.IssuedAt)
	}
	inv.SourceRelease = "new"
	c.Note(inv, &Verdict{}, inv.IssuedAt)
	if n := c.values(); n > mostOfAll+(int(Dimensions)-2)*fewValues || n < mostOfAll || c.Others() == 0 {
		t.Errorf("%d values, %d others", n, c.Others())
	}
	if c.tables[DimensionRelease].byName[countName{inv.Seller, "new"}] == nil {
		t.Error("a new release found no room")
	}
	many := Count{}
	for n := range 10 * int64(bucketsAWeek) {
		many.cell(n)
	}
	if cap(many.Recent) > mostRecent || cap(many.Weeks) > mostWeeks {
		t.Errorf("a value has room for %d buckets and %d weeks", cap(many.Recent), cap(many.Weeks))
	}
	const each = (mostRecent+mostWeeks)*unsafe.Sizeof(Cell{}) + unsafe.Sizeof(counted{}) + 200 // names, map
	if worst := (mostOfAll + (int(Dimensions)-2)*fewValues) * int(each); worst > 64<<20 {
		t.Errorf("%d bytes a value: %d at worst", each, worst)
	}
}

// Only values that a suspect has are urgent; the others wait for the next full publication.
func TestCountsUrgent(t *testing.T) {
	c := NewCounts(DefaultSettings())
	inv := countedInvoice()
	c.Note(inv, &Verdict{}, inv.IssuedAt)
	if c.Urgent() != 0 {
		t.Error("urgent without a suspect")
	}
	inv.BatchID = "B-2"
	c.Note(inv, &Verdict{Suspect: true}, inv.IssuedAt)
	all := published(t, c.Publish(PublishUrgent))
	if all["count|acme|batch|B-2"] == nil || all["count|acme|batch|B-1"] != nil || all["count|acme|seller|"] == nil ||
		c.Urgent() != 0 {
		t.Errorf("published %d values", len(all))
	}
	if all := published(t, c.Publish(PublishAll)); all["count|acme|batch|B-1"] == nil || len(all) != 1 {
		t.Errorf("then %d values, want the one left", len(all))
	}
}

// What is usual at an hour of the week is the longest pause that was seen then.
func TestArrivals(t *testing.T) {
	var a Arrivals
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for range 4 { // weeks
		for day := range 5 {
			for minute := range 600 {
				a.saw(at.AddDate(0, 0, day).Add(time.Duration(minute) * time.Minute).UnixMilli())
			}
		}
		at = at.AddDate(0, 0, 7)
	}
	for _, c := range []struct {
		at   time.Time
		want time.Duration
	}{
		{time.Date(2026, 4, 7, 11, 30, 0, 0, time.UTC), time.Minute},
		{time.Date(2026, 4, 7, 3, 30, 0, 0, time.UTC), 14*time.Hour + time.Minute},
		{time.Date(2026, 4, 5, 11, 30, 0, 0, time.UTC), 62*time.Hour + time.Minute},
	} {
		if got, known := a.Usual(c.at); !known || got < c.want-10*time.Second || got > c.want {
			t.Errorf("%s: usual pause %s, want %s", c.at.Format("Mon 15:04"), got, c.want)
		}
	}
	r := countReader{left: a.append(nil)}
	if size := len(r.left); size > 60 {
		t.Errorf("takes %d bytes", size)
	}
	if b := r.arrivals(); *b != a || r.bad {
		t.Error("reads back otherwise")
	}
}

// A value that nobody wrote is refused, not read beyond its end.
func FuzzDecodeCount(f *testing.F) {
	c := NewCounts(DefaultSettings())
	inv := countedInvoice()
	c.Note(inv, &Verdict{Suspect: true}, inv.IssuedAt)
	for _, r := range c.Publish(PublishAll) {
		f.Add(r.Value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		count, err := DecodeCount(value)
		if err != nil {
			return
		}
		if back, err := DecodeCount(count.Append(nil)); err != nil || !reflect.DeepEqual(back, count) {
			t.Fatalf("%+v becomes %+v, %v", count, back, err)
		}
	})
}

// What counting costs an invoice, all dimensions with values that repeat, and with a
// new bucket now and then.
func BenchmarkCountsNote(b *testing.B) {
	c := NewCounts(DefaultSettings())
	inv := countedInvoice()
	v := &Verdict{PError: 0.01}
	for i := range 30 {
		inv.IssuedAt = inv.IssuedAt.Add(BucketLength)
		inv.BatchID = fmt.Sprint("B-", i%3)
		c.Note(inv, v, inv.IssuedAt)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%50 == 0 {
			inv.IssuedAt = inv.IssuedAt.Add(time.Second)
		}
		c.Note(inv, v, inv.IssuedAt)
	}
}
