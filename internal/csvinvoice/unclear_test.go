package csvinvoice

import (
	"strings"
	"testing"
)

// German thousands are no decimals: where nobody said which is which, an amount that
// may be either is refused with the fix, and what cannot be misread is read (G6, G11).
func TestUnclearThousands(t *testing.T) {
	const header = "invoice_id;issued_at;seller;currency;net_amount\nF-1;2026-03-01;acme;"
	const germans = "decimal: \",\"\nthousands: \".\"\n"
	for _, c := range []struct{ mapping, cells, want string }{
		{"", "EUR;1.223", `column "net_amount": "1.223" is not a number: it may be 1223 or 1.223 with three decimals; ` +
			`set decimal to "," and thousands to ".", or decimal to ".", in the mapping (bad_decimal)`},
		{"", "EUR;-123.456", "it may be 123456 or"},
		{"", "JPY;1.223", "it may be 1223 or"},
		{"", "EUR;759", `"net_amount":"759.00"`},
		{"", "EUR;0.125", `"net_amount":"0.125"`},
		{"", "EUR;1223.125", `"net_amount":"1223.125"`},
		{"", "EUR;1.2230", `"net_amount":"1.223"`},
		{"", "KWD;1.223", `"net_amount":"1.223"`},
		{germans, "EUR;1.223", `"net_amount":"1223.00"`},
		{"decimal: \".\"\n", "EUR;1.223", `"net_amount":"1.223"`},
		{"thousands: \",\"\n", "EUR;1.223", `"net_amount":"1.223"`},
	} {
		got := read(t, c.mapping, header+c.cells+"\n")
		if len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%q %s: %q, want %s", c.mapping, c.cells, got, c.want)
		}
	}
	const lines = "invoice_id,issued_at,seller,currency,quantity,unit_price\nF-1,2026-03-01,acme,EUR,2,1.223\n"
	if got := read(t, "net_from_lines: true\n", lines); !strings.Contains(got[0], "it may be 1223 or 1.223") {
		t.Errorf("a price that makes the amount: %q", got)
	}
	const net = "invoice_id,issued_at,seller,currency,quantity,unit_price,net_amount\n" +
		"F-1,2026-03-01,acme,EUR,2,1.223,2.45\n"
	if got := read(t, "", net); !strings.Contains(got[0], `"unit_price":"1.223"`) {
		t.Errorf("a price beside the amount: %q", got)
	}
}
