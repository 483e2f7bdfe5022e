package detectors

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/history"
	"recoup/detectors/index"
	"recoup/invoice"
)

// Tags keep the keys of different kinds apart.
const (
	tagCustomer = iota + 1
	tagGroup
	tagCountry
	tagSource
	tagContent
	tagCode
)

func short(s string) uint32 { return uint32(xxhash.Sum64String(s)) }

// rateKey is a rate as habits count it: in 1/10,000, plus 1. 0 is no rate.
func rateKey(rate invoice.Fixed) uint32 {
	return uint32(max(0, min(int64(rate)/(int64(invoice.One)/10_000), math.MaxInt32))) + 1
}

// fixedFloat returns a number of the invoice as a float, for statistics only.
func fixedFloat(f invoice.Fixed) float64 { return float64(f) / float64(invoice.One) }

// factsOf fills in what the invoice, whose hashes are there, says. eventMS is its
// event time.
func (e *evidence) factsOf(inv *invoice.Invoice, eventMS int64) {
	f, hashes := &e.facts, &e.hashes
	f.Reset()
	f.Seller, f.Type, f.Currency = hashes.Seller, uint32(hashes.CustomerType), uint32(hashes.Currency)
	f.Hour = int32(hourOf(eventMS))
	f.Day = f.Hour / 24
	f.Group = index.Mix(index.Mix(f.Seller, tagGroup), uint64(f.Type))
	f.Country = index.Mix(index.Mix(f.Seller, tagCountry), uint64(uint32(hashes.Country)))
	source := index.Mix(hashes.SourceSystem, hashes.SourceRelease)
	f.Source = index.Mix(index.Mix(f.Seller, tagSource), source)
	switch { // all batches of a bad release are one trouble
	case inv.SourceRelease != "":
		f.Batch = uint32(hashes.SourceRelease)
	case inv.BatchID != "":
		f.Batch = uint32(hashes.BatchID)
	default:
		f.Batch = uint32(f.Day)
	}
	if inv.CustomerRef != "" && inv.CustomerRef != invoice.Anonymous {
		f.Customer = index.Mix(index.Mix(f.Seller, tagCustomer), hashes.CustomerRef)
	}
	if inv.TaxRate.Set {
		f.Tax = rateKey(inv.TaxRate.Value)
	}
	if inv.PriceListVersion != "" {
		f.Version = max(1, short(inv.PriceListVersion))
	}
	f.Marked = marksOf(inv)
	f.LogNet = logOf(float64(inv.NetAmount) / float64(invoice.Unit))
	f.LogLines = logOf(float64(len(inv.Lines)))
	f.Print = printOf(inv, hashes, eventMS)
	factsOfLines(f, inv, hashes.Products)
	f.Content = index.Mix(index.Mix(f.Seller, tagContent), uint64(f.Print.Goods))
}

// printOf is what recent invoices are remembered by; its sums over the lines are
// still missing.
func printOf(inv *invoice.Invoice, hashes *invoice.Hashes, eventMS int64) history.Print {
	p := history.Print{Minute: int32(eventMS / 60_000), Number: max(1, uint32(hashes.ID)),
		Lines: uint32(len(inv.Lines)), Net: inv.NetAmount}
	copy(p.ID[:], inv.ID)
	if inv.OrderRef != "" {
		p.Order = max(1, uint32(hashes.OrderRef))
	}
	if inv.DeliveryRef != "" {
		p.Delivery = max(1, uint32(hashes.DeliveryRef))
	}
	if inv.ContractRef != "" {
		p.Contract = max(1, short(inv.ContractRef))
	}
	if s := inv.ShippedAt.Unix(); !inv.ShippedAt.IsZero() && s > 0 && s%86400 != 0 {
		p.Shipped = uint32(s)
	}
	if start, end := inv.PeriodStart, inv.PeriodEnd; !start.IsZero() && !end.IsZero() {
		p.Period = history.PeriodOf(start.Unix()/86400, end.Unix()/86400)
	}
	return p
}

