package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"recoup/invoice"
)

// G7: examples are kept of the 64 sellers that bill most, in whatever order they
// come; sellers of a single invoice push nobody out.
func TestExamplesOfThoseThatBillMost(t *testing.T) {
	var invoices, most []string
	for i := range 200 {
		name, n := fmt.Sprintf("small-%03d", i), 1+i%4
		if i < MostTrained {
			name, n = fmt.Sprintf("large-%03d", i), 40+i%20
			most = append(most, name)
		}
		for range n {
			invoices = append(invoices, name)
		}
	}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(invoices), func(a, b int) { invoices[a], invoices[b] = invoices[b], invoices[a] })
		trainer, again := NewTrainer(TrainerOptions{}), NewTrainer(TrainerOptions{})
		for _, seller := range invoices {
			trainer.examplesOf(seller, 0)
			again.examplesOf(seller, 0)
		}
		if got := trainer.Sellers(); !slices.Equal(got, most) {
			t.Errorf("seed %d: examples of %d sellers, %v; want the large ones", seed, len(got), got)
		}
		if !slices.Equal(trainer.Sellers(), again.Sellers()) {
			t.Errorf("seed %d: the same invoices keep other sellers", seed)
		}
	}
}

// A seller that comes late gets its place from the one that billed least, and two
// that bill as much as each other do not take turns.
func TestSellerThatComesLate(t *testing.T) {
	trainer := NewTrainer(TrainerOptions{})
	for i := range MostTrained {
		for range 10 + i {
			trainer.examplesOf(fmt.Sprint("early-", i), 0)
		}
	}
	for n := 1; trainer.examplesOf("late", 7) == nil; n++ {
		if n > 15 {
			t.Fatalf("no place after %d invoices; the least has 10", n)
		}
	}
	if s := trainer.sellers["late"]; s.invoices != 16 || s.first != 7 {
		t.Errorf("a place after %d invoices on day %d, want 16 and 7", s.invoices, s.first)
	}
	if trainer.sellers["early-0"] != nil || trainer.waiting["early-0"] != 10 {
		t.Error("the seller that billed least kept its place, or what it billed was forgotten")
	}
	turns := 0
	for i := range 1000 {
		was := trainer.sellers["early-1"] != nil
		trainer.examplesOf([]string{"early-0", "early-1"}[i%2], 0)
		if was != (trainer.sellers["early-1"] != nil) {
			turns++
		}
	}
	if turns > 1 {
		t.Errorf("two sellers took turns %d times", turns)
	}
}

// G7: what is counted of sellers without a place is bounded too.
func TestCountedSellersAreBounded(t *testing.T) {
	trainer := NewTrainer(TrainerOptions{})
	for i := range 20 * mostCounted {
		trainer.examplesOf(fmt.Sprint("one-off ", i), 0)
	}
	if n := len(trainer.waiting); n > mostCounted {
		t.Errorf("%d sellers are counted, want at most %d", n, mostCounted)
	}
}

// G7: invoices kept for duplicates are bounded in their lines; the newest stay, in
// their order, and one that is a quarter of all is not kept.
func TestKeptInvoicesAreBounded(t *testing.T) {
	p := newPractice()
	keep := func(id, lines int) {
		inv := long(int64(id), lines, 0, invoice.One)
		p.keep(inv)
		all := 0
		for _, kept := range p.kept {
			all += len(kept.Lines)
		}
		if all != p.lines || all > recentLines || len(p.kept) > recentKept {
			t.Fatalf("invoice %d: %d kept with %d lines, counted %d", id, len(p.kept), all, p.lines)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for id := range 400 {
		keep(id, 1+rng.IntN(5))
	}
	if len(p.kept) != recentKept {
		t.Fatalf("%d small invoices are kept, want %d", len(p.kept), recentKept)
	}
	for id := range 40 {
		keep(400+id, recentLines/5)
	}
	keep(440, recentLines)
	for id := range 3 {
		keep(441+id, 1)
	}
	var ids []string
	for _, kept := range p.kept {
		ids = append(ids, kept.ID)
	}
	if want := []string{"436", "437", "438", "439", "441", "442", "443"}; !slices.Equal(ids, want) {
		t.Errorf("kept %v, want %v", ids, want)
	}
}
