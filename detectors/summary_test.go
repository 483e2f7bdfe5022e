package detectors

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"recoup/invoice"
)

// teachAmounts has an engine learn one invoice of each net amount, in cents.
func teachAmounts(e *Engine, at *int64, customerType, family string, cents ...int64) {
	for _, c := range cents {
		inv := invoice.Invoice{Seller: "a|b%", ID: fmt.Sprint(*at), Currency: "EUR", CustomerType: customerType,
			ProductFamily: family, NetAmount: invoice.Amount(c) * invoice.Unit / 100, IssuedAt: time.Unix(1.8e9+*at, 0)}
		if e.Begin(&inv, invoice.Position{Offset: *at}, inv.IssuedAt) == Fresh {
			e.Teach(false)
		}
		*at++
	}
}

// What is known of each segment before its first alert: how many invoices, how
// alike they are and what an alert would be worth, most invoices first.
func TestSegments(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	var at int64
	teachAmounts(e, &at, "B2C", "fibre", slices.Repeat([]int64{9_800, 10_200}, 50)...)
	teachAmounts(e, &at, "B2C", "tv", slices.Repeat([]int64{2_000, 8_000}, 20)...)
	teachAmounts(e, &at, "B2B", "tv%7C", 5_000, 5_000)
	teachAmounts(e, &at, "B2B", "", -5_000)

	var got []string
	for _, s := range e.Segments() {
		if s.Seller != "a|b%" || s.Currency != "EUR" {
			t.Errorf("seller %q, currency %q", s.Seller, s.Currency)
		}
		got = append(got, fmt.Sprintf("%s %s/%s n=%d mean=%v cv=%.2f %s precision=%.2f", s.Level, s.CustomerType,
			s.ProductFamily, s.N, s.Mean, s.CV, s.Footing, s.Precision))
		if p, r := ExpectedPrecision(s.N, s.CV, e.settings); s.Mean > 0 && (p != s.Precision || r != s.Recall) {
			t.Errorf("%s: precision %v and recall %v, want %v and %v", s.Level, s.Precision, s.Recall, p, r)
		}
	}
	want := []string{
		"customer_type B2C/ n=140 mean=91.3371 cv=0.18 too_spread precision=0.12",
		"product_family /fibre n=100 mean=100.00 cv=0.02 enough precision=1.00",
		"type_product B2C/fibre n=100 mean=100.00 cv=0.02 enough precision=1.00",
		"product_family /tv n=40 mean=50.00 cv=0.60 too_spread precision=0.05",
		"type_product B2C/tv n=40 mean=50.00 cv=0.60 too_spread precision=0.05",
		"customer_type B2B/ n=3 mean=16.6667 cv=2.83 too_few precision=0.03",
		"product_family /tv%7C n=2 mean=50.00 cv=0.00 too_few precision=0.05",
		"type_product B2B/tv%7C n=2 mean=50.00 cv=0.00 too_few precision=0.05",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// The segment of an invoice is the one whose rule would speak, as it was when the
// invoice was scored: narrow before wide, but enough invoices before few.
func TestSegmentOfInvoice(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	var at int64
	teachAmounts(e, &at, "B2C", "fibre", slices.Repeat([]int64{10_000}, 30)...)
	teachAmounts(e, &at, "B2C", "tv", slices.Repeat([]int64{5_000}, 29)...)
	for _, c := range []struct{ customerType, family, want string }{
		{"B2C", "fibre", "type_product B2C/fibre 30 enough"},
		{"B2C", "tv", "customer_type B2C/ 59 too_spread"},
		{"B2B", "tv", "product_family /tv 29 too_few"},
		{"B2B", "phone", ""},
		{"", "", ""},
	} {
		inv := invoice.Invoice{Seller: "a|b%", ID: "new", Currency: "EUR", CustomerType: c.customerType,
			ProductFamily: c.family, NetAmount: 100 * invoice.Unit, IssuedAt: time.Unix(1.9e9, 0)}
		e.Begin(&inv, invoice.Position{Offset: at}, inv.IssuedAt)
		e.Score(&Verdict{})
		got := ""
		if s, ok := e.Segment(); ok {
			got = fmt.Sprintf("%s %s/%s %d %s", s.Level, s.CustomerType, s.ProductFamily, s.N, s.Footing)
		}
		if got != c.want {
			t.Errorf("%s/%s: %q, want %q", c.customerType, c.family, got, c.want)
		}
		inv.Type = invoice.CreditNote // is compared with nothing
		e.Begin(&inv, invoice.Position{Offset: at}, inv.IssuedAt)
		e.Score(&Verdict{})
		if s, ok := e.Segment(); ok {
			t.Errorf("credit note of %s/%s: %+v", c.customerType, c.family, s)
		}
	}
}

// A key that is not a segment's, or not one of this recoup's, is no segment.
func TestForeignKeysAreNoSegments(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	var b Baseline
	b.teach(100, 1, 1)
	for _, key := range []string{"", "x", "segment", "segment|a|EUR", "customer_type|a", "seller|a|EUR"} {
		if err := e.shared.Put([]byte(key), b.append(nil), 0, 1); err != nil {
			t.Fatal(err)
		}
	}
	e.AdoptShared()
	if got := e.Segments(); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	if got := e.shared.CountSegments(e.settings); len(got) != 0 {
		t.Errorf("counted %v", got)
	}
}

// Every process counts the segments of all partitions, each of them once; a
// segment that no partition knows well enough may be known by all together.
func TestCountSegments(t *testing.T) {
	shared := NewShared()
	for partition := range 2 {
		e := NewEngine(DefaultSettings(), NewShared(), partition)
		at := int64(partition) * 1000
		teachAmounts(e, &at, "B2C", "fibre", slices.Repeat([]int64{10_000}, 15)...)
		teachAmounts(e, &at, "B2C", "tv", slices.Repeat([]int64{1_000, 9_000}, 10)...)
		for _, r := range e.Checkpoint(at) {
			if r.Shared {
				if err := shared.Put(r.Key, r.Value, partition, at); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	got := shared.CountSegments(DefaultSettings())
	// Product family fibre and the cross; tv, its cross and the customer type.
	if got[FootingEnough] != 2 || got[FootingTooSpread] != 3 || got[FootingTooFew] != 0 {
		t.Errorf("got %v", got)
	}
	if n := testing.AllocsPerRun(10, func() { shared.CountSegments(DefaultSettings()) }); n > 4 {
		t.Errorf("counting allocates %v times, want no memory for each segment", n)
	}
	if got := shared.Segments("nobody", DefaultSettings()); len(got) != 0 {
		t.Errorf("segments of nobody: %+v", got)
	}
	var said []string
	for _, s := range shared.Segments("a|b%", DefaultSettings()) {
		said = append(said, fmt.Sprintf("%s %s/%s %d", s.Level, s.CustomerType, s.ProductFamily, s.N))
	}
	want := []string{"customer_type B2C/ 70", "product_family /tv 40", "type_product B2C/tv 40",
		"product_family /fibre 30", "type_product B2C/fibre 30"}
	if !slices.Equal(said, want) {
		t.Errorf("segments %q, want %q", said, want)
	}
}
