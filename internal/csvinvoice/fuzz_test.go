package csvinvoice

import (
	"encoding/csv"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"recoup/invoice"
)

// FuzzReader: whatever stands in a file, reading ends, every error is one of a
// row, line numbers rise, and every invoice that is read is one of the contract.
func FuzzReader(f *testing.F) {
	for _, file := range []string{
		"seller,invoice_id,issued_at,currency,net_amount\na,F,2026-03-01,EUR,1\n",
		"seller;invoice_id;issued_at;currency;net_amount;product_id\na;F;2026-03-01;EUR;1;x\na;F;;;;\"y\n\"\n;;;;;\n",
		"sep=|\nseller|invoice_id|issued_at|currency|net_amount|crm.plan|promo_codes\na|F|2026-03-01|EUR|1|\"|\"|a,b\"\n",
		"Facture;Date;Prix;Article;Quantité\nF;01/02/2026;\"1.234,50\";A;(2)\nF;01/02/2026;5 €;B;\"3\"\"\n",
	} {
		f.Add(file, false)
		f.Add(file, true)
	}
	f.Fuzz(func(t *testing.T, file string, mapped bool) {
		var m *Mapping
		if mapped {
			var err error
			if m, err = ParseMapping("m", []byte("decimal: \",\"\nthousands: \".\"\ncurrency_signs: [€]\n"+
				"time_zone: Europe/Paris\n"+
				"dates: [dd/MM/yyyy]\nnet_from_lines: true\ncolumns: {invoice_id: Facture, issued_at: Date, "+
				"lines.unit_price: Prix, lines.product_id: Article, lines.quantity: Quantité}\n"+
				"constants: {seller: a, currency: EUR, lines.unit: h}\npercent: [lines.discount_rate]\n")); err != nil {
				t.Fatal(err)
			}
		}
		r, err := NewReader(linesOf(file), m, invoice.Limits{Bytes: 2_000})
		if err != nil {
			return
		}
		decoder := invoice.NewDecoder(invoice.Limits{})
		var inv, again invoice.Invoice
		last := int64(0)
		for range 2*strings.Count(file, "\n") + 4 {
			line, err := r.Next(&inv)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if _, ok := errors.AsType[*RowError](err); !ok {
					t.Fatalf("not an error of a row: %v", err)
				}
				continue
			}
			if line <= last {
				t.Fatalf("line %d after %d", line, last)
			}
			last = line
			if err := decoder.Decode(inv.AppendJSON(nil), &again); err != nil {
				t.Fatalf("line %d: %v", line, err)
			}
			if a, b := inv.Clone(), again.Clone(); !reflect.DeepEqual(a, b) {
				t.Fatalf("line %d: %+v\nread again %+v", line, a, b)
			}
		}
		t.Fatal("reading does not end")
	})
}

// FuzzRows: rows are cut where encoding/csv cuts them, for every file that it
// reads to its end.
func FuzzRows(f *testing.F) {
	for _, file := range []string{"a,b\nc,d\n", "\"a\nb\",c\r\n\"\"\"\",\"\"\n\n x\n", "a,\"b\"c\nd\n", "\"a\n\n\n,\"\n"} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		for line := range strings.SplitSeq(file, "\n") {
			if strings.ContainsRune(line, '\r') || (line != "" && strings.TrimSpace(line) == "") {
				return // a lone carriage return, and lines of spaces, are read differently on purpose
			}
		}
		parser := csv.NewReader(strings.NewReader(file))
		parser.FieldsPerRecord = -1
		want, err := parser.ReadAll()
		if err != nil {
			return
		}
		r := newRows(linesOf(file), 1<<20, ',')
		for i := range want {
			got, _, err := r.next()
			if err != nil || !reflect.DeepEqual(got, want[i]) {
				t.Fatalf("row %d is %q, %v; want %q", i, got, err, want[i])
			}
		}
		if got, _, err := r.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("one row more: %q, %v", got, err)
		}
	})
}
