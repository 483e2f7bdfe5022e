package inject

import "recoup/invoice"

// usualTaxRates stand in where the seller's own are not known: reduced and
// standard rates of sales and value added taxes.
var usualTaxRates = [...]invoice.Fixed{
	invoice.One / 20, invoice.One * 7 / 100, invoice.One / 10, invoice.One * 19 / 100, invoice.One / 5, invoice.One / 4,
}

// spoilWrongTax states a wrong rate with the tax that follows from it, or, in
// three of ten cases, a tax that does not follow from the rate stated. It fits
// invoices that state a rate or a tax.
func spoilWrongTax(d *draft) bool {
	if !d.src.TaxRate.Set && !d.src.TaxAmount.Set {
		return false
	}
	is := d.taxRate()
	rate, ok := d.otherTaxRate(is)
	tax, ok1 := d.src.NetAmount.MulFixed(rate)
	if !ok || !ok1 {
		return false
	}
	tax = round(tax, d.coin)
	if !d.src.TaxRate.Set || (d.src.TaxAmount.Set && d.chance(0.3)) {
		return d.setTax(tax) && payable(d.inv) != payable(d.src)
	}
	d.inv.TaxRate.Value = rate
	for i := range d.inv.Lines {
		if l := &d.inv.Lines[i]; l.TaxRate.Set && l.TaxRate.Value == is {
			l.TaxRate.Value = rate
		}
	}
	return d.setTax(tax) && payable(d.inv) != payable(d.src)
}

// taxRate returns the rate of the original, as stated or as its tax implies it.
func (d *draft) taxRate() invoice.Fixed {
	if d.src.TaxRate.Set || d.src.NetAmount == 0 {
		return d.src.TaxRate.Value
	}
	rate, _ := scaled(invoice.Fixed(d.src.TaxAmount.Value), invoice.One, invoice.Fixed(d.src.NetAmount))
	return round(rate, invoice.One/1000)
}

// otherTaxRate draws a wrong rate: none, another that occurs, or the right one
// with its comma moved.
func (d *draft) otherTaxRate(is invoice.Fixed) (rate invoice.Fixed, ok bool) {
	other := func(rate *invoice.Fixed) bool { return *rate != is && *rate >= 0 && *rate <= invoice.One }
	switch draw := d.rng.Float64(); {
	case is != 0 && draw < 0.4:
		return 0, true
	case is != 0 && draw < 0.55:
		return is / 10, true
	case is != 0 && draw < 0.6:
		return is * 10, is <= invoice.One/10
	case draw < 0.85:
		if rate, ok = oneOf(d.rng, d.ctx.TaxRates, other); ok {
			return rate, true
		}
	}
	return oneOf(d.rng, usualTaxRates[:], other)
}
