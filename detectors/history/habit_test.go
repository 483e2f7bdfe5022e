package history

import (
	"testing"

	"recoup/invoice"
)

// visit is one invoice's value of a category.
type visit struct {
	n       int    // so many invoices
	key     uint32 // value
	day     int32
	batch   uint32
	suspect bool
}

// A category switches by itself only where that cannot be an outage.
func TestHabitSwitches(t *testing.T) {
	const old, fresh = 10, 20
	usual := visit{n: 100, key: old, day: 0, batch: 1}
	for _, c := range []struct {
		name   string
		visits []visit
		usual  uint32
		known  bool // the new value has become known
	}{
		{"12 on 3 days from 2 releases", []visit{usual, {5, fresh, 1, 2, true}, {5, fresh, 2, 2, true},
			{2, fresh, 3, 3, true}}, old, true},
		{"11 are too few", []visit{usual, {5, fresh, 1, 2, true}, {5, fresh, 2, 2, true}, {1, fresh, 3, 3, true}},
			old, false},
		{"2 days are too few, however far apart", []visit{usual, {8, fresh, 1, 2, true}, {8, fresh, 9, 3, true}}, old, false},
		{"1 release never does, however long it lasts", []visit{usual, {500, fresh, 1, 2, true},
			{500, fresh, 20, 2, true}, {500, fresh, 60, 2, true}}, old, false},
		{"a usual invoice between them starts the count again", []visit{usual, {11, fresh, 1, 2, true},
			{1, old, 2, 2, false}, {5, fresh, 2, 2, true}, {4, fresh, 3, 3, true}}, old, false},
		{"separate outages do not add up", []visit{usual, {11, fresh, 1, 2, true}, {1, old, 2, 3, false},
			{11, fresh, 4, 4, true}}, old, false},
		{"a rare value between them does not hold them up", []visit{usual, {5, fresh, 1, 2, true},
			{1, 30, 2, 3, false}, {5, fresh, 2, 2, true}, {2, fresh, 3, 3, true}}, old, true},
		{"many at last become the usual value", []visit{usual, {200, fresh, 1, 2, true}, {1, fresh, 2, 2, true},
			{1, fresh, 3, 3, true}}, fresh, true},
		{"more than a counter holds", []visit{usual, {70_000, fresh, 1, 2, true}, {70_000, fresh, 2, 2, true}}, old, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h Habit
			for _, v := range c.visits {
				for range v.n {
					if v.suspect {
						h.suspect(v.key, v.day, v.batch)
					} else {
						h.teach(v.key, 1)
					}
				}
			}
			share, _ := h.Share(fresh)
			if h.Usual() != c.usual || (share > 0) != c.known {
				t.Errorf("usual is %d, the new value's share %.2f; want %d, known %v", h.Usual(), share, c.usual, c.known)
			}
		})
	}
}

// The past fades, and a fifth value takes the place of the rarest.
func TestHabitFadesAndForgets(t *testing.T) {
	var h Habit
	for i := range 2000 {
		h.teach(1, 1)
		h.teach(uint32(2+i%5), 1)
	}
	if share, n := h.Share(1); share < 0.45 || share > 0.65 || n >= habitLimit {
		t.Errorf("value 1 has share %.2f of %d, want about half of fewer than %d", share, n, habitLimit)
	}
	for range 2000 {
		h.teach(9, 1)
	}
	if share, _ := h.Share(1); h.Usual() != 9 || share > 0.02 {
		t.Errorf("usual is %d, value 1 has share %.3f; want 9 and hardly any", h.Usual(), share)
	}
}

func TestShareAndMomentsFade(t *testing.T) {
	var s Share
	var m Moments
	for range 10_000 {
		s.teach(true)
		m.teach(5)
	}
	if s.Of() < 0.99 || s.All >= shareLimit || m.Mean != 5 || m.Variance > 1e-6 {
		t.Errorf("share %.3f of %d, mean %v, variance %v; want 1, 5 and 0", s.Of(), s.All, m.Mean, m.Variance)
	}
	for range 600 {
		s.teach(false)
		m.teach(7)
	}
	if s.Of() > 0.4 || m.Mean < 6.99 {
		t.Errorf("after 600 others: share %.3f, mean %v; want below 0.4, 7", s.Of(), m.Mean)
	}
}

// A price counts from the second smallest quantity it was sold at: one wrong
// invoice must not make a price break everybody's.
func TestPriceBreakHoldsAgainstOneWrongInvoice(t *testing.T) {
	var points [Points]Point
	for _, q := range []float32{100, 50, 200, 1} {
		note(&points, 4, q, 1, 0)
	}
	p := Find(&points, 4)
	if p.Least != 1 || p.MinQuantity != 50 || p.Allows(49) || !p.Allows(50) {
		t.Errorf("least %v, from %v; want 1, and the price allowed from 50", p.Least, p.MinQuantity)
	}
	note(&points, 4, 2, 1, 0)
	if !p.Allows(2) || p.Allows(1) {
		t.Errorf("after a second small quantity the price is allowed from %v, want 2", p.MinQuantity)
	}
}

