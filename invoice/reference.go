package invoice

import "time"

// ReferenceKind tells the reference.*.v1 records apart.
type ReferenceKind uint8

// The kinds of references.
const (
	CustomerReference  ReferenceKind = iota // reference.customer.v1: what the CRM holds of a customer
	PriceReference                          // reference.price.v1: a price of the catalogue or of a contract
	PromotionReference                      // reference.promotion.v1: an announced promotion
	PolicyReference                         // reference.policy.v1: rules of the seller
	DeliveryReference                       // reference.delivery.v1: what the warehouse counted
	ReferenceKinds                          // how many there are
)

var referenceSchemas = [ReferenceKinds]string{"reference.customer.v1", "reference.price.v1",
	"reference.promotion.v1", "reference.policy.v1", "reference.delivery.v1"}

// String returns the schema of the kind, such as "reference.customer.v1".
func (k ReferenceKind) String() string {
	if k < ReferenceKinds {
		return referenceSchemas[k]
	}
	return "reference"
}

// Reference is one decoded reference.*.v1 record: something another system
// knows that scoring compares invoices with. Kind says which of the groups
// below are in use. It shares no memory with the record it was decoded from,
// and the next Decode replaces its strings and lists: they may be kept. Absent
// values are as in Invoice.
type Reference struct {
	Kind   ReferenceKind // which record it was
	Seller string        // the company that bills

	ValidFrom   time.Time // from when it holds, inclusive; zero: always
	ValidTo     time.Time // until when it holds, exclusive; zero: until a later version
	PublishedAt time.Time // from when it counts. By default ValidFrom, for a delivery ShippedAt; zero: always

	// Of a customer; of a price, whom it is restricted to.
	CustomerRef          string        // pseudonym; on a price, "" is everybody
	CustomerType         string        // segment margin; on a price, "" is everybody
	ContractDiscountRate OptionalFixed // agreed discount, fraction
	Plan                 string        // tariff
	ContractVersion      string        // of the contract
	Prepays              OptionalBool  // pays in advance, so low invoices are usual
	TaxExempt            OptionalBool  // no tax is billed

	// Of a price.
	ProductID        string // the product
	UnitPrice        Fixed  // currency units per unit
	MinQuantity      Fixed  // from this quantity on, inclusive. By default 0
	PriceListVersion string // price list it belongs to

	// Of a promotion; the largest rate and stacking also of a policy.
	Code            string        // as it stands in promo_codes
	DiscountRate    Fixed         // fraction: 0.15 is 15 %
	ProductFamilies []string      // families it applies to; none: all
	CustomerTypes   []string      // customer types it applies to; none: all
	MaxDiscountRate OptionalFixed // most that may be taken off altogether, fraction
	Stackable       OptionalBool  // may be combined with other promotions

	// Of a policy.
	Currencies []string // currencies the seller bills in; none: any

	// Of a delivery.
	DeliveryRef string        // as it stands on the invoice
	OrderRef    string        // order it answers
	ShippedAt   time.Time     // when the goods left
	Units       OptionalFixed // units counted
	Lines       OptionalInt   // lines counted, 0 or more
}

// OptionalBool is a truth that may be absent; the zero value is absent.
type OptionalBool struct {
	Value bool // false when absent
	Set   bool // the record has it
}

// OptionalInt is a whole number that may be absent; the zero value is absent.
type OptionalInt struct {
	Value int64 // 0 when absent
	Set   bool  // the record has it
}

