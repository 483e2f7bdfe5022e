package model

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

// train makes a small classifier of a seller's invoices.
func train(t *testing.T, seller string) *detectors.Classifier {
	t.Helper()
	e := detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)
	trainer := detectors.NewTrainer(detectors.TrainerOptions{})
	decoder := invoice.NewDecoder(invoice.Limits{})
	rng := rand.New(rand.NewPCG(1, 1))
	var inv invoice.Invoice
	var v detectors.Verdict
	for i := range 600 {
		at := time.Date(2026, 3, 1, 0, 10*i, 0, 0, time.UTC)
		quantity, price := 1+rng.IntN(9), 10*(1+i%7)
		record := fmt.Sprintf(`{"schema":"invoice.v1","event_id":"e%d","seller":%q,"invoice_id":"i%d","issued_at":%q,`+
			`"currency":"EUR","net_amount":"%d.00","customer_ref":"c%d","customer_type":"B2C","product_family":"f",`+
			`"lines":[{"product_id":"p%d","quantity":"%d","unit_price":"%d.00","line_net":"%d.00"}]}`,
			i, seller, i, at.Format(time.RFC3339), quantity*price, i%40, i%7, quantity, price, quantity*price)
		if err := decoder.Decode([]byte(record), &inv); err != nil {
			t.Fatal(err)
		}
		e.Begin(&inv, invoice.Position{Offset: int64(i)}, at)
		e.Score(&v)
		trainer.Observe(e)
		e.Teach(v.Suspect)
	}
	c := trainer.Train(seller)
	if c == nil {
		t.Fatal("600 invoices train no model")
	}
	return c
}

// What is stored is what was trained, within the size of a record.
func TestRecord(t *testing.T) {
	c := train(t, "acme")
	through := time.Date(2026, 3, 5, 4, 0, 0, 0, time.FixedZone("", 3600))
	r, err := New(c, through)
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := contracttest.Validate(body); err != nil {
		t.Error(err)
	}
	t.Logf("%d bytes, %d packed", len(c.Append(nil)), len(body))
	read, err := ReadAll(strings.NewReader("\n" + string(body) + "\n"))
	if err != nil || len(read) != 1 {
		t.Fatalf("%d records, %v", len(read), err)
	}
	again, err := read[0].Classifier()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Append(nil), c.Append(nil)) || !read[0].Through.Equal(through) ||
		read[0].Examples != c.Examples() {
		t.Errorf("got %+v of %s", read[0], again.Version())
	}
}

// What cannot be used is said, not taken.
func TestRefusals(t *testing.T) {
	r, err := New(train(t, "acme"), time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Record){
		`schema "model.v2"`:         func(r *Record) { r.Schema = "model.v2" },
		"want seller, version":      func(r *Record) { r.Data = nil },
		"cannot unpack":             func(r *Record) { r.Data = []byte("no zstd") },
		`is that of trained-`:       func(r *Record) { r.Version = "trained-0000000000000000" },
		` of "acme"`:                func(r *Record) { r.Seller = "other" },
		"want at most":              func(r *Record) { r.Data = make([]byte, MaxBytes) },
		"another version of recoup": func(r *Record) { r.Data = packed.EncodeAll([]byte("rcM\x00 of old"), nil) },
	} {
		changed := *r
		change(&changed)
		body, err := changed.Encode()
		if err == nil {
			var read *Record
			if read, err = Decode(body); err == nil {
				_, err = read.Classifier()
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
