package inject

import "recoup/invoice"

// usualTaxRates stand in where the seller's own are not known: reduced and
// standard rates of sales and value added taxes.
var usualTaxRates = [...]invoice.Fixed{
	invoice.One / 20, invoice.One * 7 / 100, invoice.One / 10, invoice.One * 19 / 100, invoice.One / 5, invoice.One / 4,
}

// unfollowed is the share of wrong taxes that do not follow from the rate stated.
const unfollowed = 0.3

// spoilWrongTax states a wrong rate with the tax that follows from it, or a tax
// that does not follow from the rate stated. Where only lines have rates, one of
// these is wrong. It fits invoices that state a rate or a tax.
func spoilWrongTax(d *draft) bool {
	if !d.src.TaxRate.Set && !d.src.TaxAmount.Set {
		return false
	}
	taxed, onLines := oneOf(d.rng, d.src.Lines, func(l *invoice.Line) bool { return l.TaxRate.Set })
	follows := !d.src.TaxAmount.Set || !d.chance(unfollowed)
	is := d.taxRate()
	if !d.src.TaxRate.Set && onLines && follows {
		is = taxed.TaxRate.Value
	}
	rate, ok := d.otherTaxRate(is)
	tax, ok1 := d.src.NetAmount.MulFixed(rate)
	if !ok || !ok1 {
		return false
	}
	tax = round(tax, d.coin)
	if follows && (d.src.TaxRate.Set || onLines) {
		if !d.setTaxRate(is, rate) {
			return false
		}
		tax, ok = d.taxOf(d.inv.NetAmount)
	}
	return ok && d.setTax(tax) && payable(d.inv) != payable(d.src)
}

// setTaxRate replaces a rate wherever it stands; false when it stands nowhere.
func (d *draft) setTaxRate(is, rate invoice.Fixed) (found bool) {
	if r := &d.inv.TaxRate; r.Set && r.Value == is {
		r.Value, found = rate, true
	}
	for i := range d.inv.Lines {
		if r := &d.inv.Lines[i].TaxRate; r.Set && r.Value == is {
			r.Value, found = rate, true
		}
	}
	return found
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
	case is != 0 && draw < 0.6 && is <= invoice.One/10:
		return is * 10, true
	case draw < 0.85:
		if rate, ok = oneOf(d.rng, d.ctx.TaxRates, other); ok {
			return rate, true
		}
	}
	return oneOf(d.rng, usualTaxRates[:], other)
}
