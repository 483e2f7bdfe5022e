package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"recoup/bench/machine"
)

// figure is one thing that was measured, beside what is aimed at.
type figure struct {
	what     string // in words
	measured string // with its unit
	aim      string // as requirements say it; "": it is only told
	short    bool   // the aim is missed
}

// section is what one measurement found.
type section struct {
	title    string
	setting  string // what was running, in a sentence
	figures  []figure
	unloaded bool // less came than the aims are for
}

// tell adds a figure without an aim.
func (s *section) tell(what, format string, args ...any) {
	s.figures = append(s.figures, figure{what: what, measured: fmt.Sprintf(format, args...)})
}

// aimed adds a figure with its aim.
func (s *section) aimed(what, aim string, reached bool, format string, args ...any) {
	s.figures = append(s.figures, figure{what: what, measured: fmt.Sprintf(format, args...), aim: aim, short: !reached})
}

// atMost adds the time that a share of all does not exceed, and the most it may be. Where there
// is none nothing was measured, and the aim is missed, too.
func (s *section) atMost(what string, all []time.Duration, share float64, most time.Duration,
	show func(time.Duration) string, among string) {
	if len(all) == 0 {
		s.aimed(what, "≤ "+show(most), false, "none was measured%s", among)
		return
	}
	s.aimed(what, "≤ "+show(most), quantile(all, share) <= most, "%s of %d%s", show(quantile(all, share)), len(all), among)
}

// leastLoad is the share of the invoices asked for that has to come while it is measured.
const leastLoad = 0.99

// loaded adds how many invoices a second came while it was measured. If they are too few no aim
// of the section counts as reached.
func (s *section) loaded(asked, came float64) {
	enough := came >= leastLoad*asked
	s.unloaded = s.unloaded || !enough
	aim := fmt.Sprintf("≥ %.0f %% of %.0f", 100*leastLoad, asked)
	s.aimed("invoices a second that came meanwhile", aim, enough, "%.0f", came)
}

// text is the section as Markdown.
func (s *section) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n| figure | measured | aim | |\n|---|---|---|---|\n", s.title, s.setting)
	for _, f := range s.figures {
		verdict := ""
		switch {
		case f.short:
			verdict = "short"
		case f.aim != "" && s.unloaded:
			verdict = "too little came"
		case f.aim != "":
			verdict = "ok"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.what, f.measured, f.aim, verdict)
	}
	return b.String() + "\n"
}

// heading says when and where it was measured.
func heading(versions string) string {
	return fmt.Sprintf("# Recovery, %s\n\n%d cores, load average before %s, %s, %s/%s, %s, commit %s. Servers, generator "+
		"and members share the machine. Method: bench/README.md.\n\n", time.Now().UTC().Format(time.DateOnly),
		runtime.NumCPU(), machine.LoadAverage(), runtime.Version(), runtime.GOOS, runtime.GOARCH, versions, machine.Commit())
}

// quantile returns the smallest time that a share of all, from 0 to 1, does not exceed;
// of none it is zero.
func quantile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, min(len(sorted), int(share*float64(len(sorted))+0.999999))-1)]
}

// seconds is a time as it stands in a report.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// milliseconds is a short time as it stands in a report.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
