package desk

import (
	"fmt"
	"testing"
	"time"

	"recoup/cases"
)

// strange returns a desk that knows nothing and takes so many strangers.
func strange(t *testing.T, most int) *Desk {
	t.Helper()
	s := DefaultSettings()
	s.MostUnknown, s.Began = most, minutes(30)
	d := New(s)
	if err := d.Restored(); err != nil {
		t.Fatal(err)
	}
	return d
}

// ofNobody sends that somebody took a case that recoup does not know.
func ofNobody(d *Desk, n int, minute float64, origin cases.Origin) {
	d.Event(at("events", n, minute), &cases.Event{EventID: fmt.Sprint("e", n), CaseID: cases.ID(fmt.Sprint("nobody", n)),
		Origin: origin, Status: cases.StatusAcknowledged, At: minutes(minute)})
}

// G7: of events whose case does not come the oldest are parked when there are too many,
// and all after a week; an owner that reads them again parks what its predecessor
// cannot have parked. What only an audit says is parked by nobody.
func TestEventsOfUnknownCases(t *testing.T) {
	const day = 24 * 60
	for _, c := range []struct {
		name         string
		events       int
		first        float64 // minute of the first event
		working      bool    // the owner has read all that was there when it began
		origin       cases.Origin
		later        time.Duration
		parked, kept int
	}{
		{"as many as are taken", 150, 31, true, "", 0, 0, 150},
		{"a flood", 200, 31, true, "", 0, 64, 136},
		{"a flood that was there", 200, -3 * day, false, "", 0, 0, 136},
		{"one of last night", 200, -600, false, "", 0, 64, 136},
		{"eight days later", 100, 31, true, "", 8 * 24 * time.Hour, 100, 0},
		{"an audit's", 100, 31, true, cases.OriginAudit, 8 * 24 * time.Hour, 0, 100},
	} {
		d := strange(t, 150)
		if c.working {
			d.Tick(minutes(30.5))
		}
		for i := range c.events {
			ofNobody(d, i, c.first+float64(i)/100, c.origin)
		}
		if c.later > 0 {
			d.Tick(minutes(30).Add(c.later))
		}
		got := d.Parked()
		records, _ := d.Waiting()
		if len(got) != c.parked || records != c.kept || len(d.waiting) != records || len(d.files) != records {
			t.Errorf("%s: %d parked, %d wait in %d files; want %d and %d", c.name, len(got), records, len(d.files), c.parked,
				c.kept)
		}
		for i, p := range got {
			if p.Offset != int64(i) || p.Reason != ReasonUnknownCase {
				t.Errorf("%s: parked as number %d was %+v, want the oldest first", c.name, i, p)
				break
			}
		}
	}
}

// A case that comes while its events wait has them all, and nothing waits any longer.
func TestCaseComesLate(t *testing.T) {
	w := newWorld(t)
	c := w.opens("late", 1)
	d := strange(t, 150)
	d.Event(at("events", 0, 31), &cases.Event{EventID: "e", CaseID: c.CaseID, Status: cases.StatusAcknowledged,
		At: minutes(31)})
	w.restore(d, 0)
	if got := said(t, d); got.Status != cases.StatusAcknowledged || d.records != 0 || len(d.waiting) != 0 {
		t.Errorf("status %q, %d records wait", got.Status, d.records)
	}
}

// G7: disputes of invoices that nobody knows open so many cases, the others are parked
// until some are closed.
func TestDisputesOfUnknownInvoices(t *testing.T) {
	d := strange(t, 100)
	d.Tick(minutes(30.5))
	dispute := func(n int) {
		d.Dispute(at("disputes", n, 31), &cases.Dispute{EventID: fmt.Sprint("d", n), Seller: "acme",
			InvoiceID: fmt.Sprint("i", n), Reason: cases.ReasonPrice, At: minutes(31)})
		d.Answered(d.Wanted())
	}
	for n := range 120 {
		dispute(n)
	}
	list, err := d.Changes()
	got := d.Parked()
	if err != nil || len(list) != 100 || len(got) != 20 || got[0].Offset != 100 || got[0].Reason != ReasonUnknownInvoice ||
		len(d.disputed) != 100 {
		t.Fatalf("%d cases, %v; parked %d", len(list), err, len(got))
	}
	d.Event(at("events", 0, 32), &cases.Event{EventID: "e", CaseID: cases.ID(cases.DedupKey("acme", "i3", 0)),
		Status: cases.StatusClosed, At: minutes(32)})
	if _, err := d.Changes(); err != nil {
		t.Fatal(err)
	}
	d.Tick(minutes(33))
	dispute(120)
	dispute(121)
	if list, err := d.Changes(); err != nil || len(list) != 1 || len(d.Parked()) != 1 {
		t.Errorf("after one was closed %d of two disputes open a case, %v", len(list), err)
	}
}
