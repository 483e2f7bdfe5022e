package invoice

// format says how the text of a field is checked, beyond what its Go type says.
type format uint8

const (
	plain    format = iota // nothing more
	identity               // names the invoice or the key of a baseline: whole or refused
	text                   // for people and for looking up: cut to 200 characters
	channel                // one of entryChannels
	currency               // an ISO 4217 code
	instant                // RFC 3339 date and time
	day                    // the same, or a date alone (midnight UTC)
	envelope               // an identity of the transport: not part of ContentHash
	carried                // a text of the transport: not part of ContentHash
	lookup                 // an identity that texts of an invoice are compared with: cut like them
)

// field is one row of the contract: how it is called and where it is kept.
type field[T any] struct {
	name     string
	format   format
	required bool
	at       func(*T) any // pointer to the destination; nil for a field that is only checked
}

// The three tables are the contract in code: decoder and AppendJSON walk them.
// A new field is added to ContentHash, too, under a number of its own.
var invoiceFields = newObject(invoiceObject, []field[Invoice]{
	{"schema", plain, true, func(*Invoice) any { return nil }},
	{"event_id", envelope, true, func(v *Invoice) any { return &v.EventID }},
	{"seller", identity, true, func(v *Invoice) any { return &v.Seller }},
	{"invoice_id", identity, true, func(v *Invoice) any { return &v.ID }},
	{"issued_at", instant, true, func(v *Invoice) any { return &v.IssuedAt }},
	{"currency", currency, true, func(v *Invoice) any { return &v.Currency }},
	{"net_amount", plain, true, func(v *Invoice) any { return &v.NetAmount }},
	{"customer_ref", identity, false, func(v *Invoice) any { return &v.CustomerRef }},
	{"customer_type", identity, false, func(v *Invoice) any { return &v.CustomerType }},
	{"product_family", identity, false, func(v *Invoice) any { return &v.ProductFamily }},
	{"stage", plain, false, func(v *Invoice) any { return &v.Stage }},
	{"source_system", identity, false, func(v *Invoice) any { return &v.SourceSystem }},
	{"source_release", identity, false, func(v *Invoice) any { return &v.SourceRelease }},
	{"batch_id", identity, false, func(v *Invoice) any { return &v.BatchID }},
	{"entry_channel", channel, false, func(v *Invoice) any { return &v.EntryChannel }},
	{"operator_ref", text, false, func(v *Invoice) any { return &v.OperatorRef }},
	{"sales_point", text, false, func(v *Invoice) any { return &v.SalesPoint }},
	{"canary", plain, false, func(v *Invoice) any { return &v.Canary }},
	{"invoice_number", text, false, func(v *Invoice) any { return &v.Number }},
	{"invoice_type", plain, false, func(v *Invoice) any { return &v.Type }},
	{"preceding_invoice_number", text, false, func(v *Invoice) any { return &v.PrecedingID }},
	{"revision", plain, false, func(v *Invoice) any { return &v.Revision }},
	{"due_date", day, false, func(v *Invoice) any { return &v.DueAt }},
	{"period_start", day, false, func(v *Invoice) any { return &v.PeriodStart }},
	{"period_end", day, false, func(v *Invoice) any { return &v.PeriodEnd }},
	{"shipped_at", instant, false, func(v *Invoice) any { return &v.ShippedAt }},
	{"delivery_ref", text, false, func(v *Invoice) any { return &v.DeliveryRef }},
	{"country", text, false, func(v *Invoice) any { return &v.Country }},
	{"tax_rate", plain, false, func(v *Invoice) any { return &v.TaxRate }},
	{"tax_amount", plain, false, func(v *Invoice) any { return &v.TaxAmount }},
	{"gross_amount", plain, false, func(v *Invoice) any { return &v.GrossAmount }},
	{"discount_amount", plain, false, func(v *Invoice) any { return &v.DiscountAmount }},
	{"prepaid_amount", plain, false, func(v *Invoice) any { return &v.PrepaidAmount }},
	{"contract_ref", text, false, func(v *Invoice) any { return &v.ContractRef }},
	{"order_ref", text, false, func(v *Invoice) any { return &v.OrderRef }},
	{"price_list_version", text, false, func(v *Invoice) any { return &v.PriceListVersion }},
	{"promo_codes", text, false, func(v *Invoice) any { return &v.PromoCodes }},
	{"crm", plain, false, func(v *Invoice) any { return &v.CRM }},
	{"legal_fields_present", text, false, func(v *Invoice) any { return &v.LegalFieldsPresent }},
	{"lines", plain, false, func(v *Invoice) any { return &v.Lines }},
	{"traceparent", carried, false, func(v *Invoice) any { return &v.TraceParent }},
})

