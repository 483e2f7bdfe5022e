package main

import (
	"fmt"
	"io"

	"recoup/detectors"
	"recoup/internal/explain"
)

// mostSegments is how many segments the summary shows.
const mostSegments = 8

// printSegments says where the 15 % rule means something: for the segments with
// the most invoices, how alike these are and how often an alert would be right.
func printSegments(w io.Writer, segments []detectors.SegmentSummary, s detectors.Settings) {
	if len(segments) == 0 {
		return
	}
	enough := 0
	names := map[string]bool{}
	for i := range segments {
		if segments[i].Footing == detectors.FootingEnough {
			enough++
		}
		names[segments[i].Seller+" "+segments[i].Currency] = true
	}
	percent := float64(s.DeviationBasisPoints) / 100
	fmt.Fprintf(w, "%g %% below the usual means something in %d of %d segments, those of at least %d invoices which "+
		"vary by at most %.6g %%\n", percent, enough, len(segments), s.MinN, 100*s.MaxCV)
	fmt.Fprintf(w, "  %9s  %8s  %12s  %-10s  segment\n", "invoices", "spread", "alerts right", "meaningful")
	for i := range segments[:min(len(segments), mostSegments)] {
		segment := &segments[i]
		name := segment.Of()
		if len(names) > 1 {
			name = segment.Seller + " " + segment.Currency + ", " + name
		}
		fmt.Fprintf(w, "  %9d  %8s  %12s  %-10s  %s\n", segment.N, explain.English.CV(segment.CV),
			explain.Precision(segment), explain.English.Footing(segment.Footing), shorten(explain.Clean(name), 80))
	}
	if more := len(segments) - mostSegments; more > 0 {
		fmt.Fprintf(w, "  and %d segments with fewer invoices\n", more)
	}
}
