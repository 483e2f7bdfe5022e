package desk

import (
	"fmt"
	"testing"
	"time"

	"recoup/cases"
)

// quarrel returns a desk three weeks after 120 invoices were found suspect, of which
// every third customer disputed what was sure to be wrong.
func quarrel(t *testing.T) *Desk {
	t.Helper()
	d := New(DefaultSettings())
	var untouched []byte
	for i := range 120 {
		s, _ := suspect(fmt.Sprint("i", i), float64(i), true)
		c, err := cases.Decode(s.Case)
		if err != nil {
			t.Fatal(err)
		}
		c.PError, c.Customer = 0.5+0.4*float64(i%3/2), fmt.Sprint("c", i)
		body, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Restore(at("cases", i, 200), body); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			untouched = body
		}
		if i%3 == 2 {
			d.Dispute(at("disputes", i, 300), &cases.Dispute{EventID: fmt.Sprint("d", i), Seller: "acme", InvoiceID: c.InvoiceID,
				Reason: cases.ReasonPrice, At: minutes(300)})
		}
	}
	if err := d.Restored(); err != nil {
		t.Fatal(err)
	}
	if err := d.Restore(at("cases", 120, 200), untouched); err != nil { // read twice
		t.Fatal(err)
	}
	return d
}

// B22: what customers disputed tells how probable a dispute is; two desks say the same,
// what a case says stays, and a probability alone makes no record.
func TestForeseesDisputes(t *testing.T) {
	first, second := quarrel(t), quarrel(t)
	day := 24 * time.Hour
	for _, d := range []*Desk{first, second} {
		d.Tick(t0.Add(10 * day))
		if d.odds != nil {
			t.Error("learned though customers had only ten days")
		}
		d.Tick(t0.Add(21 * day))
	}
	says := func(d *Desk) map[string]*cases.Case {
		list, err := d.Changes()
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]*cases.Case{}
		for _, p := range list {
			c, err := cases.Decode(p.Body)
			if err != nil {
				t.Fatal(err)
			}
			all[c.InvoiceID] = c
		}
		return all
	}
	got, again := says(first), says(second)
	if len(got) != 40 {
		t.Fatalf("%d records, want those of disputes alone", len(got))
	}
	sure := got["i2"].PDispute
	if sure == nil || *sure < 0.5 || *again["i2"].PDispute != *sure {
		t.Fatalf("what customers dispute: %v and %v", sure, again["i2"].PDispute)
	}
	ack := func(id string, n int) {
		first.Event(at("events", n, 400), &cases.Event{EventID: fmt.Sprint("e", n), Status: cases.StatusAcknowledged,
			CaseID: cases.ID(cases.DedupKey("acme", id, 0)), At: minutes(400)})
	}
	ack("i0", 0)
	ack("i2", 1)
	first.odds = &cases.DisputeOdds{} // that says 0.5 of all
	got = says(first)
	if p := got["i0"].PDispute; p == nil || *p != 0.5 {
		t.Errorf("of a case that said nothing: %v", p)
	}
	if p := got["i2"].PDispute; p == nil || *p != *sure {
		t.Errorf("what was said has changed to %v", p)
	}
}

// B22: customers of two sellers that have one name are two.
func TestForeseesBySeller(t *testing.T) {
	d := quarrel(t)
	d.Tick(t0.Add(21 * 24 * time.Hour))
	f := *d.files[cases.ID(cases.DedupKey("acme", "i2", 0))]
	own := d.facts(&f, t0.Add(21*24*time.Hour)).Past
	f.seller = "other"
	if others := d.facts(&f, t0.Add(21*24*time.Hour)).Past; own != 1 || others != 0 {
		t.Errorf("the customer has disputed %d times, that of another seller %d; want 1 and 0", own, others)
	}
}
