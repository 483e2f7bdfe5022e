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
	commit  string // of what was played
	began   time.Time
	took    time.Duration
	results []*result
}

func (m *matrix) add(r *result) { m.results = append(m.results, r) }

// ok tells whether nothing differs anywhere, and each fault met somebody.
func (m *matrix) ok() bool {
	return !slices.ContainsFunc(m.results, func(r *result) bool {
		return !r.report.OK() || len(r.ended) > 0 || !r.sampled && len(r.skipped) > 0
	})
}

// Checks by the columns they stand in; the others stand in the last one.
var (
	lostChecks = []string{auditor.CheckLedger, auditor.CheckRowsLost, auditor.CheckLines, auditor.CheckCases,
		auditor.CheckDeadLetters}
	doubledChecks = []string{auditor.CheckRowsDoubled, auditor.CheckRowsExtra, auditor.CheckLinesDoubled}
	casesChecks   = []string{auditor.CheckCasesDoubled, auditor.CheckCaseBytes, auditor.CheckDecidedOnce}
	rollupChecks  = []string{auditor.CheckRollups, auditor.CheckKeptViews}
)

// found is how much audits found wrong, by the columns of the matrix.
type found struct{ lost, doubled, cases, rollups, others int64 }

// add adds what the audit of a scene found, and members that ended by themselves.
func (f *found) add(r *result) {
	for _, c := range r.report.Checks {
		column := &f.others
		for to, names := range map[*int64][]string{&f.lost: lostChecks, &f.doubled: doubledChecks, &f.cases: casesChecks,
			&f.rollups: rollupChecks} {
			if slices.Contains(names, c.Name) {
				column = to
			}
		}
		*column += c.Wrong
	}
	f.others += int64(len(r.ended))
}

// cells are the columns of what was found.
func (f *found) cells() string {
	return fmt.Sprintf("%d | %d | %d | %d | %d", f.lost, f.doubled, f.cases, f.rollups, f.others)
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
const header = "| scene | fault | times | lost | rows doubled | cases doubled | roll-ups wrong | other differences " +
	"| take-over or halt: median, worst | event to case: worst |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"

// table writes the matrix as markdown.
func (m *matrix) table(w io.Writer) {
	fmt.Fprint(w, header)
	var all found
	times := make([]int, len(traffic))
	for _, r := range m.results {
		var here found
		here.add(r)
		all.add(r)
		for i, n := range r.traffic {
			times[i] += n
		}
		for _, row := range r.rows() {
			halts := "–"
			if n := len(row.halts); n > 0 {
				halts = fmt.Sprintf("%.1f s, %.1f s", row.halts[n/2].Seconds(), row.halts[n-1].Seconds())
			}
			fmt.Fprintf(w, "| %s | %s | %d | %s | %s | %.1f s |\n", r.scene, row.fault, row.times, here.cells(), halts,
				row.alert.Seconds())
		}
	}
	for i := range traffic {
		fmt.Fprintf(w, "| each | %s | %d | %s | – | – |\n", traffic[i].name, times[i], all.cells())
	}
}

// total is the line below.
func (m *matrix) total() string {
	count, records := map[class]int{}, int64(0)
	var all found
	for _, r := range m.results {
		for _, e := range r.events {
			count[e.class]++
		}
		records += r.records
		all.add(r)
	}
	var counts []string
	for _, c := range []class{killed, paused, restarted, darkened, other} {
		counts = append(counts, fmt.Sprintf("%d %s", count[c], c))
	}
	return fmt.Sprintf("%d records, %s: %d lost, %d rows doubled, %d cases doubled, %d roll-ups wrong, "+
		"%d other differences", records, strings.Join(counts, ", "), all.lost, all.doubled, all.cases, all.rollups,
		all.others)
}

// print writes the matrix, and what is to be said beside it.
func (m *matrix) print(w io.Writer) {
	fmt.Fprintf(w, "\nSeed %d, %s, commit %s, %d cores, %v.\n\n", m.seed, m.began.UTC().Format("2 January 2006 15:04 UTC"),
		m.commit, runtime.NumCPU(), m.took.Round(time.Second))
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
