package invoice

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The reference decoder: encoding/json and a straightforward checker, slow and
// obvious. It names every field of the contract again, so that a slip in the
// tables of fields.go shows.

var (
	plainDecimal = regexp.MustCompile(`\A-?[0-9]+(\.[0-9]+)?\z`)
	wholeNumber  = regexp.MustCompile(`\A-?[0-9]+\z`)
	instantForm  = regexp.MustCompile(
		`\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])\z`)
	dayForm = regexp.MustCompile(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z`)
)

// referenceAmount is ParseAmount by math/big.
func referenceAmount(s string) (Amount, bool) {
	if !plainDecimal.MatchString(s) {
		return 0, false
	}
	r, _ := new(big.Rat).SetString(s)
	r.Mul(r, big.NewRat(int64(Unit), 1))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return Amount(r.Num().Int64()), true
}

// referenceFixed is ParseFixed by math/big.
func referenceFixed(s string) (Fixed, bool) {
	if !plainDecimal.MatchString(s) {
		return 0, false
	}
	r, _ := new(big.Rat).SetString(s)
	r.Mul(r, big.NewRat(int64(One), 1))
	n := halfEven(new(big.Int).Set(r.Num()), r.Denom())
	if !n.IsInt64() {
		return 0, false
	}
	return Fixed(n.Int64()), true
}

// reference decodes data, or says that it must be refused.
func reference(data []byte, limits Limits) (*Invoice, bool) {
	m, ok := objectOf(data, limits)
	if !ok {
		return nil, false
	}
	c := &checker{limits: limits, ok: true}
	inv := c.invoice(m)
	return inv, c.ok
}

// objectOf is a record by encoding/json, if it is one within the limits.
func objectOf(data []byte, limits Limits) (map[string]any, bool) {
	if len(data) > limits.Bytes || !utf8.Valid(data) || !json.Valid(data) || loneSurrogate(data) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	root, ok := tree(dec, limits.Depth)
	if _, err := dec.Token(); !ok || err != io.EOF {
		return nil, false
	}
	m, ok := root.(map[string]any)
	return m, ok
}

// loneSurrogate looks at every escape of a valid JSON text.
func loneSurrogate(data []byte) bool {
	s := string(data)
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		i++
		if s[i] != 'u' {
			continue
		}
		first, _ := strconv.ParseUint(s[i+1:i+5], 16, 32)
		i += 4
		if !utf16.IsSurrogate(rune(first)) {
			continue
		}
		if !strings.HasPrefix(s[i+1:], `\u`) {
			return true
		}
		second, err := strconv.ParseUint(s[i+3:i+7], 16, 32)
		if err != nil || utf16.DecodeRune(rune(first), rune(second)) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// tree reads one value; a name that stands twice or too much depth is not ok.
func tree(dec *json.Decoder, depth int) (any, bool) {
	token, err := dec.Token()
	if err != nil {
		return nil, false
	}
	delim, isDelim := token.(json.Delim)
	if !isDelim {
		return token, true
	}
	if depth == 0 {
		return nil, false
	}
	members, items := map[string]any{}, []any{}
	for dec.More() {
		name := ""
		if delim == '{' {
			token, err := dec.Token()
			if err != nil {
				return nil, false
			}
			name = token.(string)
		}
		value, ok := tree(dec, depth-1)
		if _, twice := members[name]; !ok || (twice && delim == '{') {
			return nil, false
		}
		members[name] = value
		items = append(items, value)
	}
	if _, err := dec.Token(); err != nil {
		return nil, false
	}
	if delim == '{' {
		return members, true
	}
	return items, true
}

type checker struct {
	limits Limits
	ok     bool
	known  int // fields of the present object that the contract has
}

func (c *checker) get(m map[string]any, name string) any {
	if _, there := m[name]; there {
		c.known++
	}
	return m[name]
}

// str returns a string field; present is false when it is absent or null.
func (c *checker) str(m map[string]any, name string) (s string, present bool) {
	v := c.get(m, name)
	s, isString := v.(string)
	c.ok = c.ok && (isString || v == nil)
	return s, isString
}

func (c *checker) need(m map[string]any, name string) {
	v := m[name]
	c.ok = c.ok && v != nil && v != ""
}

func (c *checker) identity(m map[string]any, name string) string {
	s, _ := c.str(m, name)
	c.ok = c.ok && len(s) <= 256 && !strings.ContainsFunc(s, unicode.IsControl)
	return s
}

func first200(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}

func (c *checker) text(m map[string]any, name string) string {
	s, _ := c.str(m, name)
	return first200(s)
}

func (c *checker) oneOf(m map[string]any, name string, values ...string) int {
	s, present := c.str(m, name)
	if !present {
		return 0
	}
	i := slices.Index(values, s)
	c.ok = c.ok && i >= 0
	return i
}

func (c *checker) amount(m map[string]any, name string) OptionalAmount {
	s, present := c.str(m, name)
	if !present {
		return OptionalAmount{}
	}
	a, ok := referenceAmount(s)
	c.ok = c.ok && ok
	return OptionalAmount{a, true}
}

func (c *checker) fixed(m map[string]any, name string) OptionalFixed {
	s, present := c.str(m, name)
	if !present {
		return OptionalFixed{}
	}
	f, ok := referenceFixed(s)
	c.ok = c.ok && ok
	return OptionalFixed{f, true}
}

func (c *checker) time(m map[string]any, name string, dayToo bool) time.Time {
	s, present := c.str(m, name)
	if !present {
		return time.Time{}
	}
	layout := time.RFC3339
	if dayToo && dayForm.MatchString(s) {
		layout = time.DateOnly
	} else if !instantForm.MatchString(s) {
		c.ok = false
	}
	t, err := time.Parse(layout, s)
	t = t.UTC()
	c.ok = c.ok && err == nil && t.Year() >= 1970 && t.Year() <= 2200
	return t
}

func (c *checker) list(m map[string]any, name string) (list []string) {
	v := c.get(m, name)
	items, isList := v.([]any)
	c.ok = c.ok && (isList || v == nil) && len(items) <= c.limits.Items
	for _, item := range items {
		s, isString := item.(string)
		c.ok = c.ok && isString
		list = append(list, first200(s))
	}
	return list
}

func (c *checker) integer(m map[string]any, name string) int64 {
	v := c.get(m, name)
	if v == nil {
		return 0
	}
	number, isNumber := v.(json.Number)
	n, err := strconv.ParseInt(string(number), 10, 64)
	c.ok = c.ok && isNumber && wholeNumber.MatchString(string(number)) && err == nil && n >= 0
	return n
}

func (c *checker) boolean(m map[string]any, name string) bool {
	v := c.get(m, name)
	b, isBool := v.(bool)
	c.ok = c.ok && (isBool || v == nil)
	return b
}

// unknownValues bounds the fields of an object and of all it holds unknown.
func (c *checker) unknownValues(v any, known int) {
	switch v := v.(type) {
	case map[string]any:
		c.ok = c.ok && len(v)-known <= c.limits.UnknownFields
		for _, member := range v {
			c.unknownValues(member, 0)
		}
	case []any:
		for _, item := range v {
			c.unknownValues(item, 0)
		}
	}
}

// end closes an object of the contract.
func (c *checker) end(m map[string]any) {
	c.ok = c.ok && len(m)-c.known <= c.limits.UnknownFields
	c.known = 0
}

func (c *checker) invoice(m map[string]any) *Invoice {
	for _, name := range []string{"schema", "event_id", "seller", "invoice_id", "issued_at", "currency", "net_amount"} {
		c.need(m, name)
	}
	c.oneOf(m, "schema", "invoice.v1")
	code, _ := c.str(m, "currency")
	_, isCurrency := Exponent(code)
	c.ok = c.ok && isCurrency
	inv := &Invoice{
		EventID: c.identity(m, "event_id"), Seller: c.identity(m, "seller"), ID: c.identity(m, "invoice_id"),
		Revision: c.integer(m, "revision"), Stage: Stage(c.oneOf(m, "stage", "issued", "pre_issue")),
		Type:     Type(c.oneOf(m, "invoice_type", "invoice", "credit_note", "correction")),
		IssuedAt: c.time(m, "issued_at", false), Currency: code, NetAmount: c.amount(m, "net_amount").Value,
		Number: c.text(m, "invoice_number"), PrecedingID: c.text(m, "preceding_invoice_number"),
		CustomerRef: c.identity(m, "customer_ref"), CustomerType: c.identity(m, "customer_type"),
		ProductFamily: c.identity(m, "product_family"), GrossAmount: c.amount(m, "gross_amount"),
		TaxAmount: c.amount(m, "tax_amount"), DiscountAmount: c.amount(m, "discount_amount"),
		PrepaidAmount: c.amount(m, "prepaid_amount"), TaxRate: c.fixed(m, "tax_rate"),
		SourceSystem: c.identity(m, "source_system"), SourceRelease: c.identity(m, "source_release"),
		BatchID: c.identity(m, "batch_id"), OperatorRef: c.text(m, "operator_ref"),
		SalesPoint: c.text(m, "sales_point"), Country: c.text(m, "country"), Canary: c.boolean(m, "canary"),
		DueAt: c.time(m, "due_date", true), PeriodStart: c.time(m, "period_start", true),
		PeriodEnd: c.time(m, "period_end", true), ShippedAt: c.time(m, "shipped_at", false),
		DeliveryRef: c.text(m, "delivery_ref"), ContractRef: c.text(m, "contract_ref"), OrderRef: c.text(m, "order_ref"),
		PriceListVersion: c.text(m, "price_list_version"), PromoCodes: c.list(m, "promo_codes"),
		LegalFieldsPresent: c.list(m, "legal_fields_present"), TraceParent: c.text(m, "traceparent"),
	}
	if c.oneOf(m, "entry_channel", "manual", "import", "api", "recurring"); m["entry_channel"] != nil {
		inv.EntryChannel, _ = m["entry_channel"].(string)
	}
	crm, lines := c.get(m, "crm"), c.get(m, "lines")
	c.end(m)
	inv.CRM, inv.Lines = c.crm(crm), c.lines(lines)
	for name, value := range m {
		if name != "crm" && name != "lines" {
			c.unknownValues(value, 0)
		}
	}
	return inv
}

func (c *checker) crm(v any) (crm CRM) {
	m, isObject := v.(map[string]any)
	c.ok = c.ok && (isObject || v == nil)
	crm = CRM{Plan: c.text(m, "plan"), DiscountRate: c.fixed(m, "discount_rate"),
		ContractVersion: c.text(m, "contract_version"), SyncedAt: c.time(m, "synced_at", false)}
	c.unknownValues(m, c.known)
	c.known = 0
	return crm
}

func (c *checker) lines(v any) (lines []Line) {
	items, isList := v.([]any)
	c.ok = c.ok && (isList || v == nil) && len(items) <= c.limits.Lines
	for _, item := range items {
		m, isObject := item.(map[string]any)
		c.ok = c.ok && isObject
		lines = append(lines, Line{
			ID: c.text(m, "line_id"), ProductID: c.identity(m, "product_id"), ProductFamily: c.identity(m, "product_family"),
			Description: c.text(m, "description"), Quantity: c.fixed(m, "quantity"), Unit: c.text(m, "unit"),
			UnitPrice: c.fixed(m, "unit_price"), ListUnitPrice: c.fixed(m, "list_unit_price"),
			DiscountRate: c.fixed(m, "discount_rate"), DiscountAmount: c.amount(m, "discount_amount"),
			Net: c.amount(m, "line_net"), TaxRate: c.fixed(m, "tax_rate"), PromoCodes: c.list(m, "promo_codes"),
			OrderLineRef: c.text(m, "order_line_ref"), DeliveryRef: c.text(m, "delivery_ref"),
		})
		c.unknownValues(m, c.known)
		c.known = 0
	}
	return lines
}
