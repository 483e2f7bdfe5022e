package detectors

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"recoup/detectors/reference"
	"recoup/invoice"
)

// long is an invoice of many lines, each with codes of its own.
func long(offset int64, lines, codes int, price invoice.Fixed) *invoice.Invoice {
	fixed := func(v invoice.Fixed) invoice.OptionalFixed { return invoice.OptionalFixed{Value: v, Set: true} }
	inv := usual(0, offset)
	inv.CustomerRef = "C1"
	for i := range lines {
		l := invoice.Line{ID: fmt.Sprint(i), ProductID: fmt.Sprint("P", i), Quantity: fixed(invoice.One),
			UnitPrice: fixed(price)}
		l.Net.Value, l.Net.Set = invoice.Amount(price/(invoice.One/invoice.Fixed(invoice.Unit))), true
		for c := range codes {
			l.PromoCodes = append(l.PromoCodes, fmt.Sprint(i, "-", c))
		}
		inv.Lines = append(inv.Lines, l)
		inv.NetAmount += l.Net.Value
	}
	return inv
}

// G1, G6: an invoice of the most lines that are decoded, all of them wrong, gives a
// verdict that the decision log can take: else its partition would stand still.
func TestEvidenceIsBounded(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	refs := reference.NewStore(0)
	e.UseReferences(refs)
	const lines = 20_000
	for i := range lines {
		refs.Apply(&invoice.Reference{Kind: invoice.PriceReference, Seller: "acme", ProductID: fmt.Sprint("P", i),
			UnitPrice: 10 * invoice.One}, time.Time{})
	}
	for offset := range int64(3) {
		inv := long(offset, lines, 0, 10*invoice.One)
		e.Begin(inv, at(offset), inv.IssuedAt)
		e.Teach(false)
	}
	v := verdictOn(e, long(3, lines, 0, 8*invoice.One), 3)
	if len(v.Causes) == 0 {
		t.Fatal("nothing was found: want prices that are not the list's")
	}
	for _, f := range v.Causes {
		if n := len(strings.Join(f.Evidence, "\n")); n > 16<<10 {
			t.Errorf("%s:%s has %d sentences of %d bytes", f.Code, f.Kind, len(f.Evidence), n)
		}
	}
}

// G7: however many discount codes an invoice has, few are looked at and remembered.
func TestCodesAreBounded(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	inv := long(0, 2_000, 50, invoice.One)
	e.Begin(inv, at(0), inv.IssuedAt)
	if n := len(e.cur.ev.facts.Codes); n != mostNoted {
		t.Errorf("%d of 100,000 codes are noted, want %d", n, mostNoted)
	}
}

// A line counts as repeated when an earlier one bills the same, wherever it stands;
// lines without a product never do.
func TestRepeatedLinesAnywhere(t *testing.T) {
	inv := long(0, 5, 0, invoice.One)
	inv.Lines[1], inv.Lines[4] = inv.Lines[0], inv.Lines[0]
	inv.Lines[2].ProductID, inv.Lines[3].ProductID = "", ""
	inv.Lines = append(inv.Lines, long(0, 6, 0, invoice.One).Lines[5])
	inv.NetAmount += invoice.Unit
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	v := verdictOn(e, inv, 0)
	if len(v.Causes) != 1 || v.Causes[0].Kind != "repeated_line" || v.Causes[0].Repaired != 4*invoice.Unit {
		t.Errorf("causes %+v, want repeated_line, repaired to 4.00", v.Causes)
	}
}

// Training that is due and lacks examples waits for another midnight: to count them
// at every invoice would take ever longer.
func TestTrainingWaitsForMidnight(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	trainer := NewTrainer(TrainerOptions{After: 24 * time.Hour})
	var v Verdict
	for offset := range int64(49) { // hours, from a midnight on
		inv := long(offset, 1, 0, invoice.One)
		e.Begin(inv, at(offset), inv.IssuedAt)
		if trained := trainer.Prepare(e) != nil; trained != (offset == 48) {
			t.Errorf("hour %d: trained: %t", offset, trained)
		}
		e.Score(&v)
		trainer.Observe(e)
		e.Teach(v.Suspect)
		if s := trainer.sellers["acme"]; offset == 30 {
			for i := range 2 * fewestReal {
				s.rows = append(s.rows, example{group: uint32(i), wrong: i%2 > 0})
			}
		}
	}
}

// G6, G11: units beyond what an integer holds are more than any delivery, and never
// its opposite; sums within it are exact in whatever order they come.
func TestUnitsBeyondAnInteger(t *testing.T) {
	const most, least = invoice.Fixed(math.MaxInt64), invoice.Fixed(math.MinInt64)
	for name, c := range map[string]struct {
		quantities []invoice.Fixed
		want       invoice.Fixed
	}{
		"none":               {nil, 0},
		"usual":              {[]invoice.Fixed{3 * invoice.One, -invoice.One, 1}, 2*invoice.One + 1},
		"too many":           {[]invoice.Fixed{most, most, 5}, most},
		"too many back":      {[]invoice.Fixed{least, least}, least},
		"beyond and back":    {[]invoice.Fixed{most, most, least, least, 7}, 5},
		"one above the most": {[]invoice.Fixed{most, 1}, most},
		"the very most":      {[]invoice.Fixed{most - 1, 1}, most},
		"the very least":     {[]invoice.Fixed{least + 1, -1}, least},
	} {
		inv := long(0, len(c.quantities), 0, invoice.One)
		for i, q := range c.quantities {
			inv.Lines[i].Quantity.Value = q
		}
		if got := unitsOf(inv); got != c.want {
			t.Errorf("%s: %d units, want %d", name, got, c.want)
		}
	}
}

// The warehouse counted 10 units; an invoice of 2^64 of them, which an integer
// takes for none, bills too many, one of as many credited too few.
func TestDeliveryOfTooManyUnits(t *testing.T) {
	for name, c := range map[string]struct {
		quantity invoice.Fixed
		off      float32
	}{"too many": {1 << 62, -5}, "too few": {-1 << 62, 5}} {
		e, refs := NewEngine(DefaultSettings(), NewShared(), 0), reference.NewStore(0)
		e.UseReferences(refs)
		inv := long(0, 4, 0, invoice.One)
		inv.DeliveryRef = "D-1"
		units := invoice.OptionalFixed{Value: 10 * invoice.One, Set: true}
		refs.Apply(&invoice.Reference{Kind: invoice.DeliveryReference, Seller: "acme", DeliveryRef: "D-1",
			Units: units, PublishedAt: inv.IssuedAt.Add(-time.Hour)}, time.Time{})
		for i := range inv.Lines {
			inv.Lines[i].Quantity.Value = c.quantity
		}
		v := verdictOn(e, inv, 0)
		if got := e.cur.ev.x[fUnitsOff]; got != c.off {
			t.Errorf("%s: units are off by %v of the delivery, want %v", name, got, c.off)
		}
		if !v.Suspect {
			t.Errorf("%s: p_error is %v, want a suspect", name, v.PError)
		}
	}
}
