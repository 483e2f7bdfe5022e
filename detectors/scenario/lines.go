package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"recoup/invoice"
)

// setLines reads lines such as "40.00", "3x12.50", "2x10.00=19.00" or
// "mug/KITCHEN:3x12.50-10%@SPRING": product and its family, quantity and unit
// price, discount, codes, and the net amount where it is not what these come to.
func (f *record) setLines(v string) error {
	f.inv.Lines = nil
	for i, part := range strings.Split(v, ",") {
		line, err := lineOf(part)
		if err != nil {
			return fmt.Errorf("line %d, %q: %w", i+1, part, err)
		}
		line.ID = strconv.Itoa(i + 1)
		f.inv.Lines = append(f.inv.Lines, line)
	}
	return nil
}

func lineOf(v string) (line invoice.Line, err error) {
	if product, rest, ok := strings.Cut(v, ":"); ok {
		line.ProductID, line.ProductFamily, _ = strings.Cut(product, "/")
		v = rest
	}
	v, net, hasNet := strings.Cut(v, "=")
	v, codes, hasCodes := strings.Cut(v, "@")
	if hasCodes {
		line.PromoCodes = strings.Split(codes, "@")
	}
	v, discount, hasDiscount := strings.Cut(v, "-")
	if hasDiscount {
		if line.DiscountRate, err = share(discount); err != nil {
			return line, err
		}
	}
	quantity, price, hasPrice := strings.Cut(v, "x")
	if !hasPrice {
		return line, amount(&line.Net, v)
	}
	if line.Quantity.Value, err = invoice.ParseFixed(quantity); err != nil {
		return line, err
	}
	if line.UnitPrice.Value, err = invoice.ParseFixed(price); err != nil {
		return line, err
	}
	line.Quantity.Set, line.UnitPrice.Set, line.Net.Set = true, true, true
	if hasNet {
		return line, amount(&line.Net, net)
	}
	var ok bool
	line.Net.Value, ok = invoice.LineNet(line.Quantity.Value, line.UnitPrice.Value, line.DiscountRate.Value)
	if !ok {
		return line, fmt.Errorf("%s × %s is too large for an amount", quantity, price)
	}
	return line, nil
}

// share reads "20%" or "0.2".
func share(v string) (invoice.OptionalFixed, error) {
	percent, isPercent := strings.CutSuffix(v, "%")
	rate, err := invoice.ParseFixed(percent)
	if isPercent {
		rate /= 100
	}
	return invoice.OptionalFixed{Value: rate, Set: true}, err
}

// sumOfLines is the net amount of an invoice that names none.
func (f *record) sumOfLines() (sum invoice.Amount, ok bool) {
	for i := range f.inv.Lines {
		if sum, ok = sum.Add(f.inv.Lines[i].Net.Value); !ok {
			return 0, false
		}
	}
	if ok && f.inv.DiscountAmount.Set {
		return sum.Sub(f.inv.DiscountAmount.Value)
	}
	return sum, ok
}

func (f *record) setTax(v string) (err error) {
	f.inv.TaxRate, err = share(v)
	return err
}

// setCodes reads the discount codes of the invoice as a whole.
func (f *record) setCodes(v string) error {
	f.inv.PromoCodes = strings.Split(v, ",")
	return nil
}

// setLegal reads which legal fields are filled.
func (f *record) setLegal(v string) error {
	f.inv.LegalFieldsPresent = strings.Split(v, ",")
	return nil
}

// setShipped reads when the goods left: "-1d" or "+3d" from issued_at.
func (f *record) setShipped(v string) (err error) {
	f.shipped, err = parseDuration(v)
	f.hasShip = true
	return err
}

// setPeriod reads how many days up to issued_at are billed: "30d".
func (f *record) setPeriod(v string) error {
	d, err := parseDuration(v)
	f.period = int(d / (24 * time.Hour))
	if err == nil && f.period < 1 {
		return fmt.Errorf("want whole days, at least 1d")
	}
	return err
}

// setCRM reads "gold", "gold/v3" or "gold/v3/10%": plan, contract version and
// discount rate that the customer system held when the invoice was made.
func (f *record) setCRM(v string) (err error) {
	parts := strings.Split(v, "/")
	crm := &f.inv.CRM
	crm.Plan = parts[0]
	if len(parts) > 1 {
		crm.ContractVersion = parts[1]
	}
	if len(parts) > 2 {
		crm.DiscountRate, err = share(parts[2])
	}
	return err
}
