package main

import (
	"path/filepath"
	"time"

	"recoup/detectors"
	"recoup/internal/build"
	"recoup/internal/explain"
	"recoup/internal/report"
)

// collect has the verdicts collected for a report in a language instead of written.
func (r *scoring) collect(l explain.Lang) *report.Report {
	page := report.New(l)
	r.suspectsOnly = false // it counts all, and lists suspects only anyway
	r.write = func(v *detectors.Verdict) error {
		var segment *detectors.SegmentSummary
		if v.Suspect {
			if s, ok := r.engine.Segment(); ok {
				segment = &s
			}
		}
		page.Add(&r.invoice, v, segment, r.threshold())
		return nil
	}
	return page
}

// page is what the report says beside the verdicts.
func (r *scoring) page(settings detectors.Settings, references []string, made time.Time) report.Page {
	names := make([]string, len(references))
	for i, file := range references {
		names[i] = filepath.Base(file)
	}
	return report.Page{File: filepath.Base(r.in.name), References: names, Created: made.UTC(),
		Build: build.Read().Version, Settings: settings,
		Redelivered: r.totals.redelivered, Unreadable: r.totals.reasons, FirstErrors: r.totals.firstBad,
		Segments: r.engine.Segments()}
}
