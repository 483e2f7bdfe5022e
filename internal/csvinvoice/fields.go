package csvinvoice

import (
	"slices"
	"strings"

	"recoup/invoice"
)

// form says how the text of a cell becomes a value of the contract.
type form uint8

const (
	asText form = iota // as it stands
	asAmount
	asDecimal
	asInstant
	asDay // a date alone stays one
	asInteger
	asBoolean
	asList
)

// forms are the fields of invoice.v1 that a column may fill. A test holds them
// against the contract's schema.
var forms = map[string]form{
	"event_id": asText, "seller": asText, "invoice_id": asText, "issued_at": asInstant, "currency": asText,
	"net_amount": asAmount, "customer_ref": asText, "customer_type": asText, "product_family": asText,
	"stage": asText, "source_system": asText, "source_release": asText, "batch_id": asText,
	"entry_channel": asText, "operator_ref": asText, "sales_point": asText, "canary": asBoolean,
	"invoice_number": asText, "invoice_type": asText, "preceding_invoice_number": asText, "revision": asInteger,
	"due_date": asDay, "period_start": asDay, "period_end": asDay, "shipped_at": asInstant,
	"delivery_ref": asText, "country": asText, "tax_rate": asDecimal, "tax_amount": asAmount,
	"gross_amount": asAmount, "discount_amount": asAmount, "prepaid_amount": asAmount, "contract_ref": asText,
	"order_ref": asText, "price_list_version": asText, "promo_codes": asList, "legal_fields_present": asList,
	"traceparent": asText,

	"crm.plan": asText, "crm.discount_rate": asDecimal, "crm.contract_version": asText, "crm.synced_at": asInstant,

	"lines.line_id": asText, "lines.product_id": asText, "lines.product_family": asText,
	"lines.description": asText, "lines.quantity": asDecimal, "lines.unit": asText, "lines.unit_price": asDecimal,
	"lines.list_unit_price": asDecimal, "lines.discount_rate": asDecimal, "lines.discount_amount": asAmount,
	"lines.line_net": asAmount, "lines.tax_rate": asDecimal, "lines.promo_codes": asList,
	"lines.order_line_ref": asText, "lines.delivery_ref": asText,
}

// required are the fields without which no row can be scored; event_id is made
// from the line number where nothing gives it.
var required = []string{"seller", "invoice_id", "issued_at", "currency", "net_amount"}

// identity are the fields whose values together name an invoice.
var identity = []string{"seller", "invoice_id", "revision", "stage"}

// linePrefix begins the names of fields that every line has by itself.
const linePrefix = "lines."

// fieldOf returns the field that a column stands for by its own name: capitals,
// spaces and hyphens make no difference, and the fields of a line need no prefix
// where the invoice has none of that name.
func fieldOf(column string) (field string, ok bool) {
	name := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(column)))
	for _, field := range []string{name, linePrefix + name} {
		if _, ok := forms[field]; ok {
			return field, true
		}
	}
	return "", false
}

// isRate tells the fields that are fractions, which files often give per cent.
func isRate(field string) bool {
	return strings.HasSuffix(field, "tax_rate") || strings.HasSuffix(field, "discount_rate")
}

// known returns the names of all fields in alphabetical order.
func known() []string {
	names := make([]string, 0, len(forms))
	for name := range forms {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// refused makes the error of a cell.
func refused(reason, message string) *invoice.DecodeError {
	return &invoice.DecodeError{Reason: reason, Message: message}
}
