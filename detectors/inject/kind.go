package inject

import "fmt"

// Kind is one way an invoice goes wrong.
type Kind uint8

// The kinds, by cause. Data entry: somebody typed a price, a quantity or, more
// rarely, a line or net amount wrong, on one line or seldom on two. Billing
// system: the program did it, not a person. Promotion: a discount the customer
// has no right to. CRM synchronisation: billing works with old or foreign data of
// the customer. Duplicate: the original is billed again under another id. Before
// shipment: nothing was delivered when the invoice was issued. Missing data: the
// original had it.
const (
	DecimalSlip10  Kind = iota // data entry: the comma moved by one place, mostly too low
	DecimalSlip100             // data entry: the comma moved by two places, mostly too low
	MissingDigit               // data entry: a key not pressed
	ExtraDigit                 // data entry: a key pressed twice, or one too many
	Transposition              // data entry: two neighbouring digits swapped
	WrongQuantity              // data entry: another plausible quantity: next line's, half, packs for pieces, one off

	LostLines     // billing system: lines are gone, the totals follow
	SumMismatch   // billing system: all lines stand, the total covers only some
	ZeroTotal     // billing system: nothing to pay: prices, line amounts or only the totals are 0
	WrongCurrency // billing system: the same figures in another currency
	WrongTax      // billing system: rate 0, other or slipped, or an amount that does not follow the rate
	Rounding      // billing system: line amounts cut or rounded to whole units or tenths
	RepeatedLine  // billing system: a line, or a page of them, twice

	OverMax    // promotion: a rate above policy, or far above the usual one
	Stacked    // promotion: two at once, under two codes or one
	Expired    // promotion: a code past its end, or an old one
	Ineligible // promotion: a code for other product families or customer types
	Decimal50  // promotion: 5 % typed 50 %

	StalePriceTier       // CRM: all prices by one factor, as from an older or foreign list
	WrongNegotiatedPrice // CRM: another contract rate, a forgotten one, or one never agreed
	WrongCustomerType    // CRM: prices of another customer type, its name, or both

	ExactDuplicate // duplicate: same content, order and delivery, later
	NearDuplicate  // duplicate: other references, or a little other content
	PeriodAgain    // duplicate: the same period in a later billing run

	BeforeDelivery // before shipment: shipped 1 to 14 days after the invoice
	NotDelivered   // before shipment: no shipment known, often no delivery either

	MissingCustomer      // missing data: no customer_ref
	MissingDelivery      // missing data: no delivery_ref
	MissingPurchaseOrder // missing data: purchase_order_ref not among the legal fields
	MissingVATID         // missing data: buyer_vat_id not among the legal fields
	MissingLegalField    // missing data: another legal field gone
	MissingFamily        // missing data: no product_family
	MissingCustomerType  // missing data: no customer_type

	kindCount
)

// The causes, by the names the verdict has for them.
const (
	dataEntry        = "data_entry"
	billingSystem    = "billing_system"
	promotion        = "promotion"
	crmSync          = "crm_sync"
	duplicate        = "duplicate"
	beforeShipment   = "before_shipment"
	missingAdminData = "missing_admin_data"
)

// causeShares say how often which cause is behind an error, in per cent, as
// billing practice has it. The kinds of a cause share evenly.
var causeShares = map[string]float64{
	dataEntry: 30, billingSystem: 22, promotion: 15, crmSync: 15, duplicate: 10, missingAdminData: 5, beforeShipment: 3,
}

// kindRow is what is known of a kind.
type kindRow struct {
	name  string            // within its cause
	cause string            // one of causeShares
	spoil func(*draft) bool // puts the error in; false when it does not fit
}

var table = [kindCount]kindRow{
	DecimalSlip10:  {"decimal_slip_10", dataEntry, spoilDecimalSlip10},
	DecimalSlip100: {"decimal_slip_100", dataEntry, spoilDecimalSlip100},
	MissingDigit:   {"missing_digit", dataEntry, spoilMissingDigit},
	ExtraDigit:     {"extra_digit", dataEntry, spoilExtraDigit},
	Transposition:  {"transposition", dataEntry, spoilTransposition},
	WrongQuantity:  {"wrong_quantity", dataEntry, spoilWrongQuantity},

	LostLines:     {"lost_lines", billingSystem, spoilLostLines},
	SumMismatch:   {"sum_mismatch", billingSystem, spoilSumMismatch},
	ZeroTotal:     {"zero_total", billingSystem, spoilZeroTotal},
	WrongCurrency: {"wrong_currency", billingSystem, spoilWrongCurrency},
	WrongTax:      {"wrong_tax", billingSystem, spoilWrongTax},
	Rounding:      {"rounding", billingSystem, spoilRounding},
	RepeatedLine:  {"repeated_line", billingSystem, spoilRepeatedLine},

	OverMax:    {"over_max", promotion, spoilOverMax},
	Stacked:    {"stacked", promotion, spoilStacked},
	Expired:    {"expired", promotion, spoilExpired},
	Ineligible: {"ineligible", promotion, spoilIneligible},
	Decimal50:  {"decimal_50", promotion, spoilDecimal50},

	StalePriceTier:       {"stale_price_tier", crmSync, spoilStalePriceTier},
	WrongNegotiatedPrice: {"wrong_negotiated_price", crmSync, spoilWrongNegotiatedPrice},
	WrongCustomerType:    {"wrong_customer_type", crmSync, spoilWrongCustomerType},

	ExactDuplicate: {"exact", duplicate, spoilExactDuplicate},
	NearDuplicate:  {"near", duplicate, spoilNearDuplicate},
	PeriodAgain:    {"period_again", duplicate, spoilPeriodAgain},

	BeforeDelivery: {"before_delivery", beforeShipment, spoilBeforeDelivery},
	NotDelivered:   {"not_delivered", beforeShipment, spoilNotDelivered},

	MissingCustomer:      {"customer_id", missingAdminData, spoilMissingCustomer},
	MissingDelivery:      {"delivery_ref", missingAdminData, spoilMissingDelivery},
	MissingPurchaseOrder: {"po_ref", missingAdminData, spoilMissingPurchaseOrder},
	MissingVATID:         {"vat_id", missingAdminData, spoilMissingVATID},
	MissingLegalField:    {"legal_field", missingAdminData, spoilMissingLegalField},
	MissingFamily:        {"product_family", missingAdminData, spoilMissingFamily},
	MissingCustomerType:  {"customer_type", missingAdminData, spoilMissingCustomerType},
}

// Kinds are all kinds, in the order of their causes.
var Kinds = func() (all []Kind) {
	for k := range kindCount {
		all = append(all, k)
	}
	return all
}()

// shares hold Share per kind.
var shares = func() (shares [kindCount]float64) {
	siblings := map[string]float64{}
	for _, row := range table {
		siblings[row.cause]++
	}
	for k, row := range table {
		shares[k] = causeShares[row.cause] / siblings[row.cause] / 100
	}
	return shares
}()

// String returns the name of the kind within its cause, such as "missing_digit".
func (k Kind) String() string {
	if k >= kindCount {
		return fmt.Sprintf("unknown(%d)", uint8(k))
	}
	return table[k].name
}

// Cause returns the cause code of the verdict, such as "data_entry"; "" for a
// value that is no kind.
func (k Kind) Cause() string {
	if k >= kindCount {
		return ""
	}
	return table[k].cause
}

// Share returns which part of all errors is usually of this kind: a fraction;
// all kinds together make 1.
func (k Kind) Share() float64 {
	if k >= kindCount {
		return 0
	}
	return shares[k]
}
