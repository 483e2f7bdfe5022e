package csvinvoice

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

// linesOf serves a text line by line, as a file does.
func linesOf(text string) Lines {
	rest := []byte(text)
	return func() ([]byte, int, error) {
		if len(rest) == 0 {
			return nil, 0, io.EOF
		}
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		rest = after
		return line, len(line), nil
	}
}

// read returns what a file comes to: for each invoice "line: record", for each
// error its text.
func read(t *testing.T, mapping, file string) (got []string) {
	t.Helper()
	var m *Mapping
	if mapping != "" {
		var err error
		if m, err = ParseMapping("map.yaml", []byte(mapping)); err != nil {
			return []string{err.Error()}
		}
	}
	r, err := NewReader(linesOf(file), m, invoice.Limits{Bytes: 10_000})
	if err != nil {
		return []string{err.Error()}
	}
	for {
		var inv invoice.Invoice
		line, err := r.Next(&inv)
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		record := inv.AppendJSON(nil)
		if err := contracttest.Validate(record); err != nil {
			t.Errorf("line %d: %v", line, err)
		}
		got = append(got, fmt.Sprintf("%d: %s", line, bytes.TrimPrefix(record, []byte(`{"schema":"invoice.v1",`))))
	}
}

// expect compares what a file came to with the lines wanted.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const plainHeader = "event_id,seller,invoice_id,issued_at,currency,net_amount"

// Columns that have the names of the contract need no mapping, however these are
// written; what stands in other columns is left out.
func TestNamesOfTheContract(t *testing.T) {
	for name, file := range map[string]string{
		"comma":     "event_id,Seller,Invoice ID,issued-at,currency,net_amount,Phone\ne,acme,F-1,2026-03-01,EUR,1.5,0123\n",
		"semicolon": "event_id;seller;invoice_id;issued_at;currency;net_amount\r\ne;acme;F-1;2026-03-01 00:00;EUR;1.50\r\n",
		"tab": "event_id\tseller\tinvoice_id\tissued_at\tcurrency\tnet_amount\n\n" +
			"e\tacme\tF-1\t2026-03-01T01:00:00+01:00\tEUR\t001.50",
		"quotes": `"event_id","seller","invoice_id","issued_at",` +
			`"currency","net_amount"` + "\n" + `"e","acme","F-1","2026-03-01T00:00:00Z","EUR","1.50"`,
		"spreadsheet": "sep=;\r\n" + strings.ReplaceAll(plainHeader, ",", ";") + "\r\n" +
			"e;acme;F-1;2026-03-01;EUR;1.5\r\n;;;;;\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, "", file)
			for i := range got {
				_, got[i], _ = strings.Cut(got[i], ": ")
			}
			expect(t, got, `"event_id":"e","seller":"acme","invoice_id":"F-1","issued_at":"2026-03-01T00:00:00Z",`+
				`"currency":"EUR","net_amount":"1.50"}`)
		})
	}
}

// The mapping that is shown reads the file it describes.
func TestExample(t *testing.T) {
	expect(t, read(t, Example, ""+
		"Facture;Nature;Date;Client;Segment;Livraison;TVA;Article;Libellé;Quantité;Prix;Remise;Tél\n"+
		"F-1;Facture;01/07/2026 09:30;c-1;B2B;L1;20;A;\"Papier \"\"A4\"\";\nblanc\";10;1.234,567;5;x\n"+
		"F-1;Facture;01/07/2026 09:30;;;;;B;Stylo;2;€ 1,50;;\n"+
		"F-2;Avoir;02/01/2026;c-2;-;;5,5 %;A;;1-;(2,00);0;\n"),
		`2: "event_id":"line-2","seller":"acme-fr","invoice_id":"F-1","issued_at":"2026-07-01T07:30:00Z","currency":"EUR",`+
			`"net_amount":"11731.3865","customer_ref":"c-1","customer_type":"B2B","product_family":"office",`+
			`"delivery_ref":"L1","tax_rate":"0.2","lines":[{"product_id":"A","description":"Papier \"A4\";\u000ablanc",`+
			`"quantity":"10","unit_price":"1234.567","discount_rate":"0.05"},`+
			`{"product_id":"B","description":"Stylo","quantity":"2","unit_price":"1.5"}]}`,
		`5: "event_id":"line-5","seller":"acme-fr","invoice_id":"F-2","issued_at":"2026-01-01T23:00:00Z","currency":"EUR",`+
			`"net_amount":"2.00","customer_ref":"c-2","product_family":"office","invoice_type":"credit_note",`+
			`"tax_rate":"0.055","lines":[{"product_id":"A","quantity":"-1","unit_price":"-2","discount_rate":"0"}]}`)
}