var crmFields = newObject(crmObject, []field[CRM]{
	{"plan", text, false, func(v *CRM) any { return &v.Plan }},
	{"discount_rate", plain, false, func(v *CRM) any { return &v.DiscountRate }},
	{"contract_version", text, false, func(v *CRM) any { return &v.ContractVersion }},
	{"synced_at", instant, false, func(v *CRM) any { return &v.SyncedAt }},
})

var lineFields = newObject(lineObject, []field[Line]{
	{"line_id", text, false, func(v *Line) any { return &v.ID }},
	{"product_id", identity, false, func(v *Line) any { return &v.ProductID }},
	{"product_family", identity, false, func(v *Line) any { return &v.ProductFamily }},
	{"description", text, false, func(v *Line) any { return &v.Description }},
	{"quantity", plain, false, func(v *Line) any { return &v.Quantity }},
	{"unit", text, false, func(v *Line) any { return &v.Unit }},
	{"unit_price", plain, false, func(v *Line) any { return &v.UnitPrice }},
	{"list_unit_price", plain, false, func(v *Line) any { return &v.ListUnitPrice }},
	{"discount_rate", plain, false, func(v *Line) any { return &v.DiscountRate }},
	{"discount_amount", plain, false, func(v *Line) any { return &v.DiscountAmount }},
	{"line_net", plain, false, func(v *Line) any { return &v.Net }},
	{"tax_rate", plain, false, func(v *Line) any { return &v.TaxRate }},
	{"promo_codes", text, false, func(v *Line) any { return &v.PromoCodes }},
	{"order_line_ref", text, false, func(v *Line) any { return &v.OrderLineRef }},
	{"delivery_ref", text, false, func(v *Line) any { return &v.DeliveryRef }},
})

// object is the table of one JSON object with a way to find a field by name.
type object[T any] struct {
	kind     objectKind
	fields   []field[T]
	keys     []string         // per field, how its name stands in compact JSON: "seller":
	required uint64           // bit per field that must be there
	slots    [slotCount]uint8 // 1 + position in fields, open addressing; 0 is free
}

// objectKind numbers the tables.
type objectKind uint8

const (
	invoiceObject objectKind = iota
	crmObject
	lineObject
	customerObject
	priceObject
	promotionObject
	policyObject
	deliveryObject
	tableObject // any table of another package: nothing is guessed of its order
	objectKinds
)

const (
	slotCount = 256
	maxFields = 64 // one bit each in a word
)

func newObject[T any](kind objectKind, fields []field[T]) *object[T] {
	o := &object[T]{kind: kind, fields: fields}
	for i, f := range fields {
		o.keys = append(o.keys, `"`+f.name+`":`)
		if f.required {
			o.required |= 1 << i
		}
		slot := slotOf(f.name)
		for o.slots[slot] != 0 {
			slot++
		}
		o.slots[slot] = uint8(i + 1)
	}
	return o
}

// find returns the position of the field with this name, or -1.
func (o *object[T]) find(name string) int {
	if name == "" {
		return -1
	}
	for slot := slotOf(name); o.slots[slot] != 0; slot++ {
		if i := int(o.slots[slot]) - 1; o.fields[i].name == name {
			return i
		}
	}
	return -1
}

// slotOf spreads the names of the contract well enough that nearly every one
// is found at its first slot (a test counts them); name is not empty.
func slotOf(name string) uint8 {
	n := len(name)
	return name[0]*7 + name[n-1]*31 + name[n/2]*61 + uint8(n)*17
}
