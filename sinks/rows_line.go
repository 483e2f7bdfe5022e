package sinks

import "recoup/invoice"

// lineColumns are the columns of invoice_lines.
type lineColumns struct {
	identity                                                  identityColumns
	index                                                     cells
	lineID, productID, description, orderLineRef, deliveryRef text
	unit                                                      interned
	quantity, unitPrice, listUnitPrice, discountRate, taxRate nullable
	discountAmount, net                                       nullable
	promoCodes                                                internedList
}

func newLineColumns() *lineColumns {
	return &lineColumns{
		identity: newIdentityColumns(), index: newCells("UInt32", 4), unit: newInterned(),
		quantity: nullableDecimals(typeFixed), unitPrice: nullableDecimals(typeFixed),
		listUnitPrice: nullableDecimals(typeFixed), discountRate: nullableDecimals(typeFixed),
		taxRate: nullableDecimals(typeFixed), discountAmount: nullableDecimals(typeAmount),
		net: nullableDecimals(typeAmount), promoCodes: newInternedList(),
	}
}

// add adds the lines of one invoice. A line without a product family of its own
// has that of its invoice.
func (c *lineColumns) add(inv *invoice.Invoice, at invoice.Position, day uint16) {
	for i := range inv.Lines {
		l := &inv.Lines[i]
		family := l.ProductFamily
		if family == "" {
			family = inv.ProductFamily
		}
		c.identity.add(inv, at, day, family)
		c.index.add32(uint32(i))
		c.lineID.add(l.ID)
		c.productID.add(l.ProductID)
		c.description.add(l.Description)
		c.orderLineRef.add(l.OrderLineRef)
		c.deliveryRef.add(l.DeliveryRef)
		c.unit.add(l.Unit)
		addFixed(&c.quantity, l.Quantity)
		addFixed(&c.unitPrice, l.UnitPrice)
		addFixed(&c.listUnitPrice, l.ListUnitPrice)
		addFixed(&c.discountRate, l.DiscountRate)
		addFixed(&c.taxRate, l.TaxRate)
		addAmount(&c.discountAmount, l.DiscountAmount)
		addAmount(&c.net, l.Net)
		c.promoCodes.add(l.PromoCodes)
	}
}

func (c *lineColumns) named() []named {
	return append(c.identity.named(), []named{
		{"line_index", &c.index}, {"line_id", &c.lineID}, {"product_id", &c.productID},
		{"description", &c.description}, {"order_line_ref", &c.orderLineRef}, {"delivery_ref", &c.deliveryRef},
		{"unit", &c.unit}, {"quantity", &c.quantity}, {"unit_price", &c.unitPrice},
		{"list_unit_price", &c.listUnitPrice}, {"discount_rate", &c.discountRate}, {"tax_rate", &c.taxRate},
		{"discount_amount", &c.discountAmount}, {"line_net", &c.net}, {"promo_codes", &c.promoCodes.list},
	}...)
}
