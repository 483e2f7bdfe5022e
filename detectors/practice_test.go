package detectors

import (
	"testing"
	"time"

	"recoup/detectors/history"
	"recoup/detectors/index"
	"recoup/invoice"

	"github.com/cespare/xxhash/v2"
)

// A11: a code whose rate differs from use to use stands for contracts. Were it put
// into examples as a promotion, wrong contracts would be named promotions.
func TestCodesOfContractsAreNoPromotions(t *testing.T) {
	p := newPractice()
	at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i := range 30 {
		own := invoice.Line{DiscountRate: invoice.OptionalFixed{Value: invoice.Fixed(i%6) * invoice.One / 50, Set: true}}
		p.learnCode("CONTRACT", &own, at)
		all := invoice.Line{DiscountRate: invoice.OptionalFixed{Value: invoice.One / 10, Set: true}}
		p.learnCode("SPRING", &all, at)
	}
	p.context(NewEngine(DefaultSettings(), NewShared(), 0), &invoice.Invoice{Seller: "acme"})
	if got := p.ctx.Promotions; len(got) != 1 || got[0].Code != "SPRING" || got[0].Rate != 0.1 {
		t.Errorf("promotions %+v, want SPRING at 0.1 alone", got)
	}
}

// A11: a code that is met on whole invoices only has no rate, and so is no contract.
func TestCodeWithoutRateIsNoContract(t *testing.T) {
	usually := func(key uint32) *history.Terms {
		return &history.Terms{Rates: history.Habit{Values: [4]history.HabitValue{{Key: key, Count: 9}}, Total: 9}}
	}
	for _, c := range []struct {
		rate uint32 // in 1/10,000, plus 1
		want bool
	}{{0, false}, {1001, true}} {
		p := newPractice()
		key := index.Mix(index.Mix(0, tagCode), xxhash.Sum64String("GOLD"))
		gold := history.Code{Seller: key, OfCustomer: usually(c.rate),
			OfSeller: usually(7)}
		p.contract(&history.Facts{Codes: []history.Code{gold}},
			&invoice.Invoice{Lines: []invoice.Line{{PromoCodes: []string{"GOLD"}}}})
		if p.ctx.HasContract != c.want || (c.want && p.ctx.ContractRate != 0.1) || p.ctx.ContractRate > 1 {
			t.Errorf("rate %d: contract %v at %v, want %v", c.rate, p.ctx.HasContract, p.ctx.ContractRate, c.want)
		}
	}
}

// A code with ever new rates does not grow without bound.
func TestRatesOfACodeAreBounded(t *testing.T) {
	p := newPractice()
	for i := range invoice.Fixed(300) {
		own := invoice.Line{DiscountRate: invoice.OptionalFixed{Value: i * invoice.One / 1000, Set: true}}
		p.learnCode("CONTRACT", &own, time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	}
	if n := len(p.codes["CONTRACT"].rates); n != mostRates {
		t.Errorf("%d rates are kept, want %d", n, mostRates)
	}
}
