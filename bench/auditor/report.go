package auditor

import (
	"fmt"
	"io"
	"time"
)

// Names of the checks, in the order they are told. A check that has nothing to judge
// is left out: errors of a plan that is not exact, memory without members.
const (
	CheckLedger       = "ledger"
	CheckRowsLost     = "rows_lost"
	CheckRowsDoubled  = "rows_doubled"
	CheckRowsExtra    = "rows_extra"
	CheckRowContent   = "row_content"
	CheckLines        = "lines"
	CheckLinesDoubled = "lines_doubled"
	CheckLate         = "late"
	CheckTaught       = "taught"
	CheckErrors       = "errors"
	CheckDecisions    = "decisions"
	CheckDecidedOnce  = "decided_once"
	CheckCases        = "cases"
	CheckCasesDoubled = "cases_doubled"
	CheckCaseBytes    = "case_bytes"
	CheckDeadLetters  = "dead_letters"
	CheckCopies       = "copies"
	CheckRollups      = "rollups"
	CheckKeptViews    = "kept_views"
	CheckCommitted    = "committed"
	CheckCommitsAhead = "commits_ahead"
	CheckCommitsEarly = "commits_early"
	CheckCommitsBack  = "commits_back"
	CheckMarkers      = "markers"
	CheckBaselines    = "baselines"
	CheckFolded       = "folded"
	CheckMemory       = "memory"
	CheckMemoryGrown  = "memory_grown"
	CheckGoroutines   = "goroutines"
	CheckGrown        = "goroutines_grown"
)

// meanings say what holds when a check is ok; the order is that of the report.
var meanings = []struct{ name, what string }{
	{CheckLedger, "records stand in the topic where the ledger says"},
	{CheckRowsLost, "invoices have a row (G1)"},
	{CheckRowsDoubled, "invoices have more than one row (G2)"},
	{CheckRowsExtra, "rows have no invoice: of a redelivery, of garbage, of nothing sent (G2)"},
	{CheckRowContent, "rows say what their invoice says, amounts exact (G11)"},
	{CheckLines, "invoices have all their lines, amounts exact, and nothing else has any (G1, G11)"},
	{CheckLinesDoubled, "invoices have a line more than once (G2)"},
	{CheckLate, "rows say how late their invoice came (G10)"},
	{CheckTaught, "rows say rightly whether their invoice taught"},
	{CheckErrors, "invoices are suspect exactly where an error was injected"},
	{CheckDecisions, "suspect rows say what the decision log says, and it says nothing else"},
	{CheckDecidedOnce, "published decisions were contradicted by a later one (G4)"},
	{CheckCases, "decisions that open a case have it, published byte for byte (G4)"},
	{CheckCasesDoubled, "invoices opened their case more than once (G4)"},
	{CheckCaseBytes, "records of a case have other bytes than they should, or no decision (G4)"},
	{CheckDeadLetters, "records that cannot be read are parked with their bytes, nothing else is (G6)"},
	{CheckCopies, "records of cases and dead letters stand once in their tables"},
	{CheckRollups, "roll-ups say what the rows say (G2)"},
	{CheckKeptViews, "kept views say what the tables say"},
	{CheckCommitted, "partitions are committed to their end"},
	{CheckCommitsAhead, "looks during the run found each invoice's row and lines below what was committed (G3)"},
	{CheckCommitsEarly, "records were committed before row, dead letter, decision and case stood (G3)"},
	{CheckCommitsBack, "commits went backwards"},
	{CheckMarkers, "checkpoints promise more than is committed"},
	{CheckBaselines, "contributions to baselines are what their rows taught (G5)"},
	{CheckFolded, "baselines that members fold of them are what the rows of all partitions taught (G5)"},
	{CheckMemory, "bytes a member takes at most (G7)"},
	{CheckMemoryGrown, "bytes in use that a member took more of at most, since it first owned as much (G7)"},
	{CheckGoroutines, "goroutines a member has at most"},
	{CheckGrown, "goroutines that a member got more of at most, since it first owned as much"},
}

