package sinktest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// expect checks that exactly the sample records at these offsets of partition 3
// and of others, if given, are stored, each once, with their lines once.
func expect(t *testing.T, s Subject, want ...invoice.Position) {
	t.Helper()
	var rows []Row
	var lines []Line
	for _, pos := range want {
		inv, v := Sample(pos.Partition, pos.Offset)
		rows = append(rows, rowOf(inv, v))
		for i, l := range inv.Lines {
			lines = append(lines, Line{Source: pos, Index: i, Product: l.ProductID, Description: l.Description,
				UnitPrice: l.UnitPrice, Net: l.Net})
		}
	}
	compare(t, "rows", s.Rows(t), rows, func(r Row) string { return key(r.Source, 0) })
	compare(t, "lines", s.Lines(t), lines, func(l Line) string { return key(l.Source, l.Index) })
}

func key(p invoice.Position, i int) string {
	return fmt.Sprintf("%s %03d %05d %012d %05d", p.Topic, p.Incarnation, p.Partition, p.Offset, i)
}

func compare[T any](t *testing.T, what string, got, want []T, key func(T) string) {
	t.Helper()
	order := func(a, b T) int { return strings.Compare(key(a), key(b)) }
	slices.SortStableFunc(got, order)
	slices.SortStableFunc(want, order)
	if len(got) != len(want) {
		t.Fatalf("%s: %d stored, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: stored %+v\nwant %+v", what, got[i], want[i])
		}
	}
}

// at returns positions of a partition.
func at(partition int, offsets ...int64) []invoice.Position {
	positions := make([]invoice.Position, len(offsets))
	for i, offset := range offsets {
		positions[i] = invoice.Position{Topic: Topic, Partition: partition, Offset: offset}
	}
	return positions
}

