package report

import (
	"fmt"
	"strings"
	"testing"

	"recoup/detectors"
	"recoup/invoice"
)

// segments are n of them, every third with enough invoices that are alike.
func segments(n int) (all []detectors.SegmentSummary) {
	for i := range n {
		s := detectors.SegmentSummary{Level: detectors.LevelTypeProduct, Seller: "acme", Currency: "EUR", CustomerType: "B2B",
			ProductFamily: fmt.Sprint("family-", i), N: int64(5000 - i), Mean: 100 * invoice.Unit}
		switch i % 3 {
		case 0:
			s.CV, s.Footing, s.Precision, s.Recall = 0.05, detectors.FootingEnough, 0.978, 0.97
		case 1:
			s.CV, s.Footing, s.Precision, s.Recall = 1.2, detectors.FootingTooSpread, 0.041, 0.79
		case 2:
			s.CV, s.Footing, s.Precision, s.Recall = 0, detectors.FootingTooFew, 0.09, 0.9
		}
		all = append(all, s)
	}
	return all
}

// Where the 15 % rule means something is said before anybody has to judge an alert.
func TestSegments(t *testing.T) {
	page := write(t, reported(30), Page{Segments: segments(14)})
	contains(t, text(page), "Where 15 % below the usual means something In 5 of 14 segments: those of at least 30 "+
		"invoices whose amounts vary by at most 7.5 %.",
		"customer type B2B and product family family-0 5,000 5.0 % 98 % 97 % yes "+
			"customer type B2B and product family family-1 4,999 120 % 4 % 79 % no "+
			"customer type B2B and product family family-2 4,998 0.0 % 9 % 90 % too few",
		"2 segments with fewer invoices not shown.", "if 3 % of the invoices are wrong")
	contains(t, page, "<title>customer type B2B and product family family-1: 4,999 invoices, spread 120 %, expected "+
		"precision 4 %</title>", `<rect class="usual" x="8.23"`, `<rect class="suspects" x="98.80"`)
	if n := strings.Count(page, `<rect class="band"`); n < curveBars {
		t.Errorf("the curve has %d bars", n)
	}
	if page = write(t, reported(30), Page{}); strings.Contains(page, "means something") {
		t.Error("something is said about no segments")
	}
}

// Names of segments are text, whatever stands in them, and any number of them makes
// a page of bounded size (G7).
func TestSegmentsAreEscapedAndBounded(t *testing.T) {
	all := segments(50_000)
	all[0].ProductFamily, all[1].Seller = "<script>alert(1)</script>\x1b[31m", `"><img src=x>`
	page := write(t, reported(30), Page{Segments: all})
	for _, tag := range tags.FindAllString(page, -1) {
		if !harmless.MatchString(tag) {
			t.Errorf("the page has %s", tag)
		}
	}
	if strings.Contains(page, "\x1b") || len(page) > 200<<10 {
		t.Errorf("a control character, or %d bytes", len(page))
	}
	contains(t, page, "&lt;script&gt;alert(1)", "&#34;&gt;&lt;img src=x&gt; EUR, customer type B2B", "49,988 segments")
}