// mostExamples is how many examples a check keeps.
const mostExamples = 5

// Check is what one check found.
type Check struct {
	// Name is one of the Check constants.
	Name string `json:"name"`
	// What is what it looks at, in words.
	What string `json:"what"`
	// Expected is how many there should be; of memory and goroutines the limit.
	Expected int64 `json:"expected"`
	// Found is how many there are.
	Found int64 `json:"found"`
	// OK: nothing is wrong.
	OK bool `json:"ok"`
	// Wrong counts what is wrong.
	Wrong int64 `json:"wrong"`
	// Examples are the first of what is wrong, at most five.
	Examples []string `json:"examples,omitempty"`
}

// Report is what an audit found.
type Report struct {
	// Checks in a fixed order.
	Checks []Check `json:"checks"`
	// Seconds is how long the audit took.
	Seconds float64 `json:"seconds"`
	// Commits are those of each partition that went on, in order.
	Commits [][]Commit `json:"-"`
	// Alerts are the cases that were opened, by partition and offset of their invoices.
	Alerts []Alert `json:"-"`
}

// Commit is one commit of a partition.
type Commit struct {
	Offset int64     // of the next record
	At     time.Time // by the broker's clock
}

// Alert is a case that was opened.
type Alert struct {
	Sent time.Time // when its invoice came, by the broker's clock
	Open time.Time // when its first record came
}

// OK tells whether all checks are.
func (r *Report) OK() bool { return len(r.Failed()) == 0 }

// Failed names the checks that are not ok.
func (r *Report) Failed() (names []string) {
	for _, c := range r.Checks {
		if !c.OK {
			names = append(names, c.Name)
		}
	}
	return names
}

// Print writes one line per check, and the examples of what is wrong below it.
func (r *Report) Print(w io.Writer) {
	for _, c := range r.Checks {
		verdict := "ok  "
		if !c.OK {
			verdict = "FAIL"
		}
		fmt.Fprintf(w, "%s  %-13s  expected %d, found %d  %s\n", verdict, c.Name, c.Expected, c.Found, c.What)
		for _, example := range c.Examples {
			fmt.Fprintf(w, "      %s\n", example)
		}
		if more := c.Wrong - int64(len(c.Examples)); more > 0 {
			fmt.Fprintf(w, "      and %d more\n", more)
		}
	}
	verdict := "all is as it should be"
	if !r.OK() {
		verdict = fmt.Sprintf("%d of %d checks failed", len(r.Failed()), len(r.Checks))
	}
	fmt.Fprintf(w, "audited in %.1f s: %s\n", r.Seconds, verdict)
}

// checks collects what is found, by name.
type checks map[string]*Check

func (c *checks) get(name string) *Check {
	if *c == nil {
		*c = checks{}
	}
	if (*c)[name] == nil {
		(*c)[name] = &Check{Name: name}
	}
	return (*c)[name]
}

// expect adds to what a check wants, found to what there is.
func (c *checks) expect(name string, n int64) { c.get(name).Expected += n }
func (c *checks) found(name string, n int64)  { c.get(name).Found += n }

// right is one that is expected and found, or wrong.
func (c *checks) right(name string, is bool, format string, args ...any) {
	c.expect(name, 1)
	if is {
		c.found(name, 1)
		return
	}
	c.wrong(name, format, args...)
}

// never is one that should not be there.
func (c *checks) never(name, format string, args ...any) {
	c.found(name, 1)
	c.wrong(name, format, args...)
}

func (c *checks) wrong(name, format string, args ...any) {
	check := c.get(name)
	if check.Wrong++; len(check.Examples) < mostExamples {
		check.Examples = append(check.Examples, fmt.Sprintf(format, args...))
	}
}

// report puts the checks in order.
func (c *checks) report(began time.Time) Report {
	r := Report{Seconds: time.Since(began).Seconds()}
	for _, m := range meanings {
		if check := (*c)[m.name]; check != nil {
			check.What, check.OK = m.what, check.Wrong == 0
			r.Checks = append(r.Checks, *check)
		}
	}
	return r
}
