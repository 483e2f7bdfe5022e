package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"recoup/bench/auditor"
)

// matrix is what all scenes found.
type matrix struct {
	seed    uint64
	began   time.Time
	took    time.Duration
	results []*result
}

func (m *matrix) add(r *result) { m.results = append(m.results, r) }

// ok tells whether nothing differs anywhere.
func (m *matrix) ok() bool {
	return !slices.ContainsFunc(m.results, func(r *result) bool { return !r.report.OK() || len(r.ended) > 0 })
}

// wrong counts what the audit of a scene found wrong, by names of checks.
func (r *result) wrong(names ...string) (n int64) {
	for _, c := range r.report.Checks {
		if slices.Contains(names, c.Name) {
			n += c.Wrong
		}
	}
	return n
}

// Checks by the columns they stand in; the others stand in the last one.
var (
	lostChecks    = []string{auditor.CheckRowsLost, auditor.CheckLedger}
	doubledChecks = []string{auditor.CheckRowsDoubled, auditor.CheckRowsExtra}
	casesChecks   = []string{auditor.CheckCases, auditor.CheckCaseBytes, auditor.CheckDecidedOnce}
)

// others counts the remaining differences.
func (r *result) others() (n int64) {
	for _, c := range r.report.Checks {
		n += c.Wrong
	}
	return n - r.wrong(lostChecks...) - r.wrong(doubledChecks...) - r.wrong(casesChecks...) + int64(len(r.ended))
}

// row is one fault of a scene.
type row struct {
	fault string
	times int
	// halts are how long each one held up the partition it held up longest.
	halts []time.Duration
	alert time.Duration // the longest from an invoice to its case
}

// rows gathers the faults of a scene.
func (r *result) rows() (rows []*row) {
	by := map[string]*row{}
	for _, e := range r.events {
		if by[e.fault] == nil {
			by[e.fault] = &row{fault: e.fault}
			rows = append(rows, by[e.fault])
		}
		by[e.fault].times++
		if halt := r.halt(e.at); halt > 0 {
			by[e.fault].halts = append(by[e.fault].halts, halt)
		}
	}
	for _, a := range r.report.Alerts {
		i, _ := slices.BinarySearchFunc(r.events, a.Open, func(e event, at time.Time) int { return e.at.Compare(at) })
		if i > 0 {
			met := by[r.events[i-1].fault]
			met.alert = max(met.alert, a.Open.Sub(a.Sent))
		}
	}
	for _, row := range rows {
		slices.Sort(row.halts)
	}
	slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Compare(a.fault, b.fault) })
	return rows
}

// underway is how long after a kill a commit may still be the victim's own.
const underway = 100 * time.Millisecond

// halt returns how long after an instant the last partition went on.
func (r *result) halt(at time.Time) (longest time.Duration) {
	for _, commits := range r.report.Commits {
		var before int64
		for _, c := range commits {
			if c.At.Before(at.Add(underway)) {
				before = c.Offset
			} else if c.Offset > before {
				longest = max(longest, c.At.Sub(at))
				break
			}
		}
	}
	return longest
}

// header names the columns.
const header = "| scene | fault | times | lost | rows doubled | cases doubled | other differences " +
	"| halt: median, worst | event to case: worst |\n|---|---|---:|---:|---:|---:|---:|---:|---:|\n"

// table writes the matrix as markdown.
func (m *matrix) table(w io.Writer) {
	fmt.Fprint(w, header)
	for _, r := range m.results {
		for _, row := range r.rows() {
			halts := "–"
			if n := len(row.halts); n > 0 {
				halts = fmt.Sprintf("%.1f s, %.1f s", row.halts[n/2].Seconds(), row.halts[n-1].Seconds())
			}
			fmt.Fprintf(w, "| %s | %s | %d | %d | %d | %d | %d | %s | %.1f s |\n", r.scene, row.fault, row.times,
				r.wrong(lostChecks...), r.wrong(doubledChecks...), r.wrong(casesChecks...), r.others(), halts,
				row.alert.Seconds())
		}
	}
}

// total is the line below.
func (m *matrix) total() string {
	count, records := map[class]int{}, int64(0)
	var lost, doubled, alerts, others int64
	for _, r := range m.results {
		for _, e := range r.events {
			count[e.class]++
		}
		records += r.records
		lost, doubled = lost+r.wrong(lostChecks...), doubled+r.wrong(doubledChecks...)
		alerts, others = alerts+r.wrong(casesChecks...), others+r.others()
	}
	var counts []string
	for _, c := range []class{killed, paused, restarted, darkened, other} {
		counts = append(counts, fmt.Sprintf("%d %s", count[c], c))
	}
	return fmt.Sprintf("%d records, %s: %d lost, %d rows doubled, %d cases doubled, %d other differences", records,
		strings.Join(counts, ", "), lost, doubled, alerts, others)
}

// print writes the matrix, and what is to be said beside it.
func (m *matrix) print(w io.Writer) {
	fmt.Fprintf(w, "\nSeed %d, %s, %d cores, %v.\n\n", m.seed, m.began.UTC().Format("2 January 2006 15:04 UTC"),
		runtime.NumCPU(), m.took.Round(time.Second))
	m.table(w)
	fmt.Fprintf(w, "\n%s\n", m.total())
	for _, r := range m.results {
		for _, text := range r.skipped {
			fmt.Fprintf(w, "\n- %s, not injected: %s", r.scene, text)
		}
		for _, text := range r.ended {
			fmt.Fprintf(w, "\n- %s: a member ended by itself: %s", r.scene, text)
		}
		if r.swept != "0" {
			fmt.Fprintf(w, "\n- %s: %s rows of woken members stood twice until their owner removed them", r.scene, r.swept)
		}
		for _, c := range r.report.Checks {
			if !c.OK {
				fmt.Fprintf(w, "\n- %s: %s: %d wrong: %s", r.scene, c.Name, c.Wrong, strings.Join(c.Examples, "; "))
			}
		}
	}
	fmt.Fprintln(w)
}

// write appends the matrix to a file.
func (m *matrix) write(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	m.print(f)
	return f.Close()
}
