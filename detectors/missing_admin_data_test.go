package detectors

import (
	"fmt"
	"testing"

	"recoup/invoice"
)

// A8, E1, G5: a release that loses every VAT number is found to its end and leaves
// nothing behind; where nobody has one any more, that is usual within weeks.
func TestOutageIsNotLearned(t *testing.T) {
	e, s := NewEngine(DefaultSettings(), NewShared(), 0), newShop()
	suspects := func(n int, release func() string, legal ...string) (suspects int) {
		for range n {
			inv := s.next()
			inv.LegalFieldsPresent, inv.SourceRelease = legal, release()
			var v Verdict
			e.Begin(inv, invoice.Position{Offset: s.n}, inv.IssuedAt)
			e.Score(&v)
			e.Teach(v.Suspect)
			if v.Suspect {
				suspects++
			}
		}
		return suspects
	}
	good, bad := func() string { return "r1" }, func() string { return "r2" }
	daily := func() string { return fmt.Sprint("d", s.at.YearDay()) }
	if n := suspects(900, good, "buyer_vat_id"); n != 0 {
		t.Errorf("%d of 900 usual invoices are suspect", n)
	}
	if n := suspects(400, bad); n != 400 {
		t.Errorf("%d of 400 invoices of the outage are suspect", n)
	}
	if n := suspects(200, good, "buyer_vat_id"); n != 0 {
		t.Errorf("%d of 200 usual invoices after the outage are suspect", n)
	}
	if n := suspects(50, bad); n != 50 {
		t.Errorf("%d of 50 invoices of a second outage are suspect", n)
	}
	suspects(21*48, daily)
	if n := suspects(96, daily); n != 0 {
		t.Errorf("%d of 96 invoices are suspect three weeks after VAT numbers ceased", n)
	}
}
