package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// start is the time every scenario begins at.
var start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// mostLoaded bounds one load line: a typing error must not run for hours.
const mostLoaded = 1_000_000

// runner runs the commands of one file, as one partition of the real pipeline
// would: what is loaded is decoded, scored and taught.
type runner struct {
	base     detectors.Settings
	report   *Report
	failures []Failure
	filled   bool // an empty expectation was filled

	title    string
	settings detectors.Settings
	engine   *detectors.Engine // nil until the first invoice: settings may still change
	refs     *reference.Store  // what the scenario tells beside its invoices
	decoder  *invoice.Decoder
	now      time.Time
	offset   int64
	given    []argument
	loaded   map[string][]byte // by invoice id, what was loaded one by one
	last     string            // id of the newest of them
	inv      invoice.Invoice
	verdict  detectors.Verdict
}

func newRunner(base detectors.Settings, report *Report) *runner {
	r := &runner{base: base, report: report, decoder: invoice.NewDecoder(invoice.Limits{})}
	r.reset("")
	return r
}

// reset begins a scenario: nothing is learned, the settings are the first ones.
func (r *runner) reset(title string) {
	r.title, r.settings, r.engine, r.refs = title, r.base, nil, reference.NewStore(0)
	r.now, r.offset, r.given, r.loaded, r.last = start, 0, nil, map[string][]byte{}, ""
}

