package invoice

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// refusal is a record that must become a dead letter.
type refusal struct {
	record, field, reason string
}

// line returns an invoice whose second line has these fields.
func line(fields string) string { return with(`"lines":[{},{` + fields + `}]`) }

var refusals = []refusal{
	{``, "", ReasonEmptyRecord},
	{` `, "", ReasonTruncated},
	{`garbage`, "", ReasonSyntax},
	{"\ufeff" + required + "}", "", ReasonSyntax},
	{`<Invoice/>`, "", ReasonSyntax},
	{"\x00\x00\x01", "", ReasonSyntax},
	{"\xff\xfe{\x00", "", ReasonInvalidUTF8},
	{`[]`, "", ReasonNotObject},
	{`"invoice.v1"`, "", ReasonNotObject},
	{`null`, "", ReasonNotObject},
	{`12`, "", ReasonNotObject},
	{`tru`, "", ReasonTruncated},
	{`trux`, "", ReasonSyntax},
	{required, "", ReasonTruncated},
	{required[:len(required)-4], "net_amount", ReasonTruncated},
	{required[:len(required)-14], "", ReasonTruncated},
	{required + `}}`, "", ReasonTrailingData},
	{required + `} {}`, "", ReasonTrailingData},
	{required + `,}`, "", ReasonSyntax},
	{required + ` "x":1}`, "", ReasonSyntax},
	{with(`'x':1`), "", ReasonSyntax},
	{with(`"x":01`), "", ReasonSyntax},
	{with(`"x":+1`), "x", ReasonSyntax},
	{with(`"x":1.`), "x", ReasonSyntax},
	{with(`"x":.5`), "x", ReasonSyntax},
	{with(`"x":1e`), "x", ReasonSyntax},
	{with(`"x":NaN`), "x", ReasonSyntax},
	{with(`"x":[1,]`), "x[1]", ReasonSyntax},
	{with(`"x":{"a":{"b":tru}}`), "x.a.b", ReasonSyntax},
	{with(`"x":"` + "\n" + `"`), "x", ReasonSyntax},
	{with("\"x\":\"\x1f\""), "x", ReasonSyntax},
	{with("\"x\":\"long enough for a word\x1f of 8 bytes\""), "x", ReasonSyntax},
	{with(`"x":"\x"`), "x", ReasonSyntax},
	{with(`"x":"\u12g4"`), "x", ReasonSyntax},
	{with(`"x" 1`), "x", ReasonSyntax},
	{required + "}" + strings.Repeat(" ", 8<<20), "", ReasonTooLarge},
	{with(`"x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15)), "", ""},
	{with(`"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)), "x" + strings.Repeat("[0]", 15), ReasonTooDeep},
	{with(`"x":` + strings.Repeat(`{"a":`, 100_000)), "x" + strings.Repeat(".a", 15), ReasonTooDeep},
	{with(`"lines":[` + strings.Repeat("{},", 20_000) + `{}]`), "lines", ReasonTooManyLines},
	{with(`"promo_codes":[` + strings.Repeat(`"",`, 1_000) + `""]`), "promo_codes", ReasonTooManyItems},
	{with(manyFields(257)), "f256", ReasonTooManyFields},
	{with(`"seller":"s"`), "seller", ReasonDuplicateKey},
	{with(`"seller":null`), "seller", ReasonDuplicateKey},
	{with(`"\u0073eller":"s"`), "seller", ReasonDuplicateKey},
	{with(`"x":1,"y":2,"x":1`), "x", ReasonDuplicateKey},
	{with(`"x":1,"\u0078":1`), "x", ReasonDuplicateKey},
	{with(`"x":{"a":[{"b":1,"b":1}]}`), "x.a[0].b", ReasonDuplicateKey},
	{with(`"crm":{"plan":"a","plan":"b"}`), "crm.plan", ReasonDuplicateKey},
	{line(`"unit":"a","unit":"a"`), "lines[1].unit", ReasonDuplicateKey},
	{with(`"x":"` + "\xff" + `"`), "x", ReasonInvalidUTF8},
	{with("\"x\xff\":1"), "", ReasonInvalidUTF8},
	{with(`"x":"` + "\xed\xa0\x80" + `"`), "x", ReasonInvalidUTF8},
	{with(`"x":"\ud83d"`), "x", ReasonInvalidUTF8},
	{with(`"x":"\ude00\ud83d"`), "x", ReasonInvalidUTF8},
	{with(`"x":"\ud83d\u0041"`), "x", ReasonInvalidUTF8},
	{replaced(`"139.12"`, `139.12`), "net_amount", ReasonNumberInDecimal},
	{replaced(`"139.12"`, `-1e400`), "net_amount", ReasonNumberInDecimal},
	{line(`"quantity":6`), "lines[1].quantity", ReasonNumberInDecimal},
	{replaced(`"139.12"`, `"NaN"`), "net_amount", ReasonBadDecimal},
	{replaced(`"139.12"`, `"Infinity"`), "net_amount", ReasonBadDecimal},
	{replaced(`"139.12"`, `"1e999999999"`), "net_amount", ReasonBadDecimal},
	{replaced(`"139.12"`, `"139,12"`), "net_amount", ReasonBadDecimal},
	{replaced(`"139.12"`, `" 139.12"`), "net_amount", ReasonBadDecimal},
	{replaced(`"139.12"`, `""`), "net_amount", ReasonBadDecimal},
	{replaced(`"139.12"`, `"139.12345"`), "net_amount", ReasonBadDecimal},
	{with(`"tax_rate":"20 %"`), "tax_rate", ReasonBadDecimal},
	{replaced(`"139.12"`, `"922337203685477.5808"`), "net_amount", ReasonOverflow},
	{line(`"line_net":"-99999999999999999999"`), "lines[1].line_net", ReasonOverflow},
	{line(`"unit_price":"92233720369"`), "lines[1].unit_price", ReasonOverflow},
	{with(`"revision":9223372036854775808`), "revision", ReasonOverflow},
	{with(`"revision":-1`), "revision", ReasonBadInteger},
	{with(`"revision":-99999999999999999999`), "revision", ReasonBadInteger},
	{with(`"revision":1.0`), "revision", ReasonBadInteger},
	{with(`"revision":1e0`), "revision", ReasonBadInteger},
	{with(`"revision":"1"`), "revision", ReasonWrongType},
	{replaced(`"s"`, `12`), "seller", ReasonWrongType},
	{replaced(`"139.12"`, `true`), "net_amount", ReasonWrongType},
	{replaced(`"invoice.v1"`, `1`), "schema", ReasonWrongType},
	{with(`"canary":"true"`), "canary", ReasonWrongType},
	{with(`"stage":0`), "stage", ReasonWrongType},
	{with(`"due_date":1772323200`), "due_date", ReasonWrongType},
	{with(`"promo_codes":"A"`), "promo_codes", ReasonWrongType},
	{with(`"promo_codes":["A",null]`), "promo_codes[1]", ReasonWrongType},
	{with(`"crm":[]`), "crm", ReasonWrongType},
	{with(`"lines":{}`), "lines", ReasonWrongType},
	{with(`"lines":[{},null]`), "lines[1]", ReasonWrongType},
	{line(`"promo_codes":["A",{"b":1}]`), "lines[1].promo_codes[1]", ReasonWrongType},
	{replaced(`invoice.v1`, `invoice.v2`), "schema", ReasonSchema},
	{replaced(`invoice.v1`, ``), "schema", ReasonSchema},
	{`{}`, "schema", ReasonMissingField},
	{replaced(`"seller"`, `"Seller"`), "seller", ReasonMissingField},
	{replaced(`"e1"`, `null`), "event_id", ReasonMissingField},
	{replaced(`,"currency":"EUR"`, ``), "currency", ReasonMissingField},
	{replaced(`"s"`, `""`), "seller", ReasonEmptyField},
	{replaced(`"EUR"`, `""`), "currency", ReasonEmptyField},
	{with(`"stage":"draft"`), "stage", ReasonUnknownValue},
	{with(`"stage":""`), "stage", ReasonUnknownValue},
	{with(`"invoice_type":"Invoice"`), "invoice_type", ReasonUnknownValue},
	{with(`"entry_channel":"fax"`), "entry_channel", ReasonUnknownValue},
	{replaced(`"EUR"`, `"eur"`), "currency", ReasonUnknownCurrency},
	{replaced(`"EUR"`, `"XXX"`), "currency", ReasonUnknownCurrency},
	{replaced(`09:30:00Z`, `09:30:00`), "issued_at", ReasonBadTime},
	{replaced(`T09`, ` 09`), "issued_at", ReasonBadTime},
	{replaced(`T09:30:00Z`, ``), "issued_at", ReasonBadTime},
	{replaced(`03-01`, `02-29`), "issued_at", ReasonBadTime},
	{replaced(`03-01`, `13-01`), "issued_at", ReasonBadTime},
	{replaced(`09:30:00Z`, `24:00:00Z`), "issued_at", ReasonBadTime},
	{replaced(`09:30:00Z`, `09:30:60Z`), "issued_at", ReasonBadTime},
	{replaced(`00Z`, `00.Z`), "issued_at", ReasonBadTime},
	{replaced(`00Z`, `00,5Z`), "issued_at", ReasonBadTime},
	{replaced(`00Z`, `00.0000000001Z`), "issued_at", ReasonBadTime},
	{replaced(`00Z`, `00+24:00`), "issued_at", ReasonBadTime},
	{replaced(`00Z`, `00+0100`), "issued_at", ReasonBadTime},
	{replaced(`00Z`, `00z`), "issued_at", ReasonBadTime},
	{with(`"due_date":"2026-02-30"`), "due_date", ReasonBadTime},
	{replaced(`2026-03`, `1969-12`), "issued_at", ReasonTimeOutOfRange},
	{replaced(`2026-03`, `2201-01`), "issued_at", ReasonTimeOutOfRange},
	{replaced(`2026-03-01T09:30:00Z`, `1970-01-01T00:00:00+00:01`), "issued_at", ReasonTimeOutOfRange},
	{replaced(`"i"`, `"i\u0000"`), "invoice_id", ReasonControlCharacter},
	{replaced(`"i"`, `"i`+"\x7f"+`"`), "invoice_id", ReasonControlCharacter},
	{replaced(`"i"`, `"i`+"\u0085"+`"`), "invoice_id", ReasonControlCharacter},
	{line(`"product_id":"a\tb"`), "lines[1].product_id", ReasonControlCharacter},
	{replaced(`"i"`, `"`+strings.Repeat("i", 257)+`"`), "invoice_id", ReasonTooLong},
	{with(`"customer_ref":"` + strings.Repeat("é", 129) + `"`), "customer_ref", ReasonTooLong},
}

// manyFields are n fields that the contract does not have.
func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"f%d":0,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// G6: bad input has a stable reason and the path of the field.
func TestRefusals(t *testing.T) {
	d := NewDecoder(Limits{})
	reasons := map[string]bool{}
	for _, c := range refusals {
		name := quotable(strings.TrimPrefix(c.record, required))
		err := d.Decode([]byte(c.record), new(Invoice))
		if c.reason == "" {
			if err != nil {
				t.Errorf("%s: %v, want it accepted", name, err)
			}
			continue
		}
		var refused *DecodeError
		if !errors.As(err, &refused) {
			t.Errorf("%s: error %v, want reason %s", name, err, c.reason)
			continue
		}
		if refused.Field != c.field || refused.Reason != c.reason || refused.Message == "" {
			t.Errorf("%s: field %q, reason %s (%s); want field %q, reason %s",
				name, refused.Field, refused.Reason, refused.Message, c.field, c.reason)
		}
		if !strings.HasPrefix(err.Error(), "cannot decode invoice.v1 record: ") || !utf8.ValidString(err.Error()) {
			t.Errorf("%s: message %q", name, err)
		}
		reasons[refused.Reason] = true
	}
	if len(reasons) != 26 {
		t.Errorf("%d reasons have a record in this table, want all 26", len(reasons))
	}
}

// A record cut at any byte is refused, and never read beyond its end.
func TestEveryPrefixIsRefused(t *testing.T) {
	d := NewDecoder(Limits{})
	for n := range len(full) - 1 {
		data := append([]byte(nil), full[:n]...) // its own memory: -race and checkptr see a read beyond it
		if err := d.Decode(data[:n:n], new(Invoice)); err == nil {
			t.Fatalf("%q was accepted", full[:n])
		}
	}
}

func TestDecodeAllFields(t *testing.T) {
	var inv Invoice
	if err := NewDecoder(Limits{}).Decode([]byte(full), &inv); err != nil {
		t.Fatal(err)
	}
	amount := func(v int64) OptionalAmount { return OptionalAmount{Amount(v), true} }
	fixed := func(v int64) OptionalFixed { return OptionalFixed{Fixed(v), true} }
	want := &Invoice{
		EventID: "e1", Seller: "s", ID: "i", Revision: 7, Stage: PreIssue, Type: Correction,
		IssuedAt: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), Currency: "EUR", NetAmount: 1391200, Number: "N",
		PrecedingID: "M", CustomerRef: Anonymous, CustomerType: "b2b", ProductFamily: "F",
		GrossAmount: amount(1669400), TaxAmount: amount(278200), DiscountAmount: amount(0), PrepaidAmount: amount(-10000),
		TaxRate: fixed(20000000), SourceSystem: "b", SourceRelease: "r", BatchID: "n", EntryChannel: "api",
		OperatorRef: "o", SalesPoint: "p", Country: "FR", Canary: true,
		DueAt: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), PeriodStart: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
		PeriodEnd: time.Date(2026, 2, 28, 22, 59, 59, 999999999, time.UTC),
		ShippedAt: time.Date(2026, 2, 27, 15, 30, 0, 0, time.UTC), DeliveryRef: "D", ContractRef: "C", OrderRef: "O",
		PriceListVersion: "v", PromoCodes: []string{"A", "B"}, LegalFieldsPresent: []string{"buyer_vat_id"},
		CRM: CRM{Plan: "x", DiscountRate: fixed(10000000), ContractVersion: "2",
			SyncedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		Lines: []Line{{ID: "1", ProductID: "P", ProductFamily: "F", Description: "déjà 😀 vu", Quantity: fixed(600000000),
			Unit: "pc", UnitPrice: fixed(255000000), ListUnitPrice: fixed(260000000), DiscountRate: fixed(2),
			DiscountAmount: amount(3000), Net: amount(153000), TaxRate: fixed(20000000), PromoCodes: []string{"A"},
			OrderLineRef: "1", DeliveryRef: "D"}, {}},
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	if got := inv.Clone(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Nothing of one record may be left in the next: an Invoice is reused for ever.
func TestDecodeResetsEveryField(t *testing.T) {
	d, reused := NewDecoder(Limits{}), new(Invoice)
	for range 3 {
		for _, record := range []string{full, required + "}", with(`"lines":[{},{},{}]`), threeLines} {
			fresh := new(Invoice)
			if err := d.Decode([]byte(record), reused); err != nil {
				t.Fatal(err)
			}
			if err := NewDecoder(Limits{}).Decode([]byte(record), fresh); err != nil {
				t.Fatal(err)
			}
			if got, want := reused.Clone(), fresh.Clone(); !reflect.DeepEqual(got, want) {
				t.Fatalf("reused %+v\nfresh  %+v", got, want)
			}
			_ = d.Decode([]byte(full[:len(full)/2]), reused) // a refused record leaves rubbish behind
		}
	}
}

// A batch is decoded by one decoder into many invoices, which all stay whole.
func TestInvoicesOfOneDecoderAreIndependent(t *testing.T) {
	d := NewDecoder(Limits{})
	invoices := make([]Invoice, 8)
	for round := range 2 {
		for i := range invoices {
			record := with(fmt.Sprintf(`"invoice_number":"\u0041%d-%d"`, round, i))
			if err := d.Decode([]byte(record), &invoices[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range invoices {
			if want := fmt.Sprintf("A%d-%d", round, i); invoices[i].Number != want {
				t.Errorf("invoice %d has number %q, want %q", i, invoices[i].Number, want)
			}
		}
	}
}

func TestTextsAreCutAtACharacter(t *testing.T) {
	for _, c := range []string{"x", "é", "😀"} {
		var inv Invoice
		record := with(`"order_ref":"` + strings.Repeat(c, 201) + `","contract_ref":"` + strings.Repeat(c, 200) + `"`)
		if err := NewDecoder(Limits{}).Decode([]byte(record), &inv); err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat(c, 200); inv.OrderRef != want || inv.ContractRef != want {
			t.Errorf("got %d and %d bytes of %q, want %d", len(inv.OrderRef), len(inv.ContractRef), c, len(want))
		}
	}
}

func TestIdentityOf256BytesIsAccepted(t *testing.T) {
	id := strings.Repeat("é", 128)
	var inv Invoice
	if err := NewDecoder(Limits{}).Decode([]byte(replaced(`"i"`, `"`+id+`"`)), &inv); err != nil || inv.ID != id {
		t.Errorf("got %q, %v", inv.ID, err)
	}
}

// The names of the contract are found at once, or nearly.
func TestFieldTablesSpread(t *testing.T) {
	check := func(names []string, find func(string) int) {
		atFirst := map[uint8]bool{}
		for i, name := range names {
			if find(name) != i {
				t.Errorf("field %s is found at %d, want %d", name, find(name), i)
			}
			atFirst[slotOf(name)] = true
		}
		if len(atFirst) < len(names)*8/10 {
			t.Errorf("%d of %d names share their first slot", len(names)-len(atFirst), len(names))
		}
		if find("nothing") != -1 || find("") != -1 {
			t.Error("an unknown name was found")
		}
	}
	names := func(keys []string) (list []string) {
		for _, key := range keys {
			list = append(list, strings.Trim(key, `":`))
		}
		return list
	}
	check(names(invoiceFields.keys), invoiceFields.find)
	check(names(crmFields.keys), crmFields.find)
	check(names(lineFields.keys), lineFields.find)
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	d, inv := NewDecoder(Limits{}), new(Invoice)
	for _, record := range []string{threeLines, full} {
		data := []byte(record)
		if n := testing.AllocsPerRun(100, func() {
			if err := d.Decode(data, inv); err != nil {
				t.Fatal(err)
			}
			inv.ContentHash()
			inv.Identity()
		}); n != 0 {
			t.Errorf("%v allocations per record, want none", n)
		}
	}
}

// G7: one huge record does not stay in memory for ever.
func TestHugeRecordsAreForgotten(t *testing.T) {
	d, inv := NewDecoder(Limits{}), new(Invoice)
	huge := with(`"order_ref":"` + strings.Repeat(`\n`, 100_000) + `","lines":[` + strings.Repeat("{},", 9_999) + `{}]`)
	for _, record := range []string{huge, required + "}"} {
		if err := d.Decode([]byte(record), inv); err != nil {
			t.Fatal(err)
		}
	}
	if cap(inv.Lines) > keptLines || cap(inv.unescaped) > keptUnescaped {
		t.Errorf("%d lines and %d bytes are kept", cap(inv.Lines), cap(inv.unescaped))
	}
}

// The seeds of FuzzDecode, without the fuzzer.
func TestSameAsReference(t *testing.T) {
	d, inv := NewDecoder(tight), new(Invoice)
	for _, s := range seeds() {
		sameAsReference(t, d, inv, []byte(s))
	}
}