// Every form of field reaches the record.
func TestForms(t *testing.T) {
	expect(t, read(t, "constants: {seller: acme, currency: EUR, revision: 02, promo_codes: X|Y}\n"+
		"values: {canary: {yes: true}}",
		"invoice_id|issued_at|net_amount|due_date|period_start|crm.plan|crm.discount_rate|canary|legal_fields_present\n"+
			"F|2026-03-01|-.5|2026-04-01|2026-03-01 12:00|gold|7%|yes|a\n"),
		`2: "event_id":"line-2","seller":"acme","invoice_id":"F","issued_at":"2026-03-01T00:00:00Z","currency":"EUR",`+
			`"net_amount":"-0.50","canary":true,"revision":2,"due_date":"2026-04-01T00:00:00Z",`+
			`"period_start":"2026-03-01T12:00:00Z","promo_codes":["X","Y"],"crm":{"plan":"gold","discount_rate":"0.07"},`+
			`"legal_fields_present":["a"]}`)
}

// G6: a cell that cannot be read names its line, its column and its value, and
// the invoices around it are read.
func TestBadCells(t *testing.T) {
	const head = "invoice_id,issued_at,net_amount,Betrag,Nr\n"
	const good = "F-9,2026-03-01,1,1,0\n"
	const mapping = "columns: {invoice_id: invoice_id, issued_at: issued_at, net_amount: Betrag, revision: Nr}\n" +
		"constants: {seller: acme, currency: EUR}\n"
	for _, c := range [][2]string{
		{"F,2026-03-01,1,1.2.3,0", `column "Betrag" (net_amount): "1.2.3" is not a number: decimals stand behind "." here`},
		{"F,2026-03-01,1,\"1,5\",0", `column "Betrag" (net_amount): "1,5" is not a number: decimals stand behind "." here`},
		{"F,2026-03-01,1,€5,0", `"€5" is not a number: '€' is no digit; list what may stand there in`},
		{"F,2026-03-01,1,1E+05,0", `"1E+05" is not a number: want plain digits; an exponent may have lost some`},
		{"F,2026-03-01,1,1 000,0", `' ' stands in it; set thousands in the mapping`},
		{"F,2026-03-01,1,-(1),0", `want one minus`},
		{"F,2026-03-01,1,1.,0", `want digits behind "."`},
		{"F,2026-03-01,1,-,0", `want digits`},
		{"F,2026-03-01,1,1.00001,0", `column "Betrag" (net_amount): "1.00001": want at most 4 decimals (bad_decimal)`},
		{"F,2026-03-01,1,1e30,0", `an exponent`},
		{"F,03/01/2026,1,1,0", `column "issued_at": "03/01/2026" is not a date written as yyyy-MM-dd'T'HH:mm:ssXXX, or as`},
		{"F,2026-02-30,1,1,0", `"2026-02-30" is not a date`},
		{"F,1902-03-01,1,1,0", `column "issued_at": "1902-03-01T00:00:00Z" is not in the years 1970 to 2200`},
		{"F,2026-03-01,1,1,-1", `column "Nr" (revision): "-1" is no whole number (bad_integer)`},
		{"F,2026-03-01,1,1", `row: it has 4 columns, the first row 5; a value that holds ',' must stand in quotes`},
		{"F,2026-03-01,1,\"1\"\"2,0", `row: a value begins with a quote that nothing closes within`},
		{"F,2026-03-01,1,\"1\"2\",0",
			`row: a quote stands inside a value: write it twice and put the value in quotes (line 3,`},
		{",2026-03-01,1,1,0", `column "invoice_id": a required field is absent (missing_field)`},
		{"F\xff,2026-03-01,1,1,0", `column "invoice_id": "F\xff" is not UTF-8; save the file in UTF-8 (invalid_utf8)`},
		{"F\x01,2026-03-01,1,1,0", `column "invoice_id": "F\x01" has a control character at byte 1`},
		{strings.Repeat("F", 20_000),
			`row: the line has 20000 bytes, the limit is 10000 (pipeline.limits.record_bytes) (too_large)`},
		{"F,2026-03-01,1,1,99999999999999999999", `(overflow)`},
	} {
		row, want := c[0], c[1]
		got := read(t, mapping, head+good+row+"\n"+strings.Replace(good, "F-9", "F-10", 1))
		if len(got) != 3 || !strings.HasPrefix(got[0], "2: ") || !strings.HasPrefix(got[2], "4: ") ||
			!strings.HasPrefix(got[1], "line 3: ") || !strings.Contains(got[1], want) {
			t.Errorf("%s:\n%s\nwant\nline 3: … %s", row[:min(len(row), 40)], strings.Join(got, "\n"), want)
		}
	}
}