// factsOfLines adds the lines, whose products' hashes are given, their discount codes
// and their sums.
func factsOfLines(f *history.Facts, inv *invoice.Invoice, products []uint64) {
	currency := index.Mixable(index.Mix(f.Seller, uint64(f.Currency)))
	buyer := index.Mixable(cmp.Or(f.Customer, f.Group))
	typeBit := history.TypeBit(f.Type)
	f.Lines = slices.Grow(f.Lines, len(inv.Lines))[:len(inv.Lines)]
	for i := range inv.Lines {
		l, line := &inv.Lines[i], &f.Lines[i]
		*line = history.Line{Types: typeBit, Discounted: l.DiscountRate.Value != 0 || l.DiscountAmount.Value != 0}
		printLine(&f.Print, products[i], l, i == 0)
		if l.ProductID != "" {
			line.Product = index.MixWith(currency, products[i])
			line.Pair = index.MixWith(buyer, line.Product)
		}
		q := fixedFloat(l.Quantity.Value)
		line.Quantity, line.LogQuantity = float32(q), logOf(q)
		line.Price = l.UnitPrice.Value
		line.End = endOf(l.UnitPrice.Value)
		if l.DiscountRate.Value != 0 {
			line.Rate = float32(fixedFloat(l.DiscountRate.Value))
			line.Half = l.DiscountRate.Value == invoice.One/2 && q >= 2 && math.Mod(q, 2) == 0
		}
		line.Priced = l.UnitPrice.Value > 0 && l.Quantity.Value > 0
		if line.Priced && l.Net.Set {
			line.NetEnd = endOf(invoice.Fixed(l.Net.Value) * (invoice.One / 10_000))
			line.NetPrice = perUnit(l.Net.Value, l.Quantity.Value)
			if l.Description != "" {
				line.Like = index.MixWith(currency, xxhash.Sum64String(l.Description))
				line.LogPrice, line.LogNet = logOf(fixedFloat(line.Price)), logOf(fixedFloat(max(1, line.NetPrice)))
			}
		}
		for _, code := range l.PromoCodes {
			f.Codes = noteCode(f.Codes, f, code, l)
		}
	}
	if len(f.Codes) == 0 {
		for _, code := range inv.PromoCodes {
			f.Codes = noteCode(f.Codes, f, code, nil)
		}
	}
}

// printLine adds a line, whose product's hash is given, to the sums over the lines.
func printLine(p *history.Print, product uint64, l *invoice.Line, first bool) {
	half := index.Mixable(product)
	goods := index.MixWith(half, uint64(l.Quantity.Value))
	p.Products += uint32(product)
	p.Goods += uint32(goods)
	p.Content += uint32(index.Mix(goods, uint64(l.Net.Value)))
	for k := range p.Sketch {
		if h := uint16(index.MixWith(half, uint64(k)) >> 40); h < p.Sketch[k] || first {
			p.Sketch[k] = h
		}
	}
}

// endOf is the last two digits of a price, in whole cents.
func endOf(price invoice.Fixed) uint8 { return uint8(max(0, price) / cent % 100) }

// perUnit is an amount over a quantity, rounded to a tenth of a cent: what a
// unit came to is only known as well as the line was rounded.
func perUnit(net invoice.Amount, quantity invoice.Fixed) invoice.Fixed {
	v := float64(net) / float64(invoice.Unit) / fixedFloat(quantity)
	if !(math.Abs(v) < 1e8) {
		return 0
	}
	return invoice.Fixed(math.Round(v*1000)) * (invoice.One / 1000)
}

func logOf(x float64) float32 {
	if n := int(x); n > 0 && n < len(wholeLogs) && float64(n) == x {
		return wholeLogs[n]
	}
	if !(x > 0) {
		return 0
	}
	return float32(math.Log(x))
}

// wholeLogs are the logarithms of what most quantities and numbers of lines are.
var wholeLogs = func() (logs [256]float32) {
	for n := 1; n < len(logs); n++ {
		logs[n] = float32(math.Log(float64(n)))
	}
	return logs
}()

// mostNoted is how many different discount codes of an invoice are looked at: each
// line's are sought among them, and a record has room for a million.
const mostNoted = 64

// noteCode adds a line's discount code, or one of the whole invoice (nil).
func noteCode(codes []history.Code, f *history.Facts, code string, l *invoice.Line) []history.Code {
	key := index.Mix(index.Mix(f.Seller, tagCode), xxhash.Sum64String(code))
	at := -1
	for i := range codes {
		if codes[i].Seller == key {
			at = i
		}
	}
	if at < 0 && len(codes) == mostNoted {
		return codes
	}
	if at < 0 {
		c := history.Code{Seller: key}
		if f.Customer != 0 {
			c.Customer = index.Mix(f.Customer, key)
		}
		codes = append(codes, c)
		at = len(codes) - 1
	}
	if l == nil {
		return codes
	}
	c := &codes[at]
	if len(l.PromoCodes) == 1 && c.Rate == 0 {
		c.Rate = rateKey(l.DiscountRate.Value)
	}
	c.Families |= history.FamilyBit(short(l.ProductFamily))
	return codes
}

func marksOf(inv *invoice.Invoice) (m history.Marked) {
	for _, name := range inv.LegalFieldsPresent {
		switch {
		case strings.HasPrefix(name, "purchase_order"):
			m.Set(history.MarkPurchaseOrder, true)
		case strings.HasSuffix(name, "vat_id"):
			m.Set(history.MarkVAT, true)
		}
	}
	m.Set(history.MarkDelivery, inv.DeliveryRef != "")
	m.Set(history.MarkShipped, !inv.ShippedAt.IsZero())
	m.Set(history.MarkOrder, inv.OrderRef != "")
	m.Set(history.MarkCustomer, inv.CustomerRef != "")
	m.Set(history.MarkType, inv.CustomerType != "")
	m.Set(history.MarkFamily, inv.ProductFamily != "")
	m.Set(history.MarkEarly, inv.ShippedAt.After(inv.IssuedAt))
	return m
}
