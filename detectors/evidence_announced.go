package detectors

import (
	"github.com/cespare/xxhash/v2"

	"recoup/detectors/index"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// announced notes which discounts references explain: the line has the rate of the
// contract, or that of one promotion that holds for it. However new they are to the
// history, they are as expected.
func (e *evidence) announced() {
	inv, refs, at := e.inv, e.refs, e.inv.IssuedAt
	if refs == nil || !refs.HasPromotions(inv.Seller, at) && !refs.HasCustomers(inv.Seller, at) {
		return
	}
	contract := invoice.OptionalFixed{}
	if c, ok := refs.Customer(inv.Seller, inv.CustomerRef, at); ok {
		contract = c.ContractDiscountRate
	}
	discounted, explained := 0, 0
	for i := range inv.Lines {
		l := &inv.Lines[i]
		if l.DiscountRate.Value <= 0 || len(l.PromoCodes) > 1 {
			discounted += len(l.PromoCodes)
			continue
		}
		discounted++
		is := contract.Set && near(l.DiscountRate.Value, contract.Value)
		if len(l.PromoCodes) == 1 {
			p, state := refs.Promotion(inv.Seller, l.PromoCodes[0], at)
			if state == reference.PromotionValid {
				is = near(l.DiscountRate.Value, p.DiscountRate) && p.ForFamily(l.ProductFamily) && p.ForType(inv.CustomerType)
			} else if state != reference.PromotionUnknown {
				is = false
			}
		}
		if is {
			e.lines[i].announced = true
			explained++
		}
	}
	e.explained = discounted > 0 && explained == discounted
}

const (
	codeUsed = 5   // usual invoices from which a code is in use
	codeHeld = 0.8 // share of them with one rate
)

// codeExplains tells whether line i, at a usual price, is discounted by a code that
// is in use, at the rate that it always has.
func (e *evidence) codeExplains(i int) bool {
	l, f := &e.inv.Lines[i], &e.facts
	if len(l.PromoCodes) != 1 || l.DiscountRate.Value <= 0 || e.lines[i].off != 0 {
		return false
	}
	key := index.Mix(index.Mix(f.Seller, tagCode), xxhash.Sum64String(l.PromoCodes[0]))
	for k := range f.Codes {
		c := &f.Codes[k]
		if c.Seller != key || c.OfSeller == nil {
			continue
		}
		t := c.OfSeller
		share, _ := t.Rates.Share(rateKey(l.DiscountRate.Value))
		return t.Invoices >= codeUsed && share >= codeHeld && t.Still(f.Hour) && c.Families&^t.Families == 0
	}
	return false
}
