package inject

import "recoup/invoice"

// total makes the totals follow the lines and the discount of the original. What
// the original had between its lines and its net amount (freight, a rounding)
// stays between them.
func (d *draft) total() (ok bool) {
	d.inv.DiscountAmount = d.src.DiscountAmount
	old, ok1 := d.sum(d.src)
	sum, ok2 := d.sum(d.inv)
	if !ok1 || !ok2 {
		return false
	}
	if off := &d.inv.DiscountAmount; off.Set && sum < 0 && old > 0 {
		// More is taken off than there is: the program reckoned it as a share.
		full, ok1 := sum.Add(off.Value)
		before, ok2 := old.Add(off.Value)
		part, ok3 := scaled(off.Value, full, before)
		if !ok1 || !ok2 || !ok3 {
			return false
		}
		off.Value = round(part, d.coin)
		sum = full - off.Value
	}
	rest, ok1 := d.src.NetAmount.Sub(old)
	if sum != old && rest >= -d.coin/2 && rest <= d.coin/2 {
		rest = 0 // the sum was rounded; it is again
	}
	net, ok2 := sum.Add(rest)
	return ok1 && ok2 && d.setNet(net)
}

// sum returns what the lines come to, less the discount of the whole invoice.
func (d *draft) sum(inv *invoice.Invoice) (sum invoice.Amount, ok bool) {
	for i := range inv.Lines {
		net, ok := d.amountOf(&inv.Lines[i])
		if !ok {
			return 0, false
		}
		if sum, ok = sum.Add(net); !ok {
			return 0, false
		}
	}
	return sum.Sub(inv.DiscountAmount.Value)
}

// setNet states a net amount, and tax and gross amount that follow it.
func (d *draft) setNet(net invoice.Amount) (ok bool) {
	if d.src.NetAmount%d.coin == 0 {
		net = round(net, d.coin)
	}
	d.inv.NetAmount = net
	tax, ok := d.taxOf(net)
	return ok && d.setTax(tax)
}

// taxOf returns the tax on a net amount of the copy: by its rate, or by the rates
// of its lines, with what the original's tax was off it; where the original's tax
// followed neither, as it was to its net amount.
func (d *draft) taxOf(net invoice.Amount) (tax invoice.Amount, ok bool) {
	src := d.src
	if net == 0 || !src.TaxAmount.Set {
		return 0, true
	}
	if d.inv.TaxRate.Set {
		was, ok1 := src.NetAmount.MulFixed(src.TaxRate.Value)
		is, ok2 := net.MulFixed(d.inv.TaxRate.Value)
		if tax, ok = d.taxLike(was, is); ok && ok1 && ok2 {
			return tax, true
		}
	}
	if sum, ok := d.sum(d.inv); ok && sum == net {
		was, ok1 := taxOfLines(src)
		is, ok2 := taxOfLines(d.inv)
		if tax, ok = d.taxLike(was, is); ok && ok1 && ok2 {
			return tax, true
		}
	}
	if src.NetAmount == 0 {
		return src.TaxAmount.Value, true
	}
	tax, ok = scaled(src.TaxAmount.Value, net, src.NetAmount)
	return round(tax, d.coin), ok
}

// taxLike returns the tax that calculates to is, as the original's calculated to
// was; ok is false when that did not, by more than a coin a line: some programs
// round the tax of each line.
func (d *draft) taxLike(was, is invoice.Amount) (tax invoice.Amount, ok bool) {
	was = round(was, d.coin)
	if !near(d.src.TaxAmount.Value, was, d.coin*invoice.Amount(1+len(d.src.Lines))) {
		return 0, false
	}
	return round(is, d.coin).Add(d.src.TaxAmount.Value - was)
}

// taxOfLines returns the tax by the rates of the lines; ok is false when not all
// have one, or when a discount at the end leaves open what is taxed.
func taxOfLines(inv *invoice.Invoice) (tax invoice.Amount, ok bool) {
	ok = len(inv.Lines) > 0 && inv.DiscountAmount.Value == 0
	for i := range inv.Lines {
		l := &inv.Lines[i]
		part, ok1 := l.Net.Value.MulFixed(l.TaxRate.Value)
		sum, ok2 := tax.Add(part)
		tax, ok = sum, ok && ok1 && ok2 && l.Net.Set && l.TaxRate.Set
	}
	return tax, ok
}

// setTax states a tax amount and the gross amount that follows from it and the
// net amount; what the original had between them (a rounding) stays, unless there
// is nothing to pay.
func (d *draft) setTax(tax invoice.Amount) (ok bool) {
	src, inv := d.src, d.inv
	if inv.TaxAmount.Set {
		inv.TaxAmount.Value = tax
	}
	switch {
	case !src.GrossAmount.Set:
		return true
	case inv.NetAmount == 0:
		inv.GrossAmount.Value = tax
		return true
	case !src.TaxAmount.Set && inv.TaxRate.Set:
		was, ok1 := grossOf(src)
		is, ok2 := grossOf(inv)
		rest, ok3 := src.GrossAmount.Value.Sub(was)
		gross, ok4 := is.Add(rest)
		inv.GrossAmount.Value = gross
		return ok1 && ok2 && ok3 && ok4
	case !src.TaxAmount.Set && src.NetAmount != 0:
		gross, ok := scaled(src.GrossAmount.Value, inv.NetAmount, src.NetAmount)
		inv.GrossAmount.Value = round(gross, d.coin)
		return ok
	}
	rest, ok1 := src.GrossAmount.Value.Sub(src.NetAmount)
	rest, ok2 := rest.Sub(src.TaxAmount.Value)
	gross, ok3 := inv.NetAmount.Add(tax)
	gross, ok4 := gross.Add(rest)
	inv.GrossAmount.Value = gross
	return ok1 && ok2 && ok3 && ok4
}

// payable returns what the customer is asked to pay, as verdicts reckon it: the
// gross amount where it or the tax rate is given, else the net amount.
func payable(inv *invoice.Invoice) invoice.Amount {
	if inv.GrossAmount.Set {
		return inv.GrossAmount.Value
	}
	if gross, ok := grossOf(inv); ok && inv.TaxRate.Set {
		return gross
	}
	return inv.NetAmount
}

// grossOf returns the net amount with tax by the rate stated, in whole coins.
func grossOf(inv *invoice.Invoice) (gross invoice.Amount, ok bool) {
	tax, ok1 := inv.NetAmount.MulFixed(inv.TaxRate.Value)
	gross, ok2 := inv.NetAmount.Add(tax)
	return round(gross, invoice.Coin(inv.Currency)), ok1 && ok2
}