// A bad constant and a bad column of a line are named, too.
func TestWhatIsNamed(t *testing.T) {
	expect(t, read(t, "constants: {seller: acme, currency: euro}", "invoice_id,issued_at,net_amount\nF,2026-03-01,1\n"),
		`line 2: constant of currency: currency "euro" is not a code of ISO 4217, such as "EUR" (unknown_currency)`)
	const lines = "invoice_id,issued_at,net_amount,product_id,quantity\nF,2026-03-01,1,A,1\nF,,,B,99999999999999\n"
	expect(t, read(t, "constants: {seller: acme, currency: EUR}", lines),
		`line 3: column "quantity" (lines.quantity): "99999999999999": it is outside the range of 64 bits (overflow)`)
}

// Rows of one invoice stand together. An invoice is read whole or not at all:
// one that comes back, and one next to a row that cannot be read, is left out.
func TestRowsOfOneInvoice(t *testing.T) {
	const head = "invoice_id,issued_at,net_amount,product_id\n"
	row := func(id, product string) string { return id + ",2026-03-01,1," + product + "\n" }
	const mapping = "constants: {seller: acme, currency: EUR}"
	for _, c := range []struct {
		name, rows string
		want       []string // beginnings, but for the invoices' common middle
	}{
		{"two rows", row("A", "x") + row("A", "y") + row("B", "z"), []string{`2: A [x y]`, `4: B [z]`}},
		{"an invoice without lines", row("A", "") + row("B", "z"), []string{`2: A []`, `3: B [z]`}},
		{"values on one row", "A,2026-03-01,1,x\nA,,,y\n", []string{`2: A [x y]`}},
		{"two values", "A,2026-03-01,1,x\nA,2026-03-01,2,y\n", []string{
			`line 3: column "net_amount": "2" is not the "1" of line 2, which belongs to the same invoice (unknown_value)`}},
		{"comes back", row("A", "x") + row("B", "y") + row("A", "z") + row("C", "z"), []string{`2: A [x]`, `3: B [y]`,
			`line 4: column "invoice_id": this invoice ended at line 2 already; the rows of one invoice must stand together: ` +
				`sort the file by it (duplicate_key)`, `5: C [z]`}},
		{"a torn row", row("A", "x") + row("B", "x") + "B,\"x\"\"\n" + row("B", "y") + row("C", "z"), []string{
			`2: A [x]`, `line 3: row: line 4 cannot be read and may belong to the same invoice, which is left out (truncated)`,
			`line 4: row: a value begins with a quote that nothing closes within 6 bytes (syntax)`,
			`line 5: row: the row before it cannot be read and may belong to the same invoice, which is left out (truncated)`,
			`6: C [z]`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := read(t, mapping, head+c.rows)
			for i, g := range got {
				line, record, ok := strings.Cut(g, `: "event_id"`)
				if !ok {
					if before, _, found := strings.Cut(g, " closes within "); found {
						got[i] = before + " closes within 6 bytes (syntax)"
					}
					continue
				}
				id := record[strings.Index(record, `"invoice_id":"`)+14:][:1]
				var products []string
				for _, part := range strings.Split(record, `"product_id":"`)[1:] {
					products = append(products, part[:1])
				}
				got[i] = fmt.Sprintf("%s: %s %v", line, id, products)
			}
			expect(t, got, c.want...)
		})
	}
}

