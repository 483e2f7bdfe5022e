package sinks

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestSealedBlockIsSmall is G8: the row buffer of 512 MiB holds what arrives in
// 60 seconds at 10,000 invoices of three lines a second while ClickHouse is away.
// Identities are random: they do not compress.
func TestSealedBlockIsSmall(t *testing.T) {
	const rows, room = 5000, 512 << 20 / (60 * 10_000)
	random := rand.New(rand.NewPCG(1, 2))
	b := newBlock()
	for i := range rows {
		inv, v := sampleInvoice(i, 3)
		inv.ID = fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64())
		inv.EventID, inv.CustomerRef = inv.ID+"-e", fmt.Sprintf("%016x", random.Uint64())
		v.PError, v.CV = random.Float64(), random.Float64()
		for l := range inv.Lines {
			inv.Lines[l].ProductID = fmt.Sprintf("%08x", random.Uint32())
			inv.Lines[l].Net.Value += 100 * inv.Lines[l].Net.Value / 7 * 3
		}
		b.Append(inv, v, 1_790_000_000_000+int64(i))
	}
	open := b.Bytes() / rows
	b.Seal()
	if sealed := b.Bytes() / rows; sealed > room {
		t.Errorf("a sealed block holds %d bytes an invoice, open %d; there is room for %d", sealed, open, room)
	} else {
		t.Logf("%d bytes an invoice, sealed %d, room for %d", open, sealed, room)
	}
}

// TestBytesGrow: the estimate follows the block without being asked each time.
func TestBytesGrow(t *testing.T) {
	b, last := newBlock(), 0
	for i := range 1000 {
		inv, v := sampleInvoice(i, 2)
		b.Append(inv, v, 1_790_000_000_000)
		if now := b.Bytes(); now <= last {
			t.Fatalf("%d bytes after %d rows, %d before", now, i+1, last)
		} else {
			last = now
		}
	}
	first := map[int64]bool{}
	for offset := range int64(2 * recount) { // the count may be that far behind
		first[offset] = true
	}
	b.Drop(first)
	if now := b.Bytes(); now >= last {
		t.Errorf("%d bytes after a drop, %d before", now, last)
	}
}

// TestCohortDay is G10 and design.md §3.6: an invoice counts on the day of its
// issue, unless that is implausible.
func TestCohortDay(t *testing.T) {
	received := time.Date(2026, 11, 12, 8, 0, 0, 0, time.UTC)
	for issued, want := range map[time.Time]string{
		received:                     "2026-11-12",
		received.AddDate(-3, 0, 0):   "2023-11-12",
		received.Add(24 * time.Hour): "2026-11-13",
		received.Add(24*time.Hour + time.Millisecond): "2026-11-12",
		time.UnixMilli(0):  "1970-01-01",
		time.UnixMilli(-1): "2026-11-12",
		{}:                 "2026-11-12",
	} {
		day := cohortDay(issued, received.UnixMilli())
		if got := time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly); got != want {
			t.Errorf("issued %v: cohort %s, want %s", issued, got, want)
		}
	}
	if got := cohortDay(received, -1); got != cohortDay(received, received.UnixMilli()) {
		t.Errorf("without a timestamp: day %d", got)
	}
	if got := cohortDay(received.AddDate(1000, 0, 0), -1); got != lastDay {
		t.Errorf("year 3026 without a timestamp: day %d", got)
	}
}

// TestByMonth: the most frequent month first, all others together.
func TestByMonth(t *testing.T) {
	b := newBlock()
	for i, month := range []int{1, 2, 2, 3, 2, 1} {
		inv, v := sampleInvoice(i, 1)
		inv.IssuedAt = time.Date(2026, time.Month(month), 28, 23, 59, 59, 0, time.UTC)
		b.Append(inv, v, inv.IssuedAt.UnixMilli())
	}
	if got, want := b.byMonth(), [][]int{{1, 2, 4}, {0, 3, 5}}; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("groups %v, want %v", got, want)
	}
	b = newBlock()
	for i := range 120 {
		inv, v := sampleInvoice(i, 1)
		inv.IssuedAt = time.Date(2010, time.Month(1+i), 1, 0, 0, 0, 0, time.UTC)
		b.Append(inv, v, 1_790_000_000_000)
	}
	if got := b.byMonth(); len(got) != 4 || len(got[0]) != 1 || len(got[1]) != maxMonths || len(got[3]) != 19 {
		t.Errorf("%d groups of 120 months", len(got))
	}
}

// The memory that is kept for later blocks is bounded in bytes, however wide the rows are.
func TestSparesAreBounded(t *testing.T) {
	s := spares{most: 100}
	first, second := newBlockRows(), newBlockRows()
	s.keep(first, 60)
	s.keep(second, 60) // too much together
	if got := s.take(); got != first {
		t.Error("what was kept first is not what is taken")
	}
	if got := s.take(); got == second {
		t.Error("120 bytes were kept where 100 may be")
	}
	s.keep(second, 10)
	if got := s.take(); got != second {
		t.Error("what was taken still takes room")
	}
	s.keep(first, 50)
	s.keep(second, 10) // it grew to 60 before
	if got := s.take(); got != first {
		t.Error("what was filled with little now does not count as what it grew to")
	}
}
