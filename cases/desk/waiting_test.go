package desk

import (
	"fmt"
	"testing"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// strange returns a desk that knows nothing and takes so many strangers. Its predecessor
// published last at a minute.
func strange(t *testing.T, most int, before float64) *Desk {
	t.Helper()
	s := DefaultSettings()
	s.MostUnknown = most
	d := New(s)
	w := newWorld(t)
	c := w.opens("known", 1)
	for _, c.Seq = range []int64{1, 2} { // 1: a worker wrote it, later
		body, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Restore(at("cases", int(c.Seq), before+float64(2-c.Seq)*1.1e4), body); err != nil {
			t.Fatal(err)
		}
	}
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

// G7, G6: of events whose case does not come the oldest are parked when there are too
// many, and all after a week; an owner that reads them again parks what its predecessor
// may not have parked. What only an audit says is parked by nobody.
func TestEventsOfUnknownCases(t *testing.T) {
	const day = 24 * 60
	for _, c := range []struct {
		name         string
		events       int
		first        float64 // minute of the first event
		before       float64 // minute of a predecessor's last record
		working      bool    // the owner has read all that was there when it began
		later        time.Duration
		parked, kept int
	}{
		{"as many as are taken", 150, 31, 0, true, 0, 0, 150},
		{"a flood", 200, 31, 0, true, 0, 64, 136},
		{"old ones that come late", 200, -20 * day, 0, true, 0, 64, 136},
		{"a flood that was there", 200, -9 * day, 0, false, 0, 0, 136},
		{"one of last night", 200, -600, 0, false, 0, 64, 136},
		{"one of a week without recoup", 200, -9 * day, -8 * day, false, 0, 64, 136},
		{"eight days later", 100, 31, 0, true, 8 * 24 * time.Hour, 100, 0},
		{"due long ago", 100, -9 * day, 0, false, time.Minute, 0, 0},
		{"due while recoup was down", 100, -9 * day, -8 * day, false, time.Minute, 100, 0},
	} {
		d := strange(t, 150, c.before)
		if c.working {
			d.Tick(minutes(30.5))
		}
		for i := range c.events {
			ofNobody(d, i, c.first+float64(i)/100, "")
		}
		if c.later > 0 {
			d.Tick(minutes(30).Add(c.later))
		}
		got := d.Parked()
		records, _ := d.Waiting()
		if len(got) != c.parked || records != c.kept || len(d.waiting.files) != records || len(d.files) != records+1 {
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

// G6: one case may have events that were parked long ago and one that was not.
func TestParksTheLastOfACase(t *testing.T) {
	const day = 24 * 60
	d := strange(t, 150, 0)
	ofNobody(d, 0, -20*day, "")
	d.Event(at("events", 1, -2*day), &cases.Event{EventID: "e", CaseID: cases.ID("nobody0"),
		Status: cases.StatusVerified, At: minutes(-2 * day)})
	d.Tick(minutes(30))
	if got := d.Parked(); len(got) != 2 {
		t.Errorf("parked %v, want both events", got)
	}
}

// G7: what audits say of invoices without a case takes no room from what people do, is
// parked by nobody, and is bounded by itself.
func TestAuditsOfUnknownCases(t *testing.T) {
	d := strange(t, 100, 0)
	d.Tick(minutes(30.5))
	ofNobody(d, 0, 31, "")
	for i := range 120 {
		ofNobody(d, 1+i, 32+float64(i)/100, cases.OriginAudit)
	}
	d.Tick(minutes(40))
	records, _ := d.Waiting()
	if got := d.Parked(); len(got) != 0 || records != 1 || d.audited.records > 100 || len(d.files) != 2+d.audited.records {
		t.Errorf("parked %v, %d wait, %d of audits, in %d files", got, records, d.audited.records, len(d.files))
	}
	last := cases.ID("nobody120")
	d.Event(at("events", 200, 41), &cases.Event{EventID: "real", CaseID: last, Status: cases.StatusAcknowledged,
		At: minutes(41)})
	d.Tick(minutes(30).Add(8 * 24 * time.Hour))
	if got := d.Parked(); len(got) != 2 || got[1].Offset != 200 || d.waiting.records != 0 || d.files[last] != nil {
		t.Errorf("parked %v, want what people did", got)
	}
}

// A case that comes while its events wait has them all, and nothing waits any longer.
func TestCaseComesLate(t *testing.T) {
	w := newWorld(t)
	c := w.opens("late", 1)
	d := strange(t, 150, 0)
	d.Event(at("events", 0, 31), &cases.Event{EventID: "e", CaseID: c.CaseID, Status: cases.StatusAcknowledged,
		At: minutes(31)})
	w.restore(d, 0)
	if got := said(t, d); got.Status != cases.StatusAcknowledged || d.waiting.records != 0 || len(d.waiting.files) != 0 {
		t.Errorf("status %q, %d records wait", got.Status, d.waiting.records)
	}
}

// G7: disputes of invoices that nobody knows open so many cases, the others are parked
// until some are closed.
func TestDisputesOfUnknownInvoices(t *testing.T) {
	d := strange(t, 100, 0)
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

// G7, G6: however often the owner changes, no more disputes of unknown invoices open a
// case, and each of the others is parked, once where every owner has published.
func TestDisputesOverManyOwners(t *testing.T) {
	w := newWorld(t)
	for n := range 500 {
		w.dispute(cases.Dispute{EventID: fmt.Sprint("d", n), Seller: "acme", InvoiceID: fmt.Sprint("i", n),
			Reason: cases.ReasonPrice, At: recorded})
	}
	parked := map[int64]int{}
	for owner := range 5 {
		s := DefaultSettings()
		s.MostUnknown = 100
		d := New(s)
		now := recorded.Add(time.Duration(owner) * 48 * time.Hour)
		for i, body := range w.cases {
			if err := d.Restore(At{Position: invoice.Position{Topic: "cases", Offset: int64(i)}, Time: now.Add(-time.Hour)},
				body); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Restored(); err != nil {
			t.Fatal(err)
		}
		for i, dispute := range w.topics["disputes"] {
			dispute(d, At{Position: invoice.Position{Topic: "disputes", Offset: int64(i)}, Time: recorded})
		}
		d.Tick(now)
		d.Answered(d.Wanted())
		for _, p := range d.Parked() {
			parked[p.Offset]++
		}
		w.publish(d, nil, 0)
		e := cases.Event{EventID: fmt.Sprint("e", owner), CaseID: cases.ID(cases.DedupKey("acme", "i0", 0)),
			Status: cases.StatusAcknowledged, At: now}
		d.Event(At{Position: invoice.Position{Topic: "events", Offset: int64(owner)}, Time: now}, &e)
		w.publish(d, nil, 0)
	}
	opened := map[string]bool{}
	for _, body := range w.cases {
		if c, err := cases.Decode(body); err == nil {
			opened[c.CaseID] = true
		}
	}
	if len(opened) != 100 || len(parked) != 400 || parked[499] != 1 {
		t.Errorf("%d cases opened, %d disputes parked, the last %d times; want 100, 400 and 1", len(opened), len(parked),
			parked[499])
	}
}