// referenceFields are the tables of the kinds; like those of the invoice they
// are the contract in code.
var referenceFields = [ReferenceKinds]*object[Reference]{
	CustomerReference: newObject(customerObject, []field[Reference]{
		{"schema", plain, true, func(*Reference) any { return nil }},
		{"seller", identity, true, func(v *Reference) any { return &v.Seller }},
		{"customer_ref", identity, true, func(v *Reference) any { return &v.CustomerRef }},
		{"customer_type", identity, false, func(v *Reference) any { return &v.CustomerType }},
		{"contract_discount_rate", plain, false, func(v *Reference) any { return &v.ContractDiscountRate }},
		{"plan", text, false, func(v *Reference) any { return &v.Plan }},
		{"contract_version", text, false, func(v *Reference) any { return &v.ContractVersion }},
		{"prepays", plain, false, func(v *Reference) any { return &v.Prepays }},
		{"tax_exempt", plain, false, func(v *Reference) any { return &v.TaxExempt }},
		{"valid_from", instant, true, func(v *Reference) any { return &v.ValidFrom }},
		{"valid_to", instant, false, func(v *Reference) any { return &v.ValidTo }},
		{"published_at", instant, false, func(v *Reference) any { return &v.PublishedAt }},
	}),
	PriceReference: newObject(priceObject, []field[Reference]{
		{"schema", plain, true, func(*Reference) any { return nil }},
		{"seller", identity, true, func(v *Reference) any { return &v.Seller }},
		{"product_id", identity, true, func(v *Reference) any { return &v.ProductID }},
		{"customer_type", identity, false, func(v *Reference) any { return &v.CustomerType }},
		{"customer_ref", identity, false, func(v *Reference) any { return &v.CustomerRef }},
		{"unit_price", plain, true, func(v *Reference) any { return &v.UnitPrice }},
		{"min_quantity", plain, false, func(v *Reference) any { return &v.MinQuantity }},
		{"price_list_version", text, false, func(v *Reference) any { return &v.PriceListVersion }},
		{"valid_from", instant, true, func(v *Reference) any { return &v.ValidFrom }},
		{"valid_to", instant, false, func(v *Reference) any { return &v.ValidTo }},
		{"published_at", instant, false, func(v *Reference) any { return &v.PublishedAt }},
	}),
	PromotionReference: newObject(promotionObject, []field[Reference]{
		{"schema", plain, true, func(*Reference) any { return nil }},
		{"seller", identity, true, func(v *Reference) any { return &v.Seller }},
		{"code", lookup, true, func(v *Reference) any { return &v.Code }},
		{"discount_rate", plain, true, func(v *Reference) any { return &v.DiscountRate }},
		{"product_families", plain, false, func(v *Reference) any { return &v.ProductFamilies }},
		{"customer_types", plain, false, func(v *Reference) any { return &v.CustomerTypes }},
		{"max_discount_rate", plain, false, func(v *Reference) any { return &v.MaxDiscountRate }},
		{"stackable", plain, false, func(v *Reference) any { return &v.Stackable }},
		{"valid_from", instant, true, func(v *Reference) any { return &v.ValidFrom }},
		{"valid_to", instant, false, func(v *Reference) any { return &v.ValidTo }},
		{"published_at", instant, false, func(v *Reference) any { return &v.PublishedAt }},
	}),
	PolicyReference: newObject(policyObject, []field[Reference]{
		{"schema", plain, true, func(*Reference) any { return nil }},
		{"seller", identity, true, func(v *Reference) any { return &v.Seller }},
		{"max_discount_rate", plain, false, func(v *Reference) any { return &v.MaxDiscountRate }},
		{"promotions_stackable", plain, false, func(v *Reference) any { return &v.Stackable }},
		{"currencies", currency, false, func(v *Reference) any { return &v.Currencies }},
		{"valid_from", instant, false, func(v *Reference) any { return &v.ValidFrom }},
		{"valid_to", instant, false, func(v *Reference) any { return &v.ValidTo }},
		{"published_at", instant, false, func(v *Reference) any { return &v.PublishedAt }},
	}),
	DeliveryReference: newObject(deliveryObject, []field[Reference]{
		{"schema", plain, true, func(*Reference) any { return nil }},
		{"seller", identity, true, func(v *Reference) any { return &v.Seller }},
		{"delivery_ref", lookup, true, func(v *Reference) any { return &v.DeliveryRef }},
		{"order_ref", text, false, func(v *Reference) any { return &v.OrderRef }},
		{"shipped_at", instant, true, func(v *Reference) any { return &v.ShippedAt }},
		{"units", plain, false, func(v *Reference) any { return &v.Units }},
		{"lines", plain, false, func(v *Reference) any { return &v.Lines }},
		{"published_at", instant, false, func(v *Reference) any { return &v.PublishedAt }},
	}),
}