// The rarest price, of several the one not met for longest, gives way to a new one.
func TestRarestPriceGivesWay(t *testing.T) {
	var points [Points]Point
	for i := range Points {
		price := invoice.Fixed(i + 1)
		note(&points, price, 1, 1, int32(20-i))
		if i != 3 && i != 5 {
			note(&points, price, 1, 1, int32(20-i))
		}
	}
	if note(&points, 99, 1, 1, 30) {
		t.Error("a price never met counts as met")
	}
	if Find(&points, 6) != nil || Find(&points, 4) == nil || Find(&points, 99) == nil {
		t.Error("want price 6 to give way: met once, longer ago than price 4")
	}
	if best := Best(&points, 1); best == nil || best.Price != 1 {
		t.Errorf("best is %+v, want the newest of those met twice", best)
	}
}

// A price that only suspects bring becomes usual when five agree on it over three
// days and two releases, unless the most frequent price comes between them.
func TestPendingPrices(t *testing.T) {
	type line struct {
		price invoice.Fixed
		day   int32
		batch uint32
	}
	const usual, other, common = 0, 3, 2 // batch 0: no suspect
	repeat := func(n int, l line) (out []line) {
		for range n {
			out = append(out, l)
		}
		return out
	}
	for _, c := range []struct {
		name  string
		lines []line
		usual bool
	}{
		{"agreed", append(repeat(4, line{9, 1, 1}), line{9, 3, 2}), true},
		{"too few", append(repeat(3, line{9, 1, 1}), line{9, 3, 2}), false},
		{"one release", append(repeat(40, line{9, 1, 1}), line{9, 30, 1}), false},
		{"two days", append(repeat(9, line{9, 1, 1}), line{9, 2, 2}), false},
		{"one a month, the usual price between them", []line{{common, 0, usual}, {9, 1, 1}, {common, 30, usual}, {9, 31, 2},
			{common, 60, usual}, {9, 61, 3}, {common, 90, usual}, {9, 91, 4}, {common, 120, usual}, {9, 121, 5}}, false},
		{"a rarer price between them", append(append(repeat(3, line{common, 0, usual}), repeat(4, line{9, 1, 1})...),
			line{other, 2, usual}, line{9, 3, 2}), true},
		{"known prices of suspects take no place", []line{{common, 0, usual}, {other, 0, usual}, {4, 0, usual},
			{common, 1, 1}, {common, 1, 1}, {other, 1, 1}, {other, 1, 1},
			{9, 1, 1}, {4, 1, 1}, {9, 1, 1}, {4, 1, 1}, {9, 1, 1}, {4, 1, 1}, {9, 1, 1}, {4, 1, 1}, {9, 3, 2}}, true},
		{"pushed out by others", append(append(repeat(1, line{9, 1, 1}), line{7, 1, 1}, line{6, 1, 1}, line{5, 1, 1}),
			repeat(4, line{9, 3, 2})...), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p Product
			for _, l := range c.lines {
				line := &Line{Priced: true, Price: l.price, NetPrice: l.price, Quantity: 2}
				if l.batch == usual {
					p.teach(line, l.day*24)
				} else {
					p.suspect(line, &Facts{Day: l.day, Batch: l.batch})
				}
			}
			got := Find(&p.List, 9)
			if (got != nil) != c.usual || (c.usual && (got.Count != 2 || !got.Allows(2))) {
				t.Errorf("the price is %+v, want usual %v", got, c.usual)
			}
		})
	}
}

// The discounts that a product has most often stay known, to 1/10,000.
func TestDiscountsOfAProduct(t *testing.T) {
	var p Product
	give := func(n int, rate float32) {
		for range n {
			p.teach(&Line{Priced: true, Price: invoice.One, NetPrice: 1, Quantity: 1, Rate: rate, Discounted: true}, 0)
		}
	}
	give(3, 0.0716)
	give(2, 0.5)
	for i := range 20 {
		give(1, 0.1+0.01*float32(i))
	}
	give(1, 0)
	for rate, want := range map[invoice.Fixed]int{
		716: 3, 5000: 2, 7160: 0, 717: 0, 0: 0, 10_000: 0,
	} {
		if got := p.Gave(rate * (invoice.One / 10_000)); got != want {
			t.Errorf("%d/10,000 was given %d times, want %d", rate, got, want)
		}
	}
	if got := p.Gave(716*(invoice.One/10_000) + 1); got != 0 {
		t.Errorf("a finer rate was given %d times, want 0", got)
	}
}
