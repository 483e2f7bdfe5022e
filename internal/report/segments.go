package report

import (
	"recoup/detectors"
	"recoup/internal/explain"
)

// worth is what the 15 % rule is worth in the segments of the file.
type worth struct {
	Percent string // the rule's limit
	MinN    int64
	MaxCV   string // per cent
	Wrong   string // per cent of invoices that are expected to be
	Enough  int    // segments where it means something
	All     int
	Curve   []mark // precision by spread, as bars
	Marks   []mark // the segments on it
	Rows    []segmentRow
	More    int64 // segments that are not in Rows
}

// mark is a rectangle of a chart, in per cent of its width and height, from the
// left and from above.
type mark struct {
	Title               string // shown on hovering, read aloud; "" for none
	X, Y, Width, Height float64
	Enough              bool
}

// segmentRow is one segment of the table.
type segmentRow struct {
	Of, Invoices, Spread, Precision, Recall, Meaningful string
}

const (
	// widestSpread is the coefficient of variation at the right edge of the chart;
	// what is beyond stands at the edge.
	widestSpread = 0.6
	// curveBars is how many bars make the curve.
	curveBars = 60
	// mostMarks and mostRows bound how many segments are drawn and listed.
	mostMarks, mostRows = 300, 12
)

// worth says where the 15 % rule means something.
func (t tongue) worth(p *Page) *worth {
	if len(p.Segments) == 0 {
		return nil
	}
	s := &p.Settings
	w := &worth{Percent: t.short(float64(s.DeviationBasisPoints) / 100), MinN: s.MinN, MaxCV: t.short(100 * s.MaxCV),
		Wrong: t.short(100 * s.BaseRate),
		All:   len(p.Segments), More: int64(max(0, len(p.Segments)-mostRows))}
	names := map[string]bool{}
	for i := range p.Segments {
		segment := &p.Segments[i]
		names[segment.Seller+" "+segment.Currency] = true
		if segment.Footing == detectors.FootingEnough {
			w.Enough++
		}
	}
	for i := range curveBars {
		const width = 100.0 / curveBars
		precision, _ := detectors.ExpectedPrecision(max(100, s.MinN), (float64(i)+0.5)*widestSpread/curveBars, *s)
		w.Curve = append(w.Curve, mark{X: float64(i) * width, Y: 100 * (1 - precision), Width: width,
			Height: 100 * precision})
	}
	for i := range p.Segments[:min(len(p.Segments), mostMarks)] {
		segment := &p.Segments[i]
		name := t.Segment(segment)
		if len(names) > 1 {
			name = segment.Seller + " " + segment.Currency + ", " + name
		}
		name = shown(name)
		enough := segment.Footing == detectors.FootingEnough
		w.Marks = append(w.Marks, mark{X: 98.8 * min(segment.CV/widestSpread, 1), Y: 97 * (1 - segment.Precision),
			Width: 1.2, Height: 3, Enough: enough, Title: t.Say("%s: %s, spread %s, expected precision %s",
				"%s : %s, dispersion %s, précision attendue %s", name, t.counted(segment.N, "invoice", "facture"),
				t.CV(segment.CV), explain.Precision(segment))})
		if i < mostRows {
			w.Rows = append(w.Rows, segmentRow{Of: name, Invoices: t.whole(segment.N), Spread: t.CV(segment.CV),
				Precision: explain.Precision(segment), Recall: explain.Probability(segment.Recall),
				Meaningful: t.Footing(segment.Footing)})
		}
	}
	return w
}