// G7: an invoice of any number of rows costs no more memory than the limit.
func TestHugeInvoice(t *testing.T) {
	rows := 0
	lines := func() ([]byte, int, error) {
		rows++
		switch {
		case rows == 1:
			return []byte("invoice_id,issued_at,net_amount,description"), 43, nil
		case rows < 1_000_000:
			return []byte("A,2026-03-01,1,a line like all the others"), 41, nil
		case rows == 1_000_000:
			return []byte("B,2026-03-01,1,x"), 16, nil
		}
		return nil, 0, io.EOF
	}
	m, err := ParseMapping("m", []byte("constants: {seller: acme, currency: EUR}"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(lines, m, invoice.Limits{Bytes: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	var inv invoice.Invoice
	_, err = r.Next(&inv)
	want := "line 2: row: its lines make more than 100000 bytes (pipeline.limits.record_bytes) (too_large)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if line, err := r.Next(&inv); err != nil || line != 1_000_000 || inv.ID != "B" {
		t.Errorf("the next invoice: %d %q, %v", line, inv.ID, err)
	}
	if c := cap(r.record.lines); c > 1_000_000 {
		t.Errorf("%d bytes are kept", c)
	}
}

// A file that cannot be what it is taken for is refused at its header.
func TestBadHeader(t *testing.T) {
	for _, c := range [][2]string{
		{"", "the file is empty, want a line with the names of the columns"},
		{"a,b\n", `nothing gives seller, invoice_id, issued_at, currency, net_amount, which invoice.v1 needs: ` +
			`a mapping names the column of each, or a constant`},
		{"\xff\xfea\x00,\x00", "the names of the columns are not UTF-8"},
		{"invoice_id,Invoice Id\n", `columns "invoice_id" and "Invoice Id" both mean invoice_id`},
		{"\"invoice_id\n" + plainHeader, "a value begins with a quote that nothing closes"},
	} {
		file, want := c[0], c[1]
		got := read(t, "", file)
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q: %v, want %s", file, got, want)
		}
	}
	for mapping, want := range map[string]string{
		"columns: {invoice_id: Numer}": `columns.invoice_id: the file has no column "Numer"; did you mean "Number"?`,
		"columns: {invoice_id: Twice}": `map.yaml:1: columns.invoice_id: the file has two columns "Twice"; rename one`,
	} {
		if got := read(t, mapping, "Number,Twice,Twice\n"); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %v, want %s", mapping, got, want)
		}
	}
}

// Without a header the columns have numbers.
func TestNoHeader(t *testing.T) {
	const mapping = "header: false\ncolumns: {invoice_id: 2, issued_at: 1, net_amount: 3}\n" +
		"constants: {seller: a, currency: EUR}\n"
	got := read(t, mapping, "2026-03-01,F-1,7\n2026-03-02,F-2,8\n")
	if len(got) != 2 || !strings.HasPrefix(got[0], "1: ") || !strings.Contains(got[0], `"F-1"`) ||
		!strings.HasPrefix(got[1], "2: ") {
		t.Errorf("got %v", got)
	}
}

func TestLooks(t *testing.T) {
	for start, want := range map[string]bool{
		"seller,invoice_id\n": true, "Invoice ID;x\r\n": true, "sep=;\r\n\"invoice_id\";x\n": true, "invoice_id": true,
		`{"invoice_id":"F"}`: false, `{"schema":"invoice.v1","invoice_id":"F"}`: false, "": false, "a,b\ninvoice_id": false,
	} {
		if got := Looks([]byte(start)); got != want {
			t.Errorf("Looks(%q) = %v", start, got)
		}
	}
}