func (r *runner) run(f *file) error {
	if len(f.commands) > 0 && f.commands[0].verb != "scenario" {
		r.report.Scenarios++
	}
	for _, c := range f.commands {
		if err := r.do(c); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) do(c *command) error {
	if c.compared && c.verb != "load" && c.verb != "score" {
		return c.errorf("cannot compare after %q: %s must follow a load or score line", c.verb, divider)
	}
	switch c.verb {
	case "scenario":
		r.report.Scenarios++
		r.reset(c.rest)
		return nil
	case "set":
		return r.set(c)
	case "given":
		r.given = slices.Concat(r.given, c.args)
		return c.noWords()
	case "wait":
		return r.wait(c)
	case "reference":
		return r.reference(c)
	case "load":
		return r.load(c)
	case "score":
		return r.score(c)
	}
	return c.errorf("cannot run %q: want scenario, set, given, reference, wait, load or score", c.verb)
}

func (c *command) noWords() error {
	if len(c.words) > 0 {
		return c.errorf("cannot read %q: want key=value", c.words[0])
	}
	return nil
}

func (r *runner) wait(c *command) error {
	if len(c.words) != 1 || len(c.args) > 0 {
		return c.errorf(`cannot wait %q: want one duration such as "wait 3d" or "wait 90m"`, c.rest)
	}
	d, err := parseDuration(c.words[0])
	if err != nil || d < 0 {
		return c.errorf(`cannot wait %q: want one duration such as "wait 3d" or "wait 90m"`, c.rest)
	}
	r.now = r.now.Add(d)
	return nil
}

// load has a number of invoices go through recoup, spread over time.
func (r *runner) load(c *command) error {
	n, err := c.count()
	if err != nil {
		return err
	}
	every := time.Hour
	form := record{}
	if err := form.read(c, slices.Concat(r.given, c.args), func(a argument) (ok bool, err error) {
		if a.key == "every" {
			every, err = parseDuration(a.value)
		}
		return a.key == "every", err
	}); err != nil {
		return err
	}
	suspects, taught, first := 0, 0, ""
	for i := range n {
		data := form.encode(r.now, r.offset, i, fmt.Sprintf("L%d-%d", c.line, i+1))
		if err := r.take(c, data, true); err != nil {
			return err
		}
		if r.verdict.Suspect {
			if suspects++; suspects == 1 {
				first = fmt.Sprintf("invoice %d of %d is suspect: %s", i+1, n, strings.Join(r.verdict.Rules, ", "))
			}
		}
		if r.verdict.Taught {
			taught++
		}
		r.now = r.now.Add(every)
		if n == 1 {
			r.last = r.inv.Clone().ID
			r.loaded[r.last] = data
		}
	}
	if c.compared {
		r.report.Scores += n
		found := map[string]string{"suspects": strconv.Itoa(suspects), "taught": strconv.Itoa(taught)}
		return r.compare(c, found, []string{"suspects", "taught"})
	}
	if suspects > 0 {
		return c.errorf("cannot load usual invoices: %s; score it instead, or expect it with %q and \"suspects: %d\"",
			first, divider, suspects)
	}
	return nil
}

// count reads "30 invoices".
func (c *command) count() (int, error) {
	if len(c.words) == 2 && (c.words[1] == "invoices" || c.words[1] == "invoice") {
		if n, err := strconv.Atoi(c.words[0]); err == nil && n >= 1 && n <= mostLoaded {
			return n, nil
		}
	}
	return 0, c.errorf(`cannot load %q: want a number from 1 to %d first, such as "load 30 invoices net=100.00"`,
		c.rest, mostLoaded)
}

// score asks what recoup would say of one invoice and compares the verdict. It
// changes nothing, so that score lines can be added and moved freely.
func (r *runner) score(c *command) error {
	if !c.compared {
		return c.errorf("cannot score without comparing: want %q and what is expected behind it; "+
			"load is the line that teaches", divider)
	}
	data, err := r.record(c)
	if err != nil {
		return err
	}
	if err := r.take(c, data, false); err != nil {
		return err
	}
	r.report.Scores++
	return r.compare(c, describe(&r.verdict), defaultKeys)
}

// record makes the record of a score line, or finds the one it repeats.
func (r *runner) record(c *command) ([]byte, error) {
	if len(c.words) > 0 && c.words[0] == "again" && len(c.words) <= 2 && len(c.args) == 0 {
		id := r.last
		if len(c.words) == 2 {
			id = c.words[1]
		}
		if r.loaded[id] == nil {
			return nil, c.errorf(`cannot score %q again: no "load 1 invoice" line made it`, id)
		}
		return r.loaded[id], nil
	}
	if err := c.noWords(); err != nil {
		return nil, err
	}
	form := record{}
	if err := form.read(c, slices.Concat(r.given, c.args), nil); err != nil {
		return nil, err
	}
	return form.encode(r.now, r.offset, 0, fmt.Sprintf("S%d", c.line)), nil
}

// take decodes and scores one record as the pipeline does, and teaches it if
// asked to. A redelivery leaves an empty verdict.
func (r *runner) take(c *command, data []byte, teach bool) error {
	if r.engine == nil {
		if err := r.settings.Validate(); err != nil {
			return c.errorf("%w", err)
		}
		r.engine = detectors.NewEngine(r.settings, detectors.NewShared(), 0)
		r.engine.UseReferences(r.refs)
	}
	if err := r.decoder.Decode(data, &r.inv); err != nil {
		return c.errorf("cannot make this invoice: %w", err)
	}
	position := invoice.Position{Topic: "scenario", Offset: r.offset}
	if r.engine.Begin(&r.inv, position, r.now) == detectors.Redelivery {
		r.verdict = detectors.Verdict{}
		return nil
	}
	r.engine.Score(&r.verdict)
	r.report.note(&r.verdict)
	if teach {
		r.engine.Teach(r.verdict.Suspect)
		r.offset++
	}
	return nil
}

// note counts what a verdict found.
func (r *Report) note(v *detectors.Verdict) {
	if r.Found == nil {
		r.Found = map[string]int{}
	}
	for _, rule := range v.Rules {
		r.Found[rule]++
	}
	for i := range v.Causes {
		if code := v.Causes[i].Code + ":" + v.Causes[i].Kind; !slices.Contains(v.Rules, code) {
			r.Found[code]++
		}
	}
}

// compare checks the expectations of one command, and keeps what was found.
func (r *runner) compare(c *command, found map[string]string, defaults []string) error {
	if len(c.expected) == 0 {
		r.filled = true
		for _, key := range defaults {
			c.actual = append(c.actual, expectation{c.line, key, found[key]})
		}
		r.failures = append(r.failures, Failure{File: c.file, Line: c.line, Scenario: r.title, Key: "expectation",
			Want: "at least one line behind " + divider, Got: "none; -rewrite fills it in"})
		return nil
	}
	for _, want := range c.expected {
		got, ok := found[want.key]
		if !ok {
			at := command{file: c.file, line: want.line}
			return at.errorf("cannot compare %q: want one of %s", want.key, known(found))
		}
		same, err := matches(want.key, want.value, got)
		if err != nil {
			at := command{file: c.file, line: want.line}
			return at.errorf("cannot compare %s with %q: %w", want.key, want.value, err)
		}
		keep := want
		if !same {
			keep.value = got
			r.failures = append(r.failures, Failure{File: c.file, Line: want.line, Scenario: r.title, Key: want.key,
				Want: want.value, Got: got})
		}
		c.actual = append(c.actual, keep)
	}
	return nil
}
