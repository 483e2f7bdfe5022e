package invoice

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// tight limits let the fuzzer reach them with small records.
var tight = Limits{Bytes: 4096, Depth: 6, Lines: 4, Items: 4, UnknownFields: 4}

// required is a record with the required fields only, open at its end.
const required = `{"schema":"invoice.v1","event_id":"e1","seller":"s","invoice_id":"i",` +
	`"issued_at":"2026-03-01T09:30:00Z","currency":"EUR","net_amount":"139.12"`

// full has every field of the contract.
const full = required + `,"stage":"pre_issue","source_system":"b","source_release":"r","batch_id":"n",
"entry_channel":"api","operator_ref":"o","sales_point":"p","canary":true,"invoice_number":"N",
"invoice_type":"correction","preceding_invoice_number":"M","revision":7,"due_date":"2026-04-01",
"period_start":"2026-02-01","period_end":"2026-02-28T23:59:59.999999999+01:00",
"shipped_at":"2026-02-27T10:00:00-05:30","delivery_ref":"D","country":"FR","tax_rate":"0.2","tax_amount":"27.82",
"gross_amount":"166.94","discount_amount":"0.00","prepaid_amount":"-1","contract_ref":"C","order_ref":"O",
"price_list_version":"v","promo_codes":["A","B"],"crm":{"plan":"x","discount_rate":"0.1","contract_version":"2",
"synced_at":"2026-01-01T00:00:00Z"},"legal_fields_present":["buyer_vat_id"],"lines":[{"line_id":"1",
"product_id":"P","product_family":"F","description":"d\u00e9j\u00e0 \ud83d\ude00 vu","quantity":"6","unit":"pc",
"unit_price":"2.55","list_unit_price":"2.60","discount_rate":"0.000000015","discount_amount":"0.30",
"line_net":"15.3","tax_rate":"0.2","promo_codes":["A"],"order_line_ref":"1","delivery_ref":"D"},{}],
"customer_ref":"anonymous","customer_type":"b2b","product_family":"F",
"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}`

// with puts more fields into the required record.
func with(fields string) string { return required + "," + fields + "}" }

// replaced gives one field of the required record another value.
func replaced(old, new string) string { return strings.Replace(required, old, new, 1) + "}" }

// seeds are the hand-written nasties, those of the refusal table included.
func seeds() []string {
	list := []string{
		required + "}", full, threeLines,
		with(`"x":{"a":[1,-0,1e9,true,null,"\n"]}`), with(`"\u0073tage":"issued"`), with(`"lines":[],"crm":{}`),
		with(`"x":{"a":1,"b":[{"a":1},{"a":1}]},"a":2`), with(`"crm":{"a":1},"lines":[{"a":1},{"a":1}],"a":2`),
		with(`"order_ref":"\u0000\u0008\t\u001f\u007f\u0085\u2028\ufffe"`), with("\"order_ref\":\"\x7f\u0085\""),
		with(`"lines":null,"crm":null,"stage":null`), with(`"description":"x","SELLER":"other"`),
	}
	for _, c := range refusals {
		if len(c.record) < 1024 { // minimising a long one would take the whole time
			list = append(list, c.record)
		}
	}
	return list
}

// FuzzDecode: the decoder accepts a record exactly when encoding/json and the
// reference checker do, with equal values; and what it accepts survives a round
// trip through AppendJSON. Run it with -fuzzminimizetime=20x: minimising costs
// more than it finds.
func FuzzDecode(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Reused, but always after the same record: coverage must not depend on
		// what came before, or the fuzzer spends its time on minimising.
		d, inv := NewDecoder(Limits{}), new(Invoice)
		if err := d.Decode([]byte(full), inv); err != nil {
			t.Fatal(err)
		}
		d.limits = tight
		d.maxDepth, d.maxNames = tight.Depth, tight.UnknownFields
		sameAsReference(t, d, inv, data)
	})
}

func sameAsReference(t *testing.T, d *Decoder, inv *Invoice, data []byte) {
	t.Helper()
	original := string(data)
	err := d.Decode(data, inv)
	if string(data) != original {
		t.Fatalf("Decode changed its input %q", original)
	}
	want, ok := reference(data, tight)
	if ok != (err == nil) {
		t.Fatalf("%q: Decode says %v, the reference accepts: %v", data, err, ok)
	}
	if err != nil {
		if e, isDecode := err.(*DecodeError); !isDecode || e.Reason == "" || e.Message == "" {
			t.Fatalf("%q: incomplete error %#v", data, err)
		}
		return
	}
	got := inv.Clone()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q:\n got %+v\nwant %+v", data, got, want)
	}
	again, encoded := new(Invoice), got.AppendJSON(nil)
	if !json.Valid(encoded) {
		t.Fatalf("%q is written as %q, which is not JSON", data, encoded)
	}
	if err := NewDecoder(Limits{}).Decode(encoded, again); err != nil {
		t.Fatalf("%q is written as %q: %v", data, encoded, err)
	}
	if back := again.Clone(); !reflect.DeepEqual(back, got) || again.ContentHash() != inv.ContentHash() {
		t.Fatalf("%q is written as %q, which reads as %+v", data, encoded, back)
	}
}

// A small fuzzer of its own for every run of the tests: pieces of the seeds are
// dropped, doubled, moved and overwritten.
func TestMutantsSameAsReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	list, d, inv := seeds(), NewDecoder(tight), new(Invoice)
	pieces := []string{
		`"`, "\\", "{", "}", "[", "]", ",", ":", "null", "-", "0", "1e5", ".", " ", "\xff", "é", `\ud83d`, "\n", `""`,
	}
	accepted := 0
	for range 30_000 {
		s := list[r.IntN(len(list))]
		for range 1 + r.IntN(3) {
			i := r.IntN(len(s) + 1)
			j := min(len(s), i+r.IntN(12))
			switch r.IntN(4) {
			case 0:
				s = s[:i] + s[j:]
			case 1:
				s = s[:j] + s[i:]
			case 2:
				s = s[:i] + pieces[r.IntN(len(pieces))] + s[j:]
			case 3:
				s = s[:i] + pieces[r.IntN(len(pieces))] + s[i:]
			}
		}
		sameAsReference(t, d, inv, []byte(s))
		if inv.EventID != "" {
			accepted++
		}
	}
	if accepted < 1_000 {
		t.Errorf("only %d mutants came far, the others say little", accepted)
	}
}