func insert(t *testing.T, s Subject, o pipeline.Owner, n int64, b pipeline.Block) {
	t.Helper()
	if err := s.Store.Insert(t.Context(), o, n, b, Owned); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, s Subject, o pipeline.Owner, from int64) map[int64]bool {
	t.Helper()
	got, err := s.Store.Stored(t.Context(), o, from)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// roundTrip: what was appended is what is stored, causes of suspects included.
func roundTrip(t *testing.T, s Subject) {
	b := s.Store.NewBlock()
	inv, v := Sample(3, 5)
	b.Append(inv, v, received)
	// The block keeps nothing of what it was given (the decoder reuses it).
	inv.ID, inv.Lines[0].ProductID, v.Causes[0].Evidence[0], v.Rules[0] = "changed", "changed", "changed", "changed"
	inv, v = Sample(3, 6)
	b.Append(inv, v, received)
	insert(t, s, owner(3, 7), 0, b)
	expect(t, s, at(3, 5, 6)...)
}

// oncePerBlock is G2: however often a block is inserted, it is stored once, also
// when it was built anew from the same records.
func oncePerBlock(t *testing.T, s Subject) {
	b := block(s, 3, 1, 2, 3)
	for n := range int64(3) {
		insert(t, s, owner(3, 7), n, b)
	}
	insert(t, s, owner(3, 7), 3, block(s, 3, 1, 2, 3))
	expect(t, s, at(3, 1, 2, 3)...)
}

// tokenIsTheOffsets: an insert of other offsets is another insert, whatever else is equal.
func tokenIsTheOffsets(t *testing.T, s Subject) {
	insert(t, s, owner(3, 7), 0, block(s, 3, 1, 2))
	insert(t, s, owner(3, 7), 0, block(s, 3, 12))
	insert(t, s, owner(3, 7), 0, block(s, 3, 3))
	insert(t, s, owner(4, 7), 0, block(s, 4, 1, 2))
	expect(t, s, append(at(3, 1, 2, 12, 3), at(4, 1, 2)...)...)
}

// storedByPartition: the skip-set of one partition, from an offset on.
func storedByPartition(t *testing.T, s Subject) {
	insert(t, s, owner(1, 7), 0, block(s, 1, 3, 4, 5))
	insert(t, s, owner(11, 7), 0, block(s, 11, 4, 6))
	other := owner(1, 7)
	other.Incarnation = 1
	for name, test := range map[string]struct {
		owner pipeline.Owner
		from  int64
		want  map[int64]bool
	}{
		"from the middle":       {owner(1, 9), 4, map[int64]bool{4: false, 5: true}},
		"all":                   {owner(1, 9), 0, map[int64]bool{3: false, 4: false, 5: true}},
		"beyond":                {owner(1, 9), 6, map[int64]bool{}},
		"partition 11 is not 1": {owner(11, 9), 0, map[int64]bool{4: false, 6: false}},
		"another incarnation":   {other, 0, map[int64]bool{}},
	} {
		if got := stored(t, s, test.owner, test.from); !maps.Equal(got, test.want) {
			t.Errorf("%s: stored %v, want %v", name, got, test.want)
		}
	}
}

// linesOfALostRow: an owner that died between its two inserts leaves lines
// without rows. Its successor batches differently and still stores them once.
func linesOfALostRow(t *testing.T, s Subject) {
	insert(t, s, owner(3, 7), 0, block(s, 3, 1, 2, 3, 4))
	s.DropRows(t, []int64{2, 3, 4})
	if got, want := stored(t, s, owner(3, 9), 0), map[int64]bool{1: false}; !maps.Equal(got, want) {
		t.Fatalf("stored %v, want %v", got, want)
	}
	insert(t, s, owner(3, 9), 0, block(s, 3, 2, 3))
	insert(t, s, owner(3, 9), 1, block(s, 3, 4, 5))
	expect(t, s, at(3, 1, 2, 3, 4, 5)...)
}

// removeAndInsert: a row that was removed can be stored again, by the same owner
// and by the next, although an insert of the same offsets is remembered.
func removeAndInsert(t *testing.T, s Subject) {
	waiting := block(s, 3, 2, 3)
	insert(t, s, owner(3, 7), 0, block(s, 3, 2, 3))
	for n := range int64(2) {
		if err := s.Store.Remove(t.Context(), owner(3, 7), []int64{2, 3}, Owned); err != nil {
			t.Fatal(err)
		}
		expect(t, s)
		insert(t, s, owner(3, 7), n+1, waiting)
		waiting = block(s, 3, 2, 3)
		expect(t, s, at(3, 2, 3)...)
	}
	if err := s.Store.Remove(t.Context(), owner(3, 7), []int64{2, 3}, Owned); err != nil {
		t.Fatal(err)
	}
	insert(t, s, owner(3, 9), 0, waiting)
	expect(t, s, at(3, 2, 3)...)
}

// removeHeld: before each deletion the store asks whether the owner may still make it,
// and what a later owner has stored stays.
func removeHeld(t *testing.T, s Subject) {
	insert(t, s, owner(3, 7), 0, block(s, 3, 1, 2))
	insert(t, s, owner(3, 9), 0, block(s, 3, 3))
	gone := errors.New("the group has given the owner up")
	refuse := func(context.Context) error { return gone }
	if err := s.Store.Remove(t.Context(), owner(3, 7), []int64{1, 2, 3}, refuse); !errors.Is(err, gone) {
		t.Errorf("removal that the group refuses: %v", err)
	}
	expect(t, s, at(3, 1, 2, 3)...)
	if err := s.Store.Remove(t.Context(), owner(3, 7), []int64{2, 3}, Owned); err != nil {
		t.Fatal(err)
	}
	expect(t, s, at(3, 1, 3)...)
}

func removeOnePartition(t *testing.T, s Subject) {
	insert(t, s, owner(1, 7), 0, block(s, 1, 1, 2))
	insert(t, s, owner(11, 7), 0, block(s, 11, 1, 2))
	if err := s.Store.Remove(t.Context(), owner(1, 7), []int64{2, 77}, Owned); err != nil {
		t.Fatal(err)
	}
	expect(t, s, append(at(1, 1), at(11, 1, 2)...)...)
	if err := s.Store.Remove(t.Context(), owner(1, 7), nil, Owned); err != nil {
		t.Fatal(err)
	}
	expect(t, s, append(at(1, 1), at(11, 1, 2)...)...)
}

// sweep: an owner that was paused inside an insert wakes up and stores rows that
// its successor has stored too. Those of the highest epoch stay, in the given
// range only, and what is stored once stays, whoever stored it.
func sweep(t *testing.T, s Subject) {
	insert(t, s, owner(3, 7), 0, block(s, 3, 1))
	insert(t, s, owner(3, 9), 0, block(s, 3, 2, 3, 4, 5))
	insert(t, s, owner(3, 7), 1, block(s, 3, 2, 3, 6))
	insert(t, s, owner(3, 7), 2, block(s, 3, 5))
	insert(t, s, owner(4, 7), 0, block(s, 4, 2))
	for _, step := range []struct {
		epoch, from, to int64
		twice           int
	}{{9, 4, 5, 0}, {9, 0, 5, 2}, {9, 0, 5, 0}, {9, 0, 100, 1}} {
		twice, err := s.Store.Sweep(t.Context(), owner(3, step.epoch), step.from, step.to)
		if err != nil || twice != step.twice {
			t.Errorf("sweep %+v found %d, %v", step, twice, err)
		}
	}
	expect(t, s, append(at(3, 1, 2, 3, 4, 5, 6), at(4, 2)...)...)
	// Lines of an older epoch that are the only ones stay.
	s.DropRows(t, []int64{6})
	stored(t, s, owner(3, 9), 0)
	insert(t, s, owner(3, 9), 1, block(s, 3, 6))
	if twice, err := s.Store.Sweep(t.Context(), owner(3, 9), 0, 100); err != nil || twice != 0 {
		t.Errorf("sweep found %d, %v", twice, err)
	}
	expect(t, s, append(at(3, 1, 2, 3, 4, 5, 6), at(4, 2)...)...)
}

// drop: dropped invoices and their lines are not stored, sealed or not, and an
// open block goes on growing afterwards.
func drop(t *testing.T, s Subject) {
	for i, sealed := range []bool{false, true} {
		first := int64(10 * i)
		b := block(s, 3, first, first+1, first+2, first+5)
		if sealed {
			b.Seal()
		}
		b.Drop(map[int64]bool{first: true, first + 2: true, 77: true})
		if want := map[int64]bool{first + 1: false, first + 5: true}; !maps.Equal(b.Suspects(), want) || b.Rows() != 2 {
			t.Fatalf("suspects %v in %d rows, want %v", b.Suspects(), b.Rows(), want)
		}
		if !sealed {
			inv, v := Sample(3, first+6)
			b.Append(inv, v, received)
		}
		insert(t, s, owner(3, 7), int64(i), b)
	}
	expect(t, s, at(3, 1, 5, 6, 11, 15)...)
}

// seal: a sealed block is small and stored like an open one (G8).
func seal(t *testing.T, s Subject) {
	b := s.Store.NewBlock()
	var want []invoice.Position
	for offset := range int64(2000) {
		inv, v := Sample(3, offset)
		b.Append(inv, v, received)
		want = append(want, v.Source)
	}
	open := b.Bytes()
	if open < 2000*100 {
		t.Errorf("2000 rows count %d bytes", open)
	}
	b.Seal()
	b.Seal()
	if sealed := b.Bytes(); sealed > open/3 {
		t.Errorf("sealed block holds %d bytes of %d", sealed, open)
	}
	if got := b.Suspects(); len(got) != 2000 || !got[5] || got[6] {
		t.Errorf("suspects of a sealed block: %d", len(got))
	}
	insert(t, s, owner(3, 7), 0, b)
	expect(t, s, want...)
}

func emptyBlock(t *testing.T, s Subject) {
	b := s.Store.NewBlock()
	if b.Rows() != 0 || len(b.Suspects()) != 0 {
		t.Errorf("new block has %d rows", b.Rows())
	}
	insert(t, s, owner(3, 7), 0, b)
	b = block(s, 3, 1)
	b.Drop(map[int64]bool{1: true})
	b.Seal()
	insert(t, s, owner(3, 7), 1, b)
	// An invoice without lines is stored.
	b = s.Store.NewBlock()
	inv, v := Sample(3, 2)
	inv.Lines = nil
	b.Append(inv, v, received)
	insert(t, s, owner(3, 7), 2, b)
	if rows, lines := s.Rows(t), s.Lines(t); len(rows) != 1 || len(lines) != 0 {
		t.Errorf("%d rows and %d lines stored, want 1 and 0", len(rows), len(lines))
	}
}

// months: late invoices go to their own months, once, their lines too.
func months(t *testing.T, s Subject) {
	make := func() pipeline.Block {
		b := s.Store.NewBlock()
		for offset := range int64(400) {
			inv, v := Sample(3, offset)
			if offset%3 == 0 {
				inv.IssuedAt = start.AddDate(0, -int(offset/3), 0)
			}
			b.Append(inv, v, received)
		}
		return b
	}
	insert(t, s, owner(3, 7), 0, make())
	insert(t, s, owner(3, 7), 1, make())
	if rows, lines := s.Rows(t), s.Lines(t); len(rows) != 400 || len(lines) != 800 {
		t.Errorf("%d rows and %d lines stored, want 400 and 800", len(rows), len(lines))
	}
	if got := stored(t, s, owner(3, 9), 0); len(got) != 400 {
		t.Errorf("%d offsets stored, want 400", len(got))
	}
}

// extremes is G11 at the limits: nothing wraps, nothing is cut.
func extremes(t *testing.T, s Subject) {
	b := s.Store.NewBlock()
	var want []Row
	var wantLines []Line
	for i, amount := range []int64{math.MaxInt64, math.MinInt64, -1, 999_999_999_999_999_999, 1_000_000_000_000_000_000} {
		inv, v := Sample(3, int64(i)+math.MaxInt64-10)
		inv.NetAmount, v.Billed, v.Loss.Low = invoice.Amount(amount), invoice.Amount(amount), invoice.Amount(amount)
		inv.GrossAmount = invoice.OptionalAmount{Value: invoice.Amount(amount), Set: true}
		inv.TaxRate = invoice.OptionalFixed{Value: invoice.Fixed(amount), Set: true}
		inv.CustomerRef = strings.Repeat("é漢🧾\x00'\\\n", 200) + fmt.Sprint(i)
		inv.CustomerType = inv.CustomerRef
		inv.IssuedAt = []time.Time{start, time.UnixMilli(1).UTC(), start.AddDate(100, 0, 0),
			start.AddDate(0, 0, 1), time.Date(1971, 2, 28, 23, 59, 59, 999e6, time.UTC)}[i]
		v.PError, v.Causes = 1, []detectors.Finding{{Code: "x", P: math.SmallestNonzeroFloat64, Evidence: []string{""},
			Repaired: invoice.Amount(amount)}}
		inv.Lines = inv.Lines[:1]
		l := &inv.Lines[0]
		l.UnitPrice.Value, l.Net = invoice.Fixed(amount), inv.GrossAmount
		b.Append(inv, v, received)
		want = append(want, rowOf(inv, v))
		wantLines = append(wantLines, Line{Source: v.Source, Product: l.ProductID, Description: l.Description,
			UnitPrice: l.UnitPrice, Net: l.Net})
	}
	insert(t, s, owner(3, 7), 0, b)
	compare(t, "rows", s.Rows(t), want, func(r Row) string { return key(r.Source, 0) })
	compare(t, "lines", s.Lines(t), wantLines, func(l Line) string { return key(l.Source, l.Index) })
}

// fenceSparesOthers: Fence returns when nothing runs, and what it does to one
// partition is no harm to inserts of others.
func fenceSparesOthers(t *testing.T, s Subject) {
	o := owner(1, 7)
	for _, o.Group = range []string{"recoup", "it's 100 %", `a\b/c`, "_"} {
		if err := s.Store.Fence(t.Context(), o); err != nil {
			t.Fatalf("group %q: %v", o.Group, err)
		}
	}
	insert(t, s, owner(11, 5), 0, block(s, 11, 1))
	expect(t, s, at(11, 1)...)
}

func cancelledInsert(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := block(s, 3, 1, 2)
	if err := s.Store.Insert(ctx, owner(3, 7), 0, b, Owned); !errors.Is(err, context.Canceled) {
		t.Fatalf("insert after cancel: %v", err)
	}
	insert(t, s, owner(3, 7), 1, b)
	expect(t, s, at(3, 1, 2)...)
}

// holdRefuses is G4: the owner is asked for before the lines and again before the
// rows, and what it may not insert is not stored.
func holdRefuses(t *testing.T, s Subject) {
	gone := errors.New("the group has given the owner up")
	b := block(s, 3, 1, 2)
	for n, lines := range []int{0, 4} {
		asked := 0
		err := s.Store.Insert(t.Context(), owner(3, 7), int64(n), b, func(context.Context) error {
			if asked++; asked > n {
				return gone
			}
			return nil
		})
		if !errors.Is(err, gone) || asked != n+1 {
			t.Errorf("refused at question %d: %v after %d", n+1, err, asked)
		}
		if got := len(s.Lines(t)); got != lines || len(s.Rows(t)) != 0 {
			t.Errorf("refused at question %d: %d lines and %d rows stored, want %d and 0", n+1, got, len(s.Rows(t)), lines)
		}
	}
	insert(t, s, owner(3, 7), 2, b)
	expect(t, s, at(3, 1, 2)...)
}

// otherBlock is a block of no store.
type otherBlock struct{ pipeline.Block }

func foreignBlock(t *testing.T, s Subject) {
	err := s.Store.Insert(t.Context(), owner(3, 7), 0, otherBlock{}, Owned)
	if err == nil || !strings.HasPrefix(err.Error(), "cannot insert block: ") {
		t.Errorf("insert of a foreign block: %v", err)
	}
}

// largeBlock: a block as large as the pipeline makes them.
func largeBlock(t *testing.T, s Subject) {
	const rows = 50_000
	b := s.Store.NewBlock()
	for offset := range int64(rows) {
		inv, v := Sample(3, offset)
		b.Append(inv, v, received)
	}
	insert(t, s, owner(3, 7), 0, b)
	got := stored(t, s, owner(3, 9), 0)
	suspects := 0
	for _, suspect := range got {
		if suspect {
			suspects++
		}
	}
	if len(got) != rows || suspects != rows/5 {
		t.Errorf("%d rows and %d suspects stored, want %d and %d", len(got), suspects, rows, rows/5)
	}
}
