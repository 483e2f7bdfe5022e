package detectors

import (
	"math"

	"recoup/detectors/reference"
	"recoup/invoice"
)

// listed returns the price that a reference says for line i.
func (e *evidence) listed(i int) (invoice.Fixed, bool) {
	if !e.refs.Has(invoice.PriceReference) {
		return 0, false
	}
	line := &e.inv.Lines[i]
	p, ok := e.refs.Price(e.inv.Seller, line.ProductID, e.inv.CustomerType, e.inv.CustomerRef,
		line.Quantity.Value, e.inv.IssuedAt)
	return p.UnitPrice, ok && p.UnitPrice > 0
}

// allowances compares discounts, currency and shipping with what references of
// the customer, the promotions and the seller's policy allow.
func (e *evidence) allowances() {
	inv, refs, at := e.inv, e.refs, e.inv.IssuedAt
	if refs == nil {
		return
	}
	customer, ofCustomer := refs.Customer(inv.Seller, inv.CustomerRef, at)
	if ofCustomer {
		e.flag(fPrepays, customer.Prepays.Value && e.x[fEarly] > 0)
		e.flag(fExempt, customer.TaxExempt.Value)
	}
	policy, ofPolicy := refs.Policy(inv.Seller, at)
	if ofPolicy {
		e.flag(fCurrencyPolicy, !policy.Bills(inv.Currency))
		if policy.MaxDiscountRate.Set {
			e.set(fOverCap, max(0, float64(e.x[fRate])-fixedFloat(policy.MaxDiscountRate.Value)))
		}
	}
	promotions := refs.HasPromotions(inv.Seller, at)
	contracts := refs.HasCustomers(inv.Seller, at)
	if !promotions && !contracts {
		return
	}
	contract := 0.0
	if customer.ContractDiscountRate.Set {
		contract = fixedFloat(customer.ContractDiscountRate.Value)
	}
	without := 0
	for i := range inv.Lines {
		l := &inv.Lines[i]
		rate := fixedFloat(l.DiscountRate.Value)
		allowed := contract
		for _, code := range l.PromoCodes {
			allowed = max(allowed, e.promotion(l, code, rate, promotions, contract > 0))
		}
		if rate > 0 && e.raise(fAllowedOff, rate-allowed) && contract > 0 {
			e.set(fContract, rate-contract)
		}
		if contract > 0 && rate < contract-0.0005 {
			without++
			if rate > 0 {
				e.set(fContract, min(float64(e.x[fContract]), rate-contract))
			}
		}
	}
	if n := len(inv.Lines); n > 0 && contracts {
		e.set(fContractNone, float64(without)/float64(n))
	}
}

// promotion compares a line with a promotion it names and returns the rate that
// this allows.
func (e *evidence) promotion(l *invoice.Line, code string, rate float64, published, contract bool) float64 {
	p, state := e.refs.Promotion(e.inv.Seller, code, e.inv.IssuedAt)
	switch state {
	case reference.PromotionUnknown:
		e.flag(fPromoUnknown, published && !contract)
		return 0
	case reference.PromotionExpired:
		e.raise(fPromoExpired, math.Log1p(max(0, e.inv.IssuedAt.Sub(p.To()).Hours())))
		return 0
	case reference.PromotionNotBegun:
		e.raise(fPromoExpired, math.Log1p(max(0, p.From().Sub(e.inv.IssuedAt).Hours())))
		return 0
	}
	allowed := fixedFloat(p.DiscountRate)
	if off := rate - allowed; len(l.PromoCodes) == 1 && math.Abs(off) > math.Abs(float64(e.x[fPromoOff]))+0.0005 {
		e.set(fPromoOff, off)
	}
	if !p.ForFamily(l.ProductFamily) || !p.ForType(e.inv.CustomerType) {
		e.set(fPromoFamily, float64(e.x[fPromoFamily]+1/float32(len(e.inv.Lines))))
		return 0
	}
	return allowed
}

// delivery compares units and lines with the warehouse's own count.
func (e *evidence) delivery() {
	inv := e.inv
	if !e.refs.HasDeliveries(inv.Seller, inv.IssuedAt) {
		return
	}
	d, ok := e.refs.Delivery(inv.Seller, inv.DeliveryRef, inv.IssuedAt)
	if !ok {
		e.flag(fNotCounted, inv.DeliveryRef != "")
		return
	}
	e.set(fDelivered, 1)
	if d.Lines.Set && d.Lines.Value > 0 {
		e.set(fLinesOff, max(-2, float64(d.Lines.Value-int64(len(inv.Lines)))/float64(d.Lines.Value)))
	}
	if !d.Units.Set || d.Units.Value <= 0 {
		return
	}
	e.short = invoice.Fixed(sub(invoice.Amount(d.Units.Value), invoice.Amount(unitsOf(inv))))
	e.set(fUnitsOff, max(-5, min(5, float64(e.short)/float64(d.Units.Value))))
	if e.short != 0 && e.x[fLinesOff] == 0 {
		e.explainShort()
	}
}

// unitsOf adds up the units that an invoice bills: exactly, and then held at the limits.
func unitsOf(inv *invoice.Invoice) invoice.Fixed {
	const half, mask = 32, 1<<32 - 1
	var high, low int64 // of a sum of more than 64 bits
	for i := range inv.Lines {
		units := int64(inv.Lines[i].Quantity.Value)
		high, low = high+units>>half, low+units&mask
	}
	high, low = high+low>>half, low&mask
	switch {
	case high > math.MaxInt32:
		return math.MaxInt64
	case high < math.MinInt32:
		return math.MinInt64
	}
	return invoice.Fixed(high<<half | low)
}

// explainShort looks for the line whose quantity most likely makes the billed
// units differ from the delivered ones.
func (e *evidence) explainShort() {
	best := 0.0
	for i := range e.inv.Lines {
		q := e.inv.Lines[i].Quantity.Value
		meant := addFixed(q, e.short)
		if meant <= 0 || q <= 0 {
			continue
		}
		grade := 0.1
		switch s := slipOf(meant, q, 0); {
		case s != noSlip && s < slipOtherDigit:
			grade = 2
		case s == slipOtherDigit:
			grade = 0.5
		}
		if l := &e.facts.Lines[i]; l.OfProduct != nil {
			grade += min(1, float64(l.OfProduct.Sold(float32(fixedFloat(meant))))/5)
			grade -= min(0.5, float64(l.OfProduct.Sold(l.Quantity))/10)
		}
		if l := &e.facts.Lines[i]; l.OfPair != nil && l.OfPair.Last == float32(fixedFloat(meant)) {
			grade++
		}
		if grade > best {
			best, e.shortAt = grade, i
		}
	}
	e.set(fDeliverySlip, best)
}
