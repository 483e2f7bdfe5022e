package invoice

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every field of every kind.
var fullReferences = []string{
	`{"schema":"reference.customer.v1","seller":"s","customer_ref":"c:1","customer_type":"b2b",
"contract_discount_rate":"0.05","plan":"pro","contract_version":"3","prepays":false,"tax_exempt":true,
"valid_from":"2026-01-01T00:00:00Z",
"valid_to":"2027-01-01T00:00:00+01:00","published_at":"2025-12-15T08:00:00Z"}`,
	`{"seller":"s","product_id":"P","customer_type":"b2b","customer_ref":"c:1","unit_price":"2.295","min_quantity":"12",
"price_list_version":"2026-1","valid_from":"2026-01-01T00:00:00Z","valid_to":null,"schema":"reference.price.v1"}`,
	`{"schema":"reference.promotion.v1","seller":"s","code":"SPRING","discount_rate":"0.15","product_families":["LIGHTING",
"d\u00e9cor"],"customer_types":["b2b"],"max_discount_rate":"0.2","stackable":false,"valid_from":"2026-03-01T00:00:00Z",
"valid_to":"2026-04-01T00:00:00Z"}`,
	`{"schema":"reference.policy.v1","seller":"s","max_discount_rate":"0.25","promotions_stackable":true,
"currencies":["EUR","CHF"],"published_at":"2025-12-01T00:00:00Z"}`,
	`{"schema":"reference.delivery.v1","seller":"s","delivery_ref":"DN1","order_ref":"SO1",
"shipped_at":"2026-02-27T10:00:00Z","units":"40","lines":7}`,
}

