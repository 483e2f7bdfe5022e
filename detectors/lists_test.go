package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// sortedBasket bills up to 14 of 400 products in the order of their numbers, or as
// they come.
func sortedBasket(rng *rand.Rand, sorted bool) (lines []billed) {
	for range 2 + rng.IntN(13) {
		product := rng.IntN(400)
		lines = append(lines, billed{fmt.Sprint(100_000 + product), 1 + float64(product%7), 0})
	}
	if sorted {
		slices.SortFunc(lines, func(a, b billed) int { return cmpText(a.product, b.product) })
	}
	return lines
}

func cmpText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// A8, E3: a program that loses the ends of lists is seen without anybody counting
// deliveries, where lines stand in the order of product numbers; nothing is said
// where they do not, nor of the lists of a usual week.
func TestListsThatEndEarly(t *testing.T) {
	for name, sorted := range map[string]bool{"in order": true, "as they come": false} {
		rng := rand.New(rand.NewPCG(7, 1))
		e := NewEngine(DefaultSettings(), NewShared(), 0)
		n := 0
		said := func(cut float64) bool {
			n++
			lines := sortedBasket(rng, sorted)
			v := verdictOn(e, basket(n, "", lines[:max(1, int(cut*float64(len(lines))))]...), int64(n))
			e.Teach(v.Suspect)
			return v.Suspect && slices.Contains(v.Rules, "billing_system:lost_lines")
		}
		count := func(invoices int, cut float64) (found, first int) {
			for i := range invoices {
				if said(cut) {
					if found++; found == 1 {
						first = i + 1
					}
				}
			}
			return found, first
		}
		if usual, _ := count(1500, 1); usual > 0 {
			t.Errorf("%s: %d of 1500 usual lists are said to be cut", name, usual)
		}
		switch found, first := count(25, 0.5); {
		case sorted && (found < 12 || first > 8): // a third of the halves are too short to tell
			t.Errorf("%s: %d of 25 lists that were cut are found, the first is number %d", name, found, first)
		case !sorted && found > 0:
			t.Errorf("%s: %d lists are said to be cut", name, found)
		}
		count(20, 1)
		if after, _ := count(500, 1); after > 0 {
			t.Errorf("%s: %d usual lists after the outage are said to be cut", name, after)
		}
	}
}

// Plans, sets and kits are the same few lines on every bill, in order, and runs of
// one of them come in a row: none has lost its end.
func TestSetsAreNotCut(t *testing.T) {
	for _, sets := range []int{2, 20, 300} {
		rng := rand.New(rand.NewPCG(7, uint64(sets)))
		e := NewEngine(DefaultSettings(), NewShared(), 0)
		said, set := 0, 0
		for n := range 3000 {
			if n%40 == 0 {
				set = rng.IntN(sets)
			}
			var lines []billed
			for line := range 3 {
				lines = append(lines, billed{fmt.Sprint(100_000 + 10*set + line), 2, 0})
			}
			v := verdictOn(e, basket(n, "", lines...), int64(n))
			e.Teach(v.Suspect)
			if slices.Contains(v.Rules, "billing_system:lost_lines") {
				said++
			}
		}
		if said > 20 {
			t.Errorf("%d sets: %d of 3000 bills are said to have lost lines", sets, said)
		}
	}
}
