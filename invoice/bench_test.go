package invoice

import "testing"

// threeLines is a 700-byte invoice as billing systems send it.
const threeLines = `{"schema":"invoice.v1","event_id":"or-0000001","seller":"retail-uk",` +
	`"source_system":"billing-1","stage":"issued","invoice_id":"536366","invoice_type":"invoice",` +
	`"issued_at":"2010-12-01T08:28:00Z","customer_ref":"c:17850","customer_type":"reseller",` +
	`"product_family":"OTHER","currency":"GBP","net_amount":"37.50","gross_amount":"44.06","tax_rate":"0.175",` +
	`"delivery_ref":"DN0000107","lines":[{"line_id":"1","product_id":"22633","description":"HAND WARMER",` +
	`"quantity":"6","unit_price":"1.85","line_net":"11.1"},{"line_id":"2","product_id":"22632",` +
	`"description":"RED POLKA","quantity":"6","unit_price":"1.85","line_net":"11.1"},{"line_id":"3",` +
	`"product_id":"22752","description":"BABUSHKA","quantity":"2","unit_price":"7.65","line_net":"15.3"}]}`

func BenchmarkDecode(b *testing.B) {
	d := NewDecoder(Limits{})
	data := []byte(threeLines)
	var inv Invoice
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(data, &inv); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkContentHash(b *testing.B) {
	var inv Invoice
	if err := NewDecoder(Limits{}).Decode([]byte(threeLines), &inv); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		inv.ContentHash()
	}
}

func BenchmarkParseAmount(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseAmount("13912.34"); err != nil {
			b.Fatal(err)
		}
	}
}