func TestDecodeReference(t *testing.T) {
	date := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	want := []Reference{
		{Kind: CustomerReference, Seller: "s", CustomerRef: "c:1", CustomerType: "b2b",
			ContractDiscountRate: OptionalFixed{One / 20, true}, Plan: "pro", ContractVersion: "3",
			Prepays: OptionalBool{false, true}, TaxExempt: OptionalBool{true, true}, ValidFrom: date("2026-01-01T00:00:00Z"),
			ValidTo: date("2026-12-31T23:00:00Z"), PublishedAt: date("2025-12-15T08:00:00Z")},
		{Kind: PriceReference, Seller: "s", ProductID: "P", CustomerType: "b2b", CustomerRef: "c:1",
			UnitPrice:   2_295 * One / 1000,
			MinQuantity: 12 * One, PriceListVersion: "2026-1", ValidFrom: date("2026-01-01T00:00:00Z"),
			PublishedAt: date("2026-01-01T00:00:00Z")}, // published when valid, unless told
		{Kind: PromotionReference, Seller: "s", Code: "SPRING", DiscountRate: One * 15 / 100,
			ProductFamilies: []string{"LIGHTING", "décor"}, CustomerTypes: []string{"b2b"},
			MaxDiscountRate: OptionalFixed{One / 5, true}, Stackable: OptionalBool{false, true},
			ValidFrom: date("2026-03-01T00:00:00Z"), ValidTo: date("2026-04-01T00:00:00Z"),
			PublishedAt: date("2026-03-01T00:00:00Z")},
		{Kind: PolicyReference, Seller: "s", MaxDiscountRate: OptionalFixed{One / 4, true},
			Stackable: OptionalBool{true, true}, Currencies: []string{"EUR", "CHF"}, PublishedAt: date("2025-12-01T00:00:00Z")},
		{Kind: DeliveryReference, Seller: "s", DeliveryRef: "DN1", OrderRef: "SO1", ShippedAt: date("2026-02-27T10:00:00Z"),
			Units: OptionalFixed{40 * One, true}, Lines: OptionalInt{7, true}, PublishedAt: date("2026-02-27T10:00:00Z")},
	}
	d := NewDecoder(Limits{})
	for i, record := range fullReferences {
		var got Reference
		buffer := []byte(record)
		if err := d.DecodeReference(buffer, &got); err != nil {
			t.Fatal(err)
		}
		clear(buffer) // nothing of the record may be kept
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%s\ngot  %+v\nwant %+v", record, got, want[i])
		}
	}
	// Without any date it counts always; the next record leaves nothing of the one before.
	r := want[0]
	if err := d.DecodeReference([]byte(`{"schema":"reference.policy.v1","seller":"s"}`), &r); err != nil ||
		!reflect.DeepEqual(r, Reference{Kind: PolicyReference, Seller: "s"}) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestReferenceRefusals(t *testing.T) {
	const customer = `{"schema":"reference.customer.v1","seller":"s","customer_ref":"c",` +
		`"valid_from":"2026-01-01T00:00:00Z"`
	const delivery = `{"schema":"reference.delivery.v1","seller":"s","delivery_ref":"d",` +
		`"shipped_at":"2026-01-01T00:00:00Z"`
	const policy = `{"schema":"reference.policy.v1","seller":"s"`
	long := strings.Repeat("d", 257)
	for name, c := range map[string]struct{ record, field, reason string }{
		"tombstone":          {``, "", ReasonEmptyRecord},
		"array":              {`[]`, "", ReasonNotObject},
		"no schema":          {`{"seller":"s"}`, "schema", ReasonMissingField},
		"schema null":        {`{"schema":null,"seller":"s"}`, "schema", ReasonMissingField},
		"invoice":            {`{"schema":"invoice.v1"}`, "schema", ReasonSchema},
		"schema as number":   {`{"schema":1}`, "schema", ReasonWrongType},
		"schema twice":       {customer + `,"schema":"reference.customer.v1"}`, "schema", ReasonDuplicateKey},
		"truncated":          {customer, "", ReasonTruncated},
		"truncated first":    {`{"a":`, "a", ReasonTruncated},
		"trailing":           {customer + `}{}`, "", ReasonTrailingData},
		"number as rate":     {customer + `,"contract_discount_rate":0.05}`, "contract_", ReasonNumberInDecimal},
		"comma":              {customer + `,"contract_discount_rate":"0,05"}`, "contract_discount_rate", ReasonBadDecimal},
		"number as units":    {delivery + `,"units":40}`, "units", ReasonNumberInDecimal},
		"half a line":        {delivery + `,"lines":1.5}`, "lines", ReasonBadInteger},
		"lines as text":      {delivery + `,"lines":"7"}`, "lines", ReasonWrongType},
		"date alone":         {strings.Replace(customer, "T00:00:00Z", "", 1) + `}`, "valid_from", ReasonBadTime},
		"truth as text":      {customer + `,"prepays":"no"}`, "prepays", ReasonWrongType},
		"no customer":        {strings.Replace(customer, "customer_ref", "ref", 1) + `}`, "customer_ref", ReasonMissingField},
		"empty customer":     {strings.Replace(customer, `"c"`, `""`, 1) + `}`, "customer_ref", ReasonEmptyField},
		"long delivery":      {strings.Replace(delivery, `"d"`, `"`+long+`"`, 1) + `}`, "delivery_ref", ReasonTooLong},
		"unknown currency":   {policy + `,"currencies":["EUR","EURO"]}`, "currencies[1]", ReasonUnknownCurrency},
		"control character":  {strings.Replace(customer, `"c"`, `"\u0001"`, 1) + `}`, "customer_ref", ReasonControlCharacter},
		"too deep":           {customer + `,"x":` + strings.Repeat("[", 20), "x", ReasonTooDeep},
		"unknown name twice": {customer + `,"x":1,"x":2}`, "x", ReasonDuplicateKey},
	} {
		t.Run(name, func(t *testing.T) {
			err := NewDecoder(Limits{}).DecodeReference([]byte(c.record), new(Reference))
			e, _ := err.(*DecodeError)
			if e == nil {
				t.Fatalf("got %v, want a refusal", err)
			}
			if e.Reason != c.reason || !strings.HasPrefix(e.Field, c.field) ||
				!strings.HasPrefix(e.Error(), "cannot decode reference record: ") {
				t.Errorf("got %s at %q: %v, want %s at %q", e.Reason, e.Field, e, c.reason, c.field)
			}
		})
	}
}

