package detectors

import (
	"testing"
	"time"

	"recoup/invoice"
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
