package incident

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// G7: counts of 16 partitions take some 200 bytes a value and partition, and never much
// more than the limit: the value billed longest ago leaves, what everything is compared
// with stays, and what left is counted.
func TestCountsStayBounded(t *testing.T) {
	const partitions, batches = 16, 3000
	for _, limit := range []int64{DefaultSettings().MostBytes, 3 << 20} {
		c := newCompany(t, 1, 1)
		c.board.settings.MostBytes = limit
		before := heap()
		for batch := range batches {
			c.now = monday.Add(time.Duration(batch) * 10 * time.Second)
			counts := detectors.NewCounts(detectors.DefaultSettings())
			inv := &invoice.Invoice{Seller: "acme", BatchID: fmt.Sprint("b", batch), SourceSystem: "erp"}
			for n := range 24 {
				inv.IssuedAt = c.now.Add(time.Duration(n) * detectors.BucketLength)
				counts.Note(inv, &c.verdict, inv.IssuedAt)
			}
			for _, r := range counts.Publish(detectors.PublishAll) {
				for p := range partitions {
					if err := c.board.Count(r.Key, r.Value, p); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		c.board.Tick(c.now)
		held := heap() - before
		t.Logf("limit %d MB: %d MB for %d values, told %d", limit>>20, held>>20, len(c.board.values), c.board.bytes>>20)
		if held > limit*5/4 || held > c.board.bytes*3/2 || held < c.board.bytes/2 {
			t.Errorf("%d bytes are held, %d told, the limit is %d", held, c.board.bytes, limit)
		}
		known := func(d detectors.Dimension, name string) bool {
			return c.board.values[detectors.Value{Seller: "acme", Dimension: d, Name: name}] != nil
		}
		full := limit < DefaultSettings().MostBytes
		if !known(detectors.DimensionSeller, "") || !known(detectors.DimensionSource, "erp") ||
			!known(detectors.DimensionBatch, fmt.Sprint("b", batches-1)) || known(detectors.DimensionBatch, "b0") == full {
			t.Error("what was billed longest ago leaves first, and sellers and sources never")
		}
		if n := int(c.board.Forgotten()); n != batches+2-len(c.board.values) || c.board.Forgotten() != 0 {
			t.Errorf("%d values are said to be forgotten, %d are left of %d", n, len(c.board.values), batches+2)
		}
		runtime.KeepAlive(c)
	}
}

// G7: where nothing more may be forgotten, room is not sought again with every count, but
// when they have grown or some time has passed; that is said once.
func TestRoomIsNotSoughtInVain(t *testing.T) {
	c := newCompany(t, 1, 1)
	c.board.settings.MostBytes = 100_000
	counts := detectors.NewCounts(detectors.DefaultSettings())
	note := func(batch, source string) {
		t.Helper()
		inv := &invoice.Invoice{Seller: "acme", BatchID: batch, SourceSystem: source, IssuedAt: c.now}
		counts.Note(inv, &c.verdict, c.now)
		for _, r := range counts.Publish(detectors.PublishAll) {
			if err := c.board.Count(r.Key, r.Value, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	known := func(batch string) bool {
		return c.board.values[detectors.Value{Seller: "acme", Dimension: detectors.DimensionBatch, Name: batch}] != nil
	}
	c.board.Tick(c.now)
	for n := 0; c.board.vain == 0; n++ {
		if note("", fmt.Sprint("erp", n)); c.board.bytes > c.board.settings.MostBytes*5/4 {
			t.Fatal("room is sought again and again")
		}
	}
	note("b1", "erp0")
	if !known("b1") || !c.board.Crowded() || c.board.Crowded() {
		t.Error("room is sought at once, or not said once to be wanting")
	}
	c.now = c.now.Add(detectors.BucketLength)
	c.board.Tick(c.now)
	note("b2", "erp0")
	if known("b1") {
		t.Error("room is not sought in the next bucket")
	}
	for n, tried := 0, c.board.vain; c.board.vain == tried; n++ {
		if note("", fmt.Sprint("crm", n)); c.board.bytes > tried*5/4 {
			t.Fatal("room is not sought when counts have grown")
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
