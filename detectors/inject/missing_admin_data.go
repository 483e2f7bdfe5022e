package inject

import (
	"slices"

	"recoup/invoice"
)

// Names of two administrative fields in legal_fields_present.
const (
	purchaseOrderField = "purchase_order_ref"
	vatIDField         = "buyer_vat_id"
)

func spoilMissingCustomer(d *draft) bool {
	// A counter sale has no customer to forget.
	return d.src.CustomerRef != invoice.Anonymous && take(&d.inv.CustomerRef)
}

func spoilMissingDelivery(d *draft) bool {
	had := d.src.DeliveryRef != ""
	for i := range d.src.Lines {
		had = had || d.src.Lines[i].DeliveryRef != ""
	}
	d.dropDelivery()
	return had
}

func spoilMissingPurchaseOrder(d *draft) bool {
	return d.dropLegal(func(name *string) bool { return *name == purchaseOrderField })
}

func spoilMissingVATID(d *draft) bool {
	return d.dropLegal(func(name *string) bool { return *name == vatIDField })
}

func spoilMissingLegalField(d *draft) bool {
	return d.dropLegal(func(name *string) bool { return *name != purchaseOrderField && *name != vatIDField })
}

// Half of the invoices that lost their product family lost it on the lines too:
// then the article has none, otherwise nobody filled in the head.
func spoilMissingFamily(d *draft) bool {
	if d.chance(0.5) {
		for i := range d.inv.Lines {
			d.inv.Lines[i].ProductFamily = ""
		}
	}
	return take(&d.inv.ProductFamily)
}

func spoilMissingCustomerType(d *draft) bool { return take(&d.inv.CustomerType) }

// take empties a text; false when it was empty.
func take(text *string) bool {
	had := *text != ""
	*text = ""
	return had
}

// dropLegal takes away one of the legal fields that wanted accepts.
func (d *draft) dropLegal(wanted func(*string) bool) bool {
	name, ok := oneOf(d.rng, d.inv.LegalFieldsPresent, wanted)
	if ok {
		d.inv.LegalFieldsPresent = slices.DeleteFunc(d.inv.LegalFieldsPresent,
			func(present string) bool { return present == name })
	}
	return ok
}
