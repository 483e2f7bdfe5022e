package pipeline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// contributed returns what so many invoices of 400.00 make of a segment.
func contributed(t *testing.T, key string, invoices int64) []byte {
	t.Helper()
	e := detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)
	for i := range invoices {
		inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint(i), Currency: "EUR", CustomerType: "B2C",
			ProductFamily: "fibre", Type: invoice.Standard, Stage: invoice.Issued, NetAmount: 400 * invoice.Unit,
			IssuedAt: time.Date(2026, 3, 1, 0, int(i), 0, 0, time.UTC)}
		e.Begin(inv, invoice.Position{Topic: "i", Offset: i}, inv.IssuedAt)
		e.Teach(false)
	}
	for _, r := range e.Checkpoint(invoices) {
		if string(r.Key) == key {
			return r.Value
		}
	}
	t.Fatalf("no record of %s", key)
	return nil
}

// Design.md §4: what an owner writes late, value or tombstone, neither counts behind a
// newer owner's record nor stays: who owns the partition, now or next, writes its own.
func TestLateContributions(t *testing.T) {
	const segment, other = "segment|acme|EUR|B2C|fibre", "segment|acme|EUR|B2C|copper"
	put := func(epoch, applied, invoices int64) Record {
		return stateRecord(sharedKey([]byte(segment), 0), stamp{epoch, applied}, contributed(t, segment, invoices))
	}
	elsewhere := func(epoch, applied int64) Record {
		return stateRecord(sharedKey([]byte(other), 0), stamp{epoch, applied}, contributed(t, segment, 1))
	}
	drop := func(epoch, applied int64) Record {
		return stateRecord(sharedKey([]byte(segment), 0), stamp{epoch, applied}, nil)
	}
	unstamped := Record{Key: sharedKey([]byte(segment), 0)}
	for name, c := range map[string]struct {
		before []Record // what the owner, of epoch 2, takes over
		after  []Record
		want   int64 // invoices of the segment; 0: it is forgotten
		asked  bool  // the owner is asked to write it again
		next   bool  // the next owner is
	}{
		"its own":                     {[]Record{put(1, 10, 5)}, []Record{put(2, 20, 7)}, 7, false, false},
		"its own tombstone":           {[]Record{put(1, 10, 5)}, []Record{drop(2, 20)}, 0, false, false},
		"and met again":               {[]Record{put(1, 10, 5)}, []Record{drop(2, 20), put(2, 30, 1)}, 1, false, false},
		"a late value":                {[]Record{put(1, 10, 5)}, []Record{put(2, 20, 7), put(1, 15, 6)}, 7, true, true},
		"a late tombstone":            {[]Record{put(1, 10, 5)}, []Record{put(2, 20, 7), drop(1, 15)}, 7, true, true},
		"a late value, forgotten":     {[]Record{put(1, 10, 5)}, []Record{drop(2, 20), put(1, 15, 6)}, 0, true, true},
		"a late value, untouched":     {[]Record{put(1, 10, 5)}, []Record{elsewhere(2, 20), put(1, 15, 6)}, 5, true, true},
		"a late tombstone, untouched": {[]Record{put(1, 10, 5)}, []Record{elsewhere(2, 20), drop(1, 15)}, 5, true, true},
		"late before it wrote":        {[]Record{put(1, 10, 5)}, []Record{put(1, 15, 6)}, 6, true, false},
		"late, and written again": {[]Record{put(1, 10, 5)},
			[]Record{put(2, 20, 7), drop(1, 15), put(2, 30, 8)}, 8, true, false},
		"late from its own past":      {[]Record{put(1, 10, 5)}, []Record{drop(2, 30), put(2, 20, 7)}, 0, true, true},
		"late before the take-over":   {[]Record{elsewhere(1, 20), put(0, 10, 5)}, nil, 0, true, true},
		"an older recoup's tombstone": {[]Record{put(1, 10, 5)}, []Record{put(2, 20, 7), unstamped}, 0, true, false},
		"an older recoup's owner":     {[]Record{put(1, 10, 5), unstamped}, nil, 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := &Member{shared: detectors.NewShared()}
			f := newFollower(m, 1)
			read := func(records []Record) {
				for i := range records {
					if err := f.fold(&records[i], 0); err != nil {
						t.Fatal(err)
					}
				}
			}
			read(c.before)
			f.own(0, 2)
			read(c.after)
			asked := slices.Contains(f.overwritten(0), segment)
			if again := f.overwritten(0); len(again) > 0 {
				t.Errorf("asked twice for %v", again)
			}
			f.own(0, 3)
			next := slices.Contains(f.overwritten(0), segment)
			if asked != c.asked || next != c.next {
				t.Errorf("the owner is asked: %v, want %v; the next one: %v, want %v", asked, c.asked, next, c.next)
			}
			var got int64
			for _, s := range m.shared.Segments("acme", detectors.DefaultSettings()) {
				if s.ProductFamily == "fibre" {
					got = s.N
				}
			}
			if got != c.want {
				t.Errorf("%d invoices, want %d", got, c.want)
			}
		})
	}
}
