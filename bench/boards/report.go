package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// What a question may take: median wall time, and rows read per scored invoice.
const (
	mostWall = 300 * time.Millisecond
	mostRead = 0.05
)

// report is all that was measured.
type report struct {
	figures              []figure
	counts               map[string]uint64 // rows of each table
	rounds               int
	server, busy, commit string
}

// share is how much of the scored invoices a question read, in rows of any table.
func (r *report) share(f *figure) float64 {
	return float64(f.read) / float64(r.counts["scored_invoices"])
}

// verdict is ok, or what is wrong with a question.
func (r *report) verdict(f *figure) string {
	var wrong []string
	if f.answered == 0 {
		wrong = append(wrong, "no answer")
	}
	if median(f.wall) > mostWall {
		wrong = append(wrong, "slow")
	}
	if r.share(f) > mostRead {
		wrong = append(wrong, "reads too much")
	}
	if wrong == nil {
		return "ok"
	}
	return "FAIL: " + strings.Join(wrong, ", ")
}

// missed is how many questions are not ok.
func (r *report) missed() (n int) {
	for i := range r.figures {
		if r.verdict(&r.figures[i]) != "ok" {
			n++
		}
	}
	return n
}

// median of sorted times.
func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

// text is the report as Markdown, slowest first.
func (r *report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Boards, %s\n\n%d scored invoices of 90 days and %d lines; %d records of cases, %d case events, "+
		"%d recoveries.\n",
		time.Now().UTC().Format(time.DateOnly), r.counts["scored_invoices"], r.counts["invoice_lines"], r.counts["cases"],
		r.counts["case_events"], r.counts["recoveries"])
	fmt.Fprintf(&b, "Each question of the catalogue %d times, for the last 30 days of the largest seller, while the kept "+
		"views are refreshed as always.\nAims: %d ms (median), rows read at most %.0f %% of the scored invoices. "+
		"%d questions, %d miss.\n", r.rounds, mostWall.Milliseconds(), 100*mostRead, len(r.figures), r.missed())
	fmt.Fprintf(&b, "%d cores, load average before %s, %s, %s/%s, ClickHouse %s, commit %s.\n\n", runtime.NumCPU(), r.busy,
		runtime.Version(), runtime.GOOS, runtime.GOARCH, r.server, r.commit)
	fmt.Fprint(&b, "| question | best, ms | median, ms | CPU, ms | rows read | share | rows | |\n",
		"|---|---|---|---|---|---|---|---|\n")
	slices.SortFunc(r.figures, func(a, b figure) int { return cmp.Compare(median(b.wall), median(a.wall)) })
	for i := range r.figures {
		f := &r.figures[i]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %.2f %% | %d | %s |\n", f.name, milliseconds(f.wall[0]),
			milliseconds(median(f.wall)), milliseconds(median(f.cpu)), f.read, 100*r.share(f), f.answered, r.verdict(f))
	}
	return b.String()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d.Microseconds())/1000) }