// Another kind's fields are unknown fields: of any form, and left out.
func TestReferenceIgnoresUnknownFields(t *testing.T) {
	var got Reference
	record := `{"schema":"reference.policy.v1","seller":"s","code":1,"units":[{"a":null}],"Seller":"x"}`
	if err := NewDecoder(Limits{}).DecodeReference([]byte(record), &got); err != nil ||
		!reflect.DeepEqual(got, Reference{Kind: PolicyReference, Seller: "s"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Invoices cut what they are looked up by to 200 characters, so references do too.
func TestReferenceNamesMatchThoseOfInvoices(t *testing.T) {
	long := strings.Repeat("d", 256)
	var r Reference
	var inv Invoice
	d := NewDecoder(Limits{})
	delivery := `{"schema":"reference.delivery.v1","seller":"s","shipped_at":"2026-01-01T00:00:00Z",` +
		`"delivery_ref":"` + long + `"}`
	if err := d.DecodeReference([]byte(delivery), &r); err != nil {
		t.Fatal(err)
	}
	if err := d.Decode([]byte(with(`"delivery_ref":"`+long+`"`)), &inv); err != nil {
		t.Fatal(err)
	}
	if r.DeliveryRef != inv.DeliveryRef {
		t.Errorf("the reference has %d bytes, the invoice %d", len(r.DeliveryRef), len(inv.DeliveryRef))
	}
}

// referenceOf is DecodeReference by encoding/json and the checker.
func referenceOf(data []byte, limits Limits) (*Reference, bool) {
	m, ok := objectOf(data, limits)
	if !ok {
		return nil, false
	}
	c := &checker{limits: limits, ok: true}
	r := c.reference(m)
	return r, c.ok
}

func (c *checker) optionalBool(m map[string]any, name string) OptionalBool {
	return OptionalBool{Value: c.boolean(m, name), Set: m[name] != nil}
}

func (c *checker) required(m map[string]any, names ...string) {
	for _, name := range names {
		c.need(m, name)
	}
}

func (c *checker) reference(m map[string]any) *Reference {
	c.required(m, "schema", "seller")
	kind := c.oneOf(m, "schema", "reference.customer.v1", "reference.price.v1", "reference.promotion.v1",
		"reference.policy.v1", "reference.delivery.v1")
	r := &Reference{Kind: ReferenceKind(max(kind, 0)), Seller: c.identity(m, "seller"),
		PublishedAt: c.time(m, "published_at", false)}
	if r.Kind == DeliveryReference {
		c.required(m, "delivery_ref", "shipped_at")
		r.DeliveryRef, r.OrderRef = first200(c.identity(m, "delivery_ref")), c.text(m, "order_ref")
		r.ShippedAt, r.Units = c.time(m, "shipped_at", false), c.fixed(m, "units")
		r.Lines = OptionalInt{c.integer(m, "lines"), m["lines"] != nil}
	} else {
		if r.Kind != PolicyReference {
			c.required(m, "valid_from")
		}
		r.ValidFrom, r.ValidTo = c.time(m, "valid_from", false), c.time(m, "valid_to", false)
	}
	switch r.Kind {
	case CustomerReference:
		c.required(m, "customer_ref")
		r.CustomerRef, r.CustomerType = c.identity(m, "customer_ref"), c.identity(m, "customer_type")
		r.ContractDiscountRate, r.Plan = c.fixed(m, "contract_discount_rate"), c.text(m, "plan")
		r.ContractVersion = c.text(m, "contract_version")
		r.Prepays, r.TaxExempt = c.optionalBool(m, "prepays"), c.optionalBool(m, "tax_exempt")
	case PriceReference:
		c.required(m, "product_id", "unit_price")
		r.ProductID, r.CustomerType = c.identity(m, "product_id"), c.identity(m, "customer_type")
		r.CustomerRef, r.UnitPrice = c.identity(m, "customer_ref"), c.fixed(m, "unit_price").Value
		r.MinQuantity, r.PriceListVersion = c.fixed(m, "min_quantity").Value, c.text(m, "price_list_version")
	case PromotionReference:
		c.required(m, "code", "discount_rate")
		r.Code, r.DiscountRate = first200(c.identity(m, "code")), c.fixed(m, "discount_rate").Value
		r.ProductFamilies, r.CustomerTypes = c.whole(m, "product_families"), c.whole(m, "customer_types")
		r.MaxDiscountRate, r.Stackable = c.fixed(m, "max_discount_rate"), c.optionalBool(m, "stackable")
	case PolicyReference:
		r.MaxDiscountRate, r.Stackable = c.fixed(m, "max_discount_rate"), c.optionalBool(m, "promotions_stackable")
		r.Currencies = c.whole(m, "currencies")
		c.ok = c.ok && !slices.ContainsFunc(r.Currencies, func(code string) bool {
			_, ok := Exponent(code)
			return !ok
		})
	}
	if r.PublishedAt.IsZero() {
		r.PublishedAt = r.ValidFrom
		if r.Kind == DeliveryReference {
			r.PublishedAt = r.ShippedAt
		}
	}
	c.unknownValues(m, c.known)
	return r
}

// whole is list without the cut.
func (c *checker) whole(m map[string]any, name string) []string {
	cut := c.list(m, name)
	items, _ := m[name].([]any)
	for i := range cut {
		cut[i], _ = items[i].(string)
	}
	return cut
}

// FuzzDecodeReference: the decoder accepts a record exactly when encoding/json
// and the checker do, with equal values.
func FuzzDecodeReference(f *testing.F) {
	for _, s := range referenceSeeds(f) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sameReference(t, NewDecoder(tight), data)
	})
}

// referenceSeeds are the full records and the contract's examples, good and bad.
func referenceSeeds(tb testing.TB) []string {
	tb.Helper()
	seeds := slices.Clone(fullReferences)
	paths, err := filepath.Glob("../docs/contract/examples/reference.*/*.json")
	if err != nil || len(paths) < 20 {
		tb.Fatalf("found %d examples, %v", len(paths), err)
	}
	for _, path := range paths {
		example, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		seeds = append(seeds, string(example))
	}
	return seeds
}

func sameReference(t *testing.T, d *Decoder, data []byte) (accepted bool) {
	t.Helper()
	var got Reference
	buffer := bytes.Clone(data)
	err := d.DecodeReference(buffer, &got)
	if !bytes.Equal(buffer, data) {
		t.Fatalf("DecodeReference changed its input %q", data)
	}
	clear(buffer)
	want, ok := referenceOf(data, d.limits)
	if ok != (err == nil) {
		t.Fatalf("%q: DecodeReference says %v, the checker accepts: %v", data, err, ok)
	}
	if err != nil {
		if e, isDecode := err.(*DecodeError); !isDecode || e.Reason == "" || e.Message == "" {
			t.Fatalf("%q: incomplete error %#v", data, err)
		}
		return false
	}
	if !reflect.DeepEqual(&got, want) {
		t.Fatalf("%q:\n got %+v\nwant %+v", data, &got, want)
	}
	return true
}

func TestReferenceMutantsSameAsChecker(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	list, d := referenceSeeds(t), NewDecoder(tight)
	pieces := []string{
		`"`, "\\", "{", "}", "[", "]", ",", ":", "null", "-", "0", "1e5", ".", "true", "\xff", "é", `\ud83d`, `""`,
	}
	accepted := 0
	for range 20_000 {
		s := list[r.IntN(len(list))]
		for range r.IntN(3) {
			i := r.IntN(len(s) + 1)
			j := min(len(s), i+r.IntN(8))
			s = s[:i] + pieces[r.IntN(len(pieces))] + s[j:]
		}
		if sameReference(t, d, []byte(s)) {
			accepted++
		}
	}
	if accepted < 1_000 {
		t.Errorf("only %d mutants accepted, the others say little", accepted)
	}
}
